"""Any answer at all of a provider that speaks OpenAI's wire, whole and streamed, with the habits of such servers.

How it begins and ends, where reasoning and usage stand, and how tool calls come in pieces: each drawn for itself.
"""

from typing import Any

import orjson
from hypothesis import strategies as st

from orrery.core.types import Json
from orrery.providers.compatible import Row
from orrery.providers.rows import ROWS

ID, MODEL, CREATED = "chatcmpl-any", "some-model", 1_795_219_200
words = st.text(st.characters(codec="utf-8"), max_size=12)
texts = st.one_of(words, st.sampled_from(["<think>", "a < b", "</think>", "\n\nx", "<thi", '"', "\\"]))
counts = st.integers(0, 10**6)
written = st.one_of(
    st.dictionaries(words, st.integers(-9, 9), max_size=3).map(lambda i: orjson.dumps(i).decode()), st.just("")
)
OPENAIS = ("stop", "length", "tool_calls", "content_filter")


def thought_in(row: Row, draw: st.DrawFn, reasoning: str, content: str) -> Json:
    """Reasoning in one of the places where such a server may put it."""
    places = ["reasoning", "reasoning_content", *(["tags"] if row.thinks_in_tags else []), row.details or "reasoning"]
    place = draw(st.sampled_from(places))
    if not reasoning:
        return {"content": content}
    signed = {"signature": "sig"} if draw(st.booleans()) else {}
    if place == "tags":
        return {"content": f"<think>\n{reasoning}\n</think>\n\n{content}"}
    if place == "content":
        summary = [{"type": "summary_text", "text": reasoning, **signed}]
        return {"content": [{"type": "reasoning", "summary": summary}, {"type": "text", "text": content}]}
    if place == "reasoning_details":
        block = {"type": "reasoning.text", "index": 0, "text": reasoning, **signed}
        return {"content": content, "reasoning_details": [block]}
    return {"content": content, place: reasoning}


@st.composite
def choices(draw: st.DrawFn, row: Row, index: int) -> Json:
    calls = [
        {"id": f"call_{number}", "type": "function", "function": {"name": "f", "arguments": arguments}}
        for number, arguments in enumerate(draw(st.lists(written, max_size=3)))
    ]
    message: Json = {"role": "assistant", **thought_in(row, draw, draw(texts), draw(texts))}
    if calls:
        message["tool_calls"] = calls
    reason = draw(st.sampled_from([*OPENAIS, *row.finish_reasons, "invented"]))
    return {"index": index, "message": message, "finish_reason": reason}


@st.composite
def usages(draw: st.DrawFn) -> Json:
    prompt, completion = draw(counts), draw(counts)
    usage: Json = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    cached, reasoning = draw(counts), draw(counts)
    return usage | draw(
        st.sampled_from(
            [
                {},
                {"prompt_tokens_details": {"cached_tokens": cached}, "total_tokens": 7},
                {"prompt_cache_hit_tokens": cached},
                {"cached_tokens": cached, "prompt_tokens_details": None},
                {"completion_tokens_details": {"reasoning_tokens": reasoning}},
            ]
        )
    )


def cut(value: str, size: int) -> list[str]:
    return [value[start : start + size] for start in range(0, len(value), size)]


def deltas_of(message: Json, size: int, style: str) -> list[Json]:
    """What a message streams: reasoning, then the text, then the calls."""
    deltas: list[Json] = []
    for name in ("reasoning", "reasoning_content"):
        deltas += [{name: piece} for piece in cut(message.get(name, ""), size)]
    for block in message.get("reasoning_details", ()):
        deltas += [{"reasoning_details": [{**same(block), "text": piece}]} for piece in cut(block["text"], size)]
        if "signature" in block:
            deltas.append({"reasoning_details": [{**same(block), "signature": block["signature"]}]})
    for part in message["content"] if isinstance(message["content"], list) else [message["content"]]:
        deltas += [{"content": piece} for piece in parts_of(part, size)]
    for number, call in enumerate(message.get("tool_calls", ())):
        deltas += [{"tool_calls": [piece]} for piece in pieces_of(call, number, size, style)]
    return deltas


def same(block: Json) -> Json:
    return {name: value for name, value in block.items() if name not in ("text", "signature")}


def parts_of(part: Any, size: int) -> list[Any]:
    if isinstance(part, str):
        return cut(part, size)
    if part["type"] == "text":
        return cut(part["text"], size)
    (summary,) = part["summary"]
    pieces = [{**same(summary), "text": piece} for piece in cut(summary["text"], size)]
    if "signature" in summary:
        pieces[-1]["signature"] = summary["signature"]
    return [[{**part, "summary": [piece]}] for piece in pieces]


def pieces_of(call: Json, number: int, size: int, style: str) -> list[Json]:
    """A tool call as servers cut it."""
    arguments, name = call["function"]["arguments"], call["function"]["name"]
    index: Json = {"at zero": {"index": 0}, "unnumbered": {}}.get(style, {"index": number})
    if style in ("whole", "unnumbered"):
        return [{**index, **call}]
    first = {**index, **call, "function": {"name": name, "arguments": ""}}
    named = {"id": call["id"], "type": "function"} if style in ("repeated", "at zero") else {}
    also = {"name": name} if style == "repeated" else {}
    return [
        first,
        *[{**index, **named, "function": {**also, "arguments": piece}} for piece in cut(arguments, size)],
        *([{**index, "id": "", "function": {"arguments": ""}}] if style == "empty ids" else []),
    ]


def chunk(chosen: list[Json], moment: int = 0, **more: Any) -> Json:
    named = {"id": ID, "object": "chat.completion.chunk", "created": CREATED + moment, "model": MODEL}
    return {**named, "choices": chosen, **more}


def said(index: int, delta: Json, finish_reason: str | None = None) -> Json:
    return {"index": index, "delta": delta, "finish_reason": finish_reason}


@st.composite
def streams(draw: st.DrawFn, provider: str) -> tuple[bytes, bytes]:
    """A stream of `provider`, and the same answer whole. All choices begin at once, then take turns."""
    row, usage = ROWS[provider], draw(usages())
    made = [draw(choices(row, index)) for index in range(draw(st.integers(1, 2)))]
    roles = draw(st.sampled_from(["once", "always", "never"]))
    place = draw(st.sampled_from(["at the end", "with the end", "in the choice", "always"]))
    style = draw(st.sampled_from(["numbered", "whole", "at zero", "unnumbered", "repeated", "empty ids"]))
    size, role = draw(st.integers(1, 9)), {} if roles == "never" else {"role": "assistant"}
    waiting = {choice["index"]: deltas_of(choice["message"], size, style) for choice in made}
    with_end = draw(st.integers(0, 1))  # whether the last words come with the end
    at_once = len(waiting) == 1 and len(waiting[0]) > with_end and draw(st.booleans())
    events = [] if at_once else [chunk([said(index, {**role, "content": ""}) for index in waiting])]
    while waiting:
        index = draw(st.sampled_from(sorted(waiting)))
        each = {"usage": usage} if place == "always" else {}
        if len(waiting[index]) > with_end:
            delta = {**(role if roles == "always" or not events else {}), **waiting[index].pop(0)}
            events.append(chunk([said(index, delta)], draw(st.integers(0, 1)) if events else 0, **each))
            continue
        last_words = waiting.pop(index)
        delta = {name: value for said_last in last_words for name, value in said_last.items()}
        last = said(index, {**(role if roles == "always" else {}), **delta}, made[index]["finish_reason"])
        if place == "in the choice":
            last["usage"] = usage
        events.append(chunk([last], **({"usage": usage} if place in ("with the end", "always") else {})))
    if place == "at the end":
        events.append(chunk([], usage=usage))
    elif draw(st.booleans()):
        events.append(chunk([said(0, {})], citations=["https://science.example"]))
    stream = b"".join(b"data: %b\n\n" % orjson.dumps(event) for event in events)
    reply = {"id": ID, "object": "chat.completion", "created": CREATED, "model": MODEL, "choices": made, "usage": usage}
    return stream + (b"data: [DONE]\n\n" if draw(st.booleans()) else b""), orjson.dumps(reply)
