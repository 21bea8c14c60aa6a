"""Stored responses: read, watched, cancelled, deleted, and what was said to them.

Keys of the organization may, as they may make them. Source: OpenAI's API document 2.3.0, read 2026-11-21; Open
Responses leaves these routes to it.
"""

from typing import Any

import orjson

from orrery.core.errors import GatewayError, InvalidRequest
from orrery.core.pages import Page
from orrery.core.responses import StoredResponse
from orrery.core.types import Json
from orrery.edge.admission import not_served
from orrery.edge.answering import STREAM_HEADERS, Sending
from orrery.edge.arrive import arrive, bearer_token, refuse_reserved
from orrery.edge.replying import respond, respond_error
from orrery.edge.web import Request, Response
from orrery.flow.gateway import Gateway
from orrery.flow.responding.watching import watched
from orrery.wire import sse
from orrery.wire.composer import shown
from orrery.wire.response_items import listed

MOST_ITEMS, USUAL_ITEMS = 100, 20
"""Of a list of items. Source: OpenAI's API document 2.3.0, `limit` of input_items."""


async def principal_of(request: Request, gateway: Gateway) -> str:
    """The organization of who asks. Raises `Unauthenticated`, `Forbidden`, and 501 where nothing is stored."""
    if gateway.extras is None:
        raise not_served("This gateway stores no responses")
    principal, fresh = await gateway.keys.find(bearer_token(request.scope["headers"]))
    refuse_reserved(request.scope["headers"])
    if not fresh:
        await gateway.keys.confirm(principal)
    return principal.organization


async def _found(request: Request, gateway: Gateway) -> StoredResponse:
    organization = await principal_of(request, gateway)
    assert gateway.extras is not None
    return await gateway.extras.responses.read(organization, str(request.path_params["id"]))


async def retrieve(request: Request, gateway: Gateway) -> Response:
    """`GET /responses/{id}`: the resource; with `stream=true` the events of one in the background."""
    try:
        found = await _found(request, gateway)
        if request.query_params.get("stream", "").lower() != "true":
            return respond(request, 200, shown(found.shown, included(request)))
        if not found.events:
            raise InvalidRequest(
                "Only responses that were created with background=true can be streamed again.", param="stream"
            )
        return Watching(found, _after(request), gateway)
    except GatewayError as err:
        return respond_error(request, err)


def included(request: Request) -> list[str]:
    """`include`, as SDKs send lists in a query: repeated, with or without brackets."""
    return [*request.query_params.getlist("include"), *request.query_params.getlist("include[]")]


def _after(request: Request) -> int:
    text = request.query_params.get("starting_after")
    if text is None:
        return -1
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidRequest("Invalid value for 'starting_after': expected a whole number.", param="starting_after")
    return int(text)


async def delete(request: Request, gateway: Gateway) -> Response:
    """`DELETE /responses/{id}`: it is gone when this answers."""
    try:
        organization, id = await principal_of(request, gateway), str(request.path_params["id"])
        assert gateway.extras is not None
        await gateway.extras.responses.delete(organization, id)
        return respond(request, 200, {"id": id, "object": "response.deleted", "deleted": True})
    except GatewayError as err:
        return respond_error(request, err)


async def cancel(request: Request, gateway: Gateway) -> Response:
    """`POST /responses/{id}/cancel`: a worker that is at it stops within seconds."""
    try:
        organization, id = await principal_of(request, gateway), str(request.path_params["id"])
        assert gateway.extras is not None
        found = await gateway.extras.responses.cancel(organization, id)
        return respond(request, 200, shown(found.shown, ()))
    except GatewayError as err:
        return respond_error(request, err)


async def input_items(request: Request, gateway: Gateway) -> Response:
    """`GET /responses/{id}/input_items`: what the request itself brought, the newest first."""
    try:
        found = await _found(request, gateway)
        page, newest_first = items_page(request)
        return respond(request, 200, page_of_items(found.input, page, newest_first=newest_first))
    except GatewayError as err:
        return respond_error(request, err)


def items_page(request: Request) -> tuple[Page, bool]:
    """`limit`, `after`, `before` and `order`. Raises `InvalidRequest`."""
    query = request.query_params
    text, order = query.get("limit") or str(USUAL_ITEMS), query.get("order") or "desc"
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST_ITEMS):
        raise InvalidRequest(f"Invalid value for 'limit': expected 1 to {MOST_ITEMS}.", param="limit")
    if order not in ("asc", "desc"):
        raise InvalidRequest("Invalid value for 'order': expected 'asc' or 'desc'.", param="order")
    return Page(int(text), query.get("after") or "", query.get("before") or ""), order == "desc"


def page_of_items(items: Any, page: Page, *, newest_first: bool) -> Json:
    """A list as OpenAI has it. Raises `InvalidRequest` for a cursor that is none of its items'."""
    ordered = [*reversed(items)] if newest_first else [*items]
    places = {item["id"]: place for place, item in enumerate(ordered)}
    for name, cursor in (("after", page.after), ("before", page.before)):
        if cursor and cursor not in places:
            raise no_item(name, cursor)
    first = places[page.after] + 1 if page.after else 0
    last = places[page.before] if page.before else len(ordered)
    if page.before and not page.after:
        first = max(first, last - page.limit)
    found = ordered[first : min(last, first + page.limit)]
    more = first > 0 if page.before and not page.after else first + page.limit < last
    return listed(found, more=more)


def no_item(name: str, cursor: str) -> InvalidRequest:
    """The refusal of a cursor (`after`, `before`) that is none of a list's items."""
    return InvalidRequest(f"No item with id '{cursor[:80]}' is in this list.", param=name)


class Watching(Response):
    """A response that is made while it is sent: events from the log, then as they are written."""

    def __init__(self, found: StoredResponse, after: int, gateway: Gateway) -> None:
        self.status_code = 200
        self.background = None
        self._found, self._after, self._gateway = found, after, gateway

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        arrival = arrive(scope, self._gateway.policy.deadline_s)
        sending, found = Sending(arrival, send), self._found
        try:
            await sending.start(200, {}, STREAM_HEADERS)
            async for batch in watched(found.organization, found.id, self._after, arrival.deadline, self._gateway):
                for payload in batch:
                    await sending.body(sse.named(payload))
            await sending.body(sse.DONE)
        except GatewayError as err:
            await sending.body(sse.named(orjson.dumps(_error(err))))
        await sending.end()


def _error(err: GatewayError) -> Json:
    """An error event: nested, as Open Responses has it, with the copies that OpenAI has."""
    told = err.body()
    flat = {name: told["error"].get(name) for name in ("code", "message", "param")}
    return {"type": "error", **told, **flat}


ROUTES = (
    ("GET", "/responses/{id}", retrieve),
    ("DELETE", "/responses/{id}", delete),
    ("POST", "/responses/{id}/cancel", cancel),
    ("GET", "/responses/{id}/input_items", input_items),
)
