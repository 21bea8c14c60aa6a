"""What an assistant thought in earlier messages: seed 003's names into the provider's, signatures to their issuer only.

Reasoning that a provider does not take back by its own documents is left out, and that is no loss; a signature that
is withheld is named, since the thoughts behind it are missing then.
"""

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

import orjson

from orrery.core.types import Json
from orrery.providers.compatible.row import AS_GIVEN, IN_TAGS, Row
from orrery.providers.layout import APART, opened
from orrery.providers.lost import Lost

THOUGHTS = frozenset({"reasoning", "reasoning_content", "reasoning_details", "reasoning_signature"}) | {
    "redacted_reasoning"
}
PARTS = ("reasoning", "redacted_reasoning")
CALL_SIGNATURES = frozenset({"thought_signature", "extra_content"})
"""On tool calls: Google's, and nobody's here."""


def message_of(message: Json, row: Row, lost: Lost) -> Json:
    """The message as the row's provider takes it; the same object where nothing needs to change."""
    if message.get("role") != "assistant":
        return message
    if row.replay == AS_GIVEN:
        return _without_seals(message, lost)
    parts = _thoughts_in(message.get("content"))
    kept = {name: value for name, value in message.items() if name not in THOUGHTS}
    if parts:
        kept["content"] = [part for part in message["content"] if part not in parts] or None
    if calls := message.get("tool_calls"):
        kept["tool_calls"] = _unsigned(calls, lost)
    blocks = _blocks(message, parts, row, lost)
    if blocks:
        _give_back(kept, blocks, row)
    elif text := _text_of(message, parts):
        _say(kept, text, row)
    if row.replay_with_calls and calls:
        kept.setdefault(row.replay, "")
    return message if kept == message else kept


def _thoughts_in(content: Any) -> list[Json]:
    return [part for part in content if part.get("type") in PARTS] if isinstance(content, list) else []


def _text_of(message: Json, parts: list[Json]) -> str:
    """The reasoning as plain text, under whichever name the client kept it."""
    text = message.get("reasoning") or message.get("reasoning_content")
    return text if isinstance(text, str) else APART.join(part["reasoning"] for part in parts if part.get("reasoning"))


def _blocks(message: Json, parts: list[Json], row: Row, lost: Lost) -> list[Json]:
    """The blocks that the provider itself sealed, or gave to a client that spoke to it directly."""
    found: list[Json] = []
    for signature in _filled("reasoning_signature", "signature", message, parts):
        sealed = opened(signature)
        if row.details and sealed.issuer == row.name and (blocks := _unsealed(sealed.data)):
            found = blocks
        else:
            lost.add("messages.reasoning")
    if any(_filled("redacted_reasoning", "data", message, parts)):
        lost.add("messages.redacted_reasoning")
    given = message.get("reasoning_details")
    if given and row.details == "reasoning_details":
        return found or list(given)
    if given:
        lost.add("messages.reasoning")
    return found


def _filled(name: str, name_in_part: str, message: Json, parts: list[Json]) -> Iterator[str]:
    for value in (message.get(name), *(part.get(name_in_part) for part in parts)):
        if isinstance(value, str) and value:
            yield value


def _unsealed(data: str) -> list[Json]:
    try:
        blocks = orjson.loads(urlsafe_b64decode(data))
    except ValueError:
        return []
    return blocks if isinstance(blocks, list) else [blocks] if isinstance(blocks, dict) else []


def _give_back(kept: Json, blocks: list[Json], row: Row) -> None:
    if row.details == "reasoning_details":
        kept["reasoning_details"] = blocks
        return
    content = kept.get("content")
    said = [{"type": "text", "text": content}] if isinstance(content, str) and content else content or []
    kept["content"] = [*blocks, *said]


def _say(kept: Json, text: str, row: Row) -> None:
    """Plain reasoning, where the provider wants it."""
    if row.replay == IN_TAGS:
        content, thought = kept.get("content"), f"<think>\n{text}\n</think>\n\n"
        listed = isinstance(content, list)
        kept["content"] = [{"type": "text", "text": thought}, *(content or ())] if listed else thought + (content or "")
    elif row.replay:
        kept[row.replay] = text


def _unsigned(calls: list[Json], lost: Lost) -> list[Json]:
    """Tool calls without the signatures of other providers."""
    signed = [call for call in calls if not CALL_SIGNATURES.isdisjoint(call)]
    if not signed:
        return calls
    lost.add("messages.reasoning")
    return [{name: value for name, value in call.items() if name not in CALL_SIGNATURES} for call in calls]


def _without_seals(message: Json, lost: Lost) -> Json:
    """For servers of which nothing is known: all but what this gateway sealed for somebody else."""
    sealed = [n for n in ("reasoning_signature", "redacted_reasoning") if opened(message.get(n) or "").issuer]
    for name in sealed:
        lost.add("messages.redacted_reasoning" if name == "redacted_reasoning" else "messages.reasoning")
    return {name: value for name, value in message.items() if name not in sealed} if sealed else message
