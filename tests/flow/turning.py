"""One turn of a response through the flow: a call whose input is the whole context."""

from dataclasses import replace
from typing import Any

from orrery import providers
from orrery.core.dialect import Provider
from orrery.core.errors import GatewayError
from orrery.core.types import Call, Json, Operation, Principal
from orrery.flow.estimate import sized
from orrery.flow.gateway import Account
from orrery.flow.serve import provided
from orrery.flow.visit import Visit
from tests.fakes import FakeAccounts, Room
from tests.flow.asking import Told, arrive, heard

WHO = Principal("k1", "org", "wf", "user")


def turn(*items: Json, model: str = "openai/gpt-4o-mini", stream: bool = False, **body: Any) -> Call:
    asked = {"model": model, "input": list(items) or [{"role": "user", "content": "hi"}], **body}
    return sized(Call(Operation.RESPONSES, model, asked, stream, received_at=1_800_000_000))


async def take(room: Room, call: Call) -> Told:
    """The whole way of a turn."""
    return await heard(await provided(Visit(await arrive(), WHO, call, True), room.gateway()))


async def refused(room: Room, call: Call) -> GatewayError:
    """The error that a turn ends with before it began."""
    try:
        await take(room, call)
    except GatewayError as err:
        return err
    raise AssertionError("the turn was served")


class Needing(FakeAccounts):
    """Those of every test, and `needy`, whose own responses take content only where `kinds` say so."""

    def __init__(self, *kinds: str) -> None:
        super().__init__()
        self.kinds = kinds

    async def find(self, name: str) -> Account | None:
        return Account(self._needy(), "http://needy.test/v1", "k") if name == "needy" else await super().find(name)

    def _needy(self) -> Provider:
        openai = providers.get("openai")
        assert openai is not None
        adapter = replace(openai.adapters[Operation.RESPONSES], needs_bytes=lambda kind, url: kind in self.kinds)
        return replace(openai, name="needy", adapters={Operation.RESPONSES: adapter})
