"""A conversation made short: the `compaction` item of this gateway's own, which holds a text that stands for it.

Its `encrypted_content` is the issuer and base64 of the text: opaque to clients, as they expect it, and no secret, for
the text is its caller's. Items of others, OpenAI's among them, are read by those alone. Source: Open Responses
2026-04-24, CompactionBody (read 2026-11-21).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from orrery.core.types import Json

ISSUER = "orrery"

BEFORE = "This is what was said before, made short:\n\n"
"""Stands before the text, where a model reads it."""


def compacted(text: str, id: str = "") -> Json:
    """The item that holds the text. It has an id where one is given."""
    named = {"id": id} if id else {}
    return {"type": "compaction", **named, "encrypted_content": f"{ISSUER}:{urlsafe_b64encode(text.encode()).decode()}"}


def text_of(item: Json) -> str | None:
    """The text that the item holds; None for an item that was not made here."""
    content = item.get("encrypted_content")
    if not isinstance(content, str) or not content.startswith(f"{ISSUER}:"):
        return None
    try:
        return urlsafe_b64decode(content.removeprefix(f"{ISSUER}:")).decode()
    except ValueError:
        return None


def as_message(item: Json) -> Json | None:
    """The item as models read it: a message of the user's, for what was said before has no more weight than that.

    None for an item that was not made here.
    """
    text = text_of(item)
    if text is None:
        return None
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": BEFORE + text}]}
