"""Who may look after an organization's own things: keys with the scope for it, and nobody else."""

from collections.abc import Awaitable, Callable, Mapping

from orrery.core.errors import Forbidden, GatewayError
from orrery.core.types import Json
from orrery.edge.arrive import bearer_token, refuse_reserved
from orrery.edge.labels import key_of
from orrery.edge.replying import respond, respond_error
from orrery.edge.web import Request, Response
from orrery.flow.gateway import Gateway

NEEDED_FOR: Mapping[str, str] = {
    "providers": "see or change provider credentials",
    "prompts": "see or change stored prompts",
    "agents": "see or change agents, stored tools and memory stores",
    "activity": "see what was asked, and by whom",
}

type Endpoint = Callable[[Request, Gateway], Awaitable[Response]]
type Work[Store] = Callable[[Request, Store, str], Awaitable[Json]]


def guarded[Store](work: Work[Store], store: Callable[[Gateway], Store], scope: str) -> Endpoint:
    """An endpoint that does `work` for the caller's organization, with what `store` finds in the gateway."""

    async def endpoint(request: Request, gateway: Gateway) -> Response:
        try:
            organization, found = await admitted(request, gateway, scope), store(gateway)
            key = key_of(request.scope["headers"]) if request.method == "POST" else ""
            if key and gateway.extras is not None:
                from orrery.edge.posting_once import posted_once

                return await posted_once(
                    request, key, organization, gateway.extras, lambda again: work(again, found, organization)
                )
            return respond(request, 200, await work(request, found, organization))
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
            f"This key may not {NEEDED_FOR[scope]}: that takes one with the scope '{scope}' "
            f"(`orrery keys create --scope {scope}`)",
            code="insufficient_scope",
        )
    return principal.organization


def not_served(what: str) -> GatewayError:
    """501: this deployment has nothing for it."""
    err = GatewayError(what, code="not_implemented")
    err.status = 501
    return err
