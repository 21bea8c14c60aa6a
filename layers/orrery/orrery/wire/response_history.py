"""What a model gets to read: all that came before and the request's own items, as any provider can be told it.

References become what they refer to. Calls of tools that ran here, or at a provider, become calls of functions with
their outputs. A call that nobody answered is refused, as OpenAI does, and so is an output that answers none.
"""

from collections import deque
from collections.abc import Mapping, Sequence

from orrery.core.errors import InvalidRequest, NotFound
from orrery.core.types import Json
from orrery.wire.response_rewriting import rewritten

PARAM = "input"


def turn_input(context_items: Sequence[Json], own_items: Sequence[Json], *, resolved: Mapping[str, Json]) -> list[Json]:
    """The items of a turn. `resolved` has items that are referred to, by id.

    Calls that this request approves (`response_approvals.decisions`) stand last: their outputs must be put after them.

    Raises `NotFound` for a reference to nothing, `InvalidRequest` for an output without its call and a call without its
    output. Messages of OpenAI's, as its users quote them (cline/cline#9288, openai/codex#93, read 2026-11-21).
    """
    told, approved = rewritten([*context_items, *with_references(own_items, resolved, context_items)])
    return [*_paired(told), *approved]


def with_references(items: Sequence[Json], resolved: Mapping[str, Json], before: Sequence[Json] = ()) -> list[Json]:
    """The items with those that are referred to in their places; what came `before` is there already and not repeated.

    This is also what is kept of a request: a reference may lead nowhere later. Raises `NotFound`.
    """
    there = {item.get("id") for item in before}
    found: list[Json] = []
    for item in items:
        if item["type"] != "item_reference":
            found.append(item)
        elif item["id"] not in there:
            found.append(_referred(item["id"], resolved))
    return found


def _referred(id: str, resolved: Mapping[str, Json]) -> Json:
    item = resolved.get(id)
    if item is None or item["type"] == "item_reference":
        raise NotFound(
            f"Item with id '{id[:80]}' not found. Items are not persisted when `store` is set to false. "
            "Try again with `store` set to true, or remove this item from your input.",
            param=PARAM,
        )
    return item


def _paired(items: Sequence[Json]) -> list[Json]:
    """The same, each output after its call and before anybody else speaks: most dialects demand that."""
    outputs = _matched(items)
    found: list[Json] = []
    waiting: list[int] = []
    told: set[int] = set()
    for place, item in enumerate(items):
        kind = item["type"]
        if kind == "function_call":
            if place not in outputs:
                continue
            waiting.append(outputs[place])
        elif kind == "function_call_output" and place in told:
            continue
        elif kind == "message" and item.get("role") != "assistant":
            early = [output for output in waiting if output > place]
            found += [items[output] for output in early]
            told.update(early)
            waiting.clear()
        found.append(item)
    return found


def _matched(items: Sequence[Json]) -> dict[int, int]:
    """The place of each call's output, by the call's own place. Ids may come again: providers count from 0 each time.

    A call that was cut off while it was written has none, and cannot have one.
    """
    open_calls: dict[str, deque[int]] = {}
    outputs: dict[int, int] = {}
    for place, item in enumerate(items):
        if item["type"] == "function_call":
            open_calls.setdefault(item["call_id"], deque()).append(place)
        elif item["type"] == "function_call_output":
            calls = open_calls.get(item["call_id"])
            if not calls:
                id = item["call_id"][:80]
                raise InvalidRequest(f"No tool call found for function call output with call_id {id}.", param=PARAM)
            outputs[calls.popleft()] = place
    for call_id, calls in open_calls.items():
        if any(items[place].get("status") != "incomplete" for place in calls):
            raise InvalidRequest(f"No tool output found for function call {call_id[:80]}.", param=PARAM)
    return outputs
