"""Speaking with an MCP server: what it has, and a call of it, each in a session of its own.

The official client does the talking (its import takes most of a second, so this module is imported in a thread, and
only when a server is spoken to). What a server says is not checked against its own output schema: that schema is the
server's, and a pattern in it could stop this process. Source: mcp 2.3.0, read 2026-11-21.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import mcp_types as types
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from orrery.core.ports import Transport
from orrery.core.types import Json
from orrery.tools.mcp_items import MOST_TOOLS, ListedTool
from orrery.tools.mcp_spec import McpServer
from orrery.tools.mcp_transport import LARGEST_ANSWERS, Way

MOST_PAGES = 20
LONGEST_REASON = 500
"""Characters of a server's own words about what failed."""

US = types.Implementation(name="orrery", version="1")

# They log what servers send, in parts: nothing of it belongs into a log of ours.
for _name in ("mcp", "client", "httpx2"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class McpFault(Exception):
    """A server could not be spoken with, or refused. `error` is an `MCPToolCallError`, as OpenAI has it."""

    def __init__(self, message: str, error: Json) -> None:
        super().__init__(message)
        self.message = message
        self.error = error


async def listed(server: McpServer, outside: Transport, *, timeout_s: float) -> tuple[list[ListedTool], bool]:
    """Its tools, as far as they matter, and whether there are more. Raises `McpFault`."""
    tools: list[ListedTool] = []
    cursor: str | None = None
    async with _session(server, outside, timeout_s) as client:
        for _ in range(MOST_PAGES):
            page = await client.session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
            tools += map(_tool, page.tools)
            cursor = page.next_cursor
            if cursor is None:
                break
            if sum(server.allowed.matches(tool.name, tool.read_only) for tool in tools) > MOST_TOOLS:
                break
    return tools, cursor is not None


async def called(
    server: McpServer, name: str, arguments: Json, outside: Transport, *, timeout_s: float
) -> tuple[Sequence[Json], Any, bool]:
    """`content`, `structuredContent` and `isError` of what a tool gave. Raises `McpFault`."""
    request = types.CallToolRequest(params=types.CallToolRequestParams(name=name, arguments=arguments))
    async with _session(server, outside, timeout_s) as client:
        try:
            result = await client.session.send_request(request, types.CallToolResult)
        except MCPError as err:
            if err.code != types.HEADER_MISMATCH:
                raise
            # Arguments that stand in headers, too, are known only of tools that were listed in the same session.
            await client.session.list_tools()
            result = await client.session.send_request(request, types.CallToolResult)
        said: Json = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return said.get("content") or [], said.get("structuredContent"), said.get("isError") is True


@asynccontextmanager
async def _session(server: McpServer, outside: Transport, timeout_s: float) -> AsyncIterator[Client]:
    """A session that is over when this is left, whatever happened in it, and after `timeout_s` in any case."""
    way = Way(outside, timeout_s=timeout_s)
    http = httpx2.AsyncClient(transport=way, headers=dict(server.headers), trust_env=False, timeout=None)
    streams = streamable_http_client(server.url, http_client=http, max_sse_event_size=LARGEST_ANSWERS)
    try:
        async with asyncio.timeout(timeout_s):
            async with http, Client(streams, client_info=US, cache=None) as client:
                yield client
    except Exception as err:  # noqa: BLE001 - whatever a server makes the client raise
        raise _fault(server, way, err, timeout_s) from None  # what the client raises may quote what the server sent


def _tool(tool: types.Tool) -> ListedTool:
    hints = tool.annotations.model_dump(mode="json", by_alias=True, exclude_none=True) if tool.annotations else None
    return ListedTool(tool.name, tool.description or "", dict(tool.input_schema), hints)


def _fault(server: McpServer, way: Way, err: Exception, timeout_s: float) -> McpFault:
    said = _refusal(err)
    who = f"The MCP server '{server.label}'"
    if isinstance(err, TimeoutError):
        return _protocol(f"{who} did not answer within {timeout_s:g} s.", 0)
    if way.fault:
        return _protocol(f"{who} {way.fault}.", 0)
    if way.status:
        message = f"{who} answered with status {way.status}."
        return McpFault(message, {"type": "http_error", "code": way.status, "message": message})
    if said is not None:
        return _protocol(f"{who} refused: {server.scrubbed(said.message)[:LONGEST_REASON]}", said.code)
    return _protocol(f"{who} does not speak MCP as it should.", 0)


def _protocol(message: str, code: int) -> McpFault:
    return McpFault(message, {"type": "mcp_protocol_error", "code": code, "message": message})


def _refusal(err: BaseException) -> MCPError | None:
    """The first error that the protocol knows, however deep in groups of them."""
    if isinstance(err, MCPError):
        return err
    inner = err.exceptions if isinstance(err, BaseExceptionGroup) else ()
    return next(filter(None, map(_refusal, inner)), None)
