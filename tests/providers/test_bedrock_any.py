"""Whatever blocks an answer has: it comes back to Bedrock as it was, and nonsense raises nothing but our own errors."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.dialect import Event
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.bedrock.decode import decode
from orrery.providers.bedrock.encode import encode
from orrery.providers.bedrock.stream import StreamDecoder
from tests.providers.any_bedrock import events_of, replies
from tests.providers.bedrock_judge import request_of

MODELS = [
    "us.anthropic.claude-opus-5",
    "amazon.nova-2-lite-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:imported-model/a",
]


def call(model: str, **body: Any) -> Call:
    body = {"model": f"bedrock/{model}", "messages": [], **body}
    return Call(Operation.CHAT, body["model"], body, stream=True, wants_usage=True)


def is_kept(block: Json) -> bool:
    """Whether a block can be sent back: no blank texts, no reasoning without a signature."""
    if "reasoningContent" in block:
        held = block["reasoningContent"]
        return "redactedContent" in held or bool(held["reasoningText"].get("signature"))
    return "toolUse" in block or bool(block["text"].strip())


@settings(deadline=None, max_examples=60)
@given(replies(plain=True), st.sampled_from(MODELS))
def test_an_answer_with_reasoning_comes_back_in_its_places(reply: Json, model: str) -> None:
    whole: Any = decode(orjson.dumps(reply), call(model)).payload
    message = whole["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": c["id"], "content": "1"} for c in message.get("tool_calls", ())]
    history = [{"role": "user", "content": "Hi"}, message, *results, {"role": "user", "content": "Go on"}]
    encoded = encode(call(model, messages=history), Target("bedrock", model, ""))
    turns = encoded.body["messages"]
    sent = turns[1]["content"] if len(turns) == 3 else []
    blocks = reply["output"]["message"]["content"]
    if any("reasoningContent" in block and is_kept(block) for block in blocks):
        assert sent == [block for block in blocks if is_kept(block)]
    assert [b for b in sent if "toolUse" in b] == [b for b in blocks if "toolUse" in b]
    if "imported" not in model:
        request_of(model, encoded.body, stream=True)


JUNK = st.sampled_from([None, True, -1, 1.5, "", "x", [], [None], {}, {"text": 1}, [{"text": None}]])


def spoilt(value: Any, data: st.DataObject) -> Any:
    """`value` with something in it replaced by what should not be there."""
    if data.draw(st.integers(0, 3)) == 0:
        return data.draw(JUNK)
    if isinstance(value, dict) and value:
        name = data.draw(st.sampled_from(sorted(value)))
        return {**value, name: spoilt(value[name], data)}
    if isinstance(value, list) and value:
        place = data.draw(st.integers(0, len(value) - 1))
        return [*value[:place], spoilt(value[place], data), *value[place + 1 :]]
    return data.draw(JUNK)


@settings(deadline=None, max_examples=60)
@given(replies(), st.sampled_from(MODELS), st.data())
def test_a_spoilt_reply_raises_nothing_but_our_own_errors(reply: Json, model: str, data: st.DataObject) -> None:
    try:
        decode(orjson.dumps(spoilt(reply, data)), call(model))
    except UpstreamError:
        return


@settings(deadline=None, max_examples=60)
@given(replies(), st.sampled_from(MODELS), st.data())
def test_spoilt_events_raise_nothing_but_our_own_errors(reply: Json, model: str, data: st.DataObject) -> None:
    events = events_of(reply, 5)
    place = data.draw(st.integers(0, len(events) - 1))
    events[place] = (events[place][0], spoilt(events[place][1], data))
    decoder = StreamDecoder(call(model))
    try:
        for name, payload in events:
            list(decoder.feed(Event(name, orjson.dumps(payload))))
        list(decoder.close())
    except UpstreamError:
        return
