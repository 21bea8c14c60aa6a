"""What a command works with: the open table, and the stores over it."""

import secrets

from orrery.core.errors import AwsFault
from orrery.edge.cli.place import Place, Refused
from orrery.edge.credentials import StoredCredentials
from orrery.edge.embedded.opening import OpenTable
from orrery.edge.founding import ORGANIZATION, ensure_table
from orrery.stores.agents import AgentStore
from orrery.stores.credentials import CredentialStore
from orrery.stores.keys import KeyStore
from orrery.stores.ledger import DynamoLedger
from orrery.stores.models import ModelStore
from orrery.stores.prompts import PromptStore
from orrery.stores.table import Table


class Desk:
    """One command's table. `place` says to a person where it is."""

    def __init__(self, place: Place, opened: OpenTable) -> None:
        self.place = opened.place
        self.table = place.settings.table
        self.ledger = DynamoLedger(Table(opened.call, self.table))
        self.models = ModelStore(Table(opened.call, self.table))
        self._call = opened.call
        self._place = place

    def organization(self, named: str | None) -> str:
        """The one that is named; locally there is one to fall back on. Raises `Refused`."""
        if named is None and self._place.on_aws:
            raise Refused("name the organization: --organization")
        return named or ORGANIZATION

    def own(self) -> StoredCredentials:
        """Organizations' own credentials. Raises `Refused` on AWS when the key that encrypts them is not named."""
        return StoredCredentials(CredentialStore(Table(self._call, self.table)), self._place.vault())

    def agents(self) -> AgentStore:
        """Organizations' agents."""
        return AgentStore(Table(self._call, self.table))

    def prompts(self) -> PromptStore:
        """Organizations' stored prompts."""
        return PromptStore(Table(self._call, self.table))

    def keys(self) -> KeyStore:
        """To list and revoke, which needs no pepper: this one is of no use."""
        return KeyStore(Table(self._call, self.table), {1: secrets.token_bytes(16)})

    async def key_maker(self) -> KeyStore:
        """To make keys that the gateway accepts. Raises what `Place.peppers` raises."""
        return KeyStore(Table(self._call, self.table), await self._place.peppers())

    async def ensure_table(self) -> None:
        """Makes the table where there is none. On AWS the template does that: raises `Refused` when it is missing."""
        if not self._place.on_aws:
            await ensure_table(self._call, self.table)
            return
        try:
            await self._call("DescribeTable", {"TableName": self.table})
        except AwsFault as fault:
            if fault.kind != "ResourceNotFoundException":
                raise
            message = f"there is no table {self.table!r} on {self.place}: `make deploy` makes it, --table names it"
            raise Refused(message) from fault
