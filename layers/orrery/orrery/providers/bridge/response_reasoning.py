"""What a chat's message has beside its words and calls, sealed into reasoning items for who gave it.

A chat carries an answer's thoughts in one message, a response in items of their own. So that the next request is the
same as if the message had come back, byte for byte, `encrypted_content` holds all of it: the issuer and, in base64, an
object of these fields. What a client may drop or shorten (`summary`, `content`) is not needed.

`message`: reasoning and its signatures (`layout`), as far as this item adds to them. `calls`: each call's id, with what
is signed on the call itself. `said`: how many characters the message has, since its texts are joined again, and
signatures may depend on them; both where the item is the last word on the answer. `after`: the item follows others of
the same answer. A stream has signatures last, and whoever has shown its reasoning cannot show it again.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import orjson

from orrery.core.types import Json
from orrery.providers.layout import seal

SIGNATURES = ("reasoning_signature", "redacted_reasoning")
THOUGHTS = ("reasoning", *SIGNATURES)
ON_CALLS = ("extra_content", "thought_signature")
"""Google's signatures, where its own OpenAI endpoint has them, and Orq."""


@dataclass(slots=True)
class Thoughts:
    """See above. `said` None: not told here."""

    message: dict[str, str] = field(default_factory=dict)
    calls: dict[str, Json] = field(default_factory=dict)
    said: int | None = None
    after: bool = False

    @property
    def any(self) -> bool:
        """Whether there is anything that a message without it would lack."""
        return bool(self.message) or any(self.calls.values())

    def add(self, name: str, text: str) -> None:
        """More of a field of the message."""
        self.message[name] = self.message.get(name, "") + text

    def merge(self, more: "Thoughts") -> None:
        """What another item of the same answer adds."""
        for name, text in more.message.items():
            self.add(name, text)
        self.calls |= more.calls
        self.said = self.said if more.said is None else more.said


def signed_on(call: Json) -> Json:
    """What is signed on a tool call."""
    return {name: call[name] for name in ON_CALLS if call.get(name)}


def sealed(thoughts: Thoughts, issuer: str) -> str:
    """`encrypted_content` of a reasoning item."""
    held: Json = {"message": thoughts.message}
    held |= {"calls": thoughts.calls} if thoughts.calls else {}
    held |= {} if thoughts.said is None else {"said": thoughts.said}
    held |= {"after": True} if thoughts.after else {}
    return seal(issuer, urlsafe_b64encode(orjson.dumps(held)).decode())


def unsealed(content: Any, issuer: str) -> Thoughts | None:
    """What was sealed for `issuer`; None for what is another's, or nobody's."""
    mark = f"{issuer}:"
    if not isinstance(content, str) or not content.startswith(mark):
        return None
    try:
        held = orjson.loads(urlsafe_b64decode(content.removeprefix(mark)))
        message = {name: str(held["message"][name]) for name in THOUGHTS if name in held["message"]}
        calls = {str(id): signed_on(call) for id, call in held.get("calls", {}).items()}
        said = held.get("said")
        return Thoughts(message, calls, None if said is None else int(said), held.get("after") is True)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
