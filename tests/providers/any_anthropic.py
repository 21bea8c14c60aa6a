"""Any answer of Anthropic's at all, whole and streamed."""

import orjson
from hypothesis import strategies as st

from orrery.core.types import Json

words = st.text(st.characters(codec="utf-8"), max_size=12)
inputs = st.dictionaries(words, st.one_of(st.integers(-9, 9), words, st.none(), st.booleans()), max_size=3)
text = st.builds(lambda t: {"type": "text", "text": t}, words)
thinking = st.builds(lambda t, s: {"type": "thinking", "thinking": t, "signature": s}, words, words)
redacted = st.builds(lambda d: {"type": "redacted_thinking", "data": d}, words.filter(bool))
tool = st.builds(lambda i: {"type": "tool_use", "id": "", "name": "f", "input": i}, inputs)
other = st.just({"type": "container_upload", "file_id": "f"})
counts = st.integers(0, 10**6)


@st.composite
def replies(draw: st.DrawFn, *, with_others: bool = True) -> Json:
    kinds = [text, thinking, redacted, tool, *([other] if with_others else [])]
    blocks = draw(st.lists(st.one_of(kinds), max_size=7))
    for number, block in enumerate(blocks):
        if block["type"] == "tool_use":
            block["id"] = f"toolu_{number}"
    usage = {name: draw(counts) for name in ("input_tokens", "output_tokens", "cache_read_input_tokens")}
    short, long = draw(counts), draw(counts)
    usage |= {"cache_creation_input_tokens": short + long}
    usage |= {"cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}}
    stop = draw(st.sampled_from(["end_turn", "tool_use", "max_tokens", "refusal", "invented"]))
    return {"id": "msg_1", "model": "claude-x", "content": blocks, "stop_reason": stop, "usage": usage}


def cut(value: str, size: int) -> list[str]:
    return [value[start : start + size] for start in range(0, len(value), size)]


def streamed(reply: Json, size: int) -> bytes:
    """The reply as Anthropic would stream it, `size` characters at a time."""
    events: list[Json] = [
        {"type": "message_start", "message": {**reply, "content": [], "usage": {**reply["usage"], "output_tokens": 1}}}
    ]
    for index, block in enumerate(reply["content"]):
        deltas: list[Json] = []
        start = dict(block)
        if block["type"] == "text":
            start["text"], deltas = "", [{"type": "text_delta", "text": t} for t in cut(block["text"], size)]
        elif block["type"] == "thinking":
            start |= {"thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": t} for t in cut(block["thinking"], size)]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        elif block["type"] == "tool_use":
            start["input"] = {}
            whole = orjson.dumps(block["input"]).decode() if block["input"] else ""
            deltas = [{"type": "input_json_delta", "partial_json": t} for t in ["", *cut(whole, size)]]
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events += [{"type": "content_block_stop", "index": index}, {"type": "ping"}]
    delta = {"stop_reason": reply["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": reply["usage"]["output_tokens"]}
    events += [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]
    return b"".join(b"event: %b\ndata: %b\n\n" % (e["type"].encode(), orjson.dumps(e)) for e in events)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A stream, and the same answer whole."""
    reply = draw(replies())
    return streamed(reply, draw(st.integers(1, 9))), orjson.dumps(reply)
