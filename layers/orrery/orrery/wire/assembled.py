"""One choice of a streamed completion, put together from its pieces as they come.

Texts of a message grow. In the objects within it (tool calls, sound, blocks of reasoning) only the fields in `GROWING`
do: what else a later piece says takes the place of what was there, so that an id or a type that is repeated is not
doubled. Entries of lists with an `index` are pieces of one another.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any

from orrery.core.types import Json

GROWING = frozenset({"arguments", "data", "input", "summary", "text", "transcript"})
"""Of what stands within a message: a call's arguments or input, sound and its words, the texts of blocks."""

_DEPTH = 2
"""How far down pieces are looked into: entries of a message's list, and what lies in those. OpenAI has no more."""

_INSTEAD = ("tool_calls", "function_call", "refusal", "audio", "images")
"""What a message may hold in the place of words: its content is null then, though its first delta says ""."""

_OWN = frozenset({"index", "delta", "text", "logprobs", "message"})
"""Fields of a choice that are not merely told. `message` repeats what there is so far: Perplexity has it."""


class _Text(list[str]):
    """Joined once, at the end: a text that grows by each of thousands of pieces would be copied as often."""


class _Parts(dict[str, Any]):
    """An object that grows."""


class _Entries:
    """A list that grows: at its end, and in those entries that have an index."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._at: dict[int, _Parts] = {}

    def add(self, values: Sequence[Any], depth: int) -> None:
        for value in values:
            index = value.get("index") if isinstance(value, dict) else None
            if not isinstance(index, int):
                self.all.append(value)
                continue
            if index not in self._at:
                self._at[index] = _Parts()
                self.all.append(self._at[index])
            _add(self._at[index], value, GROWING.__contains__, depth)


class Choice:
    """The choice so far."""

    def __init__(self, index: int) -> None:
        self._told: Json = {"index": index, "logprobs": None, "finish_reason": None}
        self._said = _Parts()
        self._logprobs = _Parts()
        self._has_content = self._is_text = False

    def add(self, piece: Json) -> None:
        """One more step of it."""
        delta = object_of(piece.get("delta"))
        if "text" in piece and "delta" not in piece:
            self._is_text, delta = True, {"text": piece["text"]}
        self._has_content |= "role" not in delta and delta.get("content") is not None
        _add(self._said, delta, lambda name: name != "role", _DEPTH)
        _add(self._logprobs, object_of(piece.get("logprobs")), GROWING.__contains__, _DEPTH)
        tell(self._told, {name: value for name, value in piece.items() if name not in _OWN})

    def whole(self) -> Json:
        """What a buffered answer has in its place."""
        told = self._told | ({"logprobs": _settled(self._logprobs)} if self._logprobs else {})
        if self._is_text:
            return told | {"text": _settled(self._said)["text"] or ""}
        return told | {"message": self._message()}

    def _message(self) -> Json:
        audio, calls = self._said.get("audio"), self._said.get("tool_calls")
        message: Json = {"role": "assistant", "content": None, "refusal": None} | _settled(self._said)
        if isinstance(audio, _Parts) and isinstance(audio.get("data"), _Text):
            message["audio"]["data"] = _sound(audio["data"])
        if isinstance(calls, _Entries):
            inner = sorted(map(object_of, message["tool_calls"]), key=lambda call: call.get("index") or 0)
            message["tool_calls"] = [{name: value for name, value in call.items() if name != "index"} for call in inner]
        if message["content"] == "" and not self._has_content and any(message.get(name) for name in _INSTEAD):
            message["content"] = None
        return message


def tell(told: Json, more: Json) -> None:
    """What stands beside the words: the last one holds, objects grow by their fields, and null says nothing."""
    for name, value in more.items():
        there = told.get(name)
        if value is None:
            told.setdefault(name, None)
        elif isinstance(value, dict) and isinstance(there, dict):
            there.update(value)
        else:
            told[name] = value


def object_of(value: Any) -> Json:
    """An object, or an empty one where it is something else."""
    return value if isinstance(value, dict) else {}


def _add(whole: _Parts, piece: Json, grows: Callable[[str], bool], depth: int) -> None:
    for name, value in piece.items():
        there = whole.get(name)
        if value is None:
            whole.setdefault(name, None)
        elif isinstance(value, str) and grows(name):
            whole[name] = text = there if isinstance(there, _Text) else _Text()
            text.append(value)
        elif isinstance(value, list) and depth:
            whole[name] = entries = there if isinstance(there, _Entries) else _Entries()
            entries.add(value, depth - 1)
        elif isinstance(value, dict) and depth:
            whole[name] = parts = there if isinstance(there, _Parts) else _Parts()
            _add(parts, value, GROWING.__contains__, depth - 1)
        else:
            whole[name] = value


def _settled(value: Any) -> Any:
    """Without what only growing needs."""
    if isinstance(value, _Text):
        return "".join(value)
    if isinstance(value, _Entries):
        return [_settled(entry) for entry in value.all]
    if isinstance(value, _Parts):
        return {name: _settled(part) for name, part in value.items()}
    return value


def _sound(pieces: list[str]) -> str:
    """Base64 in pieces as one: each may have been encoded by itself, and then padding stands between them."""
    if not any(piece.endswith("=") for piece in pieces[:-1]):
        return "".join(pieces)
    try:
        return b64encode(b"".join(map(b64decode, pieces))).decode("ascii")
    except ValueError:
        return "".join(pieces)
