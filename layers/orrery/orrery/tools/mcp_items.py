"""How an MCP server's tools look to models, and the items that tell a caller of them and of their calls.

Source: OpenAI's API document 2.3.0 (`MCPListTools`, `MCPToolCall`, `MCPToolCallError`, `MCPApprovalRequest`), read
2026-11-21.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from orrery.core.tools import Outcome
from orrery.core.types import Json
from orrery.tools.mcp_spec import McpServer
from orrery.wire.body import dumps

MOST_TOOLS = 128
"""Of one server, that are offered: what OpenAI takes of functions in one request."""

LONGEST_NAME = 128
"""Characters of a tool's own name. Source: MCP 2025-11-25, tool names."""

LONGEST_FUNCTION_NAME = 64
LONGEST_DESCRIPTION = 4_096
LARGEST_SCHEMA = 32 * 1024
LARGEST_SCHEMAS = 256 * 1024
"""Bytes of JSON: of one tool, and of all tools of a server."""

LONGEST_OUTPUT = 200_000
"""Characters of a result that a model hears."""

_ODD = re.compile(r"[^a-zA-Z0-9_-]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as its server lists it."""

    name: str
    description: str = field(repr=False)
    schema: Json = field(repr=False)
    annotations: Json | None = field(default=None, repr=False)

    @property
    def read_only(self) -> bool:
        return (self.annotations or {}).get("readOnlyHint") is True


@dataclass(frozen=True, slots=True)
class Listing:
    """What of a server's tools is offered: `error` says what is not, "" where all is."""

    tools: tuple[ListedTool, ...] = ()
    error: str = ""


def chosen(server: McpServer, tools: Sequence[ListedTool], *, unread: bool = False) -> Listing:
    """The tools of `server` that a request gets. `unread`: there are more than `tools`."""
    wanted: dict[str, ListedTool] = {}
    for tool in tools:
        if server.allowed.matches(tool.name, tool.read_only):
            wanted.setdefault(tool.name, tool)
    kept: list[ListedTool] = []
    size = 0
    for tool in wanted.values():
        bytes_here = len(dumps(tool.schema)) + len(dumps(tool.annotations))
        if not _fine(tool) or bytes_here > LARGEST_SCHEMA or size + bytes_here > LARGEST_SCHEMAS:
            continue
        if len(kept) == MOST_TOOLS:
            break
        size += bytes_here
        kept.append(tool)
    missing = len(wanted) - len(kept)
    if not missing and not unread:
        return Listing(tuple(kept))
    left = f"{missing} of {len(wanted)}" if missing else "Some"
    return Listing(tuple(kept), f"{left} tools are left out: too many, or too large. Name those that you need.")


def _fine(tool: ListedTool) -> bool:
    return 0 < len(tool.name) <= LONGEST_NAME and tool.name.isprintable()


def function_names(tools: Sequence[ListedTool]) -> dict[str, str]:
    """Each tool's name, as models may call it: unique, of letters, digits, `_` and `-`."""
    names: dict[str, str] = {}
    taken: set[str] = {tool.name for tool in tools if _plain(tool.name) == tool.name}
    for tool in tools:
        plain = _plain(tool.name)
        if plain != tool.name and plain in taken:
            plain = _marked(plain, tool.name)
        taken.add(plain)
        names[tool.name] = plain
    return names


def other_name(label: str, name: str, taken: Collection[str]) -> str:
    """A function's name with its server's label before it, where `taken` has the name itself."""
    if name not in taken:
        return name
    longer = _plain(f"{label}__{name}")
    return (
        longer
        if longer not in taken and len(f"{label}__{name}") <= LONGEST_FUNCTION_NAME
        else (_marked(longer, f"{label}\n{name}"))
    )


def _plain(name: str) -> str:
    return _ODD.sub("_", name)[:LONGEST_FUNCTION_NAME]


def _marked(name: str, whole: str) -> str:
    return f"{name[: LONGEST_FUNCTION_NAME - 9]}_{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def function(server: McpServer, tool: ListedTool, name: str) -> Json:
    """What a model is told of a tool. Its words are its server's: whoever names a server trusts it that far."""
    about = f"[{server.label}: {server.description}] " if server.description else ""
    return {
        "type": "function",
        "name": name,
        "description": about + _CONTROL.sub("", server.scrubbed(tool.description))[:LONGEST_DESCRIPTION],
        "parameters": tool.schema,
        "strict": False,
    }


def list_item(server: McpServer, listing: Listing) -> Json:
    """`mcp_list_tools`."""
    tools = [
        {
            "name": tool.name,
            "description": server.scrubbed(tool.description)[:LONGEST_DESCRIPTION],
            "input_schema": tool.schema,
            "annotations": tool.annotations,
        }
        for tool in listing.tools
    ]
    error = server.scrubbed(listing.error) or None
    return {"type": "mcp_list_tools", "server_label": server.label, "tools": tools, "error": error}


def call_item(server: McpServer, name: str, call: Json, outcome: Outcome) -> Json:
    """`mcp_call`. `call` has an `approval_request_id` where it was approved."""
    return {
        "type": "mcp_call",
        "server_label": server.label,
        "name": name,
        "arguments": str(call.get("arguments") or "{}"),
        "output": None if outcome.failed else outcome.output,
        "error": outcome.detail.get("error") if outcome.failed else None,
        "status": "failed" if outcome.failed else "completed",
        "approval_request_id": call.get("approval_request_id"),
    }


def approval_item(server_label: str, name: str, call: Json) -> Json:
    """`mcp_approval_request`."""
    arguments = str(call.get("arguments") or "{}")
    return {"type": "mcp_approval_request", "server_label": server_label, "name": name, "arguments": arguments}


def heard(server: McpServer, contents: Sequence[Mapping[str, Any]], structured: Any, *, failed: bool) -> Outcome:
    """What a tool gave, as a model hears it. `contents` and `structured` are those of MCP's `CallToolResult`."""
    parts = [_part(content) for content in contents]
    if structured is not None and not any(_same(content, structured) for content in contents):
        parts.append(dumps(structured).decode())
    text = server.scrubbed("\n".join(parts))
    if len(text) > LONGEST_OUTPUT:
        text = f"{text[:LONGEST_OUTPUT]}\n[{len(text) - LONGEST_OUTPUT} more characters are left out]"
    if not failed:
        return Outcome(text)
    error = {"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": text}]}
    return Outcome(text or "The tool failed without a word.", failed=True, detail={"error": error})


def _part(content: Mapping[str, Any]) -> str:
    kind = content.get("type")
    if kind == "text":
        return str(content.get("text", ""))
    if kind in ("image", "audio"):
        size = len(str(content.get("data", ""))) * 3 // 4
        return f"[{kind}: {content.get('mimeType')}, about {size} bytes, which cannot be shown here]"
    if kind == "resource_link":
        return f"[resource: {content.get('name')} at {content.get('uri')}]"
    inner = content.get("resource")
    resource: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}
    if isinstance(resource.get("text"), str):
        return str(resource["text"])
    return f"[resource: {resource.get('mimeType')} at {resource.get('uri')}, which cannot be shown here]"


def _same(content: Mapping[str, Any], structured: Any) -> bool:
    """Servers say structured content in text, too, for clients that do not read it; the official library also puts
    what is no object under `result`.
    """
    if content.get("type") != "text":
        return False
    text = str(content.get("text"))
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        said = text
    return structured in (said, {"result": said}, {"result": text})
