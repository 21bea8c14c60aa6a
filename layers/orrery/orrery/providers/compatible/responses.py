"""OpenAI's Responses API at a provider that has it itself: the body goes on as it came, and so does the answer.

Nothing is stored upstream: what came before is in the request, each time whole. So reasoning is asked for in a form
that can be sent back, and goes back to nobody but its issuer. Sources: OpenAI's API document 2.3.0, CreateResponse;
"Preserve reasoning without stored responses" (developers.openai.com/api/docs/guides/reasoning), read 2026-11-21.
"""

from collections.abc import Mapping
from typing import Any

from orrery.catalog import models
from orrery.core.dialect import Adapter, Decoder, Encoded, Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Target
from orrery.providers.answer import object_of
from orrery.providers.compatible.controls import controlled
from orrery.providers.compatible.decode import object_in
from orrery.providers.compatible.response_counts import chars_of, counted, failure, is_failed
from orrery.providers.compatible.response_facts import ANY, FACTS, INCLUDED, Facts
from orrery.providers.compatible.response_items import items_of
from orrery.providers.compatible.response_stream import LAST_STATUSES, ResponseDecoder, resource_of
from orrery.providers.compatible.response_tools import choice_and_tools
from orrery.providers.compatible.row import Row
from orrery.providers.lost import Lost
from orrery.wire.media import is_http
from orrery.wire.sse import Reader

EVENT_LIMIT_BYTES = 64 * 2**20
"""The last event holds the whole answer."""

OURS = frozenset({"previous_response_id", "conversation", "background", "store", "include", "stream", "model"})
"""What the gateway does itself, or says anew."""

NOTHING: Mapping[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "stop_sequences": ([],),
    "top_logprobs": (0,),
    "truncation": ("disabled",),
}
"""Values that ask for nothing that would not happen anyway: no loss where a provider does not have the parameter."""


def adapter(row: Row) -> Adapter:
    """The adapter of the provider that a row describes."""
    facts = FACTS.get(row.name, ANY)

    def encode(call: Call, target: Target) -> Encoded:
        return _encode(call, target, row, facts)

    def decode(body: bytes, call: Call) -> Frame:
        return _decode(body, call, row)

    def decoder(call: Call) -> Decoder:
        return ResponseDecoder(call, row)

    def needs_bytes(part_type: str, url: str) -> bool:
        return part_type in facts.by_content and is_http(url)

    return Adapter(
        path=lambda call, target: "/responses",
        encode=encode,
        decode=decode,
        decoder=decoder,
        reader=lambda: Reader(EVENT_LIMIT_BYTES),
        needs_bytes=needs_bytes,
    )


def _encode(call: Call, target: Target, row: Row, facts: Facts) -> Encoded:
    """The body under the target's model name. Nulls say nothing, and are left out."""
    lost = Lost()
    rename = facts.rename or {}
    body: Json = {}
    for name, value in call.body.items():
        if value is None or name in OURS or name in facts.spare:
            continue
        if name not in facts.lacks:
            body[rename.get(name, name)] = value
        elif value not in NOTHING.get(name, ()):
            lost.add(name)
    body |= choice_and_tools(body, row, facts, lost)
    if not body.get("tools", True):
        body = {name: value for name, value in body.items() if name not in ("tools", "tool_choice")}
    if "reasoning" in body:
        body["reasoning"] = _reasoning(object_of(body["reasoning"]), row, lost)
    body["input"] = items_of(body.get("input"), row, facts, lost)
    body["model"] = target.model
    if "store" not in facts.spare:
        body["store"] = False
    if included := _included(call, target, facts):
        body["include"] = included
    if call.stream:
        body["stream"] = True
    return Encoded(body, lost.names())


def _reasoning(asked: Json, row: Row, lost: Lost) -> Json:
    """The wish with an effort that the provider takes: as in chat, the next lower one, or its lowest."""
    effort = asked.get("effort")
    if effort is None or row.controls is None:
        return asked
    losses = Lost()
    found = controlled({"reasoning_effort": effort}, row.controls, losses)
    if losses.names():
        lost.add("reasoning.effort")
    rest = {name: value for name, value in asked.items() if name != "effort"}
    known = found.get("reasoning_effort") or object_of(found.get("reasoning")).get("effort")
    return {**rest, "effort": known} if known else rest


def _included(call: Call, target: Target, facts: Facts) -> list[str]:
    """What the caller wants to see and the provider can show, and what is needed to go on."""
    given = call.body.get("include")
    wanted = {name for name in given if isinstance(name, str)} if isinstance(given, list) else set()
    if call.options.responding is not None:
        wanted |= call.options.responding.include
    shown = wanted & facts.includes - {INCLUDED}
    if facts.encrypted == "always" or (facts.encrypted == "where it reasons" and _reasons(call, target)):
        shown.add(INCLUDED)
    return sorted(shown)


def _reasons(call: Call, target: Target) -> bool:
    """By the catalog, at the provider or at OpenAI (a deployment is often called like its model); else by the wish."""
    for provider in (target.provider, "openai"):
        if found := models.find(provider, target.model, target.region):
            return found.reasoning or _wishes(call)
    return _wishes(call)


def _wishes(call: Call) -> bool:
    wish = object_of(call.body.get("reasoning"))
    return any(value not in (None, "none") for value in wish.values())


def _decode(body: bytes, call: Call, row: Row) -> Frame:
    """Raises `UpstreamError` for a response that failed, or that is none."""
    answer = object_in(body, "a reply")
    output: Any = answer.get("output")
    if is_failed(answer) or answer.get("error"):
        raise failure(answer)
    if not isinstance(output, list) or answer.get("status", "completed") not in LAST_STATUSES:
        raise UpstreamError("the provider's reply is no whole response", upstream_status=200)
    resource = resource_of(answer, call, row)
    return Frame(resource, counted(resource), sum(map(chars_of, output)))
