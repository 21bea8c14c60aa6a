"""Any answer of Cohere's at all, whole and streamed."""

from typing import Any

import orjson
from hypothesis import strategies as st

from orrery.core.types import Json

ID = "c14c80c3"
words = st.text(st.characters(codec="utf-8"), max_size=12)
inputs = st.dictionaries(words, st.one_of(st.integers(-9, 9), words, st.none(), st.booleans()), max_size=3)
counts = st.one_of(st.integers(0, 10**6), st.integers(0, 10**6).map(float))
units = st.dictionaries(st.sampled_from(["input_tokens", "output_tokens"]), counts)
finish_reasons = st.sampled_from(["COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_CALL", "INVENTED"])
content = st.one_of(
    st.builds(lambda t: {"type": "text", "text": t}, words),
    st.builds(lambda t: {"type": "thinking", "thinking": t}, words),
    st.just({"type": "invention", "invention": "?"}),
)
arguments = st.one_of(inputs.map(lambda i: orjson.dumps(i).decode()), st.sampled_from(["null", ""]))
citation = st.builds(lambda a, t: {"start": a, "end": a + 1, "text": t, "sources": []}, st.integers(0, 9), words)


@st.composite
def replies(draw: st.DrawFn) -> Json:
    calls = [
        {"id": f"f_{number}", "type": "function", "function": {"name": "f", "arguments": written}}
        for number, written in enumerate(draw(st.lists(arguments, max_size=3)))
    ]
    message = {
        "role": "assistant",
        "content": draw(st.lists(content, max_size=4)),
        "tool_plan": draw(words),
        "tool_calls": calls,
        "citations": draw(st.lists(citation, max_size=2)),
    }
    billed = {"input_tokens": draw(counts), **draw(units)}
    usage = {"billed_units": billed, "tokens": draw(units), "cached_tokens": draw(counts)}
    return {"id": ID, "finish_reason": draw(finish_reasons), "message": message, "usage": usage}


def cut(value: str, size: int) -> list[str]:
    return [value[start : start + size] for start in range(0, len(value), size)]


def delta(kind: str, message: Any, **more: Any) -> Json:
    return {"type": kind, **more, "delta": {"message": message}}


def streamed(reply: Json, size: int) -> bytes:
    """The reply as Cohere would stream it, `size` characters at a time."""
    message = reply["message"]
    events = [delta("message-start", {"role": "assistant", "content": [], "tool_calls": []}, id=ID)]
    for index, part in enumerate(message["content"]):
        kind = part["type"]
        events.append(delta("content-start", {"content": {"type": kind, kind: ""}}, index=index))
        events += [delta("content-delta", {"content": {kind: t}}, index=index) for t in cut(part[kind], size)]
        events.append({"type": "content-end", "index": index})
    events += [delta("tool-plan-delta", {"tool_plan": t}) for t in cut(message["tool_plan"], size)]
    for index, call in enumerate(message["tool_calls"]):
        start = {**call, "function": {"name": "f", "arguments": ""}}
        events.append(delta("tool-call-start", {"tool_calls": start}, index=index))
        for piece in cut(call["function"]["arguments"], size):
            events.append(delta("tool-call-delta", {"tool_calls": {"function": {"arguments": piece}}}, index=index))
        events.append({"type": "tool-call-end", "index": index})
    for index, each in enumerate(message["citations"]):
        events += [delta("citation-start", {"citations": each}, index=index), {"type": "citation-end", "index": index}]
    events.append({"type": "debug", "prompt": "?"})
    end = {"finish_reason": reply["finish_reason"], "usage": reply["usage"]}
    events.append({"type": "message-end", "id": ID, "delta": end})
    lines = [b"event: %b\ndata: %b\n\n" % (e["type"].encode(), orjson.dumps(e)) for e in events]
    return b"".join(lines) + b"data: [DONE]\n\n"


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A stream, and the same answer whole."""
    reply = draw(replies())
    return streamed(reply, draw(st.integers(1, 9))), orjson.dumps(reply)
