"""Reasoning that only its issuer can read: sealed on its way to the caller, opened on its way back.

Of OpenAI's wire that is `encrypted_content`. OpenRouter has two fields beside it (`signature`, `format`: openrouter
1.3.84, ReasoningItem, read 2026-11-21) that belong together with the text that they sign; they are sealed with it.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import orjson

from orrery.core.types import Json
from orrery.providers.answer import object_of
from orrery.providers.bridge.response_reasoning import unsealed as bridged
from orrery.providers.layout import opened, seal

SEALED = frozenset({"reasoning", "compaction"})
"""Items whose `encrypted_content` is for their issuer alone."""

_SIGNED = ("signature", "format")
_PACKED = "item="
"""Begins what is sealed where it is more than one text: no base64 has an `=` before its end."""


def sealed_item(item: Json, issuer: str) -> Json:
    """An output item as callers get it; the same object where there is nothing to seal."""
    if item.get("type") not in SEALED:
        return item
    rest = {name: value for name, value in item.items() if name not in _SIGNED and name != "encrypted_content"}
    secret = item.get("encrypted_content")
    signed = {name: item[name] for name in _SIGNED if item.get(name)}
    if signed.get("signature"):
        if isinstance(secret, str) and secret:
            signed["encrypted_content"] = secret
        secret = _PACKED + urlsafe_b64encode(orjson.dumps(signed)).decode()
    if not isinstance(secret, str) or not secret:
        return rest if "encrypted_content" in item else item  # null is no secret: the specification omits it
    return {**rest, "encrypted_content": seal(issuer, secret)}


def unsealed(item: Json, issuer: str) -> Json | None:
    """What `issuer` sealed into an item: the fields to put back. None where it is another's, or nobody's."""
    secret = item.get("encrypted_content")
    found = opened(secret) if isinstance(secret, str) else None
    if found is None or found.issuer != issuer or found.describes:
        return None
    if not found.data.startswith(_PACKED):
        # A model of the same provider may have been served as a chat: that seal is of this gateway's making.
        return None if bridged(secret, issuer) is not None else {"encrypted_content": found.data}
    try:
        fields = object_of(orjson.loads(urlsafe_b64decode(found.data.removeprefix(_PACKED))))
    except ValueError:
        return None
    return fields or None


def is_sealed(item: Json) -> bool:
    """Whether anything is in it that only an issuer can read."""
    return bool(item.get("encrypted_content"))
