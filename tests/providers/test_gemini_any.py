"""Whatever parts an answer has: it comes back to Gemini as it was, and to nobody else."""

from typing import Any

import orjson
from hypothesis import given, settings

from orrery import providers
from orrery.core.types import Call, Json, Operation, Target
from tests.providers.any_google import replies
from tests.providers.test_google_judged import assert_lawful_request


def sent_back(reply: Json, provider: str) -> tuple[list[Any], tuple[str, ...]]:
    """What `provider` is sent of an answer that the Gemini API gave, and what that lost."""
    google, other = providers.get("google"), providers.get(provider)
    assert google is not None and other is not None
    call = Call(Operation.CHAT, "m", {"messages": [{"role": "user", "content": "Hi"}]})
    payload: Any = google.adapters[Operation.CHAT].decode(orjson.dumps(reply), call).payload
    message = payload["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": c["id"], "content": "1"} for c in message.get("tool_calls", ())]
    messages = [{"role": "user", "content": "Hi"}, message, *results, {"role": "user", "content": "Go on"}]
    asked = Call(Operation.CHAT, "m", {"messages": messages})
    encoded = other.adapters[Operation.CHAT].encode(asked, Target(provider, "gemini-2.5-flash", ""))
    assert_lawful_request(encoded.body)
    said = [content["parts"] for content in encoded.body["contents"] if content["role"] == "model"]
    return (said[0] if said else []), encoded.dropped


def heard(reply: Json) -> list[Json]:
    """The parts of the first candidate that count: unsigned texts that follow each other are one."""
    found: list[Json] = []
    for part in reply.get("candidates", [{"content": {"parts": []}}])[0]["content"]["parts"]:
        if "executableCode" in part or (part.get("text") == "" and "thoughtSignature" not in part):
            continue
        if "functionCall" in part:
            part = {**part, "functionCall": {**part["functionCall"], "args": part["functionCall"].get("args") or {}}}
        if "text" in part and found and found[-1].keys() == part.keys() and "thoughtSignature" not in part:
            found[-1] = {**found[-1], "text": found[-1]["text"] + part["text"]}
        else:
            found.append(part)
    return found


def is_signed(parts: list[Json]) -> bool:
    return any("thoughtSignature" in part for part in parts)


@settings(deadline=None, max_examples=60)
@given(replies())
def test_a_signed_answer_comes_back_part_for_part(reply: Json) -> None:
    parts = heard(reply)
    sent, dropped = sent_back(reply, "google")
    refused = reply.get("candidates", [{"finishReason": "SAFETY"}])[0]["finishReason"] in ("SAFETY", "RECITATION")
    if is_signed(parts):
        assert sent[: len(parts)] == parts and not dropped
        assert sent[len(parts) :] == [] or refused  # why the rest was withheld is a text of the message
    elif not refused:
        thoughtless = [part for part in parts if not part.get("thought")]
        assert [p for p in sent if "functionCall" in p] == [p for p in thoughtless if "functionCall" in p]


@settings(deadline=None, max_examples=80)
@given(replies())
def test_signatures_of_the_gemini_api_do_not_reach_vertex(reply: Json) -> None:
    sent, dropped = sent_back(reply, "vertex")
    assert not is_signed(sent)
    assert ("messages.reasoning" in dropped) or not is_signed(heard(reply))
