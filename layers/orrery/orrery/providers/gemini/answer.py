"""What a candidate's parts add to an answer: the same for a whole reply and for the events of a stream."""

import re
from typing import Any

import orjson

from orrery.core.types import Json
from orrery.providers import answer
from orrery.providers.answer import object_of, text_of
from orrery.providers.layout import Block

FINISH_REASON = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "ESCALATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "OTHER": "content_filter",
}
"""Source: `FinishReason` of the google-genai Python SDK 3.4, read 2026-11-21. That OTHER, "not otherwise
specified", means that the rest is withheld is our reading: of a prompt it says "other harmful content"."""

FAILED = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE", "LANGUAGE"}
    | {"MISSING_THOUGHT_SIGNATURE", "NO_IMAGE", "IMAGE_OTHER", "PUP_LIMITED_DISABLED"}
)
"""Reasons that are errors: there is no answer, or none that can be trusted. Source: the same."""

MADE_UP = "gcall_"
"""How ids begin that a call got here because Gemini gave it none; they are not sent back."""

_NOT_ID = re.compile(r"[^A-Za-z0-9_-]")


class Candidate:
    """One choice so far. Each step gives the deltas that say what it adds; unknown kinds of parts add nothing."""

    def __init__(self, issuer: str, response_id: str, index: int) -> None:
        self.reason = ""
        self.message = ""
        self._issuer = issuer
        self._made_up = f"{MADE_UP}{_NOT_ID.sub('_', response_id)[:24]}_{index}_"
        self._answer = answer.Answer(issuer)
        self._last: Block | None = None  # the text or thought that more of its kind still belongs to
        self._calls = 0
        self._media_count = 0

    def add(self, part: Json) -> list[Json]:
        if len(part) == 1 and self._last is not None and self._last.kind == "text" and type(part.get("text")) is str:
            return self._answer.say(self._last, part["text"])  # most parts are more of the same text
        signature = text_of(part.get("thoughtSignature"))
        if isinstance(part.get("functionCall"), dict):
            return self._call(part["functionCall"], signature)
        if isinstance(part.get("inlineData"), dict):
            return self._media(part["inlineData"], signature)
        text = text_of(part.get("text"))
        if not text and not signature:
            return []
        kind = "thinking" if part.get("thought") is True else "text"
        # A part with a signature is never one with a part without: that would move the signature.
        if self._last is None or self._last.kind != kind or signature:
            self._last = self._answer.open(kind, signature)
        block = self._last
        if signature:
            self._last = None
        return self._answer.say(block, text)

    def _call(self, call: Json, signature: str) -> list[Json]:
        """A call comes whole; its signature also stands where Google's own OpenAI endpoint puts it.

        Clients that keep tool calls and nothing else keep it there ("Thought signatures", ai.google.dev, 2026-11-21).
        """
        self._last = None
        id = text_of(call.get("id")) or f"{self._made_up}{self._calls}"
        self._calls += 1
        block, deltas = self._answer.call(id, text_of(call.get("name")), signature)
        if signature:
            deltas[0]["tool_calls"][0]["extra_content"] = {self._issuer: {"thought_signature": signature}}
        return deltas + self._answer.arguments(block, orjson.dumps(object_of(call.get("args"))).decode())

    def _media(self, blob: Json, signature: str) -> list[Json]:
        """An image, or another medium, in the list where OpenRouter has them ("Image generation", openrouter.ai).

        A chat message of OpenAI's has no place for it, but its SDK adds up any list whose items have an `index`. Read
        2026-11-21.
        """
        self._last = None
        self._answer.open("image", signature)
        url = f"data:{text_of(blob.get('mimeType'))};base64,{text_of(blob.get('data'))}"
        self._media_count += 1
        image = {"index": self._media_count - 1, "type": "image_url", "image_url": {"url": url}}
        return [{"images": [image]}]

    def end(self, reason: Any, message: Any) -> None:
        self.reason = self.reason or text_of(reason).removeprefix("FINISH_REASON_UNSPECIFIED")
        self.message = self.message or text_of(message)

    def close(self) -> list[Json]:
        """All parts are here: what a replay of them needs, and why the rest was withheld."""
        deltas = self._answer.close()
        if self.finish_reason != "content_filter":
            return deltas
        why = self.message or ("" if self._answer.blocks else self.reason)
        return [*deltas, {"refusal": why}] if why else deltas

    @property
    def finish_reason(self) -> str:
        """OpenAI's word for how it ended. New reasons appear from time to time: they ended normally."""
        word = FINISH_REASON.get(self.reason, "stop")
        return "tool_calls" if word == "stop" and self._calls else word
