"""Tool call ids as Mistral takes them: exactly nine letters and digits.

"Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9" (`MistralRequestValidatorV3` of mistral-common
1.11.7, which the API validates with; read 2026-11-21).
"""

import re
from hashlib import blake2b
from string import ascii_letters, digits

_ALPHABET = digits + ascii_letters
_LAWFUL = re.compile(r"[a-zA-Z0-9]{9}")


class Ids:
    """The ids sent for those of a caller: the same where it can be, else one that follows from it, and always one."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, id: str) -> str:
        if id not in self._sent:
            self._sent[id] = self._free(id)
            self._taken.add(self._sent[id])
        return self._sent[id]

    def _free(self, id: str) -> str:
        salt, wire = 0, id if _LAWFUL.fullmatch(id) else hashed(id)
        while wire in self._taken:
            salt += 1
            wire = hashed(f"{id} {salt}")
        return wire


def hashed(text: str) -> str:
    """Nine letters and digits that follow from `text`: 53 bits of a hash."""
    number = int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest())
    characters = ""
    for _ in range(9):
        number, place = divmod(number, len(_ALPHABET))
        characters += _ALPHABET[place]
    return characters
