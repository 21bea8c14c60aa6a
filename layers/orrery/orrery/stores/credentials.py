"""Organizations' own credentials at providers: setting, showing and forgetting what is stored of them.

Nothing here can read a credential: they come encrypted, and go so.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from orrery.core.credentials import OrganizationSettings, OwnKey
from orrery.core.errors import NotFound
from orrery.core.types import Json
from orrery.stores.attributes import pack
from orrery.stores.credential_rows import AT, FALLBACK, entry_of, key_of, own_keys
from orrery.stores.table import ConditionFailed, Table

SET = "SET #a = :v"
FORGET = "REMOVE #a"
SWITCH = "SET #a.#on = :on, #a.#set = :now"
IS_THERE = "attribute_exists(#a)"


class CredentialStore:
    """Reads the item anew each time; `edge.credentials` keeps it for the gateway. `clock` gives epoch seconds.

    Each write may come twice. Of two that come at once, the last one stands. Every method raises `Unavailable`.
    """

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    async def read(self, organization: str) -> OrganizationSettings:
        """What is stored, read consistently."""
        return own_keys(organization, await self._table.get(key_of(organization)))

    async def put(self, key: OwnKey) -> OwnKey:
        """Stores a credential in place of what was; gives it with its instants."""
        was = (await self.read(key.organization)).keys.get(key.provider)
        now = int(self._clock())
        stamped = replace(key, created_at=was.created_at if was else now, updated_at=now)
        await self._write(key.organization, SET, {"#a": AT + key.provider}, {":v": pack(entry_of(stamped))})
        return stamped

    async def enable(self, organization: str, provider: str, *, enabled: bool) -> OwnKey:
        """Whether it is used. Raises `NotFound`."""
        names = {"#a": AT + provider, "#on": "on", "#set": "set"}
        values = {":on": pack(enabled), ":now": pack(int(self._clock()))}
        try:
            await self._write(organization, SWITCH, names, values, IS_THERE)
            return (await self.read(organization)).keys[provider]
        except (ConditionFailed, KeyError):
            raise _nothing(provider) from None

    async def remove(self, organization: str, provider: str) -> None:
        """Forgets it. Raises `NotFound`."""
        if provider not in (await self.read(organization)).keys:
            raise _nothing(provider)
        await self._write(organization, FORGET, {"#a": AT + provider}, {})

    async def allow_fallback(self, organization: str, *, allowed: bool) -> None:
        """The organization's choice."""
        await self._write(organization, SET, {"#a": FALLBACK}, {":v": pack(allowed)})

    async def _write(
        self, organization: str, update: str, names: dict[str, str], values: Json, condition: str = ""
    ) -> None:
        body: Json = {"Key": key_of(organization), "UpdateExpression": update, "ExpressionAttributeNames": names}
        if values:
            body["ExpressionAttributeValues"] = values
        if condition:
            body["ConditionExpression"] = condition
        await self._table.run("UpdateItem", body)


def _nothing(provider: str) -> NotFound:
    return NotFound(f"no credential of yours is stored for provider '{provider[:40]}'")
