"""`/v2/tools`: an organization's stored tools. What is secret in them comes in, and is never shown.

Only keys with the scope `agents` may (`stores.key_rows`); to use a tool in a request takes none. Source: Orq's field
tree of POST /v2/tools and its Python SDK for the statuses (read 2026-11-21).
"""

from orrery.core.agents import StoredDocument
from orrery.core.registries import ToolRegistry
from orrery.core.types import Json
from orrery.edge.admission import Endpoint
from orrery.edge.managed import managed, posted, registries, wide_page
from orrery.edge.prompt_shown import instant
from orrery.edge.web import Request
from orrery.flow.gateway import Gateway
from orrery.wire.tool_documents import read_tool, read_tool_change


def served(gateway: Gateway) -> ToolRegistry:
    return registries(gateway).tool_registry


async def _create(request: Request, tools: ToolRegistry, organization: str) -> Json:
    key, document = read_tool(await posted(request))
    return shown(organization, await tools.create(organization, key, document))


async def _list(request: Request, tools: ToolRegistry, organization: str) -> Json:
    found = await tools.list(organization, wide_page(request))
    return {"object": "list", "data": [shown(organization, tool) for tool in found.data], "has_more": found.more}


async def _one(request: Request, tools: ToolRegistry, organization: str) -> Json:
    return shown(organization, await tools.read(organization, _id(request)))


async def _change(request: Request, tools: ToolRegistry, organization: str) -> Json:
    change = read_tool_change(_id(request), await posted(request))
    return shown(organization, await tools.change(organization, _id(request), change))


async def _remove(request: Request, tools: ToolRegistry, organization: str) -> Json:
    await tools.remove(organization, _id(request))
    return {"_id": _id(request), "deleted": True}


def shown(organization: str, tool: StoredDocument) -> Json:
    """A tool as its owner sees it."""
    return {
        "_id": tool.id,
        "key": tool.key,
        "created_by_id": None,
        "updated_by_id": None,
        "project_id": organization,
        "workspace_id": organization,
        "created": instant(int(tool.created_at)),
        "updated": instant(int(tool.updated_at)),
        "status": "live",
        **tool.body,
    }


def _id(request: Request) -> str:
    return str(request.path_params["id"])


_ONE = "/v2/tools/{id}"

ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/v2/tools", managed(_create, served)),
    ("GET", "/v2/tools", managed(_list, served)),
    ("GET", _ONE, managed(_one, served)),
    ("PATCH", _ONE, managed(_change, served)),
    ("DELETE", _ONE, managed(_remove, served)),
)
"""Method, whole path, and who answers."""
