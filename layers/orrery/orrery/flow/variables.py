"""Variables take the place of their names; where some are secret, twice: `***` for all to see, in full for providers.

What is logged, cached, kept and counted is the call's `body`; `private` is only ever encoded for a provider. Names of
fields, pictures and files are left alone, and so is all that is no text of the prompt: tools, stop words, metadata.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.options import Variables
from orrery.core.types import Call, Json, Operation
from orrery.flow.gateway import Gateway
from orrery.flow.visit import extras_of
from orrery.wire.body import dumps
from orrery.wire.template import MASK, fill

FIELDS: Mapping[Operation, tuple[str, ...]] = {
    Operation.CHAT: ("messages",),
    Operation.COMPLETIONS: ("prompt",),
    Operation.EMBEDDINGS: ("input",),
    Operation.MODERATIONS: ("input",),
    Operation.RERANK: ("query", "documents"),
    Operation.IMAGES: ("prompt",),
    Operation.IMAGE_EDITS: ("prompt",),
    Operation.VIDEOS: ("prompt",),
    Operation.SPEECH: ("input",),
    Operation.TRANSCRIPTIONS: ("prompt",),
    Operation.TRANSLATIONS: ("prompt",),
    Operation.RESPONSES: ("instructions", "input"),
}
"""Where each kind of request holds the texts that are templates."""

_WORD = re.compile(r"\w+")


async def rendered(call: Call, gateway: Gateway) -> Call:
    """The call with its variables filled in, or itself where there is nothing to fill.

    Raises `InvalidRequest` for a template that is broken or takes too much, with the text's place as `param`;
    `TooLarge` for a body beyond what may be posted; `Unavailable` where an engine does not start.
    """
    variables = call.options.variables
    if variables is None:
        return call
    found = _texts(call)
    texts = list(found.values())
    if not any("{" in text for text in texts):
        return call
    try:
        full = await _filled(texts, variables, gateway)
        shown = await _masked(texts, full, variables, gateway) if variables.secrets else full
    except InvalidRequest as err:
        err.param = list(found)[int(err.param)] if err.param else FIELDS[call.operation][0]
        raise
    body = _with(call, shown)
    private = _with(call, full) if full != shown else None
    return replace(call, body=body, private=private, body_bytes=_size(call, private, body, gateway))


async def _filled(texts: Sequence[str], variables: Variables, gateway: Gateway) -> list[str]:
    if variables.engine == "text":
        return fill(texts, variables.values, most_chars=gateway.policy.max_body_bytes)
    return await extras_of(gateway).templates.render(texts, variables.values, variables.engine)


async def _masked(texts: Sequence[str], full: Sequence[str], variables: Variables, gateway: Gateway) -> list[str]:
    """The texts as anyone may see them. Where a template needs more of a secret than `***`, all of it is `***`."""
    if variables.engine == "text":
        most = gateway.policy.max_body_bytes
        return fill(texts, variables.values, most_chars=most, hidden=variables.secrets)
    named = {word for text in texts for word in _WORD.findall(text)}
    values = {
        name: _hidden(value, named) if name in variables.secrets else value for name, value in variables.values.items()
    }
    try:
        return await extras_of(gateway).templates.render(texts, values, variables.engine)
    except InvalidRequest:
        return [text if text == whole else MASK for text, whole in zip(texts, full, strict=True)]


def _hidden(value: Any, named: Collection[str]) -> Any:
    """A secret value as engines may walk into it. Names within it are told only where the template tells them."""
    if isinstance(value, dict):
        return {name if name in named else MASK: _hidden(each, named) for name, each in value.items()}
    if isinstance(value, list):
        return [_hidden(each, named) for each in value]
    return MASK


def _texts(call: Call) -> dict[str, str]:
    """The texts that are templates, by where they stand."""
    found: dict[str, str] = {}

    def note(param: str, text: str) -> str:
        found[param] = text
        return text

    for field in FIELDS.get(call.operation, ()):
        _each(call.body.get(field), field, note)
    return found


def _with(call: Call, filled: Sequence[str]) -> Json:
    """The body with these texts, in the order in which they were found."""
    following = iter(filled)
    fields = [field for field in FIELDS[call.operation] if field in call.body]
    return {**call.body, **{field: _each(call.body[field], field, lambda *_: next(following)) for field in fields}}


def _each(value: Any, param: str, change: Callable[[str, str], str]) -> Any:
    """The same with its texts changed: of messages their content, of parts those that are text."""
    if isinstance(value, str):
        return change(param, value)
    if isinstance(value, list):
        return [_each(each, f"{param}[{place}]", change) for place, each in enumerate(value)]
    if isinstance(value, dict):
        for name in ("content", "text"):
            if isinstance(value.get(name), str | list):
                return {**value, name: _each(value[name], f"{param}.{name}", change)}
    return value


def _size(call: Call, private: Json | None, body: Json, gateway: Gateway) -> int:
    """Bytes of the larger body, with the files of a form. Raises `TooLarge`."""
    size = max(len(dumps(each)) for each in (body, private or {}))
    if size > gateway.policy.max_body_bytes:
        raise TooLarge(f"With its variables, the request has {size} bytes; at most {gateway.policy.max_body_bytes}.")
    return call.body_bytes - len(dumps(call.body)) + size if call.files else size
