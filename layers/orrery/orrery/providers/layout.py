"""How an answer's blocks lie in one OpenAI message, so that they can be sent back exactly as they came.

Providers that sign their thinking want it back unchanged and in its place, and only what they signed themselves (for
Anthropic: "Preserving thinking blocks", platform.claude.com; for Gemini: "Thought signatures", ai.google.dev; both read
2026-11-21). Seed 003's message has one `reasoning`, one `reasoning_signature` and one `redacted_reasoning`, and clients
treat the latter two as opaque. So each begins with its issuer and a colon, which no base64 holds. One thinking block,
one redacted block, one text and tool calls, in this order and as far as they are there, fit into these as they are.
Anything else (thinking between tool calls, several blocks, signatures on texts or calls) is described in the signature:
the issuer, `/blocks:`, and in base64 the list of all blocks with the lengths of their texts.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from orrery.core.types import Json

ORDER = ("thinking", "redacted", "text")
"""How a message without a description is put together; the tool calls come last."""

APART = "\n\n"
"""Between two thinking blocks, and between texts that another block parts: one string holds them all."""

_SEALED = re.compile(r"([a-z][a-z0-9-]{0,31})(/blocks)?:")


class Sealed(NamedTuple):
    """A signature taken apart. `issuer` is "" for one that no gateway sealed; `describes`: it is a list of blocks."""

    issuer: str
    describes: bool
    data: str


@dataclass(slots=True)
class Block:
    """One block of an answer: "thinking", "redacted", "text" or "tool", and how many characters it has.

    `data` is the signature, or what redacted thinking holds. `text` is set on the way back only.
    """

    kind: str
    length: int = 0
    data: str = ""
    text: str = ""


def seal(issuer: str, data: str) -> str:
    """`data`, marked as what only `issuer` understands."""
    return f"{issuer}:{data}"


def opened(signature: str) -> Sealed:
    """Whose a signature is, and what was sealed."""
    match = _SEALED.match(signature)
    return Sealed(match[1], bool(match[2]), signature[match.end() :]) if match else Sealed("", False, signature)


def separator(kind: str, before: list[Block]) -> str:
    """What goes before the text of a block of this kind. Texts that follow each other directly are one text."""
    if not any(block.kind == kind and block.length for block in before):
        return ""
    return "" if kind == "text" and before[-1].kind == "text" else APART


def signed(blocks: list[Block], issuer: str) -> Json:
    """`reasoning_signature` and `redacted_reasoning` of a message with these blocks, as far as they need any."""
    kinds = [block.kind for block in blocks]
    if not any(block.data or block.kind in ("thinking", "redacted") for block in blocks):
        return {}
    once = [kind for kind in ORDER if kind in kinds]
    bare = not any(block.data for block in blocks if block.kind in ("text", "tool"))
    if bare and kinds == once + ["tool"] * (len(kinds) - len(once)):
        return _plain(blocks, issuer)
    listed = [[block.kind, block.length if block.kind in ("thinking", "text") else 0, block.data] for block in blocks]
    return {"reasoning_signature": f"{issuer}/blocks:{urlsafe_b64encode(orjson.dumps(listed)).decode()}"}


def _plain(blocks: list[Block], issuer: str) -> Json:
    names = {"thinking": "reasoning_signature", "redacted": "redacted_reasoning"}
    return {names[block.kind]: seal(issuer, block.data) for block in blocks if block.kind in names and block.data}


def described(data: str, reasoning: str, content: str) -> list[Block] | None:
    """The blocks that a sealed list describes; None when it is none of ours, or the texts are others by now."""
    try:
        blocks = _cut(orjson.loads(urlsafe_b64decode(data)), {"thinking": reasoning, "text": content})
    except (ValueError, TypeError, KeyError):
        return None
    return blocks


def _cut(listed: list[tuple[str, int, str]], texts: dict[str, str]) -> list[Block] | None:
    blocks: list[Block] = []
    for kind, length, data in listed:
        text = ""
        if length:
            skipped = len(separator(kind, blocks))
            text = texts[kind][skipped : skipped + length]
            texts[kind] = texts[kind][skipped + length :]
            if len(text) != length:
                return None
        blocks.append(Block(kind, length, data, text))
    return None if any(texts.values()) else blocks
