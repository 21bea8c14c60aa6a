"""`/conversations`: items that several responses share. Source: OpenAI's API document 2.3.0, read 2026-11-21."""

from collections.abc import Awaitable, Callable

from orrery.core.errors import GatewayError, InvalidRequest, NotFound
from orrery.core.keeping import Conversations
from orrery.core.types import Json
from orrery.edge.arrive import read_body
from orrery.edge.replying import respond, respond_error
from orrery.edge.response_routes import items_page, no_item, principal_of
from orrery.edge.web import Request, Response
from orrery.flow.gateway import Gateway
from orrery.wire import conversations as wire
from orrery.wire.response_items import listed, shown_item

type Work = Callable[[Request, Conversations, str, int], Awaitable[Json]]
type Endpoint = Callable[[Request, Gateway], Awaitable[Response]]


def _endpoint(work: Work) -> Endpoint:
    async def endpoint(request: Request, gateway: Gateway) -> Response:
        try:
            organization = await principal_of(request, gateway)
            assert gateway.extras is not None
            most = gateway.policy.max_body_bytes
            return respond(request, 200, await work(request, gateway.extras.conversations, organization, most))
        except GatewayError as err:
            return respond_error(request, err)

    return endpoint


def _id(request: Request) -> str:
    return str(request.path_params["id"])


async def _posted(request: Request, most_bytes: int) -> bytes:
    return await read_body(request.scope, request.receive, most_bytes)


async def _create(request: Request, store: Conversations, organization: str, most: int) -> Json:
    items, metadata = wire.read_creation(await _posted(request, most))
    return wire.conversation(await store.create(organization, items, metadata))


async def _retrieve(request: Request, store: Conversations, organization: str, most: int) -> Json:
    return wire.conversation(await store.read(organization, _id(request)))


async def _change(request: Request, store: Conversations, organization: str, most: int) -> Json:
    metadata = wire.read_change(await _posted(request, most))
    return wire.conversation(await store.change(organization, _id(request), metadata))


async def _delete(request: Request, store: Conversations, organization: str, most: int) -> Json:
    await store.delete(organization, _id(request))
    return {"id": _id(request), "object": "conversation.deleted", "deleted": True}


async def _items(request: Request, store: Conversations, organization: str, most: int) -> Json:
    page, newest_first = items_page(request)
    try:
        found = await store.items(organization, _id(request), page, newest_first=newest_first)
    except InvalidRequest as err:  # other lists call their cursors otherwise
        raise no_item("after" if page.after else "before", page.after or page.before) from err
    return listed(found.data, more=found.more)


async def _add(request: Request, store: Conversations, organization: str, most: int) -> Json:
    items = wire.read_items(await _posted(request, most))
    await store.add(organization, _id(request), items)
    return listed(items, more=False)


async def _item(request: Request, store: Conversations, organization: str, most: int) -> Json:
    wanted = str(request.path_params["item"])
    context = await store.context(organization, _id(request))
    for item in context.items:
        if item.get("id") == wanted:
            return shown_item(item)
    raise NotFound(f"No item with id '{wanted[:80]}' is in this conversation.", code="not_found")


ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/conversations", _endpoint(_create)),
    ("GET", "/conversations/{id}", _endpoint(_retrieve)),
    ("POST", "/conversations/{id}", _endpoint(_change)),
    ("DELETE", "/conversations/{id}", _endpoint(_delete)),
    ("GET", "/conversations/{id}/items", _endpoint(_items)),
    ("POST", "/conversations/{id}/items", _endpoint(_add)),
    ("GET", "/conversations/{id}/items/{item}", _endpoint(_item)),
)
