"""Puts stored prompts into a chat: `orq.prompt` before its messages, `x-orbitrage-prompt-id` in their place.

What comes out is judged as a body that was posted so. Sources: seed 004 and Orq's using-prompts page, read 2026-11-21;
where the two come together, the header's prompt replaces the messages first, and the body's is prepended to those.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orrery.core.errors import InvalidRequest, NotFound
from orrery.core.options import Options, Retry
from orrery.core.records import Prompt
from orrery.core.types import Call, Json, Operation
from orrery.flow.gateway import Gateway

HEADER = "x-orq-prompt"
MISSING = "not_found"

NOT_BESIDE: Mapping[str, tuple[str, ...]] = {
    "max_tokens": ("max_completion_tokens",),
    "max_completion_tokens": ("max_tokens",),
    "thinking": ("reasoning_effort",),
    "reasoning_effort": ("thinking",),
    "top_logprobs": ("logprobs",),
    "tools": ("functions",),
    "functions": ("tools",),
    "tool_choice": ("tools", "functions"),
    "parallel_tool_calls": ("tools", "functions"),
    "function_call": ("tools", "functions"),
}
"""A prompt's parameter, and what says the same or contradicts it: it stays out where a request has one of these."""


async def prompted(call: Call, organization: str, headers: dict[str, str], gateway: Gateway) -> Call:
    """The call with the prompts that its options name; `headers` are told the versions (`<id>@<number>`).

    Where a prompt of the body is not there, the call goes ahead without it. Raises `NotFound` (`prompt_not_found`) for
    one of the header, `InvalidRequest` when nothing names a model, `Unavailable`.
    """
    options = call.options
    if call.operation is not Operation.CHAT or not (options.prompt or options.registered_prompt):
        return call
    told: list[str] = []
    replacing = await _found(options.registered_prompt, organization, told, gateway)
    if options.registered_prompt and replacing is None:
        raise NotFound(f"There is no prompt {options.registered_prompt[:80]!r}.", code="prompt_not_found")
    prepended = await _found(options.prompt, organization, told, gateway)
    headers[HEADER] = ", ".join(told)
    prompts = [prompt for prompt in (prepended, replacing) if prompt is not None]
    if not prompts:
        return call
    _refuse_led_astray(call, prompts)
    return _read_again(call, _body(call, prepended, replacing), prompts)


async def _found(prompt: str, organization: str, told: list[str], gateway: Gateway) -> Prompt | None:
    if not prompt:
        return None
    found = await gateway.extras.prompts.published(organization, prompt) if gateway.extras else None
    told.append(f"{found.id}@{found.version}" if found else MISSING)
    return found


def _body(call: Call, prepended: Prompt | None, replacing: Prompt | None) -> Json:
    """A body that says all of it: the caller's parameters, then the prepended prompt's, then the other one's."""
    body = dict(call.body)
    messages = replacing.messages if replacing else call.body["messages"]
    for prompt in (prepended, replacing):
        if prompt is not None:
            body |= {name: value for name, value in prompt.parameters.items() if _fits(name, value, body)}
    models = [prompt.model for prompt in (prepended, replacing) if prompt and prompt.model]
    return {
        **body,
        "model": next(iter(models), call.model) or None,
        "messages": [*(prepended.messages if prepended else ()), *messages],
    }


def _fits(name: str, value: Any, body: Json) -> bool:
    """Whether a prompt's parameter has a place beside those in `body`. How an answer comes is the request's to say."""
    if value is None or body.get(name) is not None or name == "stream":
        return False
    return all(body.get(other) is None for other in NOT_BESIDE.get(name, ()))


def _read_again(call: Call, body: Json, prompts: list[Prompt]) -> Call:
    """The body as if it had been posted; the caller's own options come before those in it."""
    from orrery.wire.body import dumps
    from orrery.wire.chat import read_chat

    if body["model"] is None:
        raise InvalidRequest("Missing required parameter: 'model'.", param="model")
    read = read_chat(dumps(body))
    replaced = any(prompt.model for prompt in prompts)
    return replace(
        call,
        model=read.model,
        body=read.body,
        body_bytes=read.body_bytes,
        wants_usage=read.wants_usage,
        options=_merged(call.options, read.options, model_replaced=replaced),
    )


def _merged(own: Options, stored: Options, *, model_replaced: bool) -> Options:
    """Field by field, the request's where it has one. A prompt's model replaces all that the request balances."""
    return replace(
        own,
        retry=own.retry if own.retry != Retry() else stored.retry,
        fallbacks=own.fallbacks or stored.fallbacks,
        call_timeout_s=stored.call_timeout_s if own.call_timeout_s is None else own.call_timeout_s,
        balance=stored.balance if model_replaced else own.balance or stored.balance,
        cache_ttl_s=stored.cache_ttl_s if own.cache_ttl_s is None else own.cache_ttl_s,
        name=own.name or stored.name,
    )


def _refuse_led_astray(call: Call, prompts: list[Prompt]) -> None:
    """A credential of the request goes to the requested model's provider, and to no other that a prompt names."""
    if call.options.credentials is None or not call.model:
        return
    for prompt in prompts:
        if prompt.model and _provider(prompt.model) != _provider(call.model):
            raise InvalidRequest(
                f"The prompt {prompt.id!r} replaces the model with one of another provider than the one that this "
                f"request brings a credential for: ask for {prompt.model!r}, or leave the credential out.",
                param="model",
            )


def _provider(model: str) -> str:
    """`provider` of `provider/model`; a bare name stands for itself."""
    return model.partition("/")[0]
