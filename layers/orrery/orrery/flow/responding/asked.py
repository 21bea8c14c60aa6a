"""What is asked for, with all that surrounds it: the agent, the prompt, the variables, what came before, the tools."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from orrery.core.errors import InvalidRequest
from orrery.core.responses import Context, Responding
from orrery.core.tools import Setting
from orrery.core.types import Call, Json
from orrery.flow.gateway import Gateway
from orrery.flow.responding import inner
from orrery.flow.responding.calling import TOOL_TIMEOUT_S
from orrery.flow.responding.toolset import Toolset, toolset_of
from orrery.flow.visit import Visit, extras_of
from orrery.wire.response_approvals import Decision, decisions
from orrery.wire.response_history import turn_input, with_references
from orrery.wire.response_items import items_of
from orrery.wire.response_tools import check_choice

APPROVAL = "mcp_approval_response"


@dataclass(slots=True)
class Asked:
    """A request for a response, ready for its first turn.

    `call` has the agent, the prompt and the variables in it. `own` are the request's own items, each with an id;
    `input` is all that models get to read, `private` the same with secret variables in full (None: the same). `decided`
    are the calls of earlier responses that waited for its caller's word.
    """

    visit: Visit
    call: Call
    responding: Responding
    context: Context | None
    id: str
    created_at: int
    own: Sequence[Json] = field(repr=False)
    input: Sequence[Json] = field(repr=False)
    private: Sequence[Json] | None = field(repr=False)
    decided: Sequence[Decision] = field(repr=False)
    tools: Toolset = field(repr=False)
    setting: Setting = field(repr=False)
    asking: "inner.Asking" = field(repr=False)

    @property
    def model_shown(self) -> str:
        """The model as the caller named it: an agent stands for whatever model it has."""
        return self.visit.call.model

    @property
    def allowed(self) -> frozenset[str] | None:
        """The names that may be called: those of `allowed_tools`. None: all."""
        choice = self.call.body.get("tool_choice")
        if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
            return None
        return frozenset(str(tool.get("name")) for tool in choice.get("tools") or ())


async def prepared(visit: Visit, gateway: Gateway, *, id: str = "") -> Asked:
    """Raises `GatewayError`; nothing is held or written then. `id` "": a new one."""
    call, context = await _surrounded(visit, gateway)
    if not call.model:
        raise InvalidRequest("Missing required parameter: 'model'.", param="model")
    responding = call.options.responding
    assert responding is not None
    own = items_of(call.body.get("input"))
    items = context.items if context else ()
    resolved = await _referred(own, items, visit, gateway)
    asking = inner.Asking(visit, call, gateway)
    setting = _setting(call, responding, asking, items, visit.principal.organization, now=gateway.now())
    tools = await toolset_of(call, setting, gateway, is_begun=bool(id) or not responding.background)
    names = {str(function.get("name")) for function in tools.functions}
    check_choice(call.body.get("tool_choice"), names, responding.hosted)
    return Asked(
        visit=visit,
        call=call,
        responding=responding,
        context=context,
        id=id or extras_of(gateway).responses.new_id(context),
        created_at=int(gateway.now()),
        own=with_references(own, resolved, items),
        input=_nameless(turn_input(items, own, resolved=resolved), _named_here(call, own)),
        decided=decisions(items, own) if any(item["type"] == APPROVAL for item in own) else (),
        private=_private(call, own, items, resolved),
        tools=tools,
        setting=setting,
        asking=asking,
    )


async def _surrounded(visit: Visit, gateway: Gateway) -> tuple[Call, Context | None]:
    """The call with its agent, prompt and variables, and what came before it: one round trip where there is any."""
    options = visit.call.options
    responding = options.responding
    assert responding is not None
    needs = responding.previous or responding.conversation or responding.agent or options.prompt
    if not needs:
        return await _filled(visit.call, gateway), None
    before = asyncio.ensure_future(_context(visit, responding, gateway))
    try:
        await visit.confirm(gateway)
        call = visit.call
        if responding.agent:
            from orrery.flow.responding.agents import as_agent

            call = await as_agent(call, responding, visit.principal.organization, gateway)
            visit.call = replace(visit.call, options=replace(visit.call.options, name=call.options.name))
        if options.prompt:
            from orrery.flow.responding.prompts import prompted

            call = await prompted(call, visit.principal.organization, visit.headers, gateway)
        return await _filled(call, gateway), await before
    except BaseException:
        before.cancel()
        await asyncio.gather(before, return_exceptions=True)
        raise


async def _context(visit: Visit, responding: Responding, gateway: Gateway) -> Context | None:
    organization = visit.principal.organization
    if responding.previous:
        return await extras_of(gateway).responses.context(organization, responding.previous)
    if responding.conversation:
        return await extras_of(gateway).conversations.context(organization, responding.conversation)
    return None


async def _filled(call: Call, gateway: Gateway) -> Call:
    """With its variables; what a tool asks inside of a response is no template: a page could have written it.

    What is put aside for a worker is all that was posted: secrets that no text shows make it private, too.
    """
    responding = call.options.responding
    if call.options.variables is None or responding is None:
        return call
    from orrery.flow.variables import rendered

    if not responding.depth:
        found = await rendered(call, gateway)
        hides = responding.background and call.options.variables.secrets and found.private is None
        return replace(found, private=found.body) if hides else found
    asked = call.body.get("input")
    found = await rendered(replace(call, body={**call.body, "input": ""}), gateway)
    private = None if found.private is None else {**found.private, "input": asked}
    return replace(found, body={**found.body, "input": asked}, private=private)


async def _referred(own: Sequence[Json], before: Sequence[Json], visit: Visit, gateway: Gateway) -> dict[str, Json]:
    """Items that are named by their id only; most clients name what they have just been given."""
    wanted = {str(item.get("id")) for item in own if item.get("type") == "item_reference"}
    if not wanted:
        return {}
    found = {str(item.get("id")): item for item in before if item.get("id") in wanted}
    missing = wanted - found.keys()
    if missing:
        found |= await extras_of(gateway).responses.items(visit.principal.organization, sorted(missing))
    return found


def _private(
    call: Call, own: Sequence[Json], before: Sequence[Json], resolved: dict[str, Json]
) -> Sequence[Json] | None:
    if call.private is None:
        return None
    ids = [item.get("id") for item in own]
    full = [{**item, "id": id} for item, id in zip(items_of(call.private.get("input")), ids, strict=True)]
    return _nameless(turn_input(before, full, resolved=resolved), _named_here(call, own))


def _named_here(call: Call, own: Sequence[Json]) -> frozenset[str]:
    """The ids that the request's items have only since they came here."""
    came = call.body.get("input")
    named = {item.get("id") for item in came} if isinstance(came, list) else set()
    return frozenset(str(item["id"]) for item in own if item["id"] not in named)


def _nameless(items: Sequence[Json], ids: frozenset[str]) -> list[Json]:
    """Without those: they say nothing to a model, and the same question must be the same for the cache."""
    return [
        {name: value for name, value in item.items() if name != "id"} if item.get("id") in ids else item
        for item in items
    ]


def _setting(
    call: Call,
    responding: Responding,
    asking: "inner.Asking",
    before: Sequence[Json],
    organization: str,
    *,
    now: float,
) -> Setting:
    bounds, variables = responding.bounds, call.options.variables
    return Setting(
        organization=organization,
        timeout_s=bounds.tool_timeout_s or TOOL_TIMEOUT_S,
        now=now,
        ask=asking.ask,
        embed=asking.embed,
        variables=dict(variables.values) if variables else {},
        secrets=variables.secrets if variables else frozenset(),
        transcript=before,
        entity=responding.memory,
        depth=responding.depth,
    )


def with_tools(call: Call, tools: Toolset) -> Call:
    """The call with all that a model is told of tools."""
    offered = [*tools.functions, *tools.native]
    body = {name: value for name, value in call.body.items() if name != "tools"}
    return replace(call, body=body | ({"tools": offered} if offered else {}))
