"""Stored tools: what is secret in them is sealed, bound to its host, shown to nobody, and opened for requests."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from orrery.core.agents import StoredDocument
from orrery.core.errors import Conflict, GatewayError, InvalidRequest, NotFound
from orrery.core.pages import Page
from orrery.core.types import Json
from orrery.stores import stored_tools
from orrery.stores.stored_tools import OPEN_S, ToolStore
from orrery.stores.table import Table
from orrery.wire.tool_documents import read_tool, read_tool_change
from tests.stores.agenting import at_once, rows
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Faulty

A, B = "org-a", "org-b"
SECRET = "Bearer s3cr3t-t0k3n"


class Vault:
    """Turns a secret around, and opens it under the same context only."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.fail = False

    async def seal(self, secret: bytes, context: Mapping[str, str]) -> bytes:
        self.said.append("seal")
        if self.fail:
            raise GatewayError("no vault")
        return orjson.dumps([dict(context), secret.decode()[::-1]])[::-1]

    async def open(self, sealed: bytes, context: Mapping[str, str]) -> bytes:
        self.said.append("open")
        bound, turned = orjson.loads(sealed[::-1])
        if bound != dict(context):
            raise GatewayError("another context")
        return str(turned)[::-1].encode()


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def store(table: Table, clock: Clock, vault: Vault) -> ToolStore:
    return ToolStore(table, vault, clock=clock)


def http(url: str = "https://api.test/v1/{{city}}", value: str = SECRET, headers: Json | None = None) -> Json:
    given = {"Authorization": {"value": value, "encrypted": True}, "X-Plain": "plain", **(headers or {})}
    return {
        "path": "Default",
        "description": "The weather.",
        "type": "http",
        "http": {"blueprint": {"url": url, "method": "GET", "headers": given}},
    }


def function(description: str = "Adds.") -> Json:
    return {"path": "Default", "description": description, "type": "function", "function": {"name": "add"}}


def token(document: StoredDocument) -> str:
    return str(document.body["http"]["blueprint"]["headers"]["Authorization"]["value"])


def patch(**change: Any) -> Any:
    return read_tool_change("t", change)


async def test_a_tool_without_secrets_is_kept_as_it_came(store: ToolStore, vault: Vault, clock: Clock) -> None:
    made = await store.create(A, "add", function())
    assert made == await store.read(A, "add") == await store.find(A, "add")
    assert (made.id, made.key, made.body, made.created_at) == ("add", "add", function(), int(clock.now))
    assert vault.said == []


async def test_a_secret_is_opened_for_requests_and_shown_to_nobody(store: ToolStore, table: Table) -> None:
    posted = http()
    made = await store.create(A, "t", posted)
    (listed,) = (await store.list(A, Page())).data
    assert [token(each) for each in (made, await store.read(A, "t"), listed)] == ["***"] * 3
    found = await store.find(A, "t")
    assert found.body == http() == posted
    assert SECRET not in str(made) and SECRET not in repr(found)
    kept = str(await rows(table))
    for form in (SECRET, SECRET[::-1], "s3cr3t"):
        assert form not in kept and b64encode(form.encode()).decode().rstrip("=") not in kept


async def test_an_mcp_server_has_secrets_too(store: ToolStore) -> None:
    body = {
        "path": "Default",
        "description": "d",
        "type": "mcp",
        "mcp": {
            "server_url": "https://mcp.test/mcp",
            "connection_type": "http",
            "headers": {"X-Key": {"value": "k" * 20, "encrypted": True}, "X-Open": {"value": "o", "encrypted": False}},
        },
    }
    made = await store.create(A, "m", body)
    assert made.body["mcp"]["headers"] == {
        "X-Key": {"value": "***", "encrypted": True},
        "X-Open": {"value": "o", "encrypted": False},
    }
    assert (await store.find(A, "m")).body == body


async def test_an_opened_secret_is_kept_for_a_while(store: ToolStore, vault: Vault, clock: Clock) -> None:
    await store.create(A, "t", http())
    for _ in range(3):
        assert token(await store.find(A, "t")) == SECRET
    assert vault.said == ["seal", "open"]
    clock.now += OPEN_S
    await store.find(A, "t")
    assert vault.said == ["seal", "open", "open"]
    clock.now -= 10 * OPEN_S
    await store.find(A, "t")
    assert vault.said[3:] == ["open"]


async def test_no_more_opened_secrets_are_kept_than_may_be(
    store: ToolStore, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_tools, "REMEMBERED", 2)
    for name in ("a", "b", "c"):
        await store.create(A, name, http())
        await store.find(A, name)
    await store.find(A, "c")
    await store.find(A, "b")
    assert vault.said.count("open") == 3
    await store.find(A, "a")
    assert vault.said.count("open") == 4
    await store.find(A, "b")
    assert vault.said.count("open") == 4


async def test_a_changed_secret_counts_at_once(store: ToolStore, table: Table, vault: Vault) -> None:
    elsewhere = ToolStore(table, vault)
    await store.create(A, "t", http())
    assert token(await store.find(A, "t")) == SECRET
    await elsewhere.change(A, "t", patch(http=http(value="other")["http"]))
    assert token(await store.find(A, "t")) == "other"


async def test_what_is_hidden_keeps_its_value_when_it_comes_back(store: ToolStore, vault: Vault, clock: Clock) -> None:
    made = await store.create(A, "t", http())
    clock.now += 5
    assert await store.change(A, "t", patch(**made.body)) == made
    again = await store.change(A, "t", patch(**{**made.body, "description": "Rain."}))
    assert (again.body["description"], again.updated_at - made.updated_at, vault.said) == ("Rain.", 5, ["seal"])
    moved = http("https://api.test/v2?q=1", "***")["http"]
    await store.change(A, "t", patch(http=moved))
    assert token(await store.find(A, "t")) == SECRET


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/v1",
        "https://api.test.evil.test/v1",
        "https://api.test@evil.test/v1",
        "https://api.test:8443/v1",
        "https://api.test\\@evil.test/v1",
        "https://api.test?/v1",
        "https://api.test#.evil.test/",
    ],
)
async def test_a_secret_does_not_follow_to_another_host(store: ToolStore, url: str) -> None:
    before = await store.create(A, "t", http())
    with pytest.raises(InvalidRequest) as refused:
        await store.change(A, "t", patch(http=http(url, "***")["http"]))
    assert refused.value.param == "http.blueprint.headers.Authorization"
    assert await store.read(A, "t") == before
    await store.change(A, "t", patch(http=http(url, "new")["http"]))
    assert token(await store.find(A, "t")) == "new"


async def test_a_secret_that_was_never_given_is_not_kept(store: ToolStore) -> None:
    with pytest.raises(InvalidRequest):
        await store.create(A, "t", http(value="***"))
    await store.create(A, "t", http())
    other = http(value="***", headers={"X-Other": {"value": "***", "encrypted": True}})
    with pytest.raises(InvalidRequest) as refused:
        await store.change(A, "t", patch(http=other["http"]))
    assert refused.value.param == "http.blueprint.headers.X-Other"


async def test_a_sealed_value_opens_for_its_own_tool_header_and_host_only(
    store: ToolStore, table: Table, vault: Vault
) -> None:
    await store.create(A, "t", http(headers={"X-Second": {"value": "second", "encrypted": True}}))
    item = await table.get({"PK": {"S": "TOOL#org-a#t"}, "SK": {"S": "HEAD"}})
    assert item is not None

    async def opens(key: str = "t", **change: Any) -> bool:
        """Somebody who can write to the table, and cannot open anything, lays it elsewhere."""
        put = {**item, **change, "PK": f"TOOL#org-a#{key}"}
        from orrery.stores.attributes import pack_item

        await table.run("PutItem", {"Item": pack_item(put)})
        try:
            await ToolStore(table, vault).find(A, key)
        except GatewayError:
            return False
        return True

    assert await opens()
    assert not await opens("other")
    assert not await opens(doc=item["doc"].replace(b"api.test", b"evil.test"))
    more = orjson.loads(item["more"])["sealed"]
    swapped = {"Authorization": more["X-Second"], "X-Second": more["Authorization"]}
    assert not await opens(more=orjson.dumps({"sealed": swapped}))


async def test_a_secret_that_is_taken_away_is_gone(store: ToolStore, table: Table) -> None:
    await store.create(A, "t", http())
    bare = {"blueprint": {"url": "https://api.test/v1", "method": "GET"}}
    changed = await store.change(A, "t", patch(http=bare))
    assert changed.body["http"] == bare
    item = await table.get({"PK": {"S": "TOOL#org-a#t"}, "SK": {"S": "HEAD"}})
    assert item is not None and orjson.loads(item["more"]) == {"sealed": {}}
    with pytest.raises(InvalidRequest):
        await store.change(A, "t", patch(http=http(value="***")["http"]))


async def test_without_a_vault_tools_without_secrets_are_stored(store: ToolStore, vault: Vault, table: Table) -> None:
    vault.fail = True
    with pytest.raises(GatewayError):
        await store.create(A, "t", http())
    assert await rows(table) == []
    await store.create(A, "add", function())


async def test_a_key_is_taken_once_in_an_organization(store: ToolStore) -> None:
    await store.create(A, "t", function("one"))
    with pytest.raises(Conflict) as refused:
        await store.create(A, "t", function("two"))
    assert (refused.value.status, refused.value.param, refused.value.code) == (409, "key", "tool_exists")
    await store.create(B, "t", function("theirs"))
    assert [(await store.find(each, "t")).body["description"] for each in (A, B)] == ["one", "theirs"]


async def test_changes_at_once_all_count(table: Table, vault: Vault) -> None:
    store = ToolStore(quick_table(at_once(table), table.name), vault)
    await store.create(A, "t", http(value="0"))
    changes = [patch(description="d"), patch(path="p"), patch(display_name="n"), patch(http=http(value="9")["http"])]
    await asyncio.gather(*(store.change(A, "t", change) for change in changes))
    found = (await store.find(A, "t")).body
    assert (found["description"], found["path"], found["display_name"]) == ("d", "p", "n")
    assert found["http"]["blueprint"]["headers"]["Authorization"]["value"] == "9"


async def test_deleted_is_deleted(store: ToolStore, table: Table) -> None:
    await store.create(A, "t", http())
    await store.find(A, "t")
    await store.remove(A, "t")
    assert await rows(table) == []
    for work in (store.find(A, "t"), store.read(A, "t"), store.change(A, "t", patch()), store.remove(A, "t")):
        with pytest.raises(NotFound) as refused:
            await work
        assert (refused.value.message, refused.value.code) == ("Tool 't' not found", "tool_not_found")
    await store.create(A, "t", http(value="new"))
    assert token(await store.find(A, "t")) == "new"


async def test_nothing_reaches_another_organizations_tool(store: ToolStore, table: Table) -> None:
    await store.create(A, "t", http())
    await store.find(A, "t")
    before = await rows(table)
    for work in (store.find(B, "t"), store.read(B, "t"), store.change(B, "t", patch(path="p")), store.remove(B, "t")):
        with pytest.raises(NotFound) as foreign:
            await work
        assert foreign.value.message == "Tool 't' not found"
    assert (await store.list(B, Page())).data == []
    with pytest.raises(InvalidRequest):
        await store.list(B, Page(after="t"))
    assert await rows(table) == before


@pytest.mark.parametrize("fault", ["lose", "duplicate", "straggle", "drop", "throttle"])
async def test_one_fault_of_the_table_is_nobodys_business(table: Table, vault: Vault, fault: str) -> None:
    call = Faulty(table._call, [fault])
    store = ToolStore(quick_table(call, table.name), vault)
    await store.create(A, "t", http())
    call.plan = ["", fault]
    await store.change(A, "t", patch(http=http(value="two")["http"]))
    await call.arrive()
    assert token(await store.find(A, "t")) == "two"
    call.plan = ["", fault, fault]
    await store.remove(A, "t")
    await call.arrive()
    assert await rows(table) == []


def test_reading_gives_what_is_stored() -> None:
    assert read_tool({"key": "t", **http()}) == ("t", http())
