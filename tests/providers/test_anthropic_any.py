"""Whatever blocks an answer has: it comes back to Anthropic as it was."""

from typing import Any

import orjson
from hypothesis import given, settings

from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.anthropic.decode import decode
from orrery.providers.anthropic.encode import encode
from tests.providers.any_anthropic import replies
from tests.providers.test_anthropic_judged import assert_lawful_request


def call(**body: Any) -> Call:
    body = {"model": "anthropic/claude-opus-5", "messages": [{"role": "user", "content": "Hi"}], **body}
    return Call(Operation.CHAT, body["model"], body, stream=True, wants_usage=True)


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


@settings(deadline=None, max_examples=60)
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
