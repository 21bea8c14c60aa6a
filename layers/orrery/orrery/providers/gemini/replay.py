"""An assistant's message of the history as parts: each signature on its own part, as it came.

Sources, read 2026-11-21: "Thought signatures" (ai.google.dev and docs.cloud.google.com): signatures go back within
their original part, parts with one are never joined with others, and only the first of parallel calls has one.
"""

import re
from collections.abc import Iterator

from orrery.core.types import Json
from orrery.providers.answer import object_of, text_of
from orrery.providers.gemini.answer import MADE_UP
from orrery.providers.gemini.parts import text_part
from orrery.providers.layout import Block, Sealed, described, opened
from orrery.providers.lost import Lost
from orrery.providers.turns import input_of, refuse_unsayable
from orrery.wire.media import data_url

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def assistant_parts(message: Json, where: str, issuer: str, lost: Lost) -> tuple[list[Json], dict[str, Json]]:
    """The parts, and the function calls among them by the caller's ids, in order."""
    refuse_unsayable(message, where)
    calls = {call["id"]: _call(call) for call in message.get("tool_calls") or ()}
    tools = [_signed({"functionCall": calls[c["id"]]}, c, issuer, lost) for c in message.get("tool_calls") or ()]
    images = _images(message)
    laid_out = _laid_out(message, issuer, tools, images)
    if laid_out is not None:
        return laid_out, calls
    content = message.get("content")
    if isinstance(content, list):
        said = [found for part in content for found in _part(part, issuer, lost)]
    else:
        said = text_part(content)
    thought = [] if any("thought" in part for part in said) else _thought(message, issuer, lost)
    return [*thought, *said, *text_part(message.get("refusal")), *images, *tools], calls


def _call(call: Json) -> Json:
    """The `functionCall`. An id that was made up here is not sent; all others pair it with its result."""
    id, function = call["id"], call["function"]
    found = {"name": function["name"], "args": input_of(function.get("arguments"))}
    return found if id.startswith(MADE_UP) else {"id": id, **found}


def _signed(part: Json, call: Json, issuer: str, lost: Lost) -> Json:
    """The part with the signature that came with the call: where Google's OpenAI endpoint puts it, or Orq."""
    extra = object_of(call.get("extra_content"))
    given = opened(text_of(object_of(extra.get(issuer)).get("thought_signature") or call.get("thought_signature")))
    signature = given.data if is_ours(given, issuer) else ""
    if not signature and (extra or given.data):
        lost.add("messages.reasoning")
    return {**part, "thoughtSignature": signature} if signature else part


def is_ours(sealed: Sealed, issuer: str) -> bool:
    """Whether this issuer signed it. What no gateway sealed is taken for its own, if it is bytes at all."""
    return sealed.issuer in ("", issuer) and not sealed.describes and _BASE64.fullmatch(sealed.data) is not None


def _thinking(text: str, signature: str) -> Json:
    return {"text": text, "thought": True, **({"thoughtSignature": signature} if signature else {})}


def _thought(message: Json, issuer: str, lost: Lost) -> list[Json]:
    """Seed 003's fields. What another issuer signed, or nobody, is withheld."""
    signature, reasoning = opened(message.get("reasoning_signature") or ""), message.get("reasoning") or ""
    if message.get("redacted_reasoning"):
        lost.add("messages.redacted_reasoning")
    if is_ours(signature, issuer):
        return [_thinking(reasoning, signature.data)]
    if reasoning or signature.data:
        lost.add("messages.reasoning")
    return []


def _part(part: Json, issuer: str, lost: Lost) -> list[Json]:
    kind = part.get("type")
    if kind == "reasoning":
        sealed = opened(part.get("signature") or "")
        if is_ours(sealed, issuer):
            return [_thinking(part["reasoning"], sealed.data)]
    if kind in ("reasoning", "redacted_reasoning"):
        lost.add(f"messages.{kind}")
        return []
    if part.get("cache_control"):
        lost.add("cache_control")
    return text_part(part.get("text") or part.get("refusal"))


def _images(message: Json) -> list[Json]:
    """The images that an answer of this dialect carried, as the model gave them."""
    listed = message.get("images")
    found = listed if isinstance(listed, list) else []
    urls = [text_of(object_of(object_of(image).get("image_url")).get("url")) for image in found]
    blobs = [data_url(url) for url in urls]
    return [{"inlineData": {"mimeType": kind, "data": data}} for kind, data in blobs if kind]


def _laid_out(message: Json, issuer: str, tools: list[Json], images: list[Json]) -> list[Json] | None:
    """The parts in the places that our own signature gives them; None where the message is no longer what it was."""
    sealed, content = opened(message.get("reasoning_signature") or ""), message.get("content") or ""
    if sealed.issuer != issuer or not sealed.describes or not isinstance(content, str):
        return None
    layout = described(sealed.data, message.get("reasoning") or "", content)
    if layout is None:
        return None
    kinds = [block.kind for block in layout]
    if kinds.count("tool") != len(tools) or kinds.count("image") != len(images):
        return None
    calls, pictures = iter(tools), iter(images)
    return [part for block in layout for part in _wire(block, calls, pictures)]


def _wire(block: Block, tools: Iterator[Json], images: Iterator[Json]) -> list[Json]:
    signature = {"thoughtSignature": block.data} if block.data else {}
    if block.kind in ("tool", "image"):
        return [{**next(tools if block.kind == "tool" else images), **signature}]
    if block.kind == "thinking":
        return [_thinking(block.text, block.data)]
    return [{"text": block.text, **signature}] if block.text or block.data else []
