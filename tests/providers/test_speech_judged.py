"""Speech judged by the vendors' own types: what is asked of OpenAI, Google and Mistral, and what they answer."""

import io
import wave
from typing import Any

import orjson
from google.genai import types as google
from mistralai.client.models import SpeechRequest, SpeechStreamEvents
from openai.types.audio.speech_create_params import SpeechCreateParams
from pydantic import TypeAdapter

from orrery.core.types import Operation
from tests.providers.families import Case, with_files
from tests.providers.test_families import each

PARAMS: TypeAdapter[Any] = TypeAdapter(SpeechCreateParams)


def of(files: tuple[str, ...], *providers: str) -> list[Case]:
    return [case for case in with_files(*files) if case.operation is Operation.SPEECH and case.provider in providers]


@each(of(("request.json",), "openai", "azure"))
def test_openais_requests_are_lawful(case: Case) -> None:
    body = case.json_of("request.json")
    assert PARAMS.validate_python(body, strict=True) == body


@each(of(("request.json",), "google", "vertex"))
def test_googles_requests_are_its_types(case: Case) -> None:
    body = case.json_of("request.json")
    assert body.keys() == {"contents", "generationConfig"}
    for content in body["contents"]:
        google.Content.model_validate(content, extra="forbid")
    google.GenerateContentConfig.model_validate(body["generationConfig"], extra="forbid")


@each(of(("stream.sse",), "google", "vertex"))
def test_googles_events_are_its_types(case: Case) -> None:
    for event in case.bytes_of("stream.sse").split(b"\n\n")[:-1]:
        google.GenerateContentResponse.model_validate(orjson.loads(event.removeprefix(b"data: ")), extra="forbid")


@each([case for case in of(("answer.bin",), "google", "vertex") if "wav" in case.name])
def test_googles_samples_become_a_file_that_can_be_played(case: Case) -> None:
    with wave.open(io.BytesIO(case.bytes_of("answer.bin"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (24_000, 1, 8)


@each(of(("request.json",), "mistral"))
def test_mistrals_requests_are_its_types(case: Case) -> None:
    body = case.json_of("request.json")
    judged = SpeechRequest.model_validate(body, strict=True)
    assert judged.additional_properties == {}, "fields that it does not know"
    assert judged.model_dump() == body


@each(of(("stream.sse", "usage.json"), "mistral"))
def test_mistrals_events_are_its_types(case: Case) -> None:
    for event in case.bytes_of("stream.sse").strip().split(b"\n\n"):
        name, data = event.removeprefix(b"event: ").split(b"\ndata: ")
        judged = SpeechStreamEvents.model_validate({"event": name.decode(), "data": orjson.loads(data)})
        assert judged.data.type == judged.event == name.decode()
