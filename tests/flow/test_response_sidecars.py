"""What agents ask besides: agents of their team, advisors, and what they remember of an entity."""

import asyncio
from typing import Any

import orjson
import pytest

from orrery.core.errors import UpstreamTimeout
from orrery.core.pages import Page
from orrery.core.tools import Outcome, Setting
from orrery.core.types import Json
from orrery.flow.responding.calling import AT_ONCE
from orrery.stores.table import Table
from tests.fakes import FakeReply, completion, in_virtual_time, json_reply
from tests.flow.agenting import BOB, ORG, House, agent_house, calling, vectors
from tests.flow.responding import CHAT, FakeTool, function, kinds, refused, said

TEAM: Json = {
    "tools": [{"type": "call_sub_agent"}, {"type": "retrieve_agents"}],
    "team_of_agents": [{"key": "helper", "role": "Counts."}],
}
MEMORIES = ("query_memory_store", "write_memory_store", "delete_memory_document", "retrieve_memory_stores")
REMEMBERS: Json = {"tools": [{"type": kind} for kind in MEMORIES], "memory_stores": ["customers"]}
ANN: Json = {"memory": {"entity_id": "ann"}}
ADVISED: Json = {"tools": [{"type": "advisor", "configuration": {"model": "mistral/mistral-small-latest"}}]}
FAULT = {"error": {"message": "no"}}


def task(key: str = "helper", text: str = "count to 3") -> FakeReply:
    return calling(("call_sub_agent", {"agent_key": key, "task": text}))


def heard(house: House, number: int = -1) -> str:
    """What a model was told of the last call."""
    content: str = house.asked(number)["messages"][-1]["content"]
    return content


async def team(table: Table, *replies: Any, **more: Any) -> House:
    house = agent_house(table, *replies)
    await house.agent("boss", instructions="Lead.", **TEAM)
    await house.agent("helper", instructions="Count.", **more)
    return house


# ---- a team


async def test_an_agent_of_the_team_does_a_part(table: Table) -> None:
    house = await team(table, task(), completion("1 2 3"), completion("it is 3"))
    told = await house.ask("how many?", agent="boss")
    assert (said(told), kinds(told)) == ("it is 3", ["function_call", "orq:call_sub_agent", "message"])
    assert (told["output"][1]["output"], heard(house)) == ("1 2 3", "1 2 3")
    assert [house.system(n) for n in range(3)] == ["Lead.", "Count.", "Lead."]
    assert house.asked(1)["messages"][-1]["content"] == "count to 3"


async def test_what_it_costs_is_charged_by_itself_and_told_with_the_whole(table: Table) -> None:
    house = await team(table, task(), completion("1 2 3", 1000, 700), completion("it is 3"))
    told = await house.ask(agent="boss")
    settled = house.room.ledger.settled
    assert set(settled) == {"r1", "r1a1", "r1t2"}
    assert settled["r1a1"].usage.prompt == 1000 and settled["r1a1"].cost_nano > settled["r1t2"].cost_nano > 0
    assert round(told["usage"]["total_cost"] * 1e9) == sum(receipt.cost_nano for receipt in settled.values())
    assert house.room.ledger.holds == {}


async def test_what_is_asked_within_is_not_kept_and_leaves_no_step(table: Table) -> None:
    house = await team(table, task(), completion("1 2 3"), completion("it is 3"))
    await house.change("helper", instructions="Count for {{name}}.")
    more: Json = {"variables": {"name": "Ann"}, "identity": {"id": "ann"}, "thread": {"id": "t1"}}
    told = await house.told(agent="boss", **more)
    assert house.system(1) == "Count for Ann."
    assert "Count for Ann." not in await house.dump_rows()
    activity, run = house.extras.activity, told.answer.exchange.arrival.trace_id
    kept = [await activity.steps(ORG, "thread", "t1", Page()), await activity.steps(ORG, "run", run, Page())]
    assert [len(steps.data) for steps in kept] == [1, 1]
    identities = [each.plan.call.options.identity for each in house.room.logged]
    assert [each and each.id for each in identities] == ["ann"] * 3  # its budgets count them all


async def test_the_requests_variables_reach_the_team_and_an_agents_own_do_not(table: Table) -> None:
    house = agent_house(table, task(), completion("x"), completion("y"))
    await house.agent("boss", instructions="{{tone}} {{name}}", variables={"tone": "loud", "name": "Bo"}, **TEAM)
    await house.agent("helper", instructions="{{tone}} {{name}}", variables={"tone": "soft", "name": "you"})
    await house.ask(agent="boss", variables={"name": "Ann"})
    assert [house.system(n) for n in range(2)] == ["loud Ann", "soft Ann"]


async def test_a_secret_reaches_the_team_and_no_row_and_no_words_of_a_model_call_it_up(table: Table) -> None:
    canary = "cAnArY-5ecret-4712"
    house = await team(table, task(text="tell {{token}}"), completion("ok"), completion("done"))
    await house.change("helper", instructions="The token is {{token}}.")
    told = await house.told(agent="boss", variables={"token": {"value": canary, "secret": True}})
    assert house.system(1) == f"The token is {canary}."
    assert house.asked(1)["messages"][-1]["content"] == "tell { {token}}"
    assert canary not in repr(told.payloads) + await house.dump()


@pytest.mark.parametrize("max_iterations", [1, 2])
async def test_two_agents_that_call_each_other_for_ever_end(table: Table, max_iterations: int) -> None:
    house = agent_house(table)
    tools = [{"type": "call_sub_agent"}]
    for key, other in (("ping", "pong"), ("pong", "ping")):
        await house.agent(key, tools=tools, team_of_agents=[{"key": other}], max_iterations=max_iterations)

    async def again() -> FakeReply:
        body = house.asked()
        (key,) = body["tools"][0]["function"]["parameters"]["properties"]["agent_key"]["enum"]
        return task(key, "again")

    house.upstream(*[again] * 300)
    told = await house.ask(agent="ping")
    assert told["incomplete_details"] == {"reason": "max_iterations"}
    turns = [sum(max_iterations ** (depth + 1) for depth in range(6))]
    assert [len(house.room.transport.requests)] == turns
    assert house.room.ledger.holds == {}


async def test_a_request_says_how_deep(table: Table) -> None:
    house = agent_house(table, task("b"), task("c"), completion("I cannot"), completion("so be it"))
    for key, other in (("a", "b"), ("b", "c"), ("c", "a")):
        await house.agent(key, tools=[{"type": "call_sub_agent"}], team_of_agents=[{"key": other}])
    told = await house.ask(agent="a", limits={"max_depth": 1})
    assert (said(told), heard(house, 2)) == (
        "so be it",
        "Error: Responses may be 1 deep within each other, and no deeper.",
    )


async def test_a_team_spends_what_is_left_of_the_bound_and_no_more(table: Table) -> None:
    house = agent_house(table, task(), task("deeper"), completion("x", 10**6, 10**6), *[completion("never")] * 9)
    await house.agent("boss", max_cost=0.001, **TEAM)
    chained: Json = {"tools": [{"type": "call_sub_agent"}], "team_of_agents": [{"key": "deeper"}]}
    await house.agent("helper", instructions="Count.", **chained)
    await house.agent("deeper", instructions="Dig.")
    told = await house.ask(agent="boss")
    assert told["incomplete_details"] == {"reason": "max_cost"}
    assert [house.system(n) for n in range(3)] == ["Be kind.", "Count.", "Dig."]
    assert len(house.room.transport.requests) == 3


async def test_a_team_that_has_spent_it_all_is_not_asked_again(table: Table) -> None:
    asked = [("call_sub_agent", {"agent_key": "helper", "task": str(number)}) for number in range(AT_ONCE + 1)]
    house = await team(table, calling(*asked), *[completion("x", 10**6, 10**6)] * len(asked))
    told = await house.ask(agent="boss", limits={"max_cost": 0.001})
    assert told["incomplete_details"] == {"reason": "max_cost"}
    assert len(house.room.transport.requests) == 1 + AT_ONCE
    assert told["output"][-1]["output"] == "Error: This response has cost what it may."


def test_an_agents_time_begins_when_it_is_asked(table: Table) -> None:
    async def slow(*_: Any) -> Outcome:
        await asyncio.sleep(50)
        return Outcome("noon")

    clock = FakeTool("current_date", does=slow)

    async def main() -> Json:
        replies = [calling(("current_date", {})), task(), calling(("retrieve_agents", {})), completion("3")]
        house = agent_house(table, *replies, completion("it is 3"), tools=(clock,))
        more = {**TEAM, "tools": [*TEAM["tools"], {"type": "current_date"}]}
        await house.agent("boss", **more)
        await house.agent("helper", max_execution_time=20, **TEAM)
        return await house.ask(agent="boss", store=False)

    told: Json = in_virtual_time(main)
    assert (said(told), told["output"][3]["output"]) == ("it is 3", "3")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("stranger", "there is no such agent in the team"),
        ("helper", "Agent 'helper' not found"),
    ],
)
async def test_an_agent_that_is_not_there_is_heard_of_and_the_turn_goes_on(
    table: Table, wanted: str, words: str
) -> None:
    house = agent_house(table, task(wanted), completion("then not"))
    await house.agent("boss", **TEAM)
    await house.agent("stranger")
    await house.agent("helper", organization=BOB.organization)
    told = await house.ask(agent="boss")
    assert (said(told), told["output"][1]["status"]) == ("then not", "failed")
    assert words in heard(house) and len(house.room.transport.requests) == 2


async def test_an_agent_that_fails_does_not_fail_who_asked(table: Table) -> None:
    house = await team(table, task(), json_reply(FAULT, 500), completion("alone then"))
    told = await house.ask(agent="boss")
    assert (told["status"], said(told), told["output"][1]["status"]) == ("completed", "alone then", "failed")


@pytest.mark.parametrize(
    ("settings", "reply", "words"),
    [
        (
            {"tools": [{"type": "current_date"}], "tool_approval_required": "all"},
            calling(("current_date", {})),
            "Error: it wants an approval, and nobody can give it here.",
        ),
        ({}, calling(("refund", {})), "Error: it wants a function that only a client could run."),
    ],
)
async def test_an_agent_that_waits_for_somebody_says_so(
    table: Table, settings: Json, reply: FakeReply, words: str
) -> None:
    house = await team(table, task(), reply, completion("alone then"), **settings)
    if not settings:
        plain = {"name": "refund", "parameters": {"type": "object", "properties": {}, "required": []}}
        await house.tool("refund", type="function", function=plain)
        await house.change("helper", settings={"tools": [{"type": "function", "key": "refund"}]})
    await house.ask(agent="boss")
    assert heard(house) == words


async def test_an_agent_that_says_nothing_says_so(table: Table) -> None:
    replies = [task(), calling(("retrieve_agents", {})), completion(""), completion("alone then")]
    house = agent_house(table, *replies)
    await house.agent("boss", **TEAM)
    await house.agent("helper", **TEAM)
    await house.ask(agent="boss")
    assert heard(house) == "Error: it said nothing."


async def test_who_is_in_the_team_can_be_asked(table: Table) -> None:
    house = await team(table, calling(("retrieve_agents", {})), completion("ok"), description="Counts things.")
    await house.ask(agent="boss")
    assert orjson.loads(heard(house)) == [{"key": "helper", "role": "Counts.", "description": "Counts things."}]


async def test_a_team_works_in_the_background_too(table: Table) -> None:
    house = await team(table, task(), completion("1 2 3"), completion("it is 3"))
    queued = await house.ask(agent="boss", background=True)
    assert await house.work()
    found = await house.extras.responses.read(ORG, queued["id"])
    assert (found.status, said(found.shown)) == ("completed", "it is 3")


# ---- an advisor


async def test_an_advisor_sees_the_conversation_and_is_heard(table: Table) -> None:
    house = agent_house(table, calling(("advisor", {"question": "how?"})), completion("slowly"), completion("ok"))
    await house.agent(**ADVISED)
    told = await house.ask("climb it")
    assert (kinds(told), heard(house)) == (["function_call", "orq:advisor", "message"], "slowly")
    assert house.asked(1)["model"] == "mistral-small-latest"
    assert "climb it" in heard(house, 1) and "how?" in heard(house, 1)
    assert set(house.room.ledger.settled) == {"r1", "r1a1", "r1t2"}


@pytest.mark.parametrize("reply", [json_reply(FAULT, 500), json_reply({"not": "a chat"}), UpstreamTimeout("gone")])
async def test_an_advisor_that_fails_does_not_fail_the_turn(table: Table, reply: Any) -> None:
    house = agent_house(table, calling(("advisor", {"question": "how?"})), reply, completion("alone then"))
    await house.agent(**ADVISED)
    told = await house.ask("climb it")
    assert (told["status"], said(told), told["output"][1]["status"]) == ("completed", "alone then", "failed")
    assert house.room.ledger.holds == {}


async def test_an_advisor_is_asked_as_often_as_its_agent_allows(table: Table) -> None:
    asked = [("advisor", {"question": text}) for text in ("a?", "b?")]
    replies = [calling(*asked), completion("so")]
    house = agent_house(table, *replies, completion("ok"))
    await house.agent(
        tools=[{"type": "advisor", "configuration": {"model": "mistral/mistral-small-latest", "max_uses": 1}}]
    )
    told = await house.ask()
    assert [item["status"] for item in told["output"] if item["type"] == "orq:advisor"] == ["completed", "failed"]


async def test_a_sidekick_reads_what_its_agent_says_in_its_agents_variables(table: Table) -> None:
    house = agent_house(table, calling(("sidekick", {"task": "sum up"})), completion("short"), completion("ok"))
    settings = {"model": "mistral/mistral-small-latest", "system_prompt": "Be {{tone}}."}
    await house.agent(variables={"tone": "dry"}, tools=[{"type": "sidekick", "configuration": settings}])
    await house.ask()
    assert house.system(1) == "Be dry."


async def test_what_a_tool_asks_is_no_template(table: Table) -> None:
    async def curious(arguments: Json, setting: Setting) -> Outcome:
        return Outcome(said(await setting.ask({"model": CHAT, "input": "tell {{token}}", "instructions": "{{token}}"})))

    clock = FakeTool("current_date", does=curious)
    replies = [calling(("current_date", {})), completion("x"), completion("ok")]
    house = agent_house(table, *replies, tools=(clock,))
    await house.agent(tools=[{"type": "current_date"}])
    await house.ask(variables={"token": "t-1"})
    assert (house.system(1), heard(house, 1)) == ("t-1", "tell {{token}}")


# ---- memory


def write(text: str = "likes tea") -> FakeReply:
    return calling(("write_memory_store", {"text": text}))


def query(text: str = "what does she like?") -> FakeReply:
    return calling(("query_memory_store", {"query": text}))


async def keeper(table: Table, *replies: Any) -> House:
    house = agent_house(table, *replies)
    for organization in (ORG, BOB.organization):
        await house.memory_store(organization=organization)
        await house.agent(organization=organization, **REMEMBERS)
    return house


async def test_memory_without_an_entity_is_refused_before_anything_is_spent(table: Table) -> None:
    house = await keeper(table)
    err = await refused(house.room, {"model": "agent/support", "input": "hi"})
    assert (err.status, err.message, house.room.ledger.said) == (400, "Memory entity ID is required", [])


async def test_what_was_written_is_found_again_by_the_same_entity(table: Table) -> None:
    house = await keeper(table, write(), vectors([1.0, 0.0]), completion("noted"))
    assert said(await house.ask("I like tea", **ANN)) == "noted"
    house.upstream(query(), vectors([1.0, 0.0]), completion("tea"))
    told = await house.ask("what do I like?", **ANN, id="r2")
    assert said(told) == "tea"
    (document,) = orjson.loads(heard(house))["documents"]
    assert (document["text"], document["score"]) == ("likes tea", 1.0)
    assert house.asked(-2)["input"] == ["what does she like?"]
    assert {"r1", "r1a1", "r1t2", "r2", "r2a1", "r2t2"} == set(house.room.ledger.settled)
    cost = sum(receipt.cost_nano for id, receipt in house.room.ledger.settled.items() if id.startswith("r2"))
    assert round(told["usage"]["total_cost"] * 1e9) == cost


@pytest.mark.parametrize(
    ("entity", "token"), [("bo", "good"), ("ann", "bob"), ("Ann", "good"), ("an", "good"), ("ann-", "good")]
)
async def test_nobody_else_finds_it(table: Table, entity: str, token: str) -> None:
    house = await keeper(table, write(), vectors([1.0, 0.0]), completion("noted"))
    await house.ask("I like tea", **ANN)
    house.upstream(query(), vectors([1.0, 0.0]), completion("nothing"))
    try:
        told = await house.ask("what do I like?", memory={"entity_id": entity}, token=token, id="r2")
    except Exception as err:  # noqa: BLE001 - what is no entity is refused, and that is well
        assert getattr(err, "status", 0) == 400
        return
    assert "tea" not in repr(house.room.transport.body()) + repr(told)


async def test_nobody_else_forgets_it(table: Table) -> None:
    house = await keeper(table, write(), vectors([1.0, 0.0]), completion("noted"))
    first = await house.ask("I like tea", **ANN)
    id = orjson.loads(first["output"][1]["output"])["id"]
    forget = calling(("delete_memory_document", {"id": id}))
    for number, who in enumerate(({"memory": {"entity_id": "bo"}}, {**ANN, "token": "bob"}, ANN)):
        house.upstream(forget, completion("well"))
        await house.ask("forget it", **who, id=f"d{number}")
        assert heard(house).startswith("Error") is (who is not ANN)
    house.upstream(query(), vectors([1.0, 0.0]), completion("nothing"))
    await house.ask("what do I like?", **ANN, id="r9")
    assert orjson.loads(heard(house))["documents"] == []


async def test_an_agent_reaches_the_stores_that_it_names_alone(table: Table) -> None:
    house = await keeper(table, calling(("query_memory_store", {"store": "secrets", "query": "all"})), completion("no"))
    await house.memory_store("secrets")
    await house.ask(**ANN)
    assert heard(house) == "Error: 'query' must be words, and 'store' one of: customers."


async def test_a_team_remembers_for_the_same_entity(table: Table) -> None:
    house = await keeper(table, task("support", "note that she likes tea"), write(), vectors([1.0, 0.0]))
    house.upstream(completion("noted"), completion("done"))
    await house.agent("boss", tools=[{"type": "call_sub_agent"}], team_of_agents=[{"key": "support"}])
    assert said(await house.ask(agent="boss", **ANN)) == "done"
    documents = await house.extras.memory_stores.documents(ORG, "customers", "ann", Page())
    assert [each.text for each in documents.data] == ["likes tea"]


async def test_a_team_without_an_entity_hears_that_one_is_missing(table: Table) -> None:
    house = await keeper(table, task("support", "note it"), completion("then not"))
    await house.agent("boss", tools=[{"type": "call_sub_agent"}], team_of_agents=[{"key": "support"}])
    assert said(await house.ask(agent="boss")) == "then not"
    assert heard(house) == "Error: Memory entity ID is required"


async def test_an_embedder_that_fails_is_heard_of_and_nothing_is_written(table: Table) -> None:
    house = await keeper(table, write(), json_reply(FAULT, 500), completion("later then"))
    told = await house.ask("I like tea", **ANN)
    assert (told["status"], said(told), told["output"][1]["status"]) == ("completed", "later then", "failed")


async def test_the_stores_can_be_asked_for(table: Table) -> None:
    house = await keeper(table, calling(("retrieve_memory_stores", {})), completion("ok"))
    await house.ask(**ANN)
    assert orjson.loads(heard(house)) == {"stores": [{"store": "customers", "description": "What we know."}]}


async def test_a_function_of_the_caller_and_an_advisor_in_one_turn(table: Table) -> None:
    both = calling(("advisor", {"question": "how?"}), ("get_weather", {}))
    house = agent_house(table, both, completion("slowly"), completion("dry"))
    await house.agent(**ADVISED)
    first = await house.ask(tools=[function()])
    assert kinds(first) == ["function_call", "function_call", "orq:advisor"]
    output = {"type": "function_call_output", "call_id": first["output"][1]["call_id"], "output": "sun"}
    second = await house.ask([output], previous_response_id=first["id"], tools=[function()], id="r2")
    assert said(second) == "dry"
    assert sorted(m["content"] for m in house.asked()["messages"] if m["role"] == "tool") == ["slowly", "sun"]
