"""Responses over chat: bodies of chats put into the words of a response, and what answers say in either."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import orjson

from orrery.core.dialect import Decoder, Event, Frame
from orrery.core.types import Call, Operation
from orrery.providers import DIALECTS
from orrery.providers.bridge.response_reasoning import THOUGHTS, Thoughts, sealed, signed_on
from orrery.providers.bridge.responses import over
from tests.providers.cases import RECEIVED_AT, Case, events_of

ID = "req-1"

PARAMETERS = {
    "max_completion_tokens": "max_output_tokens",
    "stop": "stop_sequences",
    **{
        name: name
        for name in ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "logit_bias")
    },
    **{
        name: name
        for name in ("user", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "cache_control")
    },
    **{name: name for name in ("thinking", "parallel_tool_calls", "prompt_cache_retention", "prompt_cache_options")},
}
"""Parameters of a chat, and what they are called in a response."""

SPOKEN = ("role", "content", "refusal", "tool_calls", "images", *THOUGHTS)
"""What clients send back of an answer."""


def varied(cases: list[Case]) -> list[Case]:
    """Cases without those that differ in little but the provider's name: of the same name, three rows' are enough."""
    seen: Counter[str] = Counter()
    found = []
    for case in cases:
        seen[case.name] += case.provider not in DIALECTS
        if case.provider in DIALECTS or seen[case.name] <= 3:
            found.append(case)
    return found


def call(body: Any, provider: str, **more: Any) -> Call:
    model = str(body.get("model") or f"{provider}/m")
    stream = body.get("stream") is True
    made = Call(Operation.RESPONSES, model, body, stream=stream, received_at=RECEIVED_AT, answer_id=ID)
    return replace(made, **more)


def asked(case: Case, **fields: Any) -> Call:
    """A request for a response that a case's reply answers."""
    model = case.call().model
    return call({"model": model, "input": "Hi", **fields}, case.provider)


def of_chat(body: Any, provider: str) -> Any:
    """A chat's body as that of a response which asks the same."""
    given: Any = {"model": body["model"], "input": [item for m in body["messages"] for item in items_of(m, provider)]}
    if body.get("stream"):
        given["stream"] = True
    given |= {ours: body[theirs] for theirs, ours in PARAMETERS.items() if theirs in body}
    if body.get("tools") is not None:
        given["tools"] = [
            {"type": "function", **tool["function"], **{n: v for n, v in tool.items() if n == "cache_control"}}
            for tool in body["tools"]
        ]
    if "tool_choice" in body:
        given["tool_choice"] = choice_of(body["tool_choice"])
    if "reasoning_effort" in body:
        given["reasoning"] = {"effort": body["reasoning_effort"]}
    if body.get("logprobs"):
        given |= {"include": ["message.output_text.logprobs"], "top_logprobs": body.get("top_logprobs")}
    form = body.get("response_format")
    text = {"format": {"type": form["type"], **form.get("json_schema", {})}} if form else {}
    return given | {"text": text | ({"verbosity": body["verbosity"]} if "verbosity" in body else {})}


def choice_of(choice: Any) -> Any:
    if isinstance(choice, dict) and "allowed_tools" in choice:
        allowed = choice["allowed_tools"]
        tools = [{"type": "function", **(tool.get("function") or {"name": tool["name"]})} for tool in allowed["tools"]]
        return {"type": "allowed_tools", "mode": allowed["mode"], "tools": tools}
    return {"type": "function", **choice["function"]} if isinstance(choice, dict) else choice


def items_of(message: Any, provider: str) -> list[Any]:
    """The items of a message, with its thoughts sealed as the bridge would have sealed them."""
    role, content = message["role"], message.get("content")
    if role == "tool":
        mark = {name: message[name] for name in ("cache_control", "is_error") if name in message}
        output = parts_of(content, "input_text")
        return [{"type": "function_call_output", "call_id": message["tool_call_id"], "output": output, **mark}]
    if role != "assistant":
        return [{"type": "message", "role": role, "content": parts_of(content, "input_text")}]
    calls = message.get("tool_calls") or []
    thoughts = Thoughts({name: message[name] for name in THOUGHTS if message.get(name)}, said=len(content or ""))
    thoughts.calls = {call["id"]: signed_on(call) for call in calls}
    items: list[Any] = []
    if thoughts.any:
        items.append({"type": "reasoning", "summary": [], "encrypted_content": sealed(thoughts, provider)})
    said = [] if content is None else parts_of(content, "output_text")
    if message.get("refusal"):
        said = [*([{"type": "output_text", "text": said}] if isinstance(said, str) else said)]
        said.append({"type": "refusal", "refusal": message["refusal"]})
    if content is not None or said:
        items.append({"type": "message", "role": "assistant", "content": said})
    for image in message.get("images") or ():
        kind, _, data = image["image_url"]["url"].partition(";base64,")
        items.append(
            {"type": "image_generation_call", "result": data, "output_format": kind.removeprefix("data:image/")}
        )
    return [*items, *map(call_item, calls)]


def call_item(call: Any) -> Any:
    return {"type": "function_call", "call_id": call["id"], **call["function"]}


def parts_of(content: Any, text: str) -> Any:
    if not isinstance(content, list):
        return content
    return [part_of(part, text) for part in content]


def part_of(part: Any, text: str) -> Any:
    kind = part["type"]
    rest = {name: value for name, value in part.items() if name not in ("type", kind)}
    if kind == "text":
        return {"type": text, "text": part["text"], **rest}
    if kind == "image_url":
        image = part["image_url"]
        return {"type": "input_image", "image_url": image["url"], **pick(image, "detail"), **rest}
    if kind == "file":
        held = part["file"]
        url = {"file_url": held["uri"]} if "uri" in held else {}
        return {"type": "input_file", **url, **pick(held, "file_data", "file_id", "filename"), **rest}
    return dict(part)


def pick(holder: Any, *names: str) -> Any:
    return {name: holder[name] for name in names if name in holder}


def decoded(case: Case, **fields: Any) -> Frame:
    return over(case.adapter()).decode(case.bytes_of("reply.json"), asked(case, **fields))


def decoder_of(case: Case, **fields: Any) -> Decoder:
    decoder = over(case.adapter()).decoder
    assert decoder is not None
    return decoder(replace(asked(case, **fields), stream=True))


def streamed(case: Case, events: Iterable[Event] | None = None, **fields: Any) -> list[Frame]:
    """The frames of a case's stream, to its end; raises what the decoder raises."""
    decoding = decoder_of(case, **fields)
    frames: list[Frame] = []
    for event in events_of(case) if events is None else events:
        frames += decoding.feed(event)
    return frames if decoding.done else [*frames, *decoding.close()]


def payloads(frames: Iterable[Frame]) -> list[Any]:
    return [frame.payload for frame in frames if frame.payload is not None]


def resource_in(frames: list[Frame]) -> Any:
    return payloads(frames)[-1]["response"]


def told_by(response: Any) -> Any:
    """What a response tells: text, refusal, calls, pictures, reasoning, and how it ended."""
    output = response["output"]
    parts = [part for item in output if item["type"] == "message" for part in item["content"]]
    thoughts = [part for item in output if item["type"] == "reasoning" for part in shown_in(item)]
    return {
        "text": "".join(part["text"] for part in parts if part["type"] == "output_text"),
        "refusal": "".join(part["refusal"] for part in parts if part["type"] == "refusal"),
        "reasoning": "".join(part["text"] for part in thoughts),
        "calls": [
            (item["call_id"], item["name"], orjson.loads(item["arguments"]))
            for item in output
            if item["type"] == "function_call"
        ],
        "pictures": [item["result"] for item in output if item["type"] == "image_generation_call"],
        "end": (response["incomplete_details"] or {}).get("reason", "completed"),
    }


def shown_in(item: Any) -> list[Any]:
    return [*item["summary"], *item.get("content", ())]


def told_by_chat(answer: Any) -> Any:
    """The same of a chat's answer."""
    choice = answer["choices"][0]
    message = choice["message"]
    ends = {"length": "max_output_tokens", "content_filter": "content_filter"}
    return {
        "text": message.get("content") or "",
        "refusal": message.get("refusal") or "",
        "reasoning": message.get("reasoning") or "",
        "calls": [
            (call["id"], call["function"]["name"], orjson.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls") or ()
        ],
        "pictures": [image["image_url"]["url"].partition(",")[2] for image in message.get("images") or ()],
        "end": ends.get(choice["finish_reason"], "completed"),
    }


ENDS = ("response.completed", "response.incomplete")


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
            assert not any(event["item"].get(name) for name in ("summary", "content", "arguments", "result"))
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
