"""Responses as their callers see them: one sequence of events, and one resource, of any number of turns.

Upstreams differ in what they send, leave out, repeat, and mix up; a caller gets the specification's order, whatever
they did. Items are told one after the other: an item that upstream begins before it has ended another one waits until
then (the specification's order of events knows no interleaving, and many clients take the item that they heard of last
for the one that goes on). What was streamed is what holds: the sum of the deltas is the text of `done` and of the
finished resource.

Sources: Open Responses 2026-04-24; OpenAI's API document 2.3.0 and its SDK 3.52 (what hosted tools tell, and what an
accumulator of events bears), read 2026-11-21.
"""

import secrets
import sys
from collections import deque
from collections.abc import Callable, Collection, Mapping

from orrery.core.types import Json
from orrery.wire.composed_calls import Call
from orrery.wire.composed_items import Item, order
from orrery.wire.composed_shown import LOGPROBS, unveiled
from orrery.wire.composed_texts import Message, Reasoning
from orrery.wire.composed_turn import Turn, Upstream

__all__ = ["Composer", "Turn", "shown"]

_ENDS: Mapping[str, str] = {"completed": "completed", "incomplete": "incomplete", "failed": "failed"} | {
    "cancelled": "incomplete"
}
"""The event that ends a response of each status. No event of the specification, nor of OpenAI's, is called `cancelled`:
what was cancelled is incomplete, and its `status` says why."""

_PREFIXES: Mapping[str, str] = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "reasoning": "rs",
    "compaction": "cmp",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
}
_HELD = frozenset({"message", "function_call"})
"""Their ends are told when it is clear what comes after them: only the last item of all may be incomplete."""

_CALLS = frozenset({"function_call", "custom_tool_call"})


def shown(resource: Json, include: Collection[str]) -> Json:
    """A resource as a caller gets it: without what is shown only to those who ask for it."""
    return resource | {"output": [unveiled(item, include) for item in resource.get("output") or ()]}


class Composer:
    """Writes one response down.

    `shown` is the resource at its beginning, with all its fields. `reveals` is what the request's `include` asked for.
    `first` is the first sequence number: above 0 where another composer has begun the response; its items so far are
    then in `shown`. `random` makes the second half of ids. `ids`, where it is given, makes the id of each item that is
    shown, of its prefix and its place in the output; without it upstream's own is kept.

    Turns are read by `feed` (or `whole`), each between `open_turn` and `close_turn`; `add` tells an item of our own.
    The events that these give are to be sent in this order; after `finish` there are no more.
    """

    def __init__(
        self,
        shown: Json,
        *,
        reveals: Collection[str] = (),
        first: int = 0,
        random: Callable[[], str] = lambda: secrets.token_hex(24),
        ids: Callable[[str, int], str] | None = None,
    ) -> None:
        self._resource = shown | ({"status": "in_progress"} if first else {})
        self._reveals = frozenset(reveals)
        self._number = first
        self._random = random
        self._ids = ids
        self._output: list[Json] = list(shown.get("output") or ())
        self._index = len(self._output)
        self._used = {value for item in self._output for value in (item.get("id"), item.get("call_id"))}
        self._line: deque[Item] = deque()
        self._held: Item | None = None
        self._turn: Upstream | None = None
        self._ended = False

    @property
    def resource(self) -> Json:
        """The resource so far, or as it ended: as it is kept, with all that is shown only on demand."""
        return self._resource | {"output": list(self._output)}

    def begin(self, *, queued: bool = False) -> list[Json]:
        """`created`, `queued` where it has to wait, and `in_progress`."""
        statuses = [("created", "queued"), ("queued", "queued")] if queued else [("created", "in_progress")]
        return [self._told(name, status) for name, status in (*statuses, ("in_progress", "in_progress"))]

    def open_turn(self, *, hidden: Collection[str] = (), allowed: Collection[str] | None = None) -> None:
        """Upstream answers. Function calls by names in `hidden` are not shown; those not in `allowed` are refused."""
        self._turn = Upstream(self._queue, frozenset(hidden), None if allowed is None else frozenset(allowed))

    def feed(self, event: Json) -> list[Json]:
        """What follows from one event of upstream: maybe nothing, or all that waited for it."""
        type_ = event.get("type")
        if self._turn is None or self._ended or type(type_) is not str:
            return []
        self._turn.hear(type_, event)
        if self._turn.status:
            self._line = deque(sorted(self._line, key=order))
        return self._written()

    def whole(self, resource: Json) -> list[Json]:
        """A whole reply of upstream, as if it had been streamed."""
        ending = "incomplete" if resource.get("status") == "incomplete" else "completed"
        return self.feed({"type": f"response.{ending}", "response": resource})

    def close_turn(self) -> tuple[list[Json], Turn]:
        """Completes what is open, and what the turn came to.

        Where upstream broke off, without its last event, the item that it was at is incomplete, and so is the turn;
        what else it had begun is left out, since nothing may follow an incomplete item.
        """
        turn = self._turn
        if turn is None:
            raise ValueError("no turn is open")
        if not turn.status:
            turn.status = "incomplete" if self._is_cut() or not turn.items else "completed"
        events = self._written()
        self._turn = None
        if turn.status == "completed":
            self._release(events, is_last=False)
        return events, turn.turn()

    def add(self, item: Json) -> list[Json]:
        """An item of our own, which is told as a whole: between turns, since it waits for what upstream has begun."""
        if self._ended:
            return []
        ours = self._queue(item["type"])
        ours.ours, ours.rank = True, sys.maxsize
        ours.finish(item)
        return self._written()

    def finish(
        self,
        status: str,
        *,
        now: int,
        reason: str = "",
        error: Json | None = None,
        usage: Json | None = None,
        more: Json | None = None,
    ) -> list[Json]:
        """The end. `now` is epoch seconds, `reason` why it is incomplete, `error` what failed (`code`, `message`, …).

        `more` are fields of the resource that were not known at its beginning (`model`, `service_tier`). An open turn
        is closed first. A second end changes nothing: what has ended never changes again.
        """
        if self._ended:
            return []
        events = self.close_turn()[0] if self._turn is not None else []
        self._release(events, is_last=status != "completed")
        self._ended = True
        if status == "failed":
            events.append(self._error(error or {}))
        self._resource = (
            self._resource
            | (more or {})
            | {
                "status": status,
                "completed_at": now if status == "completed" else None,
                "incomplete_details": {"reason": reason} if reason and status == "incomplete" else None,
                "error": _brief(error or {}) if status == "failed" else None,
                "usage": usage,
            }
        )
        events.append(self._event(f"response.{_ENDS[status]}", response=shown(self.resource, self._reveals)))
        return events

    def _queue(self, type_: str) -> Item:
        if type_ == "message":
            item: Item = Message(type_, with_logprobs=LOGPROBS in self._reveals)
        else:
            item = Reasoning(type_) if type_ == "reasoning" else Call(type_)
        self._line.append(item)
        return item

    def _written(self) -> list[Json]:
        """The events of the item whose turn it is, and of those after it, as far as it has ended."""
        events: list[Json] = []
        line = self._line
        while line:
            item = line[0]
            self._tell(item, events)
            if not (item.finished or (len(line) > 1 and item.yields_to(line[1]))):
                break
            line.popleft()
            item.end()
            self._tell(item, events)
            self._end(item, events)
        return events

    def _tell(self, item: Item, events: list[Json]) -> None:
        if not item.opened:
            if not item.ready:
                return
            self._open(item, events)
        told = item.events
        if told and not item.muted:
            number, id_, index = self._number, item.own_id, item.index
            for event in told:
                event["sequence_number"] = number
                event["item_id"] = id_
                event["output_index"] = index
                number += 1
            self._number = number
            events += told
        told.clear()

    def _open(self, item: Item, events: list[Json]) -> None:
        item.opened = True
        item.muted = self._turn is not None and self._turn.mutes(item)
        prefix = _PREFIXES.get(item.type) or item.type.partition(":")[0]
        made = None if item.muted or self._ids is None else self._ids(prefix, self._index)
        item.own_id = made or self._free(item.id, prefix)
        if item.type in _CALLS:
            item.own_call_id = self._free(item.call_id, "call")
        if not item.muted:
            self._release(events, is_last=False)
            item.index, self._index = self._index, self._index + 1
            begun = unveiled(item.begin(), self._reveals)
            events.append(self._event("response.output_item.added", output_index=item.index, item=begun))

    def _end(self, item: Item, events: list[Json]) -> None:
        if not item.opened:
            item.kept = None  # a call whose function nobody named
        elif not item.muted:
            self._held = item
            if item.type not in _HELD and item.status != "incomplete":
                self._release(events, is_last=False)

    def _release(self, events: list[Json], *, is_last: bool) -> None:
        """Tells that the item whose end was held back is done."""
        item, self._held = self._held, None
        if item is None:
            return
        if item.status == "incomplete" and not is_last:
            item.amend("failed" if item.cut() == "failed" else "completed")
        if item.kept is not None:
            self._output.append(item.kept)
            done = unveiled(item.kept, self._reveals)
            events.append(self._event("response.output_item.done", output_index=item.index, item=done))

    def _is_cut(self) -> bool:
        """Ends what upstream left open. Whether it left something unfinished."""
        for item in self._line:
            if not item.over:
                item.finish(item.announced)
                item.status = item.cut()
                while self._line[-1] is not item:
                    self._line.pop()
                return True
            item.finish(item.announced)
        return False

    def _free(self, wanted: str, prefix: str) -> str:
        """An id that no other item of this response has: the one that upstream gave it, where that is free."""
        found = wanted if wanted and wanted not in self._used else f"{prefix}_{self._random()}"
        self._used.add(found)
        return found

    def _told(self, name: str, status: str) -> Json:
        self._resource["status"] = status
        return self._event(f"response.{name}", response=self._resource | {"output": [], "usage": None})

    def _error(self, error: Json) -> Json:
        told = {"code": error.get("code"), "message": error.get("message") or "", "param": error.get("param")}
        return self._event("error", error={"type": error.get("type") or "server_error", **told}, **told)

    def _event(self, type_: str, **fields: object) -> Json:
        self._number += 1
        return {"type": type_, "sequence_number": self._number - 1, **fields}


def _brief(error: Json) -> Json:
    return {"code": error.get("code") or "server_error", "message": error.get("message") or ""}
