"""Where responses and conversations stand: their ids say it.

    resp_ <tree: 12> <position: 3> <own: 12>          conv_ <tree: 12>

All of it is base62, whose digits are in ASCII's order, so that what sorts as a number sorts as text. A chain of
responses shares a tree and counts positions: one query gives all of it. A conversation is a tree in which everything
belongs to it. `own` begins with the time in milliseconds, so that what stands at one position is in its order.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from orrery.core.types import Json
from orrery.stores.definition import organization_id

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LAST_POSITION = 62**3 - 1

HEAD = "C"
"""The sort key of a conversation's own record: before all rows."""
ROW = "R#"
AFTER_ROWS = "R~"

TREE_BITS, OWN_BITS = 71, 29
"""Random bits in a tree, and in what is one's own beside the time: a tree gets few responses in a millisecond."""

_RESPONSE = re.compile(r"resp_([0-9A-Za-z]{12})([0-9A-Za-z]{3})([0-9A-Za-z]{12})")
_CONVERSATION = re.compile(r"conv_([0-9A-Za-z]{12})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands within an organization."""

    tree: str
    position: int
    own: str

    @property
    def name(self) -> str:
        """All of it in 27 letters and digits; `resp_` before it makes the id of a response."""
        return f"{self.tree}{base62(self.position, 3)}{self.own}"

    @property
    def sort(self) -> str:
        return f"{ROW}{base62(self.position, 3)}#{self.own}"

    def key(self, organization: str) -> Json:
        """The primary key."""
        return {"PK": {"S": partition(organization, self.tree)}, "SK": {"S": self.sort}}


def place_of(response: str) -> Place | None:
    """None for a text that is no id of a response."""
    found = _RESPONSE.fullmatch(response)
    return Place(found[1], _number(found[2]), found[3]) if found else None


def place_of_row(tree: str, sort: str) -> Place:
    """The place of the row that has this sort key."""
    _, position, own = sort.split("#")
    return Place(tree, _number(position), own)


def tree_of(conversation: str) -> str | None:
    """None for a text that is no id of a conversation."""
    found = _CONVERSATION.fullmatch(conversation)
    return found[1] if found else None


def partition(organization: str, tree: str) -> str:
    """The partition key of a tree."""
    return f"RESP#{organization_id(organization)}#{tree}"


def head_key(organization: str, tree: str) -> Json:
    """The primary key of a conversation."""
    return {"PK": {"S": partition(organization, tree)}, "SK": {"S": HEAD}}


def new_tree(bits: Callable[[int], int]) -> str:
    """`bits` gives so many random ones."""
    return base62(bits(TREE_BITS), 12)


def new_own(bits: Callable[[int], int], now_ms: int) -> str:
    """Sorts by `now_ms`, epoch milliseconds, until the year 2081."""
    return base62(now_ms, 7) + base62(bits(OWN_BITS), 5)


def base62(number: int, width: int) -> str:
    """The last `width` digits."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(DIGITS[digit])
    return "".join(reversed(digits))


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 62 + DIGITS.index(digit)
    return number
