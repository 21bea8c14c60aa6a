"""The memory of agents, as models use it: within one entity, and the stores that the agent names."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from orrery.core.errors import InvalidRequest, NotFound, Unavailable
from orrery.core.pages import Page
from orrery.core.tools import Outcome, Setting
from orrery.core.types import Json
from orrery.edge.embedded.engine import Engine
from orrery.stores.definition import DEFINITION
from orrery.stores.memory_stores import MemoryStoreStore
from orrery.tools import OPENERS
from orrery.tools.memories import opened
from tests.stores.books import quick_table
from tests.stores.remembering import Embedder, body

PAGE = Page()
TYPES = sorted(name for name, place in OPENERS.items() if place.startswith("memories:"))


async def nobody(asked: Json) -> Json:
    raise AssertionError("no model is asked")


def setting(entity: str = "ann", organization: str = "org-a", **more: Any) -> Setting:
    return Setting(organization, 5.0, 0.0, nobody, Embedder(), entity=entity, **more)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    engine = Engine(tmp_path_factory.mktemp("dynamodb") / "journal")
    yield engine
    engine.close()


@pytest.fixture
async def store(engine: Engine, request: pytest.FixtureRequest) -> MemoryStoreStore:
    name = f"t{abs(hash(request.node.name))}"
    engine.run("CreateTable", DEFINITION | {"TableName": name})
    made = MemoryStoreStore(quick_table(engine.call, name))
    for key in ("people", "things", "hidden"):
        await made.create("org-a", key, body(description=f"about {key}"))
    return made


def outfit(store: Any) -> Any:
    return SimpleNamespace(memories=lambda: store)


async def run(store: Any, kind: str, arguments: Json, where: Setting | None = None, **spec: Any) -> Outcome:
    where = where or setting()
    asked = {"type": f"orq:{kind}", "stores": ["people", "things"], **spec}
    (tool,) = (await opened(asked, where, outfit(store))).tools
    return await tool.run(arguments, where)


async def write(store: Any, text: str, where: Setting | None = None, to: str = "people") -> str:
    outcome = await run(store, "write_memory_store", {"store": to, "text": text}, where)
    assert not outcome.failed
    return str(json.loads(outcome.output)["id"])


async def query(store: Any, text: str, where: Setting | None = None, **spec: Any) -> list[Json]:
    outcome = await run(store, "query_memory_store", {"store": "people", "query": text}, where, **spec)
    assert not outcome.failed
    found: list[Json] = json.loads(outcome.output)["documents"]
    return found


def test_there_are_four() -> None:
    assert len(TYPES) == 4


async def test_what_is_written_is_found_and_forgotten(store: MemoryStoreStore) -> None:
    wanted = await write(store, "aaa")
    await write(store, "zzz")
    found = await query(store, "a", top_k=1)
    assert found == [{"id": wanted, "text": "aaa", "score": 1.0, "metadata": {}}]
    outcome = await run(store, "delete_memory_document", {"store": "people", "id": wanted})
    assert (outcome.failed, json.loads(outcome.output)["deleted"]) == (False, True)
    assert [each["text"] for each in await query(store, "a")] == ["zzz"]
    outcome = await run(store, "delete_memory_document", {"store": "people", "id": wanted})
    assert outcome.failed and "not found" in outcome.output


async def test_five_documents_are_given_unless_told_otherwise(store: MemoryStoreStore) -> None:
    for _ in range(7):
        await write(store, "a")
    assert len(await query(store, "a")) == 5
    assert [len(await query(store, "a", top_k=top_k)) for top_k in (2, 50)] == [2, 7]


async def test_stores_are_listed_with_what_they_are_for(store: MemoryStoreStore) -> None:
    outcome = await run(store, "retrieve_memory_stores", {})
    assert json.loads(outcome.output) == {
        "stores": [
            {"store": "people", "description": "about people"},
            {"store": "things", "description": "about things"},
        ]
    }
    await store.remove("org-a", "people")
    outcome = await run(store, "retrieve_memory_stores", {})
    assert [each["store"] for each in json.loads(outcome.output)["stores"]] == ["things"]


async def test_no_entity_and_no_organization_sees_what_another_has(store: MemoryStoreStore) -> None:
    document = await write(store, "secret")
    await store.create("org-b", "people", body())
    for where in (setting("bob"), setting(organization="org-b")):
        assert await query(store, "secret", where) == []
        outcome = await run(store, "delete_memory_document", {"store": "people", "id": document}, where)
        assert outcome.failed and "secret" not in outcome.output
    assert [each["text"] for each in await query(store, "secret")] == ["secret"]


@pytest.mark.parametrize("named", ["hidden", "", None, 7, "People", "people/../hidden"])
@pytest.mark.parametrize("kind", ["query_memory_store", "write_memory_store", "delete_memory_document"])
async def test_a_model_reaches_no_store_that_its_agent_has_not(store: MemoryStoreStore, kind: str, named: Any) -> None:
    outcome = await run(store, kind, {"store": named, "query": "a", "text": "a", "id": "a"})
    assert outcome.failed and "people, things" in outcome.output
    assert (await store.entities("org-a", "hidden", PAGE)).data == []


async def test_the_only_store_need_not_be_named(store: MemoryStoreStore) -> None:
    outcome = await run(store, "write_memory_store", {"text": "a"}, stores=["people"])
    assert not outcome.failed
    assert len(await query(store, "a")) == 1


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("query_memory_store", {"query": "  "}),
        ("query_memory_store", {"query": ["a"]}),
        ("write_memory_store", {"text": None}),
        ("write_memory_store", {"text": "x" * 16_385}),
        ("delete_memory_document", {}),
        ("delete_memory_document", {"id": "nothing"}),
    ],
)
async def test_what_a_model_says_wrong_it_hears(store: MemoryStoreStore, kind: str, arguments: Json) -> None:
    outcome = await run(store, kind, {"store": "people", **arguments})
    assert outcome.failed and outcome.output.startswith("Error: ")
    assert (await store.entities("org-a", "people", PAGE)).data == []


@pytest.mark.parametrize("kind", TYPES)
async def test_without_an_entity_there_is_no_memory(store: MemoryStoreStore, kind: str) -> None:
    for entity, message in [("", "Memory entity ID is required"), ("a b", "Invalid value for 'memory.entity_id'")]:
        with pytest.raises(InvalidRequest) as refused:
            await opened({"type": kind, "stores": ["people"]}, setting(entity), outfit(store))
        assert refused.value.message.startswith(message)
        assert (refused.value.status, refused.value.param) == (400, "memory.entity_id")


@pytest.mark.parametrize("stores", [None, [], "people", ["a b"], [7], ["a"] * 51])
async def test_a_tool_without_proper_stores_is_refused(store: MemoryStoreStore, stores: Any) -> None:
    with pytest.raises(InvalidRequest):
        await opened({"type": TYPES[0], "stores": stores}, setting(), outfit(store))


@pytest.mark.parametrize("top_k", [0, 51, "5", 2.0, True])
async def test_a_wrong_number_is_refused(store: MemoryStoreStore, top_k: Any) -> None:
    with pytest.raises(InvalidRequest):
        await opened({"type": TYPES[0], "stores": ["people"], "top_k": top_k}, setting(), outfit(store))


async def test_a_gateway_without_memories_says_so() -> None:
    with pytest.raises(InvalidRequest) as refused:
        await opened({"type": TYPES[0], "stores": ["people"]}, setting(), SimpleNamespace(memories=None))  # type: ignore[arg-type]
    assert refused.value.code == "unsupported_parameter"


class Failing:
    """Every method raises what it is told to."""

    def __init__(self, err: Exception) -> None:
        self.err = err

    def __getattr__(self, name: str) -> Any:
        async def fails(*args: Any, **more: Any) -> Any:
            raise self.err

        return fails


@pytest.mark.parametrize("err", [Unavailable("the table is away"), NotFound("gone"), TimeoutError()])
async def test_what_fails_below_is_a_failed_call_and_no_more(err: Exception) -> None:
    outcome = await run(Failing(err), "query_memory_store", {"store": "people", "query": "a"})
    assert outcome.failed and outcome.output.startswith("Error: ")


async def test_a_call_has_a_time_to_end_in() -> None:
    import asyncio

    class Slow:
        async def search(self, *args: Any, **more: Any) -> Any:
            await asyncio.Event().wait()

    where = replace(setting(), timeout_s=0.01)
    outcome = await run(Slow(), "query_memory_store", {"store": "people", "query": "a"}, where)
    assert outcome.failed and "longer than 0.01 s" in outcome.output


@pytest.mark.parametrize("kind", TYPES)
async def test_what_a_model_is_told(store: MemoryStoreStore, kind: str) -> None:
    spec = {"type": kind, "stores": ["people", "people"]}
    (tool,) = (await opened(spec, setting(), outfit(store))).tools
    assert (tool.type, tool.function["name"]) == (kind, kind.removeprefix("orq:"))
    properties = tool.function["parameters"]["properties"]
    assert set(tool.function["parameters"]["required"]) == set(properties)
    if properties:
        assert properties["store"]["enum"] == ["people"]
    call = {"call_id": "c", "name": tool.function["name"], "arguments": "{}"}
    shown = tool.shown(call, Outcome("out"))
    assert (shown["type"], shown["call_id"], shown["output"], shown["status"]) == (kind, "c", "out", "completed")
