"""Citations and log probabilities as clients expect them, whatever their provider left out.

What is missing and has an honest default gets it; what cannot be told is left out, since one field of a wrong type
makes a strict client refuse the whole answer. Sources: Open Responses 2026-04-24 (UrlCitationBody, LogProb) and
OpenAI's API document 2.3.0 (Annotation), read 2026-11-21.
"""

from typing import Any

from orrery.core.types import Json

_PLACES = {"start_index": 0, "end_index": 0}
_ANNOTATIONS: dict[str, tuple[str, Json]] = {
    "url_citation": ("url", {**_PLACES, "title": ""}),
    "file_citation": ("file_id", {"filename": "", "index": 0}),
    "container_file_citation": ("file_id", {"container_id": "", "filename": "", **_PLACES}),
    "file_path": ("file_id", {"index": 0}),
}
"""By type: the field without which it says nothing, and what stands for the others."""

_BYTE = range(256)


def annotation(value: Any) -> Json | None:
    """A citation with all its fields, or None for what is no citation that OpenAI knows."""
    known = _ANNOTATIONS.get(value["type"]) if isinstance(value, dict) and isinstance(value.get("type"), str) else None
    if known is None or not isinstance(value.get(known[0]), str):
        return None
    found = {name: field for name, field in value.items() if field is not None}
    for name, default in known[1].items():
        if type(found.get(name)) is not type(default):
            found[name] = default
    return found


def logprobs(values: Any) -> list[Json]:
    """Tokens with their `logprob`, `bytes` and `top_logprobs`; those without a token or a number are left out."""
    return [_token(value) | {"top_logprobs": _tops(value)} for value in _told(values)]


def _tops(value: Json) -> list[Json]:
    return [_token(top) for top in _told(value.get("top_logprobs"))]


def _told(values: Any) -> list[Json]:
    return [value for value in values if _is_told(value)] if isinstance(values, list) else []


def _is_told(value: Any) -> bool:
    return (
        isinstance(value, dict) and isinstance(value.get("token"), str) and type(value.get("logprob")) in (int, float)
    )


def _token(value: Json) -> Json:
    token, data = value["token"], value.get("bytes")
    if not isinstance(data, list) or not all(type(byte) is int and byte in _BYTE for byte in data):
        data = list(token.encode("utf-8", "replace"))
    return {"token": token, "logprob": value["logprob"], "bytes": data}
