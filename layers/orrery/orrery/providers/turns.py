"""An assistant's earlier message: what other dialects cannot say, the input of its calls, and who answers them."""

from typing import Any

import orjson

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json


def refuse_unsayable(message: Json, where: str) -> None:
    """Raises `InvalidRequest` for audio, the old `function_call`, custom calls and the role "function"."""
    if message["role"] == "function":
        raise InvalidRequest("Messages of the role 'function' are not translated; use 'tool'.", param=f"{where}.role")
    if message.get("audio"):
        raise InvalidRequest("These models have no audio to refer back to.", param=f"{where}.audio")
    if message.get("function_call"):
        raise InvalidRequest("'function_call' is not translated; use 'tool_calls'.", param=f"{where}.function_call")
    for number, call in enumerate(message.get("tool_calls") or ()):
        if "function" not in call:
            raise InvalidRequest(
                "These models know calls of functions only.", param=f"{where}.tool_calls[{number}].type"
            )


def input_of(arguments: Any) -> Json:
    """A tool call's arguments as the object that most dialects insist on.

    What a model wrote that is no JSON object (it was cut off, say) stays readable under `arguments`.
    """
    if not isinstance(arguments, str) or not arguments.strip():
        return {}
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        value = None
    return value if isinstance(value, dict) else {"arguments": arguments}


class Unanswered:
    """The calls of the last assistant message, by the caller's ids, and those that were sent instead."""

    def __init__(self) -> None:
        self._calls: dict[str, str] = {}

    def begin(self, calls: dict[str, str]) -> None:
        self._calls = dict(calls)

    def take(self, id: str | None, where: str) -> str:
        """The id sent for the call that is answered. A missing one (Orq allows null) answers the first call left."""
        asked = id or next(iter(self._calls), None)
        if asked is None:
            raise InvalidRequest("A tool message must name the call that it answers.", param=f"{where}.tool_call_id")
        return self._calls.pop(asked, asked)


class Owed(Unanswered):
    """The same where the dialect insists that every call is answered in the next turn, and nothing else is."""

    def __init__(self) -> None:
        super().__init__()
        self._where = ""

    def owe(self, calls: dict[str, str], where: str) -> None:
        """The calls of the assistant message at `where`."""
        self.begin(calls)
        self._where = where

    def take(self, id: str | None, where: str) -> str:
        asked = id or next(iter(self._calls), "")
        if asked not in self._calls:
            raise InvalidRequest(
                "A tool message must answer a tool call of the assistant message before it.",
                param=f"{where}.tool_call_id",
            )
        return self._calls.pop(asked)

    def check(self) -> None:
        """Raises `InvalidRequest` when an answer is missing."""
        if self._calls:
            ids = ", ".join(list(self._calls)[:5])
            raise InvalidRequest(
                f"Each tool call must be answered by a tool message before anything else; missing: {ids}.",
                param=f"{self._where}.tool_calls",
            )
