"""An organization's own keys at providers, as its people change and see them: over HTTP and at the command line."""

from typing import Any

from orrery import providers
from orrery.core.credentials import Credentials, OrganizationSettings, OwnKey
from orrery.core.dialect import Provider
from orrery.core.errors import InvalidRequest
from orrery.core.ports import OwnCredentials
from orrery.core.types import Json
from orrery.edge.outside import checked
from orrery.flow.credentials import refuse_misfit
from orrery.wire.credentials import ADDRESSES, FIELDS, SECRETS, read_credentials


async def change(own: OwnCredentials, organization: str, provider: Provider, asked: Json) -> OwnKey:
    """Stores the credential in `asked`, or, where there is none, switches the one that is stored on or off.

    An address is stored with its credential only: nobody can lead a stored one elsewhere. Raises `InvalidRequest`,
    `NotFound`, `Unavailable`.
    """
    if any(asked.get(name) is not None for name in SECRETS):
        given = read_credentials(asked)
        assert given is not None
        refuse_unfit(provider, given)
        return await own.put(organization, provider.name, given, enabled=asked.get("enabled") is not False)
    lone = next((name for name in FIELDS if asked.get(name) is not None), None)
    if lone is not None:
        raise InvalidRequest(
            f"'{lone}' changes together with the credential only: send that again with it.",
            param="base_url" if lone in ADDRESSES else lone,
        )
    if asked.get("enabled") is None:
        raise InvalidRequest("Missing required parameter: 'api_key'.", param="api_key")
    return await own.enable(organization, provider.name, enabled=asked["enabled"])


def refuse_unfit(provider: Provider, given: Credentials) -> None:
    """Raises `InvalidRequest` for a credential that this provider could not be called with."""
    refuse_misfit(provider, given)
    if given.base_url:
        checked(given.base_url)


def provider_named(name: str) -> Provider:
    """The built-in provider of this name, or of another that it goes by. Raises `InvalidRequest`."""
    if provider := providers.get(name.lower()):
        return provider
    raise InvalidRequest(f"There is no provider '{name[:40]}'.", param="provider", code="unknown_model_provider")


def shown(key: OwnKey) -> dict[str, Any]:
    """A stored credential as its owner sees it: where it goes, and at most its last four characters."""
    return {
        "object": "account.provider",
        "provider": key.provider,
        "enabled": key.enabled,
        "base_url": key.base_url or None,
        "last_four": key.hint or None,
        "created_at": key.created_at,
        "updated_at": key.updated_at,
    }


def settings_of(stored: OrganizationSettings) -> dict[str, Any]:
    """What an organization decided."""
    return {
        "object": "account.settings",
        "pooled_fallback": stored.pooled_fallback,
        "keep_transcripts": stored.keeps_transcripts,
    }
