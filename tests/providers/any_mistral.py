"""Any answer of Mistral's at all, whole and streamed, of one choice or several."""

from typing import Any

import orjson
from hypothesis import strategies as st

from orrery.core.types import Json

ID, MODEL = "0d93cd053f4c", "mistral-small-2603"
words = st.text(st.characters(codec="utf-8"), max_size=12)
said = words.filter(bool)
inputs = st.dictionaries(words, st.one_of(st.integers(-9, 9), words, st.none(), st.booleans()), max_size=3)
counts = st.integers(0, 10**6)
finish_reasons = st.sampled_from(["stop", "length", "model_length", "tool_calls", "invented"])
written = st.one_of(inputs, inputs.map(lambda i: orjson.dumps(i).decode()), st.just(""))


def text(value: str) -> Json:
    return {"type": "text", "text": value}


@st.composite
def thinking(draw: st.DrawFn) -> Json:
    texts = [text(value) for value in draw(st.lists(said, min_size=1, max_size=2))]
    signature = draw(st.sampled_from([None, "sig", "sig2"]))
    return {"type": "thinking", "thinking": texts, **({"signature": signature} if signature else {})}


chunks = st.one_of(said.map(text), thinking(), st.just({"type": "reference", "reference_ids": [1]}))


@st.composite
def choices(draw: st.DrawFn, index: int) -> Json:
    calls = [
        {"id": f"call{number:05}", "function": {"name": "f", "arguments": arguments}}
        for number, arguments in enumerate(draw(st.lists(written, max_size=3)))
    ]
    message: Json = {"role": "assistant", "content": draw(st.one_of(words, st.lists(chunks, max_size=5)))}
    if calls:
        message["tool_calls"] = calls
    return {"index": index, "message": message, "finish_reason": draw(finish_reasons)}


@st.composite
def replies(draw: st.DrawFn) -> Json:
    prompt, completion, cached = draw(counts), draw(counts), draw(counts)
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    usage |= draw(st.sampled_from([{}, {"num_cached_tokens": cached}, {"prompt_audio_seconds": 2}]))
    usage["total_tokens"] += draw(st.integers(0, 9)) if "prompt_audio_seconds" in usage else 0
    made = [draw(choices(index)) for index in range(draw(st.integers(1, 3)))]
    return {"id": ID, "object": "chat.completion", "created": 1, "model": MODEL, "choices": made, "usage": usage}


def deltas_of(choice: Json, size: int, *, whole_calls: bool) -> list[Json]:
    """What a choice streams: its content in pieces, its calls whole or in pieces."""
    message = choice["message"]
    content = message["content"]
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    for chunk in [text(content)] if isinstance(content, str) else content:
        if chunk["type"] == "thinking":
            pieces = [p for t in chunk["thinking"] for p in cut(t["text"], size)]
            deltas += [{"content": [{"type": "thinking", "thinking": [text(p)]}]} for p in pieces[:-1]]
            last = {**chunk, "thinking": [text(pieces[-1])]}
            deltas.append({"content": [last]})
        elif chunk["type"] == "text":
            deltas += [{"content": p} for p in cut(chunk["text"], size)]
        else:
            deltas.append({"content": [chunk]})
    calls = message.get("tool_calls", [])
    if whole_calls:
        return [*deltas, {"content": "", "tool_calls": calls}]
    for index, call in enumerate(calls):
        arguments = call["function"]["arguments"]
        arguments = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
        deltas.append({"tool_calls": [{**call, "index": index, "function": {"name": "f", "arguments": ""}}]})
        for piece in cut(arguments, size):
            deltas.append(
                {"tool_calls": [{"id": "null", "index": index, "function": {"name": "", "arguments": piece}}]}
            )
    return deltas


def cut(value: str, size: int) -> list[str]:
    return [value[start : start + size] for start in range(0, len(value), size)]


def chunk_of(index: int, delta: Json, finish_reason: str | None = None, **more: Any) -> Json:
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {"id": ID, "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice], **more}


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A stream, and the same answer whole. The choices take turns in any order."""
    reply = draw(replies())
    size, whole_calls = draw(st.integers(1, 9)), draw(st.booleans())
    waiting = {choice["index"]: deltas_of(choice, size, whole_calls=whole_calls) for choice in reply["choices"]}
    ends = {choice["index"]: choice["finish_reason"] for choice in reply["choices"]}
    events: list[Json] = []
    while waiting:
        index = draw(st.sampled_from(sorted(waiting)))
        if waiting[index]:
            events.append(chunk_of(index, waiting[index].pop(0)))
            continue
        del waiting[index]
        usage = {} if waiting else {"usage": reply["usage"]}
        events.append(chunk_of(index, {"content": ""}, ends[index], **usage))
    stream = b"".join(b"data: %b\n\n" % orjson.dumps(event) for event in events)
    return stream + b"data: [DONE]\n\n", orjson.dumps(reply)
