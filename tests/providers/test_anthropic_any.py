"""Whatever blocks an answer has: what holds for its chunks, and that it comes back to Anthropic as it was."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.dialect import Event, Frame
from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.anthropic.decode import decode
from orrery.providers.anthropic.encode import encode
from orrery.providers.anthropic.stream import StreamDecoder
from orrery.wire.sse import Reader
from tests.providers.cases import chunks_of, fold, plain
from tests.providers.test_anthropic_judged import assert_lawful_request

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


def call(**body: Any) -> Call:
    body = {"model": "anthropic/claude-opus-5", "messages": [{"role": "user", "content": "Hi"}], **body}
    return Call(Operation.CHAT, body["model"], body, stream=True, wants_usage=True)


def events_of(stream: bytes, size: int) -> list[Event]:
    reader = Reader()
    return [e for start in range(0, len(stream), size) for e in reader.feed(stream[start : start + size])]


def frames_of(events: list[Event]) -> list[Frame]:
    decoder = StreamDecoder(call())
    frames = [frame for event in events for frame in decoder.feed(event)]
    assert decoder.done and not list(decoder.close())
    return frames


@settings(deadline=None, max_examples=150)
@given(replies(), st.integers(1, 9), st.integers(1, 80))
def test_any_stream_obeys_openais_rules(reply: Json, piece: int, chunk_bytes: int) -> None:
    stream = streamed(reply, piece)
    frames = frames_of(events_of(stream, len(stream)))
    assert frames_of(events_of(stream, chunk_bytes)) == frames
    chunks = chunks_of(frames)
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert sum("role" in part["delta"] for chunk in chunks for part in chunk["choices"]) == 1
    assert sum(part["finish_reason"] is not None for chunk in chunks for part in chunk["choices"]) == 1
    assert chunks[-2]["choices"][0]["finish_reason"] and chunks[-1]["choices"] == []
    usage = frames[-1].usage
    assert usage is not None and usage.total == usage.prompt + usage.completion
    assert usage.cache_read + usage.cache_write + usage.cache_write_1h <= usage.prompt
    assert usage.completion == reply["usage"]["output_tokens"]
    whole = decode(orjson.dumps(reply), call())
    assert plain(fold(chunks)) == plain(whole.payload)  # `fold` checks that the indexes of tools are dense
    assert whole.usage == usage


def said(blocks: list[Json]) -> list[Json]:
    """The blocks that can be sent back: no blank texts, no thinking without a signature."""
    kept: list[Json] = []
    for block in blocks:
        if block["type"] == "thinking" and not block["signature"]:
            continue
        if block["type"] == "text" and not block["text"].strip():
            continue
        kept.append(block)
    return kept


@settings(deadline=None, max_examples=150)
@given(replies(with_others=False))
def test_an_answer_with_thinking_comes_back_in_its_places(reply: Json) -> None:
    message = decode(orjson.dumps(reply), call()).payload["choices"][0]["message"]  # type: ignore[index]
    results = [{"role": "tool", "tool_call_id": c["id"], "content": "1"} for c in message.get("tool_calls", ())]
    history = [{"role": "user", "content": "Hi"}, message, *results, {"role": "user", "content": "Go on"}]
    encoded = encode(call(messages=history, max_tokens=9), Target("anthropic", "claude-opus-5", ""))
    assert_lawful_request(encoded.body)
    turns = encoded.body["messages"]
    sent = turns[1]["content"] if len(turns) == 3 else []
    kinds = [block["type"] for block in reply["content"]]
    if "thinking" in kinds or "redacted_thinking" in kinds:
        assert sent == said(reply["content"])
    assert [b for b in sent if b["type"] == "tool_use"] == [b for b in reply["content"] if b["type"] == "tool_use"]
