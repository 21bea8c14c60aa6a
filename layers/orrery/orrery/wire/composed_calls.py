"""Calls: of the caller's functions, and of tools that a provider or the gateway runs itself; and all other items.

What differs between them is in `_ROWS`. Sources: OpenAI's API document 2.3.0 and its SDK 3.52 (items, and the events
between `added` and `done` in the order in which its reference lists them), read 2026-11-21.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from orrery.core.types import Json
from orrery.wire.composed_items import Item, index_of, text_of
from orrery.wire.composed_parts import event


@dataclass(frozen=True, slots=True)
class Row:
    """What is special about calls of a type.

    `text` is the field that grows, `stem` begins the names of its events. `steps` are told in this order, once each.
    `later` are fields that are not known at the beginning, and what stands for them then (None: nothing does).
    `fails`: it may end as "failed", and `tells_failing` so by an event. `has_status`: it always has a status.
    """

    text: str = ""
    stem: str = ""
    steps: tuple[str, ...] = ()
    later: Mapping[str, Any] = field(default_factory=dict)
    fails: bool = False
    tells_failing: bool = False
    has_status: bool = False


_NOTHING = object()
_PLAIN = Row()
_ROWS: Mapping[str, Row] = {
    "function_call": Row("arguments", "response.function_call_arguments", has_status=True),
    "function_call_output": Row(has_status=True),
    "custom_tool_call": Row("input", "response.custom_tool_call_input"),
    "mcp_call": Row(
        "arguments",
        "response.mcp_call_arguments",
        ("in_progress", "completed"),
        {"output": _NOTHING, "error": _NOTHING},
        fails=True,
        tells_failing=True,
    ),
    "mcp_list_tools": Row(
        steps=("in_progress", "completed"), later={"tools": [], "error": _NOTHING}, tells_failing=True
    ),
    "web_search_call": Row(
        steps=("in_progress", "searching", "completed"), later={"results": _NOTHING}, fails=True, has_status=True
    ),
    "file_search_call": Row(
        steps=("in_progress", "searching", "completed"), later={"results": _NOTHING}, fails=True, has_status=True
    ),
    "code_interpreter_call": Row(
        "code",
        "response.code_interpreter_call_code",
        ("in_progress", "interpreting", "completed"),
        {"outputs": None},
        fails=True,
        has_status=True,
    ),
    "image_generation_call": Row(
        steps=("in_progress", "generating", "completed"), later={"result": None}, fails=True, has_status=True
    ),
}
_TYPED: Mapping[str, type] = {"namespace": str, "async": bool, "caller": dict}
"""Fields of function calls that SDKs look at: dropped where they are of another type."""

_PARTIAL = "response.image_generation_call.partial_image"
_OF_PARTIALS = ("background", "output_format", "quality", "size")


def _heard() -> Mapping[str, tuple[str, str]]:
    found = {_PARTIAL: ("image_generation_call", "partial")}
    for type_, row in _ROWS.items():
        if row.stem:
            found |= {f"{row.stem}.{what}": (type_, what) for what in ("delta", "done")}
        steps = (*row.steps, "failed") if row.tells_failing else row.steps
        found |= {f"response.{type_}.{step}": (type_, step) for step in steps}
    return found


HEARD = _heard()
"""The events of calls: the type of the item that each is about, and what it says of it."""


class Call(Item):
    """An item that is no text. Its fields are upstream's own, but for the text that grows, and its status."""

    def __init__(self, type_: str) -> None:
        super().__init__(type_)
        self._row = _ROWS.get(type_, _PLAIN)
        self._is_function = type_ == "function_call"
        self._pieces: list[str] = []
        self._step = -1
        self._text_over = self._text_told = self._failed = False

    @property
    def ready(self) -> bool:
        """Nobody can be told of a call before it is known what is called."""
        is_known = bool(self.announced or self.claimed)
        return bool(self.name) and (is_known or bool(self.call_id)) if self._is_function else is_known

    @property
    def over(self) -> bool:
        return self.finished or (self._is_past() if self._row.steps else self._text_over)

    def hear(self, type_: str, event: Json) -> None:
        what = HEARD[type_][1]
        if self.finished:
            return
        if what == "delta":
            self._identify(event)
            if not self._text_over:
                self._grow(event.get("delta"))
        elif what == "done":
            self._identify(event)
            self._grown(event.get(self._row.text))
            self._text_over = True
        elif what == "partial":
            self._show_partial(event)
        else:
            self._failed |= what == "failed"
            self._advance(len(self._row.steps) if what == "failed" else self._row.steps.index(what) + 1)

    def begin(self) -> Json:
        whole = self._whole()
        if self._row.text:
            whole[self._row.text] = ""
        for name, blank in self._row.later.items():
            if blank is _NOTHING:
                whole.pop(name, None)
            else:
                whole[name] = blank
        if "status" in whole:
            whole["status"] = "in_progress"
        return whole

    def ended_as(self, status: Any) -> str:
        if ":" in self.type:
            return text_of(status) or "completed"
        fails = self._row.fails or self.type not in _ROWS
        return "failed" if fails and status == "failed" else super().ended_as(status)

    def cut(self) -> str:
        return "failed" if self._row.fails else "incomplete"

    def _identify(self, event: Json) -> None:
        """Some servers tell the name beside the arguments, and nowhere else."""
        if self._is_function:
            self.name = self.name or text_of(event.get("name"))
            self.call_id = self.call_id or text_of(event.get("call_id"))

    def _grow(self, delta: Any) -> None:
        if type(delta) is str and delta and not self._text_told and not self._is_past():
            if self._row.steps and self._step < 0:
                self._advance(1)
            self._pieces.append(delta)
            self.events.append(event(f"{self._row.stem}.delta", delta=delta))

    def _grown(self, text: Any) -> None:
        """What the text is: only what that adds at the end is new."""
        said = self._text()
        if isinstance(text, dict):
            text = orjson.dumps(text).decode()
        if isinstance(text, str) and len(text) > len(said) and text.startswith(said):
            self._grow(text[len(said) :])

    def _tell_text(self) -> None:
        if not self._text_told and (self._pieces or self._is_function):
            self._text_told = True
            name = {"name": self.name} if self._is_function else {}
            self.events.append(event(f"{self._row.stem}.done", **name, **{self._row.text: self._text()}))

    def _text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def _is_past(self) -> bool:
        """All its steps are told: no text can come before them any more."""
        return bool(self._row.steps) and self._step == len(self._row.steps) - 1

    def _advance(self, count: int) -> None:
        """Tells the first `count` steps, as far as they are not told; the text stands after the first one."""
        while self._step < count - 1:
            self._step += 1
            if self._step:
                self._tell_text()
            step = self._row.steps[self._step]
            if self._step == len(self._row.steps) - 1 and self._failed:
                if not self._row.tells_failing:
                    return
                step = "failed"
            self.events.append(event(f"response.{self.type}.{step}"))

    def _show_partial(self, told: Json) -> None:
        data, index = told.get("partial_image_b64"), index_of(told.get("partial_image_index"))
        if isinstance(data, str) and index is not None and not self._is_past():
            self._advance(len(self._row.steps) - 1)
            more = {name: told[name] for name in _OF_PARTIALS if isinstance(told.get(name), str)}
            self.events.append(event(_PARTIAL, partial_image_b64=data, partial_image_index=index, **more))

    def _claim(self, item: Json) -> None:
        if self._row.text:
            self._grown(item.get(self._row.text))
        self._failed |= self._row.tells_failing and item.get("error") is not None

    def _end(self) -> None:
        self._failed |= self.status == "failed"
        if self._failed and self._row.fails:
            self.status = "failed"
        if self.status != "incomplete":
            self._advance(len(self._row.steps))
        self._tell_text()

    def _whole(self) -> Json:
        told = self.announced | self.claimed
        whole: Json = {"id": self.own_id, "type": self.type}
        whole |= {name: value for name, value in told.items() if name not in whole}
        if self._row.text and (self._pieces or not isinstance(whole.get(self._row.text), str)):
            whole[self._row.text] = self._text()
        if self.own_call_id:
            whole["call_id"] = self.own_call_id
        if self._is_function:
            whole["name"] = self.name
        if "status" in told or self._row.has_status or ":" in self.type or self.status != "completed":
            whole["status"] = self.status
        return whole if self._row.steps or self.type not in _ROWS else _without_nulls(whole)


def _without_nulls(call: Json) -> Json:
    return {
        name: value for name, value in call.items() if isinstance(value, _TYPED.get(name, object)) and value is not None
    }
