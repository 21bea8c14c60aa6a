"""`POST /responses` and `POST /responses/compact`: the posted bytes as a `Call`.

The body is judged and then goes on as it came, minus what the gateway itself acts on: that is in the call's options.
"""

import math
from dataclasses import replace
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.options import Options, Variables
from orrery.core.responses import UNBOUNDED, Bounds, Responding
from orrery.core.types import Call, Json, Operation
from orrery.wire.body import drop_idle_stream_options, read_json
from orrery.wire.options import passed_on, read_options
from orrery.wire.posted import Posted
from orrery.wire.response_shapes import COMPACTION, OURS, PARAMETERS, PROMPT_TEXT
from orrery.wire.response_tools import check_choice, sorted_out
from orrery.wire.shapes import FILLED, STRING, checking, record

OWN = frozenset({"prompt"})
"""Fields of this endpoint that mean something else at others."""

AGENT = "agent/"

LEAST_TOKENS = 16
"""Less than that is not refused, as OpenAI does, but raised to it: clients of other providers ask for less."""

NANO = 1_000_000_000

_check = checking(record({"model": FILLED}, PARAMETERS))
_check_with_prompt = checking(record({}, {**PARAMETERS, "model": STRING}))  # the prompt may bring it
_check_compaction = checking(record({"model": FILLED}, COMPACTION))
_check_variables = checking(PROMPT_TEXT)


def read_response(posted: Posted) -> Call:
    """The call that a request for a response makes. Raises `InvalidRequest` for the first offence.

    `body["tools"]` has the function tools, `options.responding.hosted` all others. The model is "" where only a stored
    prompt can name it.
    """
    body = read_json(posted.raw)
    if posted.has_prompt or body.get("prompt") is not None:
        _check_with_prompt(body)
        body["model"] = body.get("model") or ""
    else:
        _check(body)
    agent, version = _agent(body["model"])
    functions, hosted = sorted_out(body.get("tools"))
    _check_together(body, posted)
    known = None if hosted or agent else {tool["name"] for tool in functions}
    check_choice(body.get("tool_choice"), known, None if agent else hosted)
    drop_idle_stream_options(body)
    responding = _responding(body, hosted, agent, version)
    return Call(
        operation=Operation.RESPONSES,
        model=body["model"],
        body=_passed_on(body, functions),
        stream=body.get("stream") is True,
        options=_options(body, responding),
        body_bytes=len(posted.raw),
        strict=posted.strict,
    )


def read_compaction(posted: Posted) -> Call:
    """The call that a compaction makes; nothing of it is stored. Raises `InvalidRequest` for the first offence."""
    body = read_json(posted.raw)
    _check_compaction(body)
    if not body.get("input") and body.get("previous_response_id") is None:
        raise InvalidRequest("Missing required parameter: 'input' or 'previous_response_id'.", param="input")
    responding = Responding(store=False, previous=body.get("previous_response_id") or "", compacts=True)
    return Call(
        operation=Operation.RESPONSES,
        model=body["model"],
        body={name: value for name, value in passed_on(body).items() if name not in OURS and name != "stream"},
        options=replace(read_options(body), responding=responding),
        body_bytes=len(posted.raw),
        strict=posted.strict,
    )


def _agent(model: str) -> tuple[str, str]:
    """The agent that stands in the model's place, and its version; "" for none."""
    if not model.startswith(AGENT):
        return "", ""
    key, at, version = model.removeprefix(AGENT).partition("@")
    if not key or (at and not version):
        raise InvalidRequest(
            "Invalid value for 'model': expected 'agent/<key>' or 'agent/<key>@<version>'.", param="model"
        )
    return key, version


def _check_together(body: Json, posted: Posted) -> None:
    """What one parameter demands of another."""
    if body.get("previous_response_id") is not None and body.get("conversation") is not None:
        raise InvalidRequest(
            "'previous_response_id' and 'conversation' cannot be used together: each says what came before.",
            param="previous_response_id",
        )
    if body.get("background") is True and body.get("store") is False:
        raise InvalidRequest("'background' requires 'store': what is not kept cannot be asked for.", param="background")
    before = ("previous_response_id", "conversation", "prompt")
    if not body.get("input") and not posted.has_prompt and all(body.get(name) is None for name in before):
        raise InvalidRequest(
            "One of 'input', 'previous_response_id', 'conversation' and 'prompt' must be provided.", param="input"
        )


def _responding(body: Json, hosted: tuple[Json, ...], agent: str, version: str) -> Responding:
    conversation = body.get("conversation") or ""
    return Responding(
        store=body.get("store") is not False,
        previous=body.get("previous_response_id") or "",
        conversation=conversation if isinstance(conversation, str) else conversation["id"],
        background=body.get("background") is True,
        include=frozenset(body.get("include") or ()),
        hosted=hosted,
        max_tool_calls=body.get("max_tool_calls"),
        bounds=_bounds(body.get("limits")),
        agent=agent,
        agent_version=version,
        memory=(body.get("memory") or {}).get("entity_id", ""),
    )


def _bounds(limits: Json | None) -> Bounds:
    if not limits:
        return UNBOUNDED
    return Bounds(
        max_iterations=limits.get("max_iterations"),
        max_execution_s=_seconds(limits.get("max_execution_time")),
        max_cost_nano=math.ceil((limits.get("max_cost") or 0) * NANO),  # what is above 0 must not become "no bound"
        max_depth=limits.get("max_depth"),
        tool_timeout_s=_seconds(limits.get("tool_timeout")),
    )


def _seconds(given: float | None) -> float | None:
    return None if given is None else float(given)


def _options(body: Json, responding: Responding) -> Options:
    options = read_options(body, own=OWN)
    prompt = body.get("prompt")
    if prompt is not None:
        options = replace(options, prompt=prompt["id"], variables=_filled(prompt.get("variables"), options, body))
    return replace(options, responding=responding)


def _filled(given: Json | None, options: Options, body: Json) -> Variables | None:
    """The request's variables, and those of its prompt that it does not name itself."""
    texts: dict[str, Any] = {}
    for name, value in (given or {}).items():
        try:
            _check_variables(value)
        except InvalidRequest as err:
            param = f"prompt.variables.{name}"
            raise InvalidRequest(
                f"Invalid value for '{param}': expected a string or an input_text.", param=param
            ) from err
        texts[name] = value if isinstance(value, str) else value["text"]
    if not texts:
        return options.variables
    own = options.variables or Variables({}, engine=body.get("template_engine") or "text")
    return replace(own, values={**texts, **own.values})


def _passed_on(body: Json, functions: list[Json]) -> Json:
    """What is for providers: the caller's own parameters, without those of the gateway."""
    kept = {name: value for name, value in passed_on(body).items() if name not in OURS}
    if functions:
        kept["tools"] = functions
    else:
        kept.pop("tools", None)
    most = kept.get("max_output_tokens")
    if most is not None:
        kept["max_output_tokens"] = max(most, LEAST_TOKENS)
    return kept
