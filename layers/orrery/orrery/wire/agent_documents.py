"""Agents as they are posted, over HTTP and in files.

Source: Orq's field trees of POST and PATCH /v2/agents (read 2026-11-21). A document is kept as it came, but for what is
null; defaults are filled in where it is read. What this gateway does not have (knowledge bases, evaluators, guardrails,
skills) is refused: an agent must not seem to be guarded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.registries import AGENT_KEY, STORE_KEY, Increment, KeyRule
from orrery.core.types import Json
from orrery.wire.agent_parameters import PARAMETERS, refuse_unsaid
from orrery.wire.agent_tools import MEMORIES, RETRY, TEAM, TOOLS, refuse_absent
from orrery.wire.body import dumps
from orrery.wire.shapes import (
    BOOLEAN,
    FILLED,
    OBJECT,
    STRING,
    Shape,
    array,
    checking,
    either,
    integer,
    number,
    one_of,
    or_null,
    record,
    rule,
    string,
)

LARGEST_BYTES = 300 * 1024
"""Of an agent, and of a body that brings one: an item of the table has 400 KB at most."""

LONGEST_NAME = 255  # Orq's
LONGEST_NOTE = 300  # Orq's
LONGEST_PATH = 256
MOST_FALLBACKS = 5
MOST_MEMBERS = 50
"""Of a team, and memory stores of an agent."""

REQUIRED = ("role", "description", "instructions", "path", "model", "settings")
ABSENT = ("knowledge_bases", "skills")
ABSENT_SETTINGS = ("evaluators", "guardrails")
VERSIONING = ("versionIncrement", "version_increment", "versionDescription", "version_description")


def keyed(keys: KeyRule) -> Shape:
    """A key of that kind."""
    return rule(lambda text: None if keys.fits(text) else keys.words, STRING)


def _one_model(name: str) -> str | None:
    return "a model, not an agent" if name.startswith("agent/") else None


def _in_the_clear(variables: dict[str, Any]) -> str | None:
    for value in variables.values():
        if type(value) is dict and value.get("secret") is True:
            return "no secret values: a request brings its own"
    return None


_MODEL = rule(_one_model, FILLED)
_FALLBACK = either(text=_MODEL, object=record({"id": _MODEL}, {"parameters": OBJECT, "retry": RETRY}))
_SETTINGS = record(
    {},
    {
        "max_iterations": integer(1, 100),
        "max_execution_time": integer(2, 600),
        "max_cost": number(0, 10**6),
        "tool_approval_required": one_of("all", "respect_tool", "none"),
        "chat_exposed": BOOLEAN,
        "tools": TOOLS,
        "evaluators": array(OBJECT),
        "guardrails": array(OBJECT),
    },
)
_NEEDED: dict[str, Shape] = {
    "role": FILLED,
    "description": FILLED,
    "instructions": STRING,
    "path": string(LONGEST_PATH),
    "model": either(text=_MODEL, object=record({"id": _MODEL}, {"parameters": record({}, PARAMETERS), "retry": RETRY})),
    "settings": _SETTINGS,
}
_FURTHER: dict[str, Shape] = {
    "display_name": string(LONGEST_NAME),
    "system_prompt": FILLED,
    "fallback_models": array(_FALLBACK, at_most=MOST_FALLBACKS),
    "memory_stores": array(keyed(STORE_KEY), at_most=MOST_MEMBERS),
    "knowledge_bases": array(OBJECT),
    "team_of_agents": array(record({"key": keyed(AGENT_KEY)}, {"role": STRING}), at_most=MOST_MEMBERS),
    "skills": array(STRING),
    "variables": rule(_in_the_clear, OBJECT),
    "source": one_of("internal", "external", "experiment"),
    "engine": one_of("text", "jinja", "mustache"),
}
_INCREMENT = one_of("major", "minor", "patch")
_VERSIONING: dict[str, Shape] = dict(
    zip(VERSIONING, (_INCREMENT, _INCREMENT, string(LONGEST_NOTE), string(LONGEST_NOTE)), strict=True)
)

_SETTING_FIELDS = frozenset(
    {
        "max_iterations",
        "max_execution_time",
        "max_cost",
        "tool_approval_required",
        "chat_exposed",
        "tools",
        *ABSENT_SETTINGS,
    }
)
_DOCUMENT_FIELDS = frozenset({*_NEEDED, *_FURTHER})

_check_draft = checking(record({"key": keyed(AGENT_KEY), **_NEEDED}, _FURTHER))
_check_change = checking(record({}, {**_NEEDED, **_FURTHER, **_VERSIONING, "key": or_null(STRING)}))


@dataclass(frozen=True, slots=True)
class AgentPatch:
    """A change that was asked for. `apply` makes of a document the one that is to be; raises `InvalidRequest`."""

    apply: Callable[[Json], Json]
    increment: Increment
    note: str


def read_agent(body: Mapping[str, Any]) -> tuple[str, Json]:
    """An agent to be made: its key and its document. Raises `InvalidRequest` with the first offence, `TooLarge`."""
    _refuse_unknown(body, _DOCUMENT_FIELDS | {"key"})
    refuse_absent(_settings(body).get("tools"))
    _check_draft(body)
    document = _kept({name: value for name, value in body.items() if name != "key"})
    _judge(document)
    _judge_whole(document)
    return body["key"], document


def read_agent_change(key: str, body: Mapping[str, Any]) -> AgentPatch:
    """What shall be different about the agent `key`: null takes away what need not be there, settings are merged.

    Raises as `read_agent`.
    """
    _refuse_unknown(body, _DOCUMENT_FIELDS | {"key", *VERSIONING})
    refuse_absent(_settings(body).get("tools"))
    _check_change(body)
    if body.get("key") not in (None, key):
        raise InvalidRequest("Invalid value for 'key': an agent's key cannot be changed.", param="key")
    for name in REQUIRED:
        if name in body and body[name] is None:
            raise InvalidRequest(f"Invalid value for '{name}': it cannot be taken away.", param=name)
    changed = {name: value for name, value in body.items() if name in _DOCUMENT_FIELDS}
    _judge(_kept(changed))

    def apply(document: Json) -> Json:
        after = {**document, **changed, "settings": {**document["settings"], **_settings(changed)}}
        after = _kept(after)
        _judge_whole(after)
        return after

    increment: Increment = body.get("versionIncrement") or body.get("version_increment") or "patch"
    return AgentPatch(apply, increment, body.get("versionDescription") or body.get("version_description") or "")


def _settings(body: Mapping[str, Any]) -> Json:
    found = body.get("settings")
    return found if type(found) is dict else {}


def _kept(document: Mapping[str, Any]) -> Json:
    """Without what is null."""
    kept = {name: value for name, value in document.items() if value is not None}
    if "settings" in kept:
        kept["settings"] = {name: value for name, value in kept["settings"].items() if value is not None}
    return kept


def _judge(document: Json) -> None:
    """What the shapes do not say. `document` may be a part of one."""
    for name in ABSENT:
        _refuse_absent(name, document.get(name))
    settings = _settings(document)
    for name in ABSENT_SETTINGS:
        _refuse_absent(f"settings.{name}", settings.get(name))
    for name in settings:
        if name not in _SETTING_FIELDS:
            raise InvalidRequest(f"Unknown parameter: 'settings.{name[:40]}'.", param=f"settings.{name[:40]}")
    model = document.get("model")
    if type(model) is dict:
        refuse_unsaid(model.get("parameters") or {}, "model.parameters")
    for at, each in enumerate(document.get("fallback_models") or ()):
        if type(each) is dict:
            _refuse_absent(f"fallback_models[{at}].parameters", each.get("parameters"))


def _judge_whole(document: Json) -> None:
    """What only a whole document can be wrong about."""
    named = {tool["type"] for tool in document["settings"].get("tools") or ()}
    for tools, field in ((TEAM, "team_of_agents"), (MEMORIES, "memory_stores")):
        if named.intersection(tools) and not document.get(field):
            message = f"Missing required parameter: '{field}': its tools have nobody to ask."
            raise InvalidRequest(message, param=field)
    _refuse_size(document)


def _refuse_absent(path: str, value: Any) -> None:
    if value:
        raise InvalidRequest(
            f"Unsupported parameter: '{path}': this gateway has nothing of the kind for agents.",
            param=path,
            code="unsupported_parameter",
        )


def _refuse_size(document: Json) -> None:
    size = len(dumps(document))
    if size > LARGEST_BYTES:
        raise TooLarge(f"The agent has {size} bytes; at most {LARGEST_BYTES} are kept.")


def _refuse_unknown(body: Mapping[str, Any], known: frozenset[str]) -> None:
    """What stands under a mistaken name must not seem to be stored."""
    for name in body:
        if name not in known:
            raise InvalidRequest(f"Unknown parameter: '{name[:40]}'.", param=name[:40])
