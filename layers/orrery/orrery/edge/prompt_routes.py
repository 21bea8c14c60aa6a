"""`/v2/prompts`: an organization's stored prompts, their versions, and which of them requests get.

Only keys with the scope `prompts` may (`stores.key_rows`); to use a prompt in a request takes none. Sources: Orq's
field trees for the shapes, its list of agents for the pages (read 2026-11-21); `publish` is ours.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from orrery.core.errors import Forbidden, GatewayError, InvalidRequest, NotFound
from orrery.core.extras import PromptRegistry
from orrery.core.prompts import Page
from orrery.core.types import Json
from orrery.edge.arrive import bearer_token, read_body, refuse_reserved
from orrery.edge.prompt_shown import shown, version_shown
from orrery.edge.replying import respond, respond_error
from orrery.edge.web import Request, Response
from orrery.flow.gateway import Gateway
from orrery.stores.key_rows import PROMPTS
from orrery.wire.body import read_json
from orrery.wire.prompt_documents import LARGEST_BYTES, read_change, read_draft

MOST_LISTED = 200
USUALLY_LISTED = 50

BESIDE_BYTES = 32 * 1024
"""What a body may have beside the prompt in it."""

type Endpoint = Callable[[Request, Gateway], Awaitable[Response]]
type Work = Callable[[Request, PromptRegistry, str], Awaitable[Json]]


def _endpoint(work: Work) -> Endpoint:
    """Whoever may, and what went wrong, are the same for all."""

    async def endpoint(request: Request, gateway: Gateway) -> Response:
        try:
            organization = await admitted(request, gateway, PROMPTS)
            return respond(request, 200, await work(request, served(gateway), organization))
        except GatewayError as err:
            return respond_error(request, err)

    return endpoint


async def admitted(request: Request, gateway: Gateway, scope: str) -> str:
    """The caller's organization. Raises `Unauthenticated`, `Forbidden`."""
    principal, fresh = await gateway.keys.find(bearer_token(request.scope["headers"]))
    refuse_reserved(request.scope["headers"])
    if not fresh:
        await gateway.keys.confirm(principal)
    if scope not in principal.scopes:
        raise Forbidden(
            f"This key may not see or change prompts: that takes one with the scope '{scope}' "
            f"(`orrery keys create --scope {scope}`)",
            code="insufficient_scope",
        )
    return principal.organization


def served(gateway: Gateway) -> PromptRegistry:
    """The registry. Raises `GatewayError` (501) where this deployment has none."""
    if gateway.extras is not None:
        return gateway.extras.prompt_registry
    err = GatewayError("This gateway stores no prompts", code="not_implemented")
    err.status = 501
    raise err


async def _create(request: Request, prompts: PromptRegistry, organization: str) -> Json:
    return shown(organization, await prompts.create(organization, read_draft(await _posted(request))))


async def _list(request: Request, prompts: PromptRegistry, organization: str) -> Json:
    found = await prompts.list(organization, _page(request))
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
    prompt, found = await prompts.versions(organization, _id(request), _page(request))
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


def _page(request: Request) -> Page:
    asked = dict(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))
    limit, after, before = asked.get("limit"), asked.get("starting_after", ""), asked.get("ending_before", "")
    if limit is not None and not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= MOST_LISTED):
        raise InvalidRequest(f"Invalid value for 'limit': expected 1 to {MOST_LISTED}.", param="limit")
    if after and before:
        raise InvalidRequest(
            "'starting_after' and 'ending_before' exclude each other: a page has one end.", param="ending_before"
        )
    return Page(int(limit) if limit else USUALLY_LISTED, after, before)


_ONE = "/v2/prompts/{id}"
_VERSION = f"{_ONE}/versions/{{version}}"

ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/v2/prompts", _endpoint(_create)),
    ("GET", "/v2/prompts", _endpoint(_list)),
    ("GET", _ONE, _endpoint(_one)),
    ("PATCH", _ONE, _endpoint(_change)),
    ("DELETE", _ONE, _endpoint(_remove)),
    ("GET", f"{_ONE}/versions", _endpoint(_versions)),
    ("GET", _VERSION, _endpoint(_version)),
    ("POST", f"{_VERSION}/publish", _endpoint(_publish)),
)
"""Method, whole path, and who answers."""
