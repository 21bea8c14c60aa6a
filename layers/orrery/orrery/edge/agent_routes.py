"""`/v2/agents`: an organization's agents, their versions, and which version each environment has.

Only keys with the scope `agents` may (`stores.key_rows`); to use an agent in a request takes none. Sources: Orq's field
trees for the shapes (read 2026-11-21); the routes of versions and environments are ours.
"""

from orrery.core.errors import InvalidRequest, NotFound
from orrery.core.registries import AgentRegistry
from orrery.core.types import Json
from orrery.edge.admission import Endpoint
from orrery.edge.agent_shown import shown, version_shown
from orrery.edge.managed import managed, posted, registries, wide_page
from orrery.edge.web import Request
from orrery.flow.gateway import Gateway
from orrery.wire.agent_documents import read_agent, read_agent_change
from orrery.wire.shapes import FILLED, checking, record

_check_pointing = checking(record({"version": FILLED}))


def served(gateway: Gateway) -> AgentRegistry:
    return registries(gateway).agent_registry


async def _create(request: Request, agents: AgentRegistry, organization: str) -> Json:
    key, document = read_agent(await posted(request))
    return shown(organization, await agents.create(organization, key, document))


async def _list(request: Request, agents: AgentRegistry, organization: str) -> Json:
    if request.query_params.get("type", "internal") != "internal":
        raise InvalidRequest("Invalid value for 'type': expected 'internal'.", param="type")
    found = await agents.list(organization, wide_page(request))
    return _listed([shown(organization, agent) for agent in found.data], more=found.more)


async def _one(request: Request, agents: AgentRegistry, organization: str) -> Json:
    return shown(organization, await agents.read(organization, _key(request)))


async def _change(request: Request, agents: AgentRegistry, organization: str) -> Json:
    patch = read_agent_change(_key(request), await posted(request))
    changed = await agents.change(organization, _key(request), patch.apply, increment=patch.increment, note=patch.note)
    return shown(organization, changed)


async def _remove(request: Request, agents: AgentRegistry, organization: str) -> Json:
    await agents.remove(organization, _key(request))
    return {}


async def _versions(request: Request, agents: AgentRegistry, organization: str) -> Json:
    found = await agents.versions(organization, _key(request), wide_page(request))
    return _listed([version_shown(_key(request), version) for version in found.data], more=found.more)


async def _version(request: Request, agents: AgentRegistry, organization: str) -> Json:
    version = await agents.version(organization, _key(request), str(request.path_params["version"]))
    return version_shown(_key(request), version)


async def _environments(request: Request, agents: AgentRegistry, organization: str) -> Json:
    found = await agents.environments(organization, _key(request))
    return _listed([{"name": name, "version": found[name]} for name in sorted(found)], more=False)


async def _environment(request: Request, agents: AgentRegistry, organization: str) -> Json:
    found = await agents.environments(organization, _key(request))
    if _name(request) not in found:
        raise NotFound(
            f"environment '{_name(request)[:80]}' not found for agent {_key(request)}",
            code="agent_environment_not_found",
        )
    return {"name": _name(request), "version": found[_name(request)]}


async def _point(request: Request, agents: AgentRegistry, organization: str) -> Json:
    body = await posted(request)
    _check_pointing(body)
    await agents.point(organization, _key(request), _name(request), body["version"])
    return {"name": _name(request), "version": body["version"]}


async def _unpoint(request: Request, agents: AgentRegistry, organization: str) -> Json:
    await agents.unpoint(organization, _key(request), _name(request))
    return {}


def _listed(data: list[Json], *, more: bool) -> Json:
    return {"object": "list", "data": data, "has_more": more}


def _key(request: Request) -> str:
    return str(request.path_params["key"])


def _name(request: Request) -> str:
    return str(request.path_params["name"])


_ONE = "/v2/agents/{key}"
_ENVIRONMENT = f"{_ONE}/environments/{{name}}"

ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/v2/agents", managed(_create, served, status=201)),
    ("GET", "/v2/agents", managed(_list, served)),
    ("GET", _ONE, managed(_one, served)),
    ("PATCH", _ONE, managed(_change, served)),
    ("DELETE", _ONE, managed(_remove, served, status=204)),
    ("GET", f"{_ONE}/versions", managed(_versions, served)),
    ("GET", f"{_ONE}/versions/{{version}}", managed(_version, served)),
    ("GET", f"{_ONE}/environments", managed(_environments, served)),
    ("GET", _ENVIRONMENT, managed(_environment, served)),
    ("PUT", _ENVIRONMENT, managed(_point, served)),
    ("DELETE", _ENVIRONMENT, managed(_unpoint, served, status=204)),
)
"""Method, whole path, and who answers."""
