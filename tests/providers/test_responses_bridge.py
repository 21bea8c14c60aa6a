"""Answers of a chat as those of a response, with every chat provider's own cases."""

from typing import Any

import pytest
from openai.types.responses import ResponseStreamEvent
from openresponses_types import types as spec
from pydantic import BaseModel, TypeAdapter

from orrery.core.errors import GatewayError, Truncated
from orrery.core.types import Usage
from tests.providers.cases import Case, chunks_of, cuts_of, ends, fold, frames_of, with_files
from tests.providers.cases import events_of as events_in
from tests.providers.cases import streamed as with_stream
from tests.providers.responding import (
    ENDS,
    Replayed,
    decoded,
    payloads,
    resource_in,
    streamed,
    told_by,
    told_by_chat,
    varied,
)
from tests.providers.test_cases import each

OPENAIS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
MODELS = [model for model in vars(spec).values() if isinstance(model, type) and issubclass(model, BaseModel)]
SPECS = {
    value.value: model
    for model in MODELS
    if model.__name__.endswith("StreamingEvent")
    for value in model.model_fields["type"].annotation  # type: ignore[union-attr]
}
SUMMARY = {"reasoning": {"summary": "auto"}}

WHOLE = varied(with_files("reply.json", "answer.json"))
STREAMED = varied(with_stream("answer.json"))
SOME = [case for case in STREAMED if case.provider not in ("azure", "vertex") and "reason" in case.name][:12]
"""Of every kind of stream: what follows from the chat's own tests need not be asked of all."""


def conform(response: Any) -> None:
    """Open Responses has what it is; pictures only OpenAI's document has."""
    listed = [item for item in response["output"] if item["type"] != "image_generation_call"]
    spec.ResponseResource.model_validate({**response, "output": listed})


def counted(told: Any, usage: Usage | None) -> None:
    assert usage is not None
    assert told == {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write + usage.cache_write_1h,
        },
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }


@each(WHOLE)
def test_a_whole_answer_tells_what_the_chats_does(case: Case) -> None:
    ours, theirs = decoded(case), case.adapter().decode(case.bytes_of("reply.json"), case.call())
    response: Any = ours.payload
    assert told_by(response) == told_by_chat(case.json_of("answer.json"))
    assert ours.usage == theirs.usage and ours.output_chars == theirs.output_chars
    assert (response["model"], response["created_at"]) == tuple(
        case.json_of("answer.json")[name] for name in ("model", "created")
    )
    counted(response["usage"], theirs.usage)
    conform(response)


@each(STREAMED)
def test_a_stream_tells_the_same(case: Case) -> None:
    theirs, ours = list(frames_of(case, events_in(case), wants_usage=False)), streamed(case)
    response, answer = resource_in(ours), fold(chunks_of(theirs))
    assert told_by(response) == told_by_chat(answer) == told_by_chat(case.json_of("answer.json"))
    assert sum(frame.output_chars for frame in ours) == sum(frame.output_chars for frame in theirs)
    counted(response["usage"], [frame.usage for frame in theirs if frame.usage][-1])
    assert ours[-1].usage == [frame.usage for frame in theirs if frame.usage][-1]
    assert (response["model"], response["created_at"]) == (answer["model"], answer["created"])
    Replayed().all(payloads(ours))
    conform(response)


@each(STREAMED)
def test_a_summary_is_told_in_events_of_both_documents(case: Case) -> None:
    """What no summary was asked for is OpenAI's alone: `reasoning_text`."""
    events = payloads(streamed(case, **SUMMARY))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    Replayed().all(events)
    for event in {event["type"]: event for event in events}.values():
        OPENAIS.validate_python(event)
        if "image_generation_call" not in str(event):
            SPECS[event["type"]].model_validate(event)


@each(SOME)
def test_any_cut_of_the_bytes_gives_the_same_frames(case: Case) -> None:
    whole = streamed(case)
    assert all(streamed(case, events_in(case, cuts)) == whole for cuts in list(cuts_of(case))[:2])


@each(SOME)
def test_a_cut_stream_raises_truncated_wherever_the_chats_does(case: Case) -> None:
    events = events_in(case)
    for length in range(len(events)):
        if ends(case, events[:length]):
            assert payloads(streamed(case, events[:length]))[-1]["type"] in ENDS
        else:
            with pytest.raises(Truncated):
                streamed(case, events[:length])


@each([case for case in varied(with_files("raised.json")) if case.is_streamed])
def test_a_stream_that_fails_fails_alike(case: Case) -> None:
    with pytest.raises(GatewayError) as theirs:
        list(frames_of(case, events_in(case)))
    with pytest.raises(GatewayError) as ours:
        streamed(case)
    assert type(ours.value) is type(theirs.value) and ours.value.message == theirs.value.message
