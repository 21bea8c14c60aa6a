"""What options stand on, in memory, for the flow's tests."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orrery.core.errors import Unavailable
from orrery.core.records import Claim, Recording, Step
from orrery.flow.flights import Flights


@dataclass
class FakeRecordings:
    """Answers by organization and name; `broken` fails every call."""

    kept: dict[tuple[str, str], Recording] = field(default_factory=dict)
    ttls: list[int] = field(default_factory=list)
    broken: bool = False

    async def load(self, organization: str, name: str) -> Recording | None:
        if self.broken:
            raise Unavailable("the table is away")
        return self.kept.get((organization, name))

    async def keep(self, organization: str, name: str, recording: Recording, ttl_s: int) -> None:
        if self.broken:
            raise Unavailable("the table is away")
        self.kept[organization, name] = recording
        self.ttls.append(ttl_s)


@dataclass
class FakeClaims:
    """Claims by organization and key."""

    held: dict[tuple[str, str], tuple[str, Recording | None]] = field(default_factory=dict)
    broken: bool = False

    async def claim(self, organization: str, key: str, digest: str, *, lifetime_s: float) -> Claim:
        if self.broken:
            raise Unavailable("the table is away")
        known = self.held.get((organization, key))
        if known is None:
            self.held[organization, key] = digest, None
            return Claim("mine", token=key)
        if known[0] != digest:
            return Claim("other")
        return Claim("done", answer=known[1]) if known[1] else Claim("running", retry_after_s=7.0)

    async def complete(self, organization: str, key: str, token: str, answer: Recording) -> None:
        self.held[organization, key] = self.held[organization, key][0], answer

    async def release(self, organization: str, key: str, token: str) -> None:
        self.held.pop((organization, key), None)


class FakeDigests:
    async def digest(self, organization: str, data: bytes) -> str:
        return hashlib.sha256(organization.encode() + b"/" + data).hexdigest()


class FakeTemplates:
    async def render(self, texts: Sequence[str], values: Mapping[str, Any], engine: str) -> list[str]:
        raise AssertionError("no test of these needs an engine")


@dataclass
class FakeSteps:
    """What was left behind; `broken` fails every call."""

    added: list[Step] = field(default_factory=list)
    broken: bool = False

    async def add(self, step: Step) -> None:
        if self.broken:
            raise Unavailable("the table is away")
        self.added.append(step)


@dataclass
class FakeExtras:
    recordings: FakeRecordings = field(default_factory=FakeRecordings)
    claims: FakeClaims = field(default_factory=FakeClaims)
    digests: FakeDigests = field(default_factory=FakeDigests)
    templates: FakeTemplates = field(default_factory=FakeTemplates)
    flights: Flights = field(default_factory=Flights)
    steps: FakeSteps = field(default_factory=FakeSteps)
