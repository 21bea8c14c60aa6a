"""What headers ask of the gateway: whose request this is, in which run, under which key, with which prompt."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation, Principal
from orrery.edge.arrive import Headers, header
from orrery.flow.gateway import Gateway

IDEMPOTENCY_KEY = b"idempotency-key"
PROMPT_ID = b"x-orbitrage-prompt-id"
LONGEST_KEY = 255
"""Characters of an idempotency key, as Stripe has it."""


def labelled(call: Call, principal: Principal, raw: bytes, scope: Mapping[str, Any], gateway: Gateway) -> Call:
    """The call with what its headers say. Raises `InvalidRequest`, and `Forbidden` for a user that nobody vouches for.

    A request without such headers costs one look at their names.
    """
    headers = scope["headers"]
    if not any(name.startswith(b"x-or") or name == IDEMPOTENCY_KEY for name, _ in headers):
        return call
    from orrery.edge.edge_signature import verified_user
    from orrery.wire.attribution import identity_header, read_attribution

    user = verified_user(
        headers,
        method=scope["method"],
        path=scope["path"],
        organization=principal.organization,
        body=raw,
        keys=gateway.policy.edge_keys,
        now=gateway.now(),
    )
    attribution = read_attribution(headers, call.body)
    if user:
        from orrery.core.options import Attribution

        attribution = replace(attribution or Attribution(), user=user)
    options = replace(
        call.options,
        attribution=attribution,
        identity=call.options.identity or identity_header(headers),
        idempotency_key=key_of(headers),
        registered_prompt=_prompt(header(headers, PROMPT_ID), call.operation),
    )
    return replace(call, options=options)


def key_of(headers: Headers) -> str:
    """The idempotency key of a request; "" for none. Raises `InvalidRequest` for what could be none."""
    return _text(header(headers, IDEMPOTENCY_KEY), "Idempotency-Key", LONGEST_KEY)


def _prompt(value: bytes, operation: Operation) -> str:
    return _text(value, "x-orbitrage-prompt-id", LONGEST_KEY) if operation is Operation.CHAT else ""


def _text(value: bytes, name: str, longest: int) -> str:
    text = value.decode("latin-1").strip()
    if len(text) > longest or not all(" " <= letter <= "~" for letter in text):
        raise InvalidRequest(f"Invalid value for '{name}': expected 1 to {longest} visible characters.", param=name)
    return text
