"""What the routes of agents, stored tools and memory stores have in common: who answers, and with which status."""

from collections.abc import Awaitable, Callable

from orrery.core.pages import Page
from orrery.core.registries import Registries
from orrery.core.types import Json
from orrery.edge.admission import Endpoint, guarded, not_served
from orrery.edge.arrive import read_body
from orrery.edge.paging import MOST_LISTED, page_of
from orrery.edge.web import Request, Response
from orrery.flow.gateway import Gateway
from orrery.stores.key_rows import AGENTS
from orrery.wire.agent_documents import LARGEST_BYTES
from orrery.wire.body import read_json

BESIDE_BYTES = 32 * 1024
"""What a body may have beside the document in it."""

type Work[Store] = Callable[[Request, Store, str], Awaitable[Json]]


def registries(gateway: Gateway) -> Registries:
    """Raises `GatewayError` (501) where this deployment has none."""
    if gateway.extras is None:
        raise not_served("This gateway stores no agents")
    return gateway.extras


def managed[Store](work: Work[Store], store: Callable[[Gateway], Store], *, status: int = 200) -> Endpoint:
    """An endpoint for keys with the scope `agents`. `status` is that of success; with 204 nothing is said."""
    endpoint = guarded(work, store, AGENTS)

    async def answer(request: Request, gateway: Gateway) -> Response:
        response = await endpoint(request, gateway)
        if response.status_code != 200:
            return response
        if status == 204:
            kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
            return Response(b"", 204, kept)
        response.status_code = status
        return response

    return answer


async def posted(request: Request) -> Json:
    """The body. Raises `InvalidRequest`, `TooLarge`."""
    return read_json(await read_body(request.scope, request.receive, LARGEST_BYTES + BESIDE_BYTES))


def wide_page(request: Request) -> Page:
    """As `page_of`, but as many as a page can have where nobody says how many: Orq gives all of them then."""
    page = page_of(request)
    asked = request.query_params.get("limit")
    return page if asked else Page(MOST_LISTED, page.after, page.before)
