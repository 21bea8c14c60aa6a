"""What goes to providers and what comes back, judged by the types of the vendors' own SDKs."""

from typing import Any

import orjson
import pytest
from mistralai.client.models import AudioTranscriptionRequest, TranscriptionResponse, TranscriptionStreamEvents
from openai.types.audio import (
    Transcription,
    TranscriptionDiarized,
    TranscriptionStreamEvent,
    TranscriptionVerbose,
    Translation,
    TranslationVerbose,
)
from openai.types.audio.transcription_create_params import TranscriptionCreateParamsNonStreaming
from openai.types.audio.translation_create_params import TranslationCreateParams
from pydantic import ConfigDict, TypeAdapter, with_config

from orrery.core.types import Operation
from orrery.providers.compatible.transcription_facts import ELEVENLABS
from orrery.wire.brackets import placed, steps_of
from orrery.wire.sse import Reader
from orrery.wire.transcripts import format_of
from tests.providers.families import Case, all_cases

HEARD = [case for case in all_cases() if case.operation in (Operation.TRANSCRIPTIONS, Operation.TRANSLATIONS)]
ANSWERED = [case for case in HEARD if case.has("answer.json")]
ON_OPENAIS_WIRE = [case for case in HEARD if case.provider in ("openai", "azure") and case.has("request.json")]
MISTRAL = [case for case in HEARD if case.provider == "mistral"]

ANSWERS: dict[Operation, dict[str, Any]] = {
    Operation.TRANSCRIPTIONS: {
        "json": Transcription,
        "verbose_json": TranscriptionVerbose,
        "diarized_json": TranscriptionDiarized,
    },
    Operation.TRANSLATIONS: {"json": Translation, "verbose_json": TranslationVerbose},
}


def each(cases: list[Case]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=lambda case: f"{case.provider}/{case.name}")


def form_of(case: Case) -> dict[str, Any]:
    """The fields that were sent, as the SDK's parameters: nested, and numbers as numbers."""
    body: dict[str, Any] = {}
    for name, text in case.json_of("request.json")["form"]:
        bare, steps = steps_of(name)
        value: Any = {"true": True, "false": False}.get(text, text)
        if bare in ("temperature", "chunking_strategy") and text.replace(".", "").isdigit():
            value = float(text)
        body[bare] = placed(body.get(bare), steps, value)
    return body


@each(ANSWERED)
def test_openais_types_accept_every_answer(case):
    kind = ANSWERS[case.operation][format_of(case.call())]
    kind.model_validate(case.json_of("answer.json"), strict=True)


@each([case for case in HEARD if case.has("chunks.json")])
def test_openais_types_accept_every_event(case):
    for event in case.json_of("chunks.json"):
        TypeAdapter(TranscriptionStreamEvent).validate_python(event)


@each(ON_OPENAIS_WIRE)
def test_openais_types_accept_what_is_sent(case):
    body = {**form_of(case), "file": b"x"}
    assert not ELEVENLABS & body.keys()
    body.pop("stream", None)
    closed: Any = (
        TranslationCreateParams if case.operation is Operation.TRANSLATIONS else TranscriptionCreateParamsNonStreaming
    )
    with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))(closed)
    TypeAdapter(closed).validate_python(body)


@each([case for case in MISTRAL if case.has("request.json")])
def test_mistrals_types_accept_what_is_sent(case):
    sent = form_of(case)
    assert sent.keys() <= AudioTranscriptionRequest.model_fields.keys()
    granularity = sent.pop("timestamp_granularities", None)
    more = {"timestamp_granularities": [granularity]} if granularity else {}
    sent.pop("stream", None)
    AudioTranscriptionRequest.model_validate({**sent, **more})
    assert not (granularity and "language" in sent)


@each([case for case in MISTRAL if case.has("reply.json")])
def test_mistrals_types_know_the_replies(case):
    TranscriptionResponse.model_validate(case.json_of("reply.json"))


@each([case for case in MISTRAL if case.has("stream.sse")])
def test_mistrals_types_know_the_events(case):
    for event in Reader().feed(case.bytes_of("stream.sse")):
        known = TranscriptionStreamEvents.model_validate({"event": event.name, "data": orjson.loads(event.data)})
        assert not getattr(known.data, "is_unknown", False)
