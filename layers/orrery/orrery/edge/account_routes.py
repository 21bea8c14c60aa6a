"""`/account/providers` and `/account/settings`: an organization's own credentials at providers. None is ever shown.

Only keys with the scope `providers` may (`stores.key_rows`). Sources: seed 002 and Orqen's account reference for the
routes, Orbitrage's for what there is to choose; read 2026-11-21. Fields beside those are ours.
"""

from collections.abc import Awaitable, Callable

from orrery.core.errors import Forbidden, GatewayError, InvalidRequest, NotFound
from orrery.core.ports import OwnCredentials
from orrery.core.types import Json
from orrery.edge.arrive import bearer_token, read_body, refuse_reserved
from orrery.edge.own_keys import change, provider_named, settings_of, shown
from orrery.edge.replying import respond, respond_error
from orrery.edge.web import Request, Response
from orrery.flow.gateway import Gateway
from orrery.stores.key_rows import PROVIDERS
from orrery.wire.body import read_json
from orrery.wire.credentials import FIELDS
from orrery.wire.shapes import BOOLEAN, FILLED, checking, record

LARGEST_ASKED = 32 * 1024
KNOWN = FIELDS | {"provider", "enabled"}

_check_key = checking(record({}, {"provider": FILLED, "enabled": BOOLEAN}))
_check_settings = checking(record({"pooled_fallback": BOOLEAN}))

type Endpoint = Callable[[Request, Gateway], Awaitable[Response]]
type Work = Callable[[Request, OwnCredentials, str], Awaitable[Json]]


def _endpoint(work: Work) -> Endpoint:
    """Whoever may, and what went wrong, are the same for all."""

    async def endpoint(request: Request, gateway: Gateway) -> Response:
        try:
            organization = await _admit(request, gateway)
            return respond(request, 200, await work(request, served(gateway.own), organization))
        except GatewayError as err:
            return respond_error(request, err)

    return endpoint


async def _admit(request: Request, gateway: Gateway) -> str:
    """The caller's organization. Raises `Unauthenticated`, `Forbidden`."""
    principal, fresh = await gateway.keys.find(bearer_token(request.scope["headers"]))
    refuse_reserved(request.scope["headers"])
    if not fresh:
        await gateway.keys.confirm(principal)
    if PROVIDERS not in principal.scopes:
        raise Forbidden(
            f"This key may not see or change provider credentials: that takes one with the scope '{PROVIDERS}' "
            f"(`orrery keys create --scope {PROVIDERS}`)",
            code="insufficient_scope",
        )
    return principal.organization


def served(own: OwnCredentials | None) -> OwnCredentials:
    """The same. Raises `GatewayError` (501) where this deployment has nothing to encrypt with."""
    if own is not None:
        return own
    err = GatewayError(
        "This gateway stores no provider credentials (ORRERY_CREDENTIAL_KEY_ARN)", code="not_implemented"
    )
    err.status = 501
    raise err


async def _list(request: Request, own: OwnCredentials, organization: str) -> Json:
    stored = await own.read(organization)
    data = [shown(key) for key in stored.keys.values()]
    return {"object": "list", "data": data, "pooled_fallback": stored.pooled_fallback}


async def _one(request: Request, own: OwnCredentials, organization: str) -> Json:
    name = provider_named(request.path_params["provider"]).name
    key = (await own.read(organization)).keys.get(name)
    if key is None:
        raise NotFound(f"No credential of yours is stored for provider '{name}'")
    return shown(key)


async def _put(request: Request, own: OwnCredentials, organization: str) -> Json:
    asked = await _asked(request)
    name = request.path_params.get("provider") or asked.get("provider")
    if name is None:
        raise InvalidRequest("Missing required parameter: 'provider'.", param="provider")
    provider = provider_named(name)
    named = asked.get("provider")
    if named is not None and provider_named(named).name != provider.name:
        raise InvalidRequest("Invalid value for 'provider': expected the one in the URL.", param="provider")
    return shown(await change(own, organization, provider, asked))


async def _delete(request: Request, own: OwnCredentials, organization: str) -> Json:
    name = provider_named(request.path_params["provider"]).name
    await own.remove(organization, name)
    return {"object": "account.provider.deleted", "provider": name, "deleted": True}


async def _settings(request: Request, own: OwnCredentials, organization: str) -> Json:
    return settings_of(await own.read(organization))


async def _put_settings(request: Request, own: OwnCredentials, organization: str) -> Json:
    asked = read_json(await read_body(request.scope, request.receive, LARGEST_ASKED))
    _check_settings(asked)
    _refuse_unknown(asked, frozenset({"pooled_fallback"}))
    await own.allow_fallback(organization, allowed=asked["pooled_fallback"])
    return settings_of(await own.read(organization))


async def _asked(request: Request) -> Json:
    asked = read_json(await read_body(request.scope, request.receive, LARGEST_ASKED))
    _check_key(asked)
    _refuse_unknown(asked, KNOWN)
    return asked


def _refuse_unknown(asked: Json, known: frozenset[str]) -> None:
    """A key under a mistaken name must not seem to be stored."""
    for name in asked:
        if name not in known:
            raise InvalidRequest(f"Unknown parameter: '{name[:40]}'.", param=name[:40])


ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/account/providers", _endpoint(_list)),
    ("PUT", "/account/providers", _endpoint(_put)),
    ("GET", "/account/providers/{provider}", _endpoint(_one)),
    ("PUT", "/account/providers/{provider}", _endpoint(_put)),
    ("DELETE", "/account/providers/{provider}", _endpoint(_delete)),
    ("GET", "/account/settings", _endpoint(_settings)),
    ("PUT", "/account/settings", _endpoint(_put_settings)),
)
"""Method, path under a mount, and who answers."""
