"""Answers of a chat as those of a response, with every chat provider's own cases."""

from typing import Any

import pytest
from openai.types.responses import ResponseStreamEvent
from openresponses_types import types as spec
from pydantic import BaseModel, TypeAdapter

from orrery.core.errors import GatewayError, Truncated
from tests.providers.cases import Case, chunks_of, cuts_of, ends, fold, frames_of, with_files
from tests.providers.cases import events_of as events_in
from tests.providers.cases import streamed as with_stream
from tests.providers.responding import decoded, payloads, resource_in, streamed, told_by, told_by_chat
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

WHOLE = with_files("reply.json", "answer.json")
STREAMED = with_stream("answer.json")


def conform(response: Any) -> None:
    """Both documents have what it is; pictures only OpenAI's."""
    listed = [item for item in response["output"] if item["type"] != "image_generation_call"]
    spec.ResponseResource.model_validate({**response, "output": listed}, strict=False)


@each(WHOLE)
def test_a_whole_answer_tells_what_the_chats_does(case: Case) -> None:
    response = decoded(case).payload
    assert told_by(response) == told_by_chat(case.json_of("answer.json"))
    conform(response)


@each(WHOLE)
def test_usage_is_the_chats(case: Case) -> None:
    ours, theirs = decoded(case), case.adapter().decode(case.bytes_of("reply.json"), case.call())
    assert ours.usage == theirs.usage is not None and ours.output_chars == theirs.output_chars
    assert isinstance(ours.payload, dict)
    told = ours.payload["usage"]
    assert told["input_tokens"] == theirs.usage.prompt and told["output_tokens"] == theirs.usage.completion
    assert told["total_tokens"] == theirs.usage.total
    assert told["input_tokens_details"]["cached_tokens"] == theirs.usage.cache_read
    assert told["output_tokens_details"]["reasoning_tokens"] == theirs.usage.reasoning


@each(STREAMED)
def test_a_stream_tells_the_same(case: Case) -> None:
    answer = fold(chunks_of(frames_of(case, events_in(case))))
    for call in answer["choices"][0]["message"]["tool_calls"]:
        call["function"]["arguments"] = call["function"]["arguments"] or "{}"
    response = resource_in(streamed(case))
    assert told_by(response) == told_by_chat(answer) == told_by_chat(case.json_of("answer.json"))
    conform(response)


@each(STREAMED)
def test_a_stream_is_counted_as_the_chats_is(case: Case) -> None:
    theirs, ours = list(frames_of(case, events_in(case), wants_usage=False)), streamed(case)
    assert sum(frame.output_chars for frame in ours) == sum(frame.output_chars for frame in theirs)
    usages = [[frame.usage for frame in frames if frame.usage] for frames in (ours, theirs)]
    assert usages[0][-1] == usages[1][-1]
    assert resource_in(ours)["usage"]["output_tokens"] == usages[1][-1].completion


@each(STREAMED)
@pytest.mark.parametrize("fields", [{}, SUMMARY], ids=["content", "summary"])
def test_events_add_up_to_the_response(case: Case, fields: Any) -> None:
    events = payloads(streamed(case, **fields))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    Replayed().all(events)


@each(STREAMED)
def test_events_are_those_of_both_documents(case: Case) -> None:
    for event in payloads(streamed(case, **SUMMARY)):
        OPENAIS.validate_python(event)
        if event["type"] in SPECS and "image_generation_call" not in str(event):
            SPECS[event["type"]].model_validate(event)


@each(STREAMED)
def test_any_cut_of_the_bytes_gives_the_same_frames(case: Case) -> None:
    whole = streamed(case)
    for cuts in list(cuts_of(case))[:2]:
        assert streamed(case, events_in(case, cuts)) == whole


@each(STREAMED)
def test_a_cut_stream_raises_truncated_wherever_the_chats_does(case: Case) -> None:
    events = events_in(case)
    for length in range(len(events)):
        if ends(case, events[:length]):
            assert payloads(streamed(case, events[:length]))[-1]["type"] in ENDS
        else:
            with pytest.raises(Truncated):
                streamed(case, events[:length])


ENDS = ("response.completed", "response.incomplete")


@each([case for case in with_files("raised.json") if case.is_streamed])
def test_a_stream_that_fails_fails_alike(case: Case) -> None:
    with pytest.raises(GatewayError) as theirs:
        list(frames_of(case, events_in(case)))
    with pytest.raises(GatewayError) as ours:
        streamed(case)
    assert type(ours.value) is type(theirs.value) and ours.value.message == theirs.value.message


@each(STREAMED)
def test_nothing_is_told_before_the_first_word(case: Case) -> None:
    """A frame with a payload is the point of no return."""
    first = next(frame for frame in streamed(case) if frame.payload is not None)
    assert first.payload["type"] in ("response.output_item.added", *ENDS)  # type: ignore[index,call-overload]


class Replayed:
    """What a client puts together of events, strictly: one item at a time, one part at a time."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.open: set[int] = set()

    def all(self, events: list[Any]) -> None:
        for event in events[:-1]:
            self.take(event)
        last = events[-1]
        assert last["type"] == f"response.{last['response']['status']}" in ENDS
        assert not self.open
        assert last["response"]["output"] == [item["done"] for item in self.items]

    def take(self, event: Any) -> None:
        name = event["type"].removeprefix("response.")
        if name == "output_item.added":
            assert event["output_index"] == len(self.items)
            self.items.append({"added": event["item"], "parts": {}, "text": ""})
            self.open.add(event["output_index"])
            return
        item = self.items[event["output_index"]]
        assert event["output_index"] in self.open
        if name == "output_item.done":
            self.done(item, event)
            return
        assert event["item_id"] == item["added"]["id"]
        self.told(item, name, event)

    def done(self, item: Any, event: Any) -> None:
        done = item["done"] = event["item"]
        self.open.remove(event["output_index"])
        assert {n: done[n] for n in ("id", "type")} == {n: item["added"][n] for n in ("id", "type")}
        assert done.get("status") in (None, "completed", "incomplete")
        assert all(part["is_done"] for part in item["parts"].values())
        whole = [part["whole"] for _, part in sorted(item["parts"].items())]
        assert [*done.get("summary", ()), *done.get("content", ())] == whole
        if done["type"] == "function_call":
            assert done["arguments"] == item["text"] == item["told"]

    def told(self, item: Any, name: str, event: Any) -> None:
        if name.startswith("function_call_arguments"):
            if name.endswith("delta"):
                item["text"] += event["delta"]
            else:
                item["told"] = event["arguments"]
                assert event["name"] == item["added"]["name"]
            return
        key = event.get("content_index", event.get("summary_index"))
        if name.endswith("part.added"):
            assert key == len(item["parts"])
            item["parts"][key] = {"text": "", "noted": [], "logprobs": [], "is_told": False, "is_done": False}
            assert not (event["part"].get("text") or event["part"].get("refusal") or event["part"].get("annotations"))
            return
        part = item["parts"][key]
        assert not part["is_done"]
        if name.endswith(".delta"):
            assert event["delta"] and not part["is_told"]
            part["text"] += event["delta"]
            part["logprobs"] += event.get("logprobs", ())
        elif name.endswith("annotation.added"):
            assert event["annotation_index"] == len(part["noted"]) and not part["is_told"]
            part["noted"].append(event["annotation"])
        elif name.endswith("part.done"):
            assert part["is_told"]
            part |= {"is_done": True, "whole": event["part"]}
            assert part["text"] == event["part"].get("text", event["part"].get("refusal"))
            assert part["noted"] == event["part"].get("annotations", [])
        else:
            part["is_told"] = True
            assert part["text"] == event.get("text", event.get("refusal"))
