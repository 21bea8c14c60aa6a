"""`Idempotency-Key` where something is posted to be kept: it is made once."""

import asyncio
import itertools
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from orrery.edge.embedded.engine import Engine
from orrery.flow.gateway import Gateway
from orrery.stores.claims import ClaimStore
from orrery.stores.definition import DEFINITION
from orrery.stores.prompts import PromptStore
from orrery.stores.table import Table
from tests.edge.test_prompt_routes import LIST, PROMPT, TENANTS, app_of, engine
from tests.fakes import FakeKeys, Room
from tests.flow.remembering import FakeDigests

__all__ = ["engine"]

_numbers = itertools.count()
UNNAMED = {"display_name": "Kind", "prompt": PROMPT}


@dataclass
class Desk:
    gateway: Gateway

    async def post(self, body: Any = UNNAMED, key: str | None = "k", token: str = "alice") -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key is not None else {})
        return await self._ask("POST", headers, json=body)

    async def listed(self, token: str = "alice") -> list[str]:
        heard = await self._ask("GET", {"authorization": f"Bearer {token}", "Idempotency-Key": "k"})
        return [each["id"] for each in heard.json()["data"]]

    async def _ask(self, method: str, headers: dict[str, str], **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=app_of(self.gateway))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, LIST, headers=headers, **more)


@pytest.fixture
def at(engine: Engine) -> Desk:
    name = f"once{next(_numbers)}"
    engine.run("CreateTable", DEFINITION | {"TableName": name})
    table = Table(engine.call, name)
    extras = SimpleNamespace(prompt_registry=PromptStore(table), claims=ClaimStore(table, None), digests=FakeDigests())
    return Desk(Room(keys=FakeKeys(TENANTS), extras=extras).gateway())


async def test_what_is_posted_twice_under_a_key_is_made_once(at: Desk) -> None:
    first, second = await at.post(), await at.post()
    assert (first.status_code, second.status_code, first.json()) == (200, 200, second.json())
    assert ("idempotent-replayed" in first.headers, second.headers["idempotent-replayed"]) == (False, "true")
    assert await at.listed() == [first.json()["id"]]


async def test_without_a_key_or_under_another_one_it_is_made_again(at: Desk) -> None:
    made = [(await at.post(key=key)).json()["id"] for key in (None, None, "a", "b")]
    assert len(set(made)) == 4 == len(await at.listed())


async def test_another_body_under_the_key_is_refused(at: Desk) -> None:
    await at.post()
    heard = await at.post({**UNNAMED, "display_name": "Other"})
    assert (heard.status_code, heard.json()["error"]["code"]) == (400, "idempotency_error")


async def test_a_refusal_leaves_the_key_free(at: Desk) -> None:
    assert (await at.post({"display_name": "Kind"})).status_code == 400
    assert (await at.post()).status_code == 200


async def test_eight_at_once_make_one(at: Desk) -> None:
    heard = await asyncio.gather(*(at.post() for _ in range(8)))
    assert {each.status_code for each in heard} <= {200, 409} and len(await at.listed()) == 1
    assert all("retry-after" in each.headers for each in heard if each.status_code == 409)


async def test_the_key_of_two_organizations_is_two_keys(at: Desk) -> None:
    alice, bob = await at.post(), await at.post(token="bob")
    assert "idempotent-replayed" not in bob.headers
    assert (await at.listed(), await at.listed("bob")) == ([alice.json()["id"]], [bob.json()["id"]])


async def test_a_key_without_the_scope_claims_nothing(at: Desk) -> None:
    assert (await at.post(token="app")).status_code == 403
    assert "idempotent-replayed" not in (await at.post()).headers
