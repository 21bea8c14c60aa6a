"""Variables take the place of their names; where some are secret, twice: `***` for all to see, in full for providers.

What is logged, cached, kept and counted is the call's `body`; `private` is only ever encoded for a provider.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from orrery.core.options import Variables
from orrery.core.types import Call, Json, Operation
from orrery.flow.gateway import Gateway
from orrery.flow.visit import extras_of
from orrery.wire.template import fill

MASK = "***"

FIELDS: Mapping[Operation, tuple[str, ...]] = {
    Operation.CHAT: ("messages",),
    Operation.COMPLETIONS: ("prompt",),
    Operation.EMBEDDINGS: ("input",),
    Operation.MODERATIONS: ("input",),
    Operation.RERANK: ("query", "documents"),
    Operation.IMAGES: ("prompt",),
    Operation.IMAGE_EDITS: ("prompt",),
    Operation.SPEECH: ("input",),
    Operation.RESPONSES: ("input", "instructions"),
}
"""Where each kind of request holds the texts that are templates."""

type Texts = list[str]


async def rendered(call: Call, gateway: Gateway) -> Call:
    """The call with its variables filled in. Raises `InvalidRequest` for a template that cannot be, or is too much."""
    variables = call.options.variables
    if variables is None:
        return call
    texts = list(_texts(call))
    if not any("{" in text for text in texts):
        return call
    shown = _with(call, await _filled(texts, _shown(variables), variables, gateway))
    private = None
    if variables.secrets:
        private = _with(call, await _filled(texts, variables.values, variables, gateway))
    larger = max(len(orjson.dumps(body)) for body in (shown, private or {}))
    return replace(call, body=shown, private=private, body_bytes=max(larger, call.body_bytes))


async def _filled(texts: Texts, values: Mapping[str, Any], variables: Variables, gateway: Gateway) -> Texts:
    if variables.engine == "text":
        return fill(texts, values)
    return await extras_of(gateway).templates.render(texts, values, variables.engine)


def _shown(variables: Variables) -> Mapping[str, Any]:
    """The values, with every text and number of a secret one as `***`: engines may walk into it."""
    return {name: _masked(value) if name in variables.secrets else value for name, value in variables.values.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _masked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return MASK


def _texts(call: Call) -> Iterator[str]:
    found: Texts = []
    for name in FIELDS.get(call.operation, ()):
        _each(call.body.get(name), lambda text: found.append(text) or text)  # type: ignore[func-returns-value]
    yield from found


def _with(call: Call, filled: Texts) -> Json:
    """The body with these texts in the order in which they were found."""
    following = iter(filled)
    fields = FIELDS[call.operation]
    changed = {name: _each(call.body[name], lambda _: next(following)) for name in fields if name in call.body}
    return {**call.body, **changed}


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """The same, each text in it changed: of messages their content alone, of parts those that are text."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each(each, change) for each in value]
    if isinstance(value, dict):
        if "role" in value or value.get("type") == "message":
            return {**value, "content": _each(value["content"], change)} if value.get("content") else value
        if isinstance(value.get("text"), str):
            return {**value, "text": change(value["text"])}
    return value
