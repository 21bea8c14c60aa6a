"""`/account/providers` and `/account/settings`: an organization's own credentials at providers. None is ever shown.

Only keys with the scope `providers` may (`stores.key_rows`). Sources: seed 002 and Orqen's account reference for the
routes, Orbitrage's for what there is to choose; read 2026-11-21. Fields beside those are ours.
"""

from orrery.core.errors import InvalidRequest, NotFound
from orrery.core.ports import OwnCredentials
from orrery.core.types import Json
from orrery.edge.admission import Endpoint, guarded, not_served
from orrery.edge.arrive import read_body
from orrery.edge.own_keys import change, provider_named, settings_of, shown
from orrery.edge.web import Request
from orrery.flow.gateway import Gateway
from orrery.stores.key_rows import PROVIDERS
from orrery.wire.body import read_json
from orrery.wire.credentials import FIELDS
from orrery.wire.shapes import BOOLEAN, FILLED, checking, record

LARGEST_ASKED = 32 * 1024
KNOWN = FIELDS | {"provider", "enabled"}

_check_key = checking(record({}, {"provider": FILLED, "enabled": BOOLEAN}))
SETTINGS = frozenset({"pooled_fallback", "keep_transcripts"})
_check_settings = checking(record({}, dict.fromkeys(SETTINGS, BOOLEAN)))


def served(gateway: Gateway) -> OwnCredentials:
    """The store. Raises `GatewayError` (501) where this deployment has nothing to encrypt with."""
    if gateway.own is not None:
        return gateway.own
    raise not_served("This gateway stores no provider credentials (ORRERY_CREDENTIAL_KEY_ARN)")


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
    _refuse_unknown(asked, SETTINGS)
    fallback, kept = asked.get("pooled_fallback"), asked.get("keep_transcripts")
    if fallback is None and kept is None:
        raise InvalidRequest(
            "Missing required parameter: 'pooled_fallback' or 'keep_transcripts'.", param="pooled_fallback"
        )
    if fallback is not None:
        await own.allow_fallback(organization, allowed=fallback)
    if kept is not None:
        await own.keep_transcripts(organization, kept=kept)
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
    ("GET", "/account/providers", guarded(_list, served, PROVIDERS)),
    ("PUT", "/account/providers", guarded(_put, served, PROVIDERS)),
    ("GET", "/account/providers/{provider}", guarded(_one, served, PROVIDERS)),
    ("PUT", "/account/providers/{provider}", guarded(_put, served, PROVIDERS)),
    ("DELETE", "/account/providers/{provider}", guarded(_delete, served, PROVIDERS)),
    ("GET", "/account/settings", guarded(_settings, served, PROVIDERS)),
    ("PUT", "/account/settings", guarded(_put_settings, served, PROVIDERS)),
)
"""Method, path under a mount, and who answers."""
