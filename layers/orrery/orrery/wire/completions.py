"""`POST /completions`: the posted bytes as a `Call`, and what its body asks for.

Source: OpenAI's API document 2.3.0, CreateCompletionRequest, read 2026-11-21. Where others take more (logprobs beyond
5, more stops), their own limit decides.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Operation
from orrery.wire.body import drop_idle_stream_options, read_json
from orrery.wire.chat_parameters import PARAMETERS
from orrery.wire.options import passed_on, read_options
from orrery.wire.posted import Posted
from orrery.wire.shapes import BOOLEAN, FILLED, STRING, Shape, array, checking, either, integer, record

OWN = frozenset({"prompt"})
"""Fields of this endpoint that are the gateway's elsewhere."""

MAX_TOKENS = 16
"""What an answer is limited to where the caller says nothing: OpenAI's default here, whoever serves the call."""

AS_IN_CHAT = frozenset(
    {"stream", "stream_options", "temperature", "top_p", "frequency_penalty", "presence_penalty"}
    | {"n", "seed", "logit_bias", "user", "metadata", "service_tier"}
)
"""Parameters that mean what they mean in chat, within the same bounds."""

_OPTIONAL: Mapping[str, Shape] = {
    **{name: PARAMETERS[name] for name in AS_IN_CHAT},
    "best_of": integer(0, 20),
    "echo": BOOLEAN,
    "logprobs": integer(0),
    "max_tokens": integer(0),
    "stop": either(text=STRING, array=array(STRING)),
    "suffix": STRING,
}
_TOKENS = array(integer(0), at_least=1)
_LISTS: Mapping[type, Shape] = {
    str: array(STRING, at_least=1),
    int: _TOKENS,
    list: array(_TOKENS, at_least=1),
}

# What the first of a list is, the others must be: that one decides, so that errors point at what differs from it.
_CHECKS = {
    kind: checking(record({"model": FILLED}, {**_OPTIONAL, "prompt": either(text=STRING, array=shape)}))
    for kind, shape in _LISTS.items()
}


def read_completion(posted: Posted) -> Call:
    """The call that a completions request makes. Raises `InvalidRequest` for the first offence."""
    body = read_json(posted.raw)
    given = body.get("prompt")
    first = given[0] if isinstance(given, list) and given else ""
    _CHECKS.get(type(first), _CHECKS[str])(body)
    _check_together(body)
    drop_idle_stream_options(body)
    return Call(
        operation=Operation.COMPLETIONS,
        model=body["model"],
        body=passed_on(body, OWN),
        stream=body.get("stream") is True,
        options=read_options(body, own=OWN),
        body_bytes=len(posted.raw),
        wants_usage=(body.get("stream_options") or {}).get("include_usage") is True,
        strict=posted.strict,
    )


def _check_together(body: Json) -> None:
    """What one parameter demands of another, in OpenAI's description of `best_of`."""
    candidates, wanted = body.get("best_of") or 0, body.get("n") or 1
    if candidates and candidates < wanted:
        raise InvalidRequest(
            f"Invalid value for 'best_of': expected at least the {wanted} of 'n'.",
            param="best_of",
        )
    if candidates > wanted and body.get("stream") is True:
        raise InvalidRequest("The best of several completions cannot be streamed.", param="best_of")


def prompts_of(body: Json) -> Sequence[Any]:
    """What is to be completed, one by one: texts, or lists of tokens; None for the beginning of a new document."""
    given = body.get("prompt")
    if isinstance(given, list) and not isinstance(given[0], int):
        return given
    return [given]
