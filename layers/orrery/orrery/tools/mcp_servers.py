"""`mcp` and `orq:mcp`: the tools of a server that speaks the Model Context Protocol, as tools of a response.

Each operation has a session of its own: listing once for a response, and each call. So nothing is left open, and a
server that keeps state in a session loses it between calls. Source: ADR 0022.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.ports import Transport
from orrery.core.tools import Opened, Outcome, Setting
from orrery.core.types import Json
from orrery.tools.mcp_items import (
    ListedTool,
    Listing,
    approval_item,
    call_item,
    chosen,
    function,
    function_names,
    heard,
    list_item,
    other_name,
)
from orrery.tools.mcp_spec import McpServer, read_server
from orrery.tools.outfit import Outfit

CLIENT = "orrery.tools.mcp_client"


@dataclass(frozen=True, slots=True)
class McpTool:
    """`core.tools.HostedTool`: one tool of one server. `name` is the server's name for it.

    What waited for approval is found again by `server_label` and `name`, and run with the arguments that were approved.
    """

    server: McpServer
    tool: ListedTool
    function: Json = field(repr=False)
    approval: bool
    outside: Transport = field(repr=False)
    type: str
    hidden: bool = True

    @property
    def server_label(self) -> str:
        return self.server.label

    @property
    def name(self) -> str:
        return self.tool.name

    def under(self, taken: Collection[str]) -> "McpTool":
        """The same tool, under a function name that is not among `taken`."""
        name = other_name(self.server.label, self.function["name"], taken)
        return self if name == self.function["name"] else replace(self, function={**self.function, "name": name})

    async def run(self, arguments: Json, setting: Setting) -> Outcome:
        client = await _client()
        try:
            contents, structured, failed = await client.called(
                self.server, self.name, arguments, self.outside, timeout_s=setting.timeout_s
            )
        except client.McpFault as err:
            return Outcome(err.message, failed=True, detail={"error": err.error})
        return heard(self.server, contents, structured, failed=failed)

    def shown(self, call: Json, outcome: Outcome) -> Json:
        return call_item(self.server, self.name, call, outcome)

    def asked(self, call: Json) -> Json:
        return approval_item(self.server.label, self.name, call)


async def opened(spec: Json, setting: Setting, outfit: Outfit) -> Opened:
    """The tools of one server. A server that cannot be listed has none, and an item that says why.

    Raises `InvalidRequest` for a spec that cannot be meant, `NotFound` for a stored tool that is not there.
    """
    server = await _server(spec, setting, outfit)
    client = await _client()
    try:
        tools, unread = await client.listed(server, outfit.outside, timeout_s=setting.timeout_s)
        listing = chosen(server, tools, unread=unread)
    except client.McpFault as err:
        listing = Listing(error=err.message)
    names = function_names(listing.tools)
    made = [
        McpTool(
            server=server,
            tool=tool,
            function=function(server, tool, names[tool.name]),
            approval=server.approvals.wanted(tool.name, tool.read_only),
            outside=outfit.outside,
            type=str(spec["type"]),
        )
        for tool in listing.tools
    ]
    return Opened(tools=made, items=[list_item(server, listing)])


async def _server(spec: Json, setting: Setting, outfit: Outfit) -> McpServer:
    name = "tool_id" if spec.get("type") == "orq:mcp" else "key"
    told = spec.get(name)
    if told is None and name == "key":
        return read_server(spec, None, setting.variables)
    if not isinstance(told, str) or not told:
        raise InvalidRequest(f"A tool of type '{spec.get('type')}' needs a '{name}'.", param="tools")
    if name == "key" and spec.get("server_url") is not None:
        raise InvalidRequest("An MCP tool has a 'server_url' or a 'key', not both.", param="tools")
    document = await outfit.stored.find(setting.organization, told)
    return read_server(spec, {"key": document.key, **document.body}, setting.variables)


async def _client() -> Any:
    """`mcp_client`. A thread imports it: the first time that takes long, and others are waiting."""
    return await asyncio.to_thread(import_module, CLIENT)
