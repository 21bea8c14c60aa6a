"""The results of tool calls: one content that holds nothing else, as many as there were calls, in their order.

Sources, read 2026-11-21: `FunctionResponse` of the google-genai Python SDK 3.4 (an object: "output" and "error" have a
meaning, else all of it is the output); "Function calling" (ai.google.dev): the `id` of the call goes back with its
result, and with Gemini 3, media stand in `parts`. Older models get them in a content of their own after the results.
"""

from typing import Any

import orjson

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.gemini.parts import parts_of
from orrery.providers.lost import Lost


class Results:
    """The calls of the last answer that await their results, and the results so far."""

    def __init__(self, *, with_media: bool, lost: Lost) -> None:
        self._with_media = with_media
        self._lost = lost
        self._calls: dict[str, Json] = {}  # by the caller's id: the `functionCall` that was sent
        self._found: dict[str, list[Json]] = {}
        self._where = ""

    def expect(self, calls: dict[str, Json], where: str) -> None:
        self._calls, self._found, self._where = calls, {}, where

    def add(self, message: Json, where: str) -> None:
        """A missing id (Orq allows null) answers the first call that has no answer yet."""
        waiting = [id for id in self._calls if id not in self._found]
        asked = message.get("tool_call_id") or next(iter(waiting), "")
        if asked not in waiting:
            raise InvalidRequest(
                "A tool message must answer a tool call of the assistant message before it.",
                param=f"{where}.tool_call_id",
            )
        if message.get("cache_control"):
            self._lost.add("cache_control")
        self._found[asked] = parts_of(message.get("content"), f"{where}.content", self._lost)
        texts = "".join(part["text"] for part in self._found[asked] if "text" in part)
        key = "error" if message.get("is_error") is True else "output"
        call = self._calls[asked]
        self._calls[asked] = {**call, "response": response_of(texts, key)}

    def contents(self) -> list[Json]:
        """What is sent once every call has its result: the results, and media that have no place in them."""
        if not self._calls:
            return []
        missing = [id for id in self._calls if id not in self._found]
        if missing:
            raise InvalidRequest(
                f"Each tool call must be answered by a tool message before anything else; missing: {missing[0]}.",
                param=f"{self._where}.tool_calls",
            )
        answered: list[Json] = []
        beside: list[Json] = []
        for id, call in self._calls.items():
            response: Json = {name: call[name] for name in ("id", "name", "response") if name in call}
            media = [part for part in self._found[id] if "text" not in part]
            if media and self._with_media:
                response["parts"] = media
            else:
                beside += media
            answered.append({"functionResponse": response})
        self._calls = {}
        contents = [{"role": "user", "parts": answered}]
        return [*contents, {"role": "user", "parts": beside}] if beside else contents


def response_of(text: str, key: str) -> Json:
    """A result as the object that the dialect insists on: itself where it is one, else under `key`.

    `$ref` means a file there, and one that names none is a 400 (googleapis/python-genai#2792): that result stays text.
    """
    value: Any = None
    if key == "output" and text.lstrip().startswith("{") and '"$ref"' not in text:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            value = None
    return value if isinstance(value, dict) else {key: text}
