"""The tools of a response: which run here, which the provider runs itself, and which its caller answers."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from orrery.core.errors import InvalidRequest
from orrery.core.tools import HostedTool, Opened, Setting
from orrery.core.types import Call, Json
from orrery.flow.credentials import own_of
from orrery.flow.gateway import Gateway
from orrery.flow.responding.approvals import Waiting
from orrery.flow.visit import extras_of


@runtime_checkable
class Renamed(Protocol):
    """A tool that can go by another name, where one of its own is taken."""

    def under(self, taken: Collection[str]) -> HostedTool: ...


MOST_TOOLS = 512
"""Functions that one request may offer, those of MCP servers included."""


@dataclass(frozen=True, slots=True)
class Toolset:
    """`hosted` are those that run here, by the name that models call them by; `functions` all that models are told of.

    `native` goes to the provider as it is. `items` tell of the opening itself (`mcp_list_tools`).
    """

    hosted: Mapping[str, HostedTool] = field(default_factory=dict)
    functions: Sequence[Json] = ()
    native: Sequence[Json] = ()
    items: Sequence[Json] = ()

    @property
    def hidden(self) -> frozenset[str]:
        """Names whose calls are not shown as function calls."""
        return frozenset(name for name, tool in self.hosted.items() if tool.hidden)

    def named(self, request: Json) -> HostedTool | None:
        """The tool that an approval was asked for."""
        wanted = (request.get("server_label"), request.get("name"))
        for tool in self.hosted.values():
            if wanted == (getattr(tool, "server_label", None), getattr(tool, "name", None)):
                return tool
        return None


REMOTE = frozenset({"mcp", "orq:mcp"})
"""Tools that another server tells of, in its own time."""


async def toolset_of(call: Call, setting: Setting, gateway: Gateway, *, is_begun: bool = True) -> Toolset:
    """Raises `InvalidRequest` for a tool that cannot be had, and for two of one name.

    `is_begun` False: it only has to be seen whether a request can be accepted, so no other server is asked.
    """
    responding = call.options.responding
    assert responding is not None
    own: list[Json] = list(call.body.get("tools") or ())
    if not responding.hosted:
        return Toolset(functions=own)
    native = await _native(call, responding.hosted, setting.organization, gateway)
    ours = [spec for spec in responding.hosted if spec not in native and (is_begun or spec["type"] not in REMOTE)]
    toolbox = extras_of(gateway).toolbox
    opened = await asyncio.gather(*(toolbox.open(spec, setting) for spec in ours))
    opened = [
        _waiting(each) if spec.get("requires_approval") else each for spec, each in zip(ours, opened, strict=True)
    ]
    return _joined(own, native, opened)


def _waiting(opened: Opened) -> Opened:
    return replace(opened, tools=[tool if tool.approval else Waiting(tool) for tool in opened.tools])


def _joined(own: Sequence[Json], native: Sequence[Json], opened: Sequence[Opened]) -> Toolset:
    hosted: dict[str, HostedTool] = {}
    functions = [*own, *(function for each in opened for function in each.functions)]
    names = {str(function.get("name")) for function in functions}
    for tool in (tool for each in opened for tool in each.tools):
        name = str(tool.function["name"])
        if name in names and isinstance(tool, Renamed):
            tool = tool.under(names)  # noqa: PLW2901 - the same tool, under another name
            name = str(tool.function["name"])
        if name in names:
            raise InvalidRequest(f"Two tools of this request are called '{name}'.", param="tools")
        names.add(name)
        hosted[name] = tool
    functions += [tool.function for tool in hosted.values()]
    if len(functions) > MOST_TOOLS:
        raise InvalidRequest(f"Too many tools: {len(functions)}; at most {MOST_TOOLS}.", param="tools")
    return Toolset(hosted, functions, native, [item for each in opened for item in each.items])


async def _native(call: Call, hosted: Sequence[Json], organization: str, gateway: Gateway) -> list[Json]:
    """Those that every provider that may serve this request runs itself, for its caller's own key.

    With pooled credit they run here: what a provider takes for a search is in no price of a model.
    """
    from orrery.providers.compatible.response_facts import native_tools

    own = await own_of(call, organization, gateway)
    if own.falls_back:
        return []
    models = [call.model, *call.options.fallbacks] if not call.options.balance else []
    models += [each.model for each in call.options.balance]
    providers = [await _provider(model, gateway) for model in models]
    if not all(map(own.has, providers)):
        return []
    return [spec for spec in hosted if all(spec["type"] in native_tools(provider) for provider in providers)]


async def _provider(model: str, gateway: Gateway) -> str:
    prefix, slash, _ = model.partition("/")
    if slash:
        return prefix
    return next(iter(await gateway.catalog.named(model)), "")
