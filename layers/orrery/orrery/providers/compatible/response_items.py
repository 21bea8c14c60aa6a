"""A conversation's items as a provider takes them where nothing is stored.

Reasoning goes back to who issued it, and to nobody else; what hosted tools of a provider left is theirs and has no
meaning without their store, so that only the answer that came of it goes on.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from orrery.core.types import Json
from orrery.providers.compatible.response_facts import Facts
from orrery.providers.compatible.response_reasoning import is_sealed, unsealed
from orrery.providers.compatible.row import MARKS, Row
from orrery.providers.lost import Lost
from orrery.wire.compaction import as_message

SPOKEN = frozenset({"message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"})
"""Items that say the same to every provider."""

_ANSWERED = frozenset({"message", "function_call", "custom_tool_call"})
"""What may follow reasoning: OpenAI refuses reasoning "without its required following item"

(community.openai.com, "How to Solve GPT-5 'reasoning' Error Without previous_response_id", 2026-01).
"""

GAP: Json = {}
"""Where something was left out that reasoning had led to: that goes with it."""

_PREFIXES = {"message": "msg", "reasoning": "rs"}


def items_of(given: Any, row: Row, facts: Facts, lost: Lost) -> Any:
    """The `input` that goes upstream. A text stays one."""
    if not isinstance(given, list):
        return given
    return list(_with_answers(_each(given, row, facts, lost)))


def _each(given: Iterable[Any], row: Row, facts: Facts, lost: Lost) -> Iterator[Json]:
    for number, item in enumerate(given):
        if not isinstance(item, dict):
            continue
        kind = kind_of(item)
        if kind == "reasoning":
            found = _reasoning(item, row.name, facts, lost)
        elif kind == "compaction":
            found = _compaction(item, row.name, facts, lost)
        elif kind in SPOKEN:
            found = item
        else:
            yield GAP
            continue
        if found is not None:
            yield unmarked(_shaped(found, kind_of(found), number, facts), row, lost)


def kind_of(item: Json) -> str:
    """An item's type; a message's may be left out."""
    kind = item.get("type")
    return kind if isinstance(kind, str) and kind else "message" if "role" in item else ""


def _reasoning(item: Json, issuer: str, facts: Facts, lost: Lost) -> Json | None:
    """What the provider itself issued, or its plain text where it takes that; a loss is named where it was sealed."""
    own = unsealed(item, issuer) if facts.replay == "encrypted" else None
    if own is not None:
        kept: Json = {name: item[name] for name in ("type", "id") if name in item}
        text = {"content": item["content"]} if "signature" in own and item.get("content") else {}
        return {**kept, "summary": item.get("summary") or [], **text, **own}
    if facts.replay == "plain" and (item.get("content") or item.get("summary")):
        kept = {name: item[name] for name in ("type", "id", "content") if item.get(name)}
        return {**kept, "summary": item.get("summary") or []}
    if is_sealed(item):
        lost.add("input.reasoning")
    return None


def _compaction(item: Json, issuer: str, facts: Facts, lost: Lost) -> Json | None:
    """A compaction of this gateway's is a text; a provider's own goes back to it."""
    if (message := as_message(item)) is not None:
        return message
    own = unsealed(item, issuer) if facts.replay == "encrypted" else None
    if own is None:
        lost.add("input.compaction")
        return None
    return {name: value for name, value in item.items() if name in ("type", "id")} | own


def _shaped(item: Json, kind: str, number: int, facts: Facts) -> Json:
    """The item with the names of its own that the provider wants, or without them."""
    dropped = {"id", "status"} if facts.bare else set()
    shaped = {name: value for name, value in item.items() if name not in dropped and value is not None}
    if not facts.phases:
        shaped.pop("phase", None)
    is_said = kind == "message" and item.get("role") == "assistant"
    if is_said and isinstance(item.get("content"), list):
        shaped["content"] = [_said(part) for part in item["content"]]
    if not facts.bare and (kind == "reasoning" or (is_said and isinstance(item.get("content"), list))):
        shaped.setdefault("id", f"{_PREFIXES[kind]}_{number}")
        if is_said:
            shaped["status"] = item.get("status") or "completed"
            shaped.setdefault("type", "message")
    return shaped


def unmarked(holder: Json, row: Row, lost: Lost) -> Json:
    """An item or a tool without the marks of a cached part's end that the provider does not take, in its parts, too."""
    found = _without(holder, row, lost)
    for field in ("content", "output"):
        if isinstance(found.get(field), list):
            parts = [_without(part, row, lost) if isinstance(part, dict) else part for part in found[field]]
            found = {**found, field: parts}
    return found


def _without(holder: Json, row: Row, lost: Lost) -> Json:
    unknown = MARKS - row.marks
    if unknown.isdisjoint(holder):
        return holder
    for name in sorted(unknown & holder.keys()):
        if holder[name] is not None:
            lost.add(name)
    return {name: value for name, value in holder.items() if name not in unknown}


def _said(part: Any) -> Any:
    """A part of an earlier answer: its probabilities tell the model nothing, and its list of notes must be there."""
    if not isinstance(part, dict) or part.get("type") != "output_text":
        return part
    return {"annotations": [], **{name: value for name, value in part.items() if name != "logprobs"}}


def _with_answers(items: Iterable[Json]) -> Iterator[Json]:
    """Items without such reasoning as led to nothing."""
    waiting: list[Json] = []
    for item in items:
        kind = kind_of(item)
        if kind == "reasoning":
            waiting.append(item)
            continue
        if kind in _ANSWERED and item.get("role", "assistant") == "assistant":
            yield from waiting
        waiting.clear()
        if item:
            yield item
