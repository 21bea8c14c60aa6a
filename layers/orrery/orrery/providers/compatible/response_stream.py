"""A streamed response: events pass on, but for what says nothing yet, and with reasoning sealed for its issuer.

It is whole when `response.completed` or `response.incomplete` came, or `[DONE]` after whole items.
"""

from collections.abc import Iterable
from typing import Any

from orrery.core.dialect import Event, Frame
from orrery.core.errors import Truncated
from orrery.core.types import Call, Json
from orrery.providers.answer import object_of, text_of
from orrery.providers.compatible.decode import object_in
from orrery.providers.compatible.response_counts import counted, failure, is_failed
from orrery.providers.compatible.response_parts import Output
from orrery.providers.compatible.response_reasoning import sealed_item
from orrery.providers.compatible.row import Row

BEFORE = frozenset({"response.created", "response.queued", "response.in_progress"})
LAST = frozenset({"response.completed", "response.incomplete"})
FAILED = frozenset({"error", "response.failed", "response.error", "response.cancelled"})

_ANNOUNCED = frozenset({"message", "reasoning"})
"""Items that say something only when their words come."""

_PARTS = frozenset({"response.content_part.added", "response.reasoning_summary_part.added"})


class ResponseDecoder:
    """One stream. The first events wait for the first words: until then another target may still be tried."""

    def __init__(self, call: Call, row: Row) -> None:
        self.done = False
        self._call = call
        self._row = row
        self._head: Json = {}
        self._output = Output()
        self._held: list[Frame] | None = []

    def feed(self, event: Event) -> Iterable[Frame]:
        if self.done:
            return ()
        if event.data == b"[DONE]":
            return self._closing()
        told = object_in(event.data, "an event")
        kind = text_of(told.get("type")) or event.name
        if kind in FAILED or (told.get("error") and kind not in LAST):
            raise failure(told)
        if kind in BEFORE:
            self._head = object_of(told.get("response")) or self._head
            return (Frame(None),)
        if kind in LAST:
            return self._end(kind, told)
        return self._told(kind, told) if kind.startswith("response.") else ()

    def close(self) -> Iterable[Frame]:
        if not self.done:
            raise Truncated("the provider's stream ended before the response did", upstream_status=200)
        return ()

    def _told(self, kind: str, told: Json) -> Iterable[Frame]:
        told["type"] = kind
        chars = self._output.take(kind, told)
        if isinstance(told.get("item"), dict):
            told["item"] = sealed_item(told["item"], self._row.name)
        frame = Frame(told, None, chars)
        if self._held is None:
            return (frame,)
        self._held.append(frame)
        if not _speaks(kind, told):
            return (Frame(None),)
        frames, self._held = self._held, None
        return frames

    def _end(self, kind: str, told: Json) -> Iterable[Frame]:
        """The last event, with the whole resource in it."""
        resource = object_of(told.get("response"))
        if is_failed(resource) or resource.get("error"):
            raise failure(told)
        resource = {**self._head, **resource}
        given = resource.get("output")
        rest = self._output.rest_of(given)
        resource["output"] = given if isinstance(given, list) and given else self._output.whole()
        resource = resource_of(resource, self._call, self._row, status=kind.removeprefix("response."))
        self.done = True
        frame = Frame({**told, "type": kind, "response": resource}, counted(resource), rest)
        return [*(self._held or ()), frame]

    def _closing(self) -> Iterable[Frame]:
        """`[DONE]`, and no last event: imitators end so."""
        if not self._output.is_ended:
            return self.close()
        return self._end("response.completed", {})


def _speaks(kind: str, told: Json) -> bool:
    """Whether an event tells more than that something begins."""
    if kind == "response.output_item.added":
        return text_of(object_of(told.get("item")).get("type")) not in _ANNOUNCED
    if kind.endswith(".delta"):
        return bool(told.get("delta"))
    return kind not in _PARTS


def resource_of(resource: Json, call: Call, row: Row, *, status: str = "completed") -> Json:
    """A whole response with what some servers leave out of it, its reasoning sealed, its tier in OpenAI's words."""
    named: dict[str, Any] = {
        "id": call.answer_id,
        "object": "response",
        "created_at": call.received_at,
        "model": call.model,
        "status": status,
    }
    found = {**named, **{name: value for name, value in resource.items() if value is not None or name not in named}}
    if found["status"] not in LAST_STATUSES:
        found["status"] = status  # a copy of what stood at the beginning
    found["output"] = [sealed_item(item, row.name) for item in found["output"] if isinstance(item, dict)]
    tier = found.get("service_tier")
    if isinstance(tier, str) and tier in row.tiers:
        found["service_tier"] = row.tiers[tier]
    return found


LAST_STATUSES = frozenset({"completed", "incomplete"})
