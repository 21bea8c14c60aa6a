"""Stored prompts as they are posted, over HTTP and in files: `{display_name, prompt: {messages, model, …}, …}`.

Source: Orq's field tree of POST /v2/prompts (read 2026-11-21); `key` and `publish` are ours. The `prompt` within is a
part of a chat body, judged as one and kept as it came: what nobody here knows survives. It may not hold what belongs to
one request: credentials, variables, whom it serves.
"""

from collections.abc import Callable, Mapping
from typing import Any

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.prompts import LONGEST_KEY, PromptChange, PromptDraft, PromptFacts, is_key
from orrery.core.types import Json
from orrery.wire.body import dumps
from orrery.wire.chat_messages import MESSAGE
from orrery.wire.chat_parameters import PARAMETERS
from orrery.wire.options import GATEWAY_FIELDS, read_options
from orrery.wire.shapes import BOOLEAN, FILLED, OBJECT, STRING, Shape, array, checking, record, rule

LARGEST_BYTES = 300 * 1024
"""Of a `prompt`, and of a body that brings one: an item of the table has 400 KB at most."""

LONGEST_NAME = 128  # Orq's
LONGEST_DESCRIPTION = 4_096
LONGEST_PATH = 256
LARGEST_METADATA_BYTES = 8 * 1024

SHARED_OPTIONS = frozenset({"retry", "retries", "fallbacks", "timeout", "cache", "load_balancer", "name"})
"""The gateway's own fields that a prompt may hold: each counts for a request that has none."""

_LATER = frozenset({"guardrails", "plugins", "knowledge_bases"})  # `read_options` says that they are not there yet


def _sized(most: int, least: int = 0) -> Callable[[str], str | None]:
    def check(text: str) -> str | None:
        fits = least <= len(text) <= most and text.isprintable()
        return None if fits else f"{least} to {most} printable characters"

    return check


def _key(text: str) -> str | None:
    return None if is_key(text) else f"1 to {LONGEST_KEY} letters, digits and single . _ - between them"


def _described(text: str) -> str | None:
    return None if len(text) <= LONGEST_DESCRIPTION else f"at most {LONGEST_DESCRIPTION} characters"


def _small(metadata: dict[str, Any]) -> str | None:
    fits = len(dumps(metadata)) <= LARGEST_METADATA_BYTES
    return None if fits else f"at most {LARGEST_METADATA_BYTES} bytes"


_NAME = rule(_sized(LONGEST_NAME, 1), STRING)
_PROMPT = record({"messages": array(MESSAGE, at_least=1)}, {**PARAMETERS, "model": FILLED})
_LABELS = record({}, {"use_cases": array(STRING), "language": STRING})
_FACTS: dict[str, Shape] = {
    "description": rule(_described, STRING),
    "metadata": rule(_small, OBJECT),
    "path": rule(_sized(LONGEST_PATH), STRING),
    "publish": BOOLEAN,
}

# A second look at the same value: this one for what Orq names in it, the other for what it all weighs.
_check_labels = checking(record({}, {"metadata": _LABELS}))
_check_draft = checking(record({"display_name": _NAME, "prompt": _PROMPT}, {**_FACTS, "key": rule(_key, STRING)}))
_check_change = checking(record({}, {**_FACTS, "display_name": _NAME, "prompt": _PROMPT}))

DRAFT_FIELDS = frozenset({*_FACTS, "display_name", "prompt", "key"})
CHANGE_FIELDS = DRAFT_FIELDS - {"key"}


def read_draft(body: Mapping[str, Any]) -> PromptDraft:
    """A prompt to be made. Raises `InvalidRequest` with the path of the first offence, `TooLarge`."""
    _refuse_unknown(body, DRAFT_FIELDS)
    _check_draft(body)
    _check_labels(body)
    return PromptDraft(
        PromptFacts(
            body["display_name"], body.get("description") or "", body.get("metadata") or {}, body.get("path") or ""
        ),
        _checked(body["prompt"]),
        body.get("key") or "",
        body.get("publish") is not False,
    )


def read_change(body: Mapping[str, Any]) -> PromptChange:
    """What shall be different: null empties a fact, and is refused where one must stand. Raises as `read_draft`."""
    _refuse_unknown(body, CHANGE_FIELDS)
    for name in ("display_name", "prompt"):
        if name in body and body[name] is None:
            raise InvalidRequest(f"Invalid value for '{name}': it cannot be taken away.", param=name)
    _check_change(body)
    _check_labels(body)
    if body.get("publish") is not None and "prompt" not in body:
        raise InvalidRequest(
            "'publish' goes with a 'prompt'; POST …/versions/{number}/publish publishes one that is there.",
            param="publish",
        )
    facts = {name: body[name] for name in ("display_name", "description", "metadata", "path") if name in body}
    empty: Json = {"description": "", "metadata": {}, "path": ""}
    return PromptChange(
        {name: empty[name] if value is None else value for name, value in facts.items()},
        _checked(body["prompt"]) if "prompt" in body else None,
        body.get("publish") is not False,
    )


def _refuse_unknown(body: Mapping[str, Any], known: frozenset[str]) -> None:
    """What stands under a mistaken name must not seem to be stored."""
    for name in body:
        if name not in known:
            raise InvalidRequest(f"Unknown parameter: '{name[:40]}'.", param=name[:40])


def _checked(prompt: Json) -> Json:
    """The same prompt, once it holds nothing but what prompts may."""
    for name in sorted(GATEWAY_FIELDS - SHARED_OPTIONS - _LATER):
        if prompt.get(name) is not None:
            raise InvalidRequest(
                f"Invalid value for 'prompt.{name}': that belongs to a request, not to a stored prompt.",
                param=f"prompt.{name}",
            )
    if prompt.get("stream") is not None:
        raise InvalidRequest("Invalid value for 'prompt.stream': a request says that itself.", param="prompt.stream")
    try:
        read_options(prompt)
    except InvalidRequest as err:
        path = f"prompt.{err.param}"
        message = err.message.replace(f"'{err.param}'", f"'{path}'")
        raise InvalidRequest(message, param=path, code=err.code) from None
    size = len(dumps(prompt))
    if size > LARGEST_BYTES:
        raise TooLarge(f"The prompt has {size} bytes; at most {LARGEST_BYTES} are kept.")
    return prompt
