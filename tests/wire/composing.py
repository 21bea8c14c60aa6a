"""A judge of the events of responses, as strict as the strictest client, for every test that gives or sends them."""

import itertools
import typing
import warnings
from collections.abc import Sequence
from typing import Any, get_args

import openresponses_types as theirs
import orjson
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from orrery.core.types import Json
from orrery.wire.composer import Composer, Turn

LIFE = ("response.created", "response.queued", "response.in_progress")
ENDS = ("response.completed", "response.incomplete", "response.failed")
ENDED = ("completed", "incomplete", "failed", "error")
UNHEARD = ("response.reasoning.", "response.reasoning_text.")
CORE = frozenset({"message", "function_call", "function_call_output", "reasoning", "compaction"})
"""The items of Open Responses; all others are OpenAI's, or have a prefix."""

ZERO = {
    "output_text": {"type": "output_text", "text": "", "annotations": []},
    "refusal": {"type": "refusal", "refusal": ""},
    "summary_text": {"type": "summary_text", "text": ""},
}
PARTS = {
    "output_text": ("content", "text", "response.output_text"),
    "refusal": ("content", "refusal", "response.refusal"),
    "summary_text": ("summary", "text", "response.reasoning_summary_text"),
}
"""By type of a part: where it stands in its item, its text's field, what the names of its events begin with."""

GROWING = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
    "mcp_call": ("arguments", "response.mcp_call_arguments"),
    "code_interpreter_call": ("code", "response.code_interpreter_call_code"),
}
STEPS = {
    "web_search_call": (("in_progress",), ("searching",), ("completed",)),
    "file_search_call": (("in_progress",), ("searching",), ("completed",)),
    "code_interpreter_call": (("in_progress",), ("interpreting",), ("completed",)),
    "image_generation_call": (("in_progress",), ("generating",), ("partial_image",), ("completed",)),
    "mcp_call": (("in_progress",), ("completed", "failed")),
    "mcp_list_tools": (("in_progress",), ("completed", "failed")),
}
USAGE = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 5,
}
OMITTED_NEVER_NULL = {
    "message": ("phase",),
    "output_text": ("logprobs",),
    "reasoning": ("content", "encrypted_content"),
    "compaction": ("created_by",),
}


def resource(**fields: Any) -> Json:
    """A response at its beginning, with all the fields that the specification wants."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_800_000_000,
        "completed_at": None,
        "status": "in_progress",
        "incomplete_details": None,
        "model": "sandbox/echo",
        "previous_response_id": None,
        "instructions": None,
        "output": [],
        "error": None,
        "tools": [],
        "tool_choice": "auto",
        "truncation": "disabled",
        "parallel_tool_calls": True,
        "text": {"format": {"type": "text"}},
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "top_logprobs": 0,
        "temperature": 1.0,
        "reasoning": None,
        "usage": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "store": True,
        "background": False,
        "service_tier": "default",
        "metadata": {},
        "safety_identifier": None,
        "prompt_cache_key": None,
        **fields,
    }


def judge(
    events: Sequence[Json], *, first: int = 0, begun: bool = True, ended: bool = True, typed: bool = True
) -> Json:
    """Asserts that `events` are one well-formed response, and gives the resource of its last event.

    `events` are decoded, in the order in which they were sent, without `[DONE]`. `first` is the number that the first
    one must have; not `begun`: they go on where others began (`created` was sent before); not `ended`: more will come
    (the resource given is then made of what was there: `{"output": [...]}`). Not `typed`: items that are not in Open
    Responses are not looked into, for upstreams that write those badly.

    Asserted are: the order of the specification's section on streaming, one item and one part at a time; numbers and
    indexes without gaps; ids that do not change and that no two items share; `type` and `sequence_number` as first
    keys; zero values at each beginning; sum of deltas == `done` == finished part == finished item == final resource;
    the states of items and of the response; all events by the models of `openresponses_types` and of OpenAI's SDK;
    nulls where they must be and nowhere else; no reasoning in clear and no padding.
    """
    told = list(events)
    orjson.dumps(told)
    for number, event in enumerate(told, first):
        assert list(event)[:2] == ["type", "sequence_number"], list(event)
        assert event["sequence_number"] == number, (event["sequence_number"], number)
        _check_event(event, typed=typed)
    head = 0
    if begun:
        head = _check_beginning(told)
    final: Json = {}
    tail = len(told)
    if ended:
        tail -= 1
        assert told[tail]["type"] in ENDS, told[tail]["type"]
        final = told[tail]["response"]
    if tail and told[tail - 1]["type"] == "error":
        tail -= 1
    output = _check_items(told[head:tail])
    if not ended:
        return {"output": output}
    if begun:
        assert final["output"] == output
        assert final["id"] == told[0]["response"]["id"]
    _check_end(told, final)
    return final


def _check_beginning(events: list[Json]) -> int:
    names = [event["type"] for event in events[:3]]
    queued = len(names) > 1 and names[1] == LIFE[1]
    expected = list(LIFE) if queued else [LIFE[0], LIFE[2]]
    assert names[: len(expected)] == expected, names
    statuses = [event["response"]["status"] for event in events[: len(expected)]]
    assert statuses == (["queued", "queued", "in_progress"] if queued else ["in_progress"] * 2), statuses
    for event in events[: len(expected)]:
        begun = event["response"]
        assert begun["output"] == []
        assert begun["usage"] is begun["error"] is begun["incomplete_details"] is begun["completed_at"] is None
        assert begun["id"] == events[0]["response"]["id"]
    return len(expected)


def _check_end(events: list[Json], final: Json) -> None:
    name, status = events[-1]["type"], final["status"]
    assert status == name.removeprefix("response.") or (status == "cancelled" and name == "response.incomplete")
    assert (final["completed_at"] is not None) == (status == "completed")
    assert (final["error"] is not None) == (status == "failed")
    assert status == "incomplete" or final["incomplete_details"] is None
    if status == "completed":
        assert final["usage"] is not None
    if status == "failed":
        assert events[-2]["type"] == "error"
        error = events[-2]["error"]
        assert {name: events[-2][name] for name in ("code", "message", "param")} == {
            name: error[name] for name in ("code", "message", "param")
        }
        assert final["error"]["message"] == error["message"]
    for place, item in enumerate(final["output"]):
        if item.get("status") == "incomplete":
            assert place == len(final["output"]) - 1, "an incomplete item is the last one"
            assert status != "completed", "an incomplete item is in no complete response"


def _check_items(events: list[Json]) -> list[Json]:
    """One item after the other, each from `added` to `done`."""
    output: list[Json] = []
    ids: set[str] = set()
    start = 0
    first = events[0]["output_index"] if events else 0
    while start < len(events):
        added = events[start]
        assert added["type"] == "response.output_item.added", added["type"]
        assert added["output_index"] == first + len(output)
        end = next((n for n, e in enumerate(events[start:], start) if e["type"] == "response.output_item.done"), None)
        assert end is not None, "an item that was added is done"
        between, item = events[start + 1 : end], events[end]["item"]
        assert events[end]["output_index"] == added["output_index"]
        assert item["id"] == added["item"]["id"] and item["type"] == added["item"]["type"]
        for name in ("call_id", "name"):
            assert added["item"].get(name) == item.get(name)
        names = [item["id"]] + ([item["call_id"]] if item["type"] in ("function_call", "custom_tool_call") else [])
        assert all(isinstance(name, str) and name and name not in ids for name in names), names
        ids.update(names)
        for event in between:
            assert event["item_id"] == item["id"] and event["output_index"] == added["output_index"], event
        _check_item(added["item"], between, item)
        output.append(item)
        start = end + 1
    return output


def _check_item(added: Json, between: list[Json], item: Json) -> None:
    type_ = item["type"]
    assert added.get("status", "in_progress") == "in_progress"
    assert item.get("status") != "in_progress"
    if type_ == "message":
        assert added["content"] == []
        assert _check_parts(between, "content_index") == item["content"]
    elif type_ == "reasoning":
        assert added["summary"] == [] and "content" not in added and "encrypted_content" not in added
        assert "status" not in added and "status" not in item
        assert item.get("content") != []
        assert _check_parts(between, "summary_index") == item["summary"]
    else:
        _check_call(added, between, item)


def _check_parts(events: list[Json], index: str) -> list[Json]:
    """One part after the other, each from `added` to `done`."""
    parts: list[Json] = []
    rest = list(events)
    while rest:
        opened = rest.pop(0)
        kind = opened["part"]["type"]
        assert (kind == "summary_text") == (index == "summary_index")
        where, field, stem = PARTS[kind]
        around = "response.reasoning_summary_part" if where == "summary" else "response.content_part"
        assert opened["type"] == f"{around}.added"
        assert {k: v for k, v in opened["part"].items() if k != "logprobs"} == ZERO[kind]
        text, annotations, logprobs = "", [], []
        while rest[0]["type"] != f"{stem}.done":
            event = rest.pop(0)
            assert event[index] == len(parts)
            if event["type"] == "response.output_text.annotation.added":
                assert kind == "output_text" and event["annotation_index"] == len(annotations)
                annotations.append(event["annotation"])
            else:
                assert event["type"] == f"{stem}.delta" and event["delta"] != "", event["type"]
                text += event["delta"]
                logprobs += event.get("logprobs", ())
        done, closed = rest.pop(0), rest.pop(0)
        assert closed["type"] == f"{around}.done"
        assert opened[index] == done[index] == closed[index] == len(parts)
        part = closed["part"]
        assert part["type"] == kind and part[field] == done[field] == text
        if kind == "output_text":
            assert part["annotations"] == annotations
            assert part.get("logprobs", []) == done["logprobs"]
            assert logprobs == done["logprobs"][: len(logprobs)]
        parts.append(part)
    return parts


def _check_call(added: Json, between: list[Json], item: Json) -> None:
    type_ = item["type"]
    field, stem = GROWING.get(type_, ("", "-"))
    text, is_done, step = "", False, -1
    for event in between:
        name = event["type"]
        if name == f"{stem}.delta":
            assert not is_done and event["delta"] != ""
            text += event["delta"]
        elif name == f"{stem}.done":
            assert not is_done and event[field] == text
            assert type_ != "function_call" or event["name"] == item["name"]
            is_done = True
        else:
            prefix, _, last = name.rpartition(".")
            assert prefix == f"response.{type_}", f"{name} within {type_}"
            rank = next(n for n, names in enumerate(STEPS[type_]) if last in names)
            assert rank > step or last == "partial_image"
            assert rank >= step
            step = rank
    if field:
        assert added[field] == ""
        assert is_done == (text != "") or type_ == "function_call"
        assert not is_done or item[field] == text
    assert is_done or type_ != "function_call"
    if item.get("status") == "completed" and type_ in STEPS:
        assert step == len(STEPS[type_]) - 1, "all steps were told"


def _models(union: Any) -> dict[str, Any]:
    """Models by the `type` of the event that each is for."""
    found: dict[str, Any] = {}
    for model in union:
        name: Any = model.model_fields["type"].annotation
        for value in get_args(name) or [each.value for each in name]:
            found[value] = model
    return found


_SPECIFIED = _models(
    [model for name, model in vars(theirs).items() if name.endswith("StreamingEvent") and issubclass(model, BaseModel)]
)
_OPENAI = {name: TypeAdapter(model) for name, model in _models(get_args(get_args(ResponseStreamEvent)[0])).items()}


def _check_event(event: Json, *, typed: bool) -> None:
    name = event["type"]
    assert not name.startswith(UNHEARD), name
    assert "obfuscation" not in event
    _check_nulls(event)
    if name in _SPECIFIED:
        _SPECIFIED[name].model_validate(_specified(event))
    assert name in _OPENAI, name
    _OPENAI[name].validate_python(_openai(event, typed=typed))
    if name in ("response.output_text.delta", "response.output_text.done"):
        assert isinstance(event["logprobs"], list)


def _specified(event: Json) -> Json:
    """Without what Open Responses knows nothing of: other items, citations not of URLs, schemas in the echo."""
    if event["type"].startswith("response.output_item."):
        return event if event["item"]["type"] in CORE else event | {"item": None}
    if event["type"] == "response.output_text.annotation.added":
        return event if event["annotation"]["type"] == "url_citation" else event | {"annotation": None}
    told = orjson.loads(orjson.dumps(event))
    for part in [told.get("part"), *[p for i in told.get("response", {}).get("output", ()) for p in _parts(i)]]:
        if part and "annotations" in part:
            part["annotations"] = [each for each in part["annotations"] if each["type"] == "url_citation"]
    if "response" in told:
        told["response"]["output"] = [item for item in told["response"]["output"] if item["type"] in CORE]
        told["response"]["tools"] = [tool for tool in told["response"]["tools"] if tool["type"] == "function"]
        if told["response"]["text"]["format"]["type"] == "json_schema":
            told["response"]["text"]["format"]["schema"] = None
    return typing.cast(Json, told)


def _parts(item: Json) -> list[Json]:
    return item["content"] if item["type"] == "message" else []


def _openai(event: Json, *, typed: bool) -> Json:
    """With reasons, codes and items that only OpenAI's own document lists replaced by some that it does.

    A hosted call that begins may lack what only its end knows: OpenAI's own server leaves it out, too.
    """
    if event["type"] == "response.output_item.added" or "item" in event:
        item = event["item"]
        is_known = item["type"] in CORE or (typed and ":" not in item["type"] and event["type"].endswith(".done"))
        return event if is_known else event | {"item": {"type": "reasoning", "id": item["id"], "summary": []}}
    if "response" not in event:
        return event
    told = dict(event["response"])
    told["output"] = [item for item in told["output"] if item["type"] in CORE]
    told["tools"] = []
    if told["incomplete_details"] is not None:
        assert isinstance(told["incomplete_details"]["reason"], str)
        told["incomplete_details"] = {"reason": "max_output_tokens"}
    if told["error"] is not None:
        told["error"] = told["error"] | {"code": "server_error"}
    return event | {"response": told}


def _check_nulls(value: Any) -> None:
    """What the specification lets be missing, and not null."""
    if isinstance(value, dict):
        for name in OMITTED_NEVER_NULL.get(value.get("type", ""), ()):
            assert value.get(name, "") is not None, f"{value['type']}.{name} is null"
        for name in ("item", "part", "response"):
            _check_nulls(value.get(name))
        for name in ("output", "content", "summary"):
            if isinstance(value.get(name), list):
                for each in value[name]:
                    _check_nulls(each)


def accumulated(events: Sequence[Json]) -> list[Json]:
    """The output items that the accumulator of OpenAI's SDK has after these events: by its own sums where it sums."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of items that it does not know
        return _accumulated(events)


def _accumulated(events: Sequence[Json]) -> list[Json]:
    from openai import omit
    from openai._models import construct_type
    from openai.lib.streaming.responses._responses import ResponseStreamState

    state: Any = ResponseStreamState(input_tools=omit, text_format=omit)
    for event in events:
        if event["type"] != "error":
            state.handle_event(construct_type(type_=ResponseStreamEvent, value=event))
    summed = [item.to_dict() for item in state._ResponseStreamState__current_snapshot.output]
    final = state._completed_response
    done = [item.to_dict() for _, item in sorted(state._completed_output.items())]
    if final is not None:
        # A parsed response has fields of its own.
        for item in (told := final.to_dict()["output"]):
            item.pop("parsed_arguments", None)
            for part in item.get("content") or ():
                part.pop("parsed", None)
        assert told == done
    for mine, theirs_ in zip(summed, done, strict=True):
        if mine["type"] == "function_call":
            assert mine["arguments"] == theirs_["arguments"]
        if mine["type"] == "message":
            texts = [part.get("text") for part in theirs_["content"]]
            assert [part.get("text") for part in mine["content"]] == texts
    return done


class Told:
    """A composer, and all events that it has given. `counted`: ids end in 1, 2, 3, …"""

    def __init__(self, *, reveals: Sequence[str] = (), begun: bool = True, queued: bool = False, **fields: Any) -> None:
        numbers = itertools.count(1)
        self.composer = Composer(resource(**fields), reveals=reveals, random=lambda: str(next(numbers)))
        self.events: list[Json] = self.composer.begin(queued=queued) if begun else []

    def turn(
        self, *events: Json, hidden: Sequence[str] = (), allowed: Sequence[str] | None = None, output: Any = None
    ) -> Turn:
        """A turn of these events, and of `response.completed` with `output` where that is given."""
        self.composer.open_turn(hidden=hidden, allowed=allowed)
        self.feed(*events)
        if output is not None:
            self.feed({"type": "response.completed", "response": {"output": output}})
        return self.close()

    def feed(self, *events: Json) -> list[Json]:
        told = [event for each in events for event in self.composer.feed(each)]
        self.events += told
        return told

    def close(self) -> Turn:
        events, turn = self.composer.close_turn()
        self.events += events
        return turn

    def add(self, item: Json) -> list[Json]:
        told = self.composer.add(item)
        self.events += told
        return told

    def end(self, status: str = "completed", *, typed: bool = True, **more: Any) -> Json:
        """The judged resource."""
        self.events += self.composer.finish(status, **{"now": 1_800_000_001, "usage": USAGE, **more})
        return judge(self.events, typed=typed)

    def kinds(self) -> list[str]:
        """The types of what was told of items."""
        names = [event["type"].removeprefix("response.") for event in self.events]
        return [name for name in names if name not in ("created", "queued", "in_progress", *ENDED)]


def names(events: Sequence[Json]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def delta(text: str, item: str = "msg_a", part: int = 0, place: int = 0) -> Json:
    at = {"item_id": item, "output_index": place, "content_index": part}
    return {"type": "response.output_text.delta", **at, "delta": text}


def message(*texts: str, id: str = "msg_a", **more: Any) -> Json:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "id": id, "role": "assistant", "status": "completed", "content": content, **more}


def call(name: str = "f", arguments: str = "{}", id: str = "fc_a", call_id: str = "call_a", **more: Any) -> Json:
    own = {"type": "function_call", "id": id, "call_id": call_id, "name": name, "arguments": arguments}
    return {**own, "status": "completed", **more}


def added(item: Json, place: int = 0) -> Json:
    return {"type": "response.output_item.added", "output_index": place, "item": item}


def done(item: Json, place: int = 0) -> Json:
    return {"type": "response.output_item.done", "output_index": place, "item": item}
