"""How the tests of native responses ask a provider's adapter, and what a provider's stream of a response looks like."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import orjson

from orrery import providers
from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.options import Options
from orrery.core.responses import Responding
from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.serving import adapter_for

NATIVE = ("openai", "azure", "xai", "groq", "openrouter", "vllm")
"""Providers whose own Responses API is used."""

SEALING = ("openai", "azure", "xai", "openrouter")
"""Those of them that encrypt reasoning, and take it back."""

MODEL = "some-model"
HEAD = {"id": "resp_1", "object": "response", "created_at": 1_795_219_200, "model": MODEL}


def target(provider: str, model: str = MODEL) -> Target:
    found = providers.get(provider)
    assert found is not None
    return Target(provider, model, found.base_url)


def adapter(provider: str, model: str = MODEL) -> Adapter:
    found = providers.get(provider)
    assert found is not None
    made = adapter_for(found, Operation.RESPONSES, target(provider, model))
    assert made is not None
    return made


def call(provider: str, *, stream: bool = False, include: Iterable[str] = (), **body: Any) -> Call:
    """A turn: its input is a list of items."""
    options = Options(responding=Responding(include=frozenset(include)))
    asked = {"model": f"{provider}/{MODEL}", "input": [{"role": "user", "content": "hi"}], **body}
    return Call(
        Operation.RESPONSES,
        f"{provider}/{MODEL}",
        asked,
        stream,
        options,
        received_at=1_795_219_201,
        answer_id="resp_o",
    )


def encoded(provider: str, model: str = MODEL, **asked: Any) -> Encoded:
    return adapter(provider, model).encode(call(provider, **asked), target(provider, model))


def sent(provider: str, model: str = MODEL, **asked: Any) -> Json:
    """The body that goes upstream."""
    body = encoded(provider, model, **asked).body
    assert isinstance(body, dict)
    return body


def items(provider: str, *given: Json) -> list[Json]:
    """What becomes of a conversation's items."""
    found: list[Json] = sent(provider, input=list(given))["input"]
    return found


def resource(*output: Json, status: str = "completed", **more: Any) -> Json:
    """A provider's whole response."""
    usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    return {**HEAD, "status": status, "output": list(output), "usage": usage, **more}


def message(text: str, id: str = "msg_1") -> Json:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": id, "status": "completed", "role": "assistant", "content": [part]}


def refusal(text: str) -> Json:
    return {**message(""), "content": [{"type": "refusal", "refusal": text}]}


def function_call(arguments: str = "{}", id: str = "fc_1") -> Json:
    named = {"type": "function_call", "id": id, "call_id": f"call_{id}", "name": "look", "arguments": arguments}
    return {**named, "status": "completed"}


def reasoning(summary: str = "", content: str = "", secret: str = "", id: str = "rs_1") -> Json:
    found: Json = {"type": "reasoning", "id": id, "summary": []}
    if summary:
        found["summary"] = [{"type": "summary_text", "text": summary}]
    if content:
        found["content"] = [{"type": "reasoning_text", "text": content}]
    return found | ({"encrypted_content": secret} if secret else {})


_TEXTS = {
    "output_text": ("response.output_text", "text", "content_index"),
    "refusal": ("response.refusal", "refusal", "content_index"),
    "reasoning_text": ("response.reasoning_text", "text", "content_index"),
    "summary_text": ("response.reasoning_summary_text", "text", "summary_index"),
}


def events(whole: Json, size: int = 3) -> list[Json]:
    """The events of OpenAI's API document that end in `whole`, its texts in pieces of `size` characters."""
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    found = [{"type": f"response.{name}", "response": begun} for name in ("created", "in_progress")]
    for index, item in enumerate(whole["output"]):
        found += [{**event, "output_index": index} for event in _of_item(item, size)]
    kind = "response.incomplete" if whole["status"] == "incomplete" else "response.completed"
    found.append({"type": kind, "response": whole})
    return [{**event, "sequence_number": number} for number, event in enumerate(found)]


def _of_item(item: Json, size: int) -> Iterator[Json]:
    bare = {**item, "status": "in_progress"} | {name: [] for name in ("content", "summary") if name in item}
    bare.pop("encrypted_content", None)
    yield {"type": "response.output_item.added", "item": bare | ({"arguments": ""} if "arguments" in item else {})}
    named = {"item_id": item["id"]}
    for field in ("summary", "content"):
        for place, part in enumerate(item.get(field) or ()):
            yield from _of_part(part, place, named, size)
    if "arguments" in item:
        kind = "response.function_call_arguments"
        for piece in _pieces(item["arguments"], size):
            yield {"type": f"{kind}.delta", **named, "delta": piece}
        yield {"type": f"{kind}.done", **named, "name": item["name"], "arguments": item["arguments"]}
    yield {"type": "response.output_item.done", "item": item}


def _of_part(part: Json, place: int, named: Json, size: int) -> Iterator[Json]:
    kind, name, counter = _TEXTS[part["type"]]
    where = {**named, counter: place}
    opening = "response.reasoning_summary_part" if counter == "summary_index" else "response.content_part"
    yield {"type": f"{opening}.added", **where, "part": {**part, name: ""}}
    for piece in _pieces(part[name], size):
        yield {"type": f"{kind}.delta", **where, "delta": piece}
    yield {"type": f"{kind}.done", **where, name: part[name]}
    yield {"type": f"{opening}.done", **where, "part": part}


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def sse(told: Iterable[Json]) -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), orjson.dumps(event)) for event in told)


def heard(provider: str, stream: bytes, cuts: Iterable[int] = ()) -> list[Frame]:
    """What a stream's bytes become, cut at `cuts`; raises what the decoder raises."""
    made = adapter(provider)
    assert made.reader is not None and made.decoder is not None
    reader, decoder = made.reader(), made.decoder(call(provider, stream=True))
    found: list[Frame] = []
    for start, stop in pairwise([0, *sorted(cuts), len(stream)]):
        for event in reader.feed(stream[start:stop]):
            found += decoder.feed(event)
    for event in reader.close():
        found += decoder.feed(event)
    return found if decoder.done else [*found, *decoder.close()]


def whole(provider: str, reply: Json) -> Frame:
    return adapter(provider).decode(orjson.dumps(reply), call(provider))


def payloads(frames: Iterable[Frame]) -> list[Any]:
    return [frame.payload for frame in frames if frame.payload is not None]


def last(frames: Iterable[Frame]) -> Any:
    """The resource in the last event."""
    return payloads(frames)[-1]["response"]
