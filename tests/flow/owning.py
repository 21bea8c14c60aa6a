"""Organizations' own keys, in memory, for the flow's tests."""

from dataclasses import dataclass, field
from typing import Any

from orrery.core.credentials import Credentials, OrganizationSettings, OwnKey
from orrery.core.errors import BadCredential
from tests.fakes import ALICE, FakeTransport, Room

CANARY = "canary-0123456789abcdef-secret"


@dataclass
class FakeOwn:
    """What one organization stored: `off` are switched off, `broken` ones do not open."""

    keys: dict[str, Credentials]
    off: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    fallback: bool = False
    organization: str = ALICE.organization
    asked: list[str] = field(default_factory=list)

    def prepare(self, organization: str) -> None:
        self.asked.append(organization)

    async def find(self, organization: str) -> OrganizationSettings:
        if organization != self.organization:
            return OrganizationSettings()
        found = {name: OwnKey(organization, name, "v1", b"", name not in self.off) for name in self.keys}
        return OrganizationSettings(found, self.fallback)

    async def open(self, key: OwnKey) -> Credentials:
        if key.provider in self.broken:
            raise BadCredential("a stored credential of yours cannot be decrypted")
        return self.keys[key.provider]


def stored(*replies: Any, key: str = CANARY, provider: str = "openai", **more: Any) -> Room:
    """A room whose caller stored this key; `replies` are what providers answer, in turn."""
    own = FakeOwn({provider: Credentials(key)}, **more)
    return Room(transport=FakeTransport(*replies), outside=FakeTransport(*replies), own=own)
