"""A choice's tool calls as OpenAI streams them, whatever indexes, ids and repetitions a server puts in.

Known habits: no index, or 0 for all (mozilla-ai/any-llm#970); the id empty on later pieces (DashScope); id, type and
name on every piece; whole calls in one chunk (xAI, Groq, Ollama); no arguments at all (BerriAI/litellm#5063). Clients
join the strings of all pieces, so what is repeated would be doubled.
"""

from typing import Any
from zlib import crc32

import orjson

from orrery.core.types import Json
from orrery.providers.answer import object_of, text_of


class _Call:
    """A call that began: its number, its id, and whether arguments came."""

    __slots__ = ("has_arguments", "id", "index", "is_function")

    def __init__(self, index: int, id: str, *, has_arguments: bool, is_function: bool) -> None:
        self.index = index
        self.id = id
        self.has_arguments = has_arguments
        self.is_function = is_function


class Calls:
    """The calls so far, numbered as they began. `name` makes ids that are missing unlike those of other answers."""

    __slots__ = ("_at", "_calls", "_name")

    def __init__(self, name: str) -> None:
        self._calls: list[_Call] = []
        self._at: dict[int | None, _Call] = {}  # by the server's indexes
        self._name = name

    def __len__(self) -> int:
        return len(self._calls)

    def pieces(self, pieces: Any) -> list[Json]:
        """A delta's `tool_calls`: the first piece of each call has its id, type and name, the others arguments only."""
        return [self._piece(piece) for piece in _objects(pieces)]

    def whole(self, calls: Any) -> list[Json]:
        """A message's `tool_calls`, each complete."""
        return [self._whole(call) for call in _objects(calls)]

    def rest(self) -> list[Json]:
        """Pieces for those that ended without arguments."""
        bare = [call for call in self._calls if call.is_function and not call.has_arguments]
        return [{"index": call.index, "function": {"arguments": "{}"}} for call in bare]

    def _whole(self, given: Json) -> Json:
        call = self._begin(given)
        found = self._first(given, call)
        if _index(given) is None:
            del found["index"]
        if call.is_function and not call.has_arguments:
            found["function"] = {**found["function"], "arguments": "{}"}
        return found

    def _piece(self, given: Json) -> Json:
        id = text_of(given.get("id"))
        call = self._at.get(_index(given))
        if (
            call is None
            and not id
            and not object_of(given.get("function")).get("name")
            and "custom" not in given
            and self._calls
        ):
            call = self._calls[-1]
        if call is None or (id and id != call.id):
            known = next((each for each in self._calls if id and each.id == id), None)
            if known is None:
                return self._first(given, self._begin(given))
            call = known
        if not call.is_function:
            return {**given, "index": call.index}
        arguments = _arguments(given)
        call.has_arguments = call.has_arguments or bool(arguments.strip())
        return {"index": call.index, "function": {"arguments": arguments}}

    def _begin(self, given: Json) -> _Call:
        number = len(self._calls)
        id = text_of(given.get("id")) or f"call_{crc32(self._name.encode()):08x}{number}"
        has_arguments = bool(_arguments(given).strip())
        call = _Call(number, id, has_arguments=has_arguments, is_function="custom" not in given)
        self._calls.append(call)
        if (index := _index(given)) is not None:
            self._at[index] = call
        return call

    def _first(self, given: Json, call: _Call) -> Json:
        found = {**given, "index": call.index, "id": call.id}
        if call.is_function:
            function = object_of(given.get("function"))
            known = {"name": text_of(function.get("name")), "arguments": _arguments(given)}
            found |= {"type": "function", "function": {**function, **known}}
        return found


def _objects(pieces: Any) -> list[Json]:
    return [piece for piece in pieces if isinstance(piece, dict)] if isinstance(pieces, list) else []


def _index(given: Json) -> int | None:
    index = given.get("index")
    return int(index) if isinstance(index, int | float) else None  # Together's are floats


def _arguments(given: Json) -> str:
    """As JSON text; some servers send the object itself."""
    arguments = object_of(given.get("function")).get("arguments")
    if isinstance(arguments, dict):
        return orjson.dumps(arguments).decode()
    return arguments if isinstance(arguments, str) else ""
