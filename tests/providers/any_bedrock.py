"""Any answer of Bedrock's at all, whole and streamed."""

from base64 import b64encode

import orjson
from hypothesis import strategies as st

from orrery.core.types import Json
from tests.providers.eventstream_writer import frame_of

words = st.text(st.characters(codec="utf-8"), max_size=12)
inputs = st.dictionaries(words, st.one_of(st.integers(-9, 9), words, st.none(), st.booleans()), max_size=3)
text: st.SearchStrategy[Json] = st.builds(lambda t: {"text": t}, words)
thinking: st.SearchStrategy[Json] = st.builds(
    lambda t, s: {"reasoningContent": {"reasoningText": {"text": t, **({"signature": s} if s else {})}}},
    words,
    st.one_of(st.none(), words),
)
redacted: st.SearchStrategy[Json] = st.builds(
    lambda d: {"reasoningContent": {"redactedContent": b64encode(d.encode()).decode()}}, words.filter(bool)
)
tool: st.SearchStrategy[Json] = st.builds(lambda i: {"toolUse": {"toolUseId": "", "name": "f", "input": i}}, inputs)
cited: st.SearchStrategy[Json] = st.builds(
    lambda t: {"citationsContent": {"content": [{"text": t}], "citations": []}}, words
)
other: st.SearchStrategy[Json] = st.just(
    {"toolResult": {"toolUseId": "t", "content": [{"json": {"stdOut": "7"}}], "status": "success"}}
)
counts = st.integers(0, 10**6)


@st.composite
def replies(draw: st.DrawFn, *, plain: bool = False) -> Json:
    kinds: list[st.SearchStrategy[Json]] = [text, thinking, redacted, tool, *([] if plain else [other, cited])]
    blocks: list[Json] = draw(st.lists(st.one_of(kinds), max_size=7))
    for number, block in enumerate(blocks):
        if "toolUse" in block:
            block["toolUse"]["toolUseId"] = f"tooluse_{number}"
    usage: Json = {name: draw(counts) for name in ("inputTokens", "outputTokens", "cacheReadInputTokens")}
    short, long = draw(counts), draw(counts)
    usage["cacheWriteInputTokens"] = short + long
    usage["cacheDetails"] = [{"ttl": "1h", "inputTokens": long}, {"ttl": "5m", "inputTokens": short}]
    usage["totalTokens"] = sum(usage[name] for name in ("inputTokens", "outputTokens"))
    stop = draw(st.sampled_from(["end_turn", "tool_use", "max_tokens", "content_filtered", "invented"]))
    message = {"role": "assistant", "content": blocks}
    return {"output": {"message": message}, "stopReason": stop, "usage": usage, "metrics": {"latencyMs": 1}}


def cut(value: str, size: int) -> list[str]:
    return [value[start : start + size] for start in range(0, len(value), size)]


def deltas_of(block: Json, size: int) -> list[Json]:
    """The pieces in which a block comes."""
    if "toolUse" in block:
        given = block["toolUse"]["input"]
        return [{"toolUse": {"input": t}} for t in ["", *cut(orjson.dumps(given).decode() if given else "", size)]]
    if "toolResult" in block:
        return [{"toolResult": block["toolResult"]["content"]}]
    if "reasoningContent" not in block:
        whole = block.get("text") or block.get("citationsContent", {"content": [{"text": ""}]})["content"][0]["text"]
        return [{"text": t} for t in cut(whole, size)]
    held = block["reasoningContent"]
    if "redactedContent" in held:
        return [{"reasoningContent": held}]
    said = held["reasoningText"]
    pieces = [{"text": t} for t in cut(said["text"], size)]
    return [{"reasoningContent": piece} for piece in [*pieces, {"signature": said.get("signature", "")}]]


def events_of(reply: Json, size: int) -> list[tuple[str, Json]]:
    """The events of a streamed reply, `size` characters at a time: starts only where Bedrock sends them."""
    events: list[tuple[str, Json]] = [("messageStart", {"role": "assistant", "p": "abc"})]
    for index, block in enumerate(reply["output"]["message"]["content"]):
        at = {"contentBlockIndex": index}
        for kind in ("toolUse", "toolResult"):
            if kind in block:
                named = {name: value for name, value in block[kind].items() if name not in ("input", "content")}
                events.append(("contentBlockStart", {**at, "start": {kind: named}}))
        events += [("contentBlockDelta", {**at, "delta": delta}) for delta in deltas_of(block, size)]
        events += [("contentBlockStop", at), ("laterInvention", {"a": 1})]
    events.append(("messageStop", {"stopReason": reply["stopReason"]}))
    events.append(("metadata", {"usage": reply["usage"], "metrics": reply["metrics"]}))
    return events


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A stream, and the same answer whole."""
    reply = draw(replies())
    events = events_of(reply, draw(st.integers(1, 9)))
    return b"".join(frame_of({"type": kind, "payload": data}) for kind, data in events), orjson.dumps(reply)
