"""`/v2/prompts`: an organization's stored prompts, their versions, and which of them requests get.

Only keys with the scope `prompts` may (`stores.key_rows`); to use a prompt in a request takes none. Sources: Orq's
field trees for the shapes, its list of agents for the pages (read 2026-11-21); `publish` is ours.
"""

from orrery.core.errors import NotFound
from orrery.core.extras import PromptRegistry
from orrery.core.types import Json
from orrery.edge.admission import Endpoint, guarded, not_served
from orrery.edge.arrive import read_body
from orrery.edge.paging import page_of
from orrery.edge.prompt_shown import shown, version_shown
from orrery.edge.web import Request
from orrery.flow.gateway import Gateway
from orrery.stores.key_rows import PROMPTS
from orrery.wire.body import read_json
from orrery.wire.prompt_documents import LARGEST_BYTES, read_change, read_draft

BESIDE_BYTES = 32 * 1024
"""What a body may have beside the prompt in it."""


def served(gateway: Gateway) -> PromptRegistry:
    """The registry. Raises `GatewayError` (501) where this deployment has none."""
    if gateway.extras is not None:
        return gateway.extras.prompt_registry
    raise not_served("This gateway stores no prompts")


async def _create(request: Request, prompts: PromptRegistry, organization: str) -> Json:
    return shown(organization, await prompts.create(organization, read_draft(await _posted(request))))


async def _list(request: Request, prompts: PromptRegistry, organization: str) -> Json:
    found = await prompts.list(organization, page_of(request))
    data = [shown(organization, prompt) for prompt in found.data]
    return {"object": "list", "data": data, "has_more": found.more}


async def _one(request: Request, prompts: PromptRegistry, organization: str) -> Json:
    return shown(organization, await prompts.read(organization, _id(request)))


async def _change(request: Request, prompts: PromptRegistry, organization: str) -> Json:
    change = read_change(await _posted(request))
    return shown(organization, await prompts.change(organization, _id(request), change))


async def _remove(request: Request, prompts: PromptRegistry, organization: str) -> Json:
    await prompts.remove(organization, _id(request))
    return {"_id": _id(request), "id": _id(request), "type": "prompt.deleted", "deleted": True}


async def _versions(request: Request, prompts: PromptRegistry, organization: str) -> Json:
    prompt, found = await prompts.versions(organization, _id(request), page_of(request))
    data = [version_shown(prompt, version) for version in found.data]
    return {"object": "list", "data": data, "has_more": found.more}


async def _version(request: Request, prompts: PromptRegistry, organization: str) -> Json:
    prompt = await prompts.version(organization, _id(request), _number(request))
    return version_shown(prompt, prompt.version)


async def _publish(request: Request, prompts: PromptRegistry, organization: str) -> Json:
    return shown(organization, await prompts.publish(organization, _id(request), _number(request)))


async def _posted(request: Request) -> Json:
    return read_json(await read_body(request.scope, request.receive, LARGEST_BYTES + BESIDE_BYTES))


def _id(request: Request) -> str:
    return str(request.path_params["id"])


def _number(request: Request) -> int:
    """A version's number in the URL; what is none names no version."""
    text = str(request.path_params["version"])
    if text.isascii() and text.isdigit() and len(text) <= 8:
        return int(text)
    raise NotFound(f"The prompt {_id(request)[:80]!r} has no version {text[:20]!r}.", code="prompt_not_found")


_ONE = "/v2/prompts/{id}"
_VERSION = f"{_ONE}/versions/{{version}}"

ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/v2/prompts", guarded(_create, served, PROMPTS)),
    ("GET", "/v2/prompts", guarded(_list, served, PROMPTS)),
    ("GET", _ONE, guarded(_one, served, PROMPTS)),
    ("PATCH", _ONE, guarded(_change, served, PROMPTS)),
    ("DELETE", _ONE, guarded(_remove, served, PROMPTS)),
    ("GET", f"{_ONE}/versions", guarded(_versions, served, PROMPTS)),
    ("GET", _VERSION, guarded(_version, served, PROMPTS)),
    ("POST", f"{_VERSION}/publish", guarded(_publish, served, PROMPTS)),
)
"""Method, whole path, and who answers."""
