"""Most chunks of a stream differ from the one before in their text alone: those need not be taken apart again."""

import re
from collections.abc import Sequence
from itertools import pairwise

import orjson

from orrery.core.types import Json

PATIENCE = 4
"""Chunks learnt in vain before giving up: a provider may put something new, the time say, into each."""

PADDING = b',"obfuscation":"'
"""OpenAI ends each chunk with random letters and digits, against guesses from its length ("include_obfuscation")."""

_TELLING = re.compile(r"<|\n\Z")
"""In reasoning between tags: what may be their end, and a line break that may belong to it."""


class Likeness:
    """Recognises chunks that equal an earlier one up to the generated text, and the padding.

    What stands around that text is compared byte for byte, and the text itself is parsed as the JSON string that it
    must be; so a chunk that is alike is well-formed, and says what the earlier one said, with another text. It becomes
    what the earlier one became: itself, or its text's bytes within other words. A text may stand there twice.
    """

    __slots__ = ("_after", "_before", "_between", "_fixed", "_head", "_in_tags", "_padded", "_patience", "_tail")

    def __init__(self) -> None:
        self._head: bytes | None = None
        self._tail = b""
        self._between: bytes | None = None
        self._before: bytes | None = None
        self._after = b""
        self._fixed = 0
        self._padded = self._in_tags = False
        self._patience = PATIENCE

    def alike(self, data: bytes) -> tuple[bytes, str] | None:
        """What a chunk that is alike becomes, and the text it holds; None for all others."""
        if self._head is None:
            return None
        bare = _unpadded(data) if self._padded else data
        if not (bare.startswith(self._head) and bare.endswith(self._tail)):
            return None
        if self._between is None:
            raw = bare[len(self._head) - 1 : 1 - len(self._tail)]
        elif not (raw := self._twin(bare, self._between)):
            return None
        try:
            text = orjson.loads(raw)
        except orjson.JSONDecodeError:  # head and tail overlap, or more than one string lies between them
            return None
        if self._in_tags and _TELLING.search(text):
            return None
        self._patience = PATIENCE
        return (data if self._before is None else self._before + raw + self._after), text

    def learn(
        self, data: bytes, names: Sequence[str], text: str, became: Json | None = None, *, in_tags: bool = False
    ) -> bool:
        """Takes a chunk as the model; True when that was possible.

        `names`: the fields, one or two, that hold what it generates; it stands in `data` as it is. `became`: what the
        chunk was turned into, with one text field that holds the same. `in_tags`: the text is reasoning between tags.
        """
        if not self._patience or not text:
            return False
        bare = _unpadded(data)
        around = None if became is None or bare else _around(became, text)
        places = sorted(_place_of(bare or data, name, text.encode()) for name in names)
        if places[0] < 0 or (became is not None and around is None):
            return False
        self._cut(bare or data, places, len(text.encode()))
        self._before, self._after = around or (None, b"")
        self._padded, self._in_tags = bool(bare), in_tags
        self._patience -= 1
        return True

    def forget(self) -> None:
        """Nothing is alike until another chunk was learnt."""
        self._head = None

    def _cut(self, data: bytes, places: list[int], size: int) -> None:
        self._head, self._tail = data[: places[0]], data[places[-1] + size :]
        betweens = [data[first + size : second] for first, second in pairwise(places)]
        self._between = betweens[0] if betweens else None
        self._fixed = len(data) - len(places) * size

    def _twin(self, data: bytes, between: bytes) -> bytes:
        """The raw string that stands twice, with its quotation marks; nothing where the two are not the same."""
        start = len(self._head or b"")
        size, odd = divmod(len(data) - self._fixed, 2)
        second = start + size + len(between)
        if odd or size < 0 or data[start + size : second] != between:
            return b""
        return data[start - 1 : start + size + 1] if data[start : start + size] == data[second : second + size] else b""


def _around(became: Json, text: str) -> tuple[bytes, bytes] | None:
    """What stands around the text in a chunk that goes out, where it is a text of its one delta."""
    (choice,) = became["choices"]
    name = next((each for each in ("content", "reasoning") if choice["delta"].get(each) == text), None)
    if name is None:
        return None
    bare = {**became, "choices": [{**choice, "delta": {**choice["delta"], name: ""}}]}
    key = b'"%b":' % name.encode()
    before, _, after = orjson.dumps(bare).partition(key + b'""')
    return before + key, after


def _place_of(data: bytes, name: str, text: bytes) -> int:
    """Where a field's text begins; below 0 where that is not sure.

    Raw quotation marks cannot stand inside a JSON string: what is found is a key and its value.
    """
    for key in (b'"%b":"' % name.encode(), b'"%b": "' % name.encode()):
        if data.count(key) == 1:
            start = data.index(key) + len(key)
            stop = start + len(text)
            if data[start : stop + 1] == text + b'"':  # else it is escaped
                return start
    return -1


def _unpadded(data: bytes) -> bytes:
    """`data` up to its padding, where it ends in one that is not empty; else nothing."""
    bare, _, padding = data.rpartition(PADDING)
    return bare if padding[:-2].isalnum() and padding[-2:] == b'"}' else b""
