"""Any answer of Azure's at all, whole and streamed, with what its content filter says in between."""

from typing import Any

import orjson
from hypothesis import strategies as st

from orrery.core.types import Json

ID, MODEL = "chatcmpl-Bx1", "gpt-4o-2024-11-20"
SAFE = {"hate": {"filtered": False, "severity": "safe"}}
words = st.text(st.characters(codec="utf-8"), max_size=12)
counts = st.integers(0, 10**6)
finish_reasons = st.sampled_from(["stop", "length", "tool_calls", "content_filter"])
written = st.dictionaries(words, st.integers(-9, 9), max_size=3).map(lambda i: orjson.dumps(i).decode())


@st.composite
def choices(draw: st.DrawFn, index: int) -> Json:
    message: Json = {"role": "assistant", "content": draw(words), "refusal": draw(words)}
    calls = [
        {"id": f"call_{number}", "type": "function", "function": {"name": "f", "arguments": arguments}}
        for number, arguments in enumerate(draw(st.lists(written, max_size=2)))
    ]
    if calls:
        message["tool_calls"] = calls
    return {"index": index, "message": message, "finish_reason": draw(finish_reasons), "logprobs": None}


@st.composite
def replies(draw: st.DrawFn) -> Json:
    prompt, completion = draw(counts), draw(counts)
    usage: Json = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    usage["prompt_tokens_details"] = {"cached_tokens": draw(st.integers(0, prompt))}
    usage["completion_tokens_details"] = {"reasoning_tokens": draw(st.integers(0, completion))}
    made = [draw(choices(index)) for index in range(draw(st.integers(1, 2)))]
    return {"id": ID, "object": "chat.completion", "created": 1, "model": MODEL, "choices": made, "usage": usage}


def cut(value: str, size: int) -> list[str]:
    return [value[start : start + size] for start in range(0, len(value), size)]


def deltas_of(choice: Json, size: int) -> list[Json]:
    message = choice["message"]
    deltas: list[Json] = []
    for name in ("content", "refusal"):
        deltas += [{name: piece} for piece in cut(message[name], size)]
    for index, call in enumerate(message.get("tool_calls", [])):
        start = {**call, "index": index, "function": {"name": "f", "arguments": ""}}
        deltas.append({"tool_calls": [start]})
        for piece in cut(call["function"]["arguments"], size):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    return deltas


def chunk(chosen: list[Json], **more: Any) -> Json:
    named = {"created": 1, "id": ID, "model": MODEL, "object": "chat.completion.chunk"}
    return {"choices": chosen, **named, "usage": None, **more}


def annotation(index: int, finish_reason: str | None = None) -> Json:
    choice = {"index": index, "finish_reason": finish_reason, "content_filter_results": SAFE}
    return {"id": "", "object": "", "created": 0, "model": "", "choices": [choice], "usage": None}


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A stream, and the same answer whole. All choices begin at once, then take turns."""
    reply, size = draw(replies()), draw(st.integers(1, 9))
    waiting = {choice["index"]: deltas_of(choice, size) for choice in reply["choices"]}
    ends = {choice["index"]: choice["finish_reason"] for choice in reply["choices"]}
    roles = [{"index": i, "delta": {"role": "assistant", "content": ""}, "finish_reason": None} for i in waiting]
    prompt = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": [SAFE]}
    events = [*([prompt] if draw(st.booleans()) else []), chunk(roles)]
    while waiting:
        index = draw(st.sampled_from(sorted(waiting)))
        if draw(st.booleans()):
            events.append(annotation(index))
        if waiting[index]:
            events.append(chunk([{"index": index, "delta": waiting[index].pop(0), "finish_reason": None}]))
            continue
        del waiting[index]
        if ends[index] == "content_filter" and draw(st.booleans()):
            events.append(annotation(index, "content_filter"))
        else:
            events.append(chunk([{"index": index, "delta": {}, "finish_reason": ends[index]}]))
        if draw(st.booleans()):
            events.append(annotation(index))
    events.append(chunk([], usage=reply["usage"]))
    stream = b"".join(b"data: %b\n\n" % orjson.dumps(event) for event in events)
    return stream + b"data: [DONE]\n\n", orjson.dumps(reply)
