"""Requests of agents: which version, which words, which parameters, options and tools, and how far."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from orrery.core.pages import Page
from orrery.core.tools import Outcome
from orrery.core.types import Json
from orrery.stores.table import Table
from tests.fakes import completion, in_virtual_time, json_reply
from tests.flow.agenting import BOB, ORG, agent_house, calling
from tests.flow.responding import CHAT, FakeTool, final, function, kinds, refused, respond, said, words
from tests.wire.composing import judge

DATE = {"type": "current_date"}


async def test_an_agent_answers_in_its_models_place(table: Table) -> None:
    house = agent_house(table, completion("hello"))
    await house.agent()
    told = await house.ask()
    assert (told["status"], said(told), told["model"]) == ("completed", "hello", "agent/support")
    assert (house.asked()["model"], house.system()) == ("deepseek-chat", "Be kind.")
    kept = await house.extras.responses.read(ORG, told["id"])
    assert kept.shown["model"] == "agent/support"


@pytest.mark.parametrize(
    ("named", "heard"),
    [
        ("support", "second"),
        ("support@latest", "third"),
        ("support@1.0.0", "first"),
        ("support@1.1.0", "second"),
        ("support@staging", "first"),
        ("support@production", "second"),
    ],
)
async def test_a_version_an_environment_or_the_newest(table: Table, named: str, heard: str) -> None:
    house = agent_house(table, completion())
    await house.agent(instructions="first")
    await house.change("support", "minor", instructions="second")
    await house.change("support", "major", instructions="third")
    await house.extras.agent_registry.point(ORG, "support", "staging", "1.0.0")
    await house.extras.agent_registry.point(ORG, "support", "production", "1.1.0")
    told = await house.ask(agent=named)
    assert (house.system(), told["model"]) == (heard, f"agent/{named}")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("nobody", "Agent 'nobody' not found"),
        ("support@9.9.9", "version @9.9.9 not found for agent support"),
        ("support@1", "version @1 not found for agent support"),
        ("support@staging", "version @staging not found for agent support"),
    ],
)
async def test_what_is_not_there_is_a_404_that_costs_nothing(table: Table, named: str, message: str) -> None:
    house = agent_house(table)
    await house.agent()
    err = await refused(house.room, {"model": f"agent/{named}", "input": "hi"})
    assert (err.status, err.message) == (404, message)
    assert house.room.ledger.said == []


async def test_another_organizations_agent_is_not_there(table: Table) -> None:
    house = agent_house(table)
    await house.agent()
    theirs = await refused(house.room, {"model": "agent/support", "input": "hi"}, token="bob")
    missing = await refused(house.room, {"model": "agent/nobody", "input": "hi"}, token="bob")
    assert (theirs.status, theirs.message) == (404, missing.message.replace("nobody", "support"))
    assert (theirs.code, theirs.param) == (missing.code, missing.param)


async def test_the_system_prompt_the_instructions_and_the_requests_own_stand_in_this_order(table: Table) -> None:
    house = agent_house(table, completion())
    await house.agent(system_prompt="You are Zoe.")
    await house.ask(instructions="Answer in Dutch.")
    assert house.system() == "You are Zoe.\n\nBe kind.\n\nAnswer in Dutch."


async def test_variables_have_defaults_that_requests_replace(table: Table) -> None:
    house = agent_house(table, completion(), completion())
    await house.agent(instructions="Help {{name}} of {{shop}}.", variables={"name": "you", "shop": {"value": "Acme"}})
    await house.ask()
    await house.ask("I am {{name}}", variables={"name": "Ann"}, id="r2")
    assert [house.system(n) for n in range(2)] == ["Help you of Acme.", "Help Ann of Acme."]
    assert house.asked()["messages"][-1]["content"] == "I am Ann"


@pytest.mark.parametrize(
    ("language", "template"),
    [
        ("jinja", "{% for each in names %}{{ each|upper }} {% endfor %}"),
        ("mustache", "{{#names}}{{.}} {{/names}}"),
    ],
)
async def test_its_texts_are_read_by_its_engine_whatever_a_request_brings(
    table: Table, language: str, template: str
) -> None:
    house = agent_house(table, completion(), completion())
    await house.agent(instructions=template, engine=language, variables={"names": ["ann"]})
    try:
        await house.ask()
        await house.ask(variables={"names": ["bo", "cy"]}, id="r2")
    finally:
        await house.extras.close()
    assert [house.system(n).lower().split() for n in range(2)] == [["ann"], ["bo", "cy"]]


async def test_its_parameters_hold_where_the_request_has_none(table: Table) -> None:
    house = agent_house(table, completion(), completion())
    parameters = {"temperature": 0.2, "max_tokens": 50, "stop": "END"}
    await house.agent(model={"id": CHAT, "parameters": parameters})
    await house.ask()
    await house.ask(temperature=1.5, id="r2")
    asked = [[house.asked(n).get(name) for name in ("temperature", "max_tokens", "stop")] for n in range(2)]
    assert asked == [[0.2, 50, ["END"]], [1.5, 50, ["END"]]]


async def test_a_request_that_sets_one_field_of_a_parameter_leaves_the_others(table: Table) -> None:
    house = agent_house(table, completion())
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
    await house.agent(model={"id": CHAT, "parameters": {"response_format": form, "verbosity": "low"}})
    told = await house.ask(text={"verbosity": "high", "format": None})
    assert (told["text"]["format"]["name"], told["text"]["verbosity"]) == ("answer", "high")


async def test_its_options_are_options_and_go_to_no_provider(table: Table) -> None:
    house = agent_house(table, completion("first"))
    options = {"cache": {"type": "exact_match", "ttl": 600}, "timeout": {"call_timeout": 5000}, "name": "help"}
    await house.agent(model={"id": CHAT, "parameters": options})
    answers = [await house.told(id=id, identity={"id": "ann"}) for id in ("r1", "r2")]
    assert [said(each.payloads[-1]) for each in answers] == ["first", "first"]
    assert len(house.room.transport.requests) == 1
    assert not {*options, "fallbacks"} & house.asked().keys()
    assert house.room.transport.requests[0].url.endswith("/chat/completions")


async def test_all_turns_of_the_same_question_come_from_the_cache(table: Table) -> None:
    clock = FakeTool("current_date")
    house = agent_house(table, calling(("current_date", {})), completion("noon"), tools=(clock,))
    await house.agent(model={"id": CHAT, "parameters": {"cache": {"type": "exact_match"}}}, tools=[DATE])
    answers = [await house.ask([{"role": "user", "content": "time?"}], id=id) for id in ("r1", "r2")]
    assert [said(each) for each in answers] == ["noon", "noon"]
    assert (len(house.room.transport.requests), len(clock.ran)) == (2, 2)


async def test_its_name_labels_what_it_does(table: Table) -> None:
    house = agent_house(table, completion())
    await house.agent(model={"id": CHAT, "parameters": {"name": "help"}})
    told = await house.told()
    run = told.answer.exchange.arrival.trace_id
    steps = await house.extras.activity.steps(ORG, "run", run, Page())
    assert [each.step.name for each in steps.data] == ["help"]


async def test_its_models_share_the_requests(table: Table) -> None:
    house = agent_house(table, completion(), completion())
    shared = {"type": "weight_based", "models": [{"model": "mistral/mistral-small-latest", "weight": 1}]}
    await house.agent(model={"id": CHAT, "parameters": {"load_balancer": shared}})
    own = [{"model": CHAT, "weight": 1}]
    await house.ask()
    await house.ask(load_balancer=own, id="r2")
    assert [house.asked(n)["model"] for n in range(2)] == ["mistral-small-latest", "deepseek-chat"]


async def test_a_model_that_hangs_is_given_up_after_the_agents_time(table: Table) -> None:
    house = agent_house(table, completion())
    await house.agent(model={"id": CHAT, "parameters": {"timeout": {"call_timeout": 7000}}})
    told = await house.told()
    assert told.answer.exchange.plan.call.options.call_timeout_s == 7.0
    house.upstream(completion())
    told = await house.told(timeout={"call_timeout": 3000}, id="r2")
    assert told.answer.exchange.plan.call.options.call_timeout_s == 3.0


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_its_other_models_answer_where_the_first_does_not(table: Table, status: int) -> None:
    house = agent_house(table, json_reply({"error": {"message": "no"}}, status), completion("second"))
    await house.agent(fallback_models=["mistral/mistral-small-latest"])
    assert said(await house.ask()) == "second"
    assert [house.asked(n)["model"] for n in range(2)] == ["deepseek-chat", "mistral-small-latest"]


async def test_the_requests_other_models_replace_the_agents(table: Table) -> None:
    house = agent_house(table, json_reply({"error": {"message": "no"}}, 500), completion("second"))
    await house.agent(fallback_models=["mistral/mistral-small-latest"])
    await house.ask(fallbacks=[{"model": "mistral/mistral-medium-latest"}])
    assert house.asked()["model"] == "mistral-medium-latest"


async def test_its_retries_are_made(table: Table) -> None:
    house = agent_house(table, json_reply({"error": {"message": "no"}}, 503), completion("again"))
    await house.agent(model={"id": CHAT, "retry": {"count": 1, "on_codes": [503]}})
    assert said(await house.ask()) == "again"
    assert [house.asked(n)["model"] for n in range(2)] == ["deepseek-chat"] * 2


async def test_its_tools_and_the_requests_are_offered_together(table: Table) -> None:
    house = agent_house(table, completion())
    await house.agent(tools=[DATE])
    await house.ask(tools=[function(), {"type": "orq:current_date"}])
    assert [tool["function"]["name"] for tool in house.asked()["tools"]] == ["get_weather", "current_date"]


async def test_its_hosted_tools_run_and_the_callers_functions_are_the_callers(table: Table) -> None:
    clock = FakeTool("current_date")
    house = agent_house(table, calling(("current_date", {}), ("get_weather", {})), tools=(clock,))
    await house.agent(tools=[DATE])
    told = await house.ask(tools=[function()])
    assert (len(clock.ran), kinds(told)) == (1, ["function_call", "function_call", "orq:current_date"])


@pytest.mark.parametrize(
    ("policy", "tool", "waits"),
    [
        ("all", DATE, True),
        ("respect_tool", DATE, False),
        ("respect_tool", {**DATE, "requires_approval": True}, True),
        ("none", {**DATE, "requires_approval": True}, False),
    ],
)
async def test_whether_calls_wait_for_a_word_is_the_agents_policy(
    table: Table, policy: str, tool: Json, waits: bool
) -> None:
    clock = FakeTool("current_date")
    replies = [calling(("current_date", {"zone": "CET"}))] + ([] if waits else [completion("noon")])
    house = agent_house(table, *replies, tools=(clock,))
    await house.agent(tools=[tool], tool_approval_required=policy)
    told = await house.ask()
    assert (kinds(told)[-1] == "mcp_approval_request", len(clock.ran)) == (waits, int(not waits))


@pytest.mark.parametrize("word", [True, False])
async def test_the_next_request_says_whether_a_call_may_run(table: Table, word: bool) -> None:
    clock = FakeTool("current_date")
    house = agent_house(table, calling(("current_date", {"zone": "CET"})), completion("done"), tools=(clock,))
    await house.agent(tools=[DATE], tool_approval_required="all")
    first = await house.ask()
    request = first["output"][-1]
    assert (request["name"], request["arguments"]) == ("current_date", '{"zone":"CET"}')
    answer = {"type": "mcp_approval_response", "approval_request_id": request["id"], "approve": word}
    second = await house.ask([answer], previous_response_id=first["id"], id="r2")
    assert (said(second), clock.ran) == ("done", [{"zone": "CET"}] if word else [])
    heard = house.asked()["messages"][-1]
    assert (heard["role"], heard["content"] == "noon") == ("tool", word)


async def test_an_approval_counts_once(table: Table) -> None:
    clock = FakeTool("current_date")
    replies = [calling(("current_date", {})), completion("done"), completion("again")]
    house = agent_house(table, *replies, tools=(clock,))
    await house.agent(tools=[DATE], tool_approval_required="all")
    first = await house.ask()
    id = first["output"][-1]["id"]
    answer = {"type": "mcp_approval_response", "approval_request_id": id, "approve": True}
    second = await house.ask([answer], previous_response_id=first["id"], id="r2")
    await house.ask([answer], previous_response_id=second["id"], id="r3")
    assert len(clock.ran) == 1


@pytest.mark.parametrize(
    ("settings", "limits", "reason", "turns"),
    [
        ({"max_iterations": 2}, {}, "max_iterations", 2),
        ({"max_iterations": 5}, {"max_iterations": 3}, "max_iterations", 3),
        ({"max_iterations": 2}, {"max_iterations": 9}, "max_iterations", 2),
        ({"max_cost": 0.000001}, {}, "max_cost", 1),
        ({"max_cost": 5}, {"max_cost": 0.000001}, "max_cost", 1),
    ],
)
async def test_its_bounds_end_it_and_the_requests_only_narrow_them(
    table: Table, settings: Json, limits: Json, reason: str, turns: int
) -> None:
    house = agent_house(table, *(calling(("current_date", {})) for _ in range(9)), tools=(FakeTool("current_date"),))
    await house.agent(tools=[DATE], **settings)
    told = await house.ask(limits=limits)
    assert (told["status"], told["incomplete_details"]) == ("incomplete", {"reason": reason})
    assert len(house.room.transport.requests) == turns


def test_its_time_ends_it(table: Table) -> None:
    async def hours(*_: Any) -> Outcome:
        await asyncio.sleep(50)
        return Outcome("noon")

    async def main() -> tuple[Json, int]:
        clock = FakeTool("current_date", does=hours)
        house = agent_house(table, *(calling(("current_date", {})) for _ in range(9)), tools=(clock,))
        await house.agent(tools=[DATE], max_execution_time=90)
        return await house.ask(store=False), len(house.room.transport.requests)

    ended: tuple[Json, int] = in_virtual_time(main)
    told, turns = ended
    assert (told["incomplete_details"], turns) == ({"reason": "max_execution_time"}, 2)


async def test_in_the_background_it_is_the_same_agent(table: Table) -> None:
    house = agent_house(table, calling(("current_date", {})), completion("noon"), tools=(FakeTool("current_date"),))
    await house.agent(tools=[DATE], instructions="Help {{name}}.", variables={"name": "you"})
    queued = await house.ask(background=True, variables={"name": "Ann"})
    assert (queued["status"], queued["model"], house.room.transport.requests) == ("queued", "agent/support", [])
    assert await house.work()
    found = await house.extras.responses.read(ORG, queued["id"])
    assert (found.status, said(found.shown), found.shown["model"]) == ("completed", "noon", "agent/support")
    assert house.system() == "Help Ann."


async def test_an_agent_that_went_before_its_worker_came_has_failed(table: Table) -> None:
    house = agent_house(table)
    await house.agent()
    queued = await house.ask(background=True)
    await house.extras.agent_registry.remove(ORG, "support")
    assert await house.work()
    found = await house.extras.responses.read(ORG, queued["id"])
    assert (found.status, found.shown["error"]["message"]) == ("failed", "Agent 'support' not found")


async def test_a_stream_of_an_agent_is_the_specifications_events(table: Table) -> None:
    house = agent_house(table, words("hel", "lo"))
    await house.agent()
    told = await house.told(stream=True)
    judge(told.payloads)
    assert {event["response"]["model"] for event in told.payloads if "response" in event} == {"agent/support"}


CANARY = "cAnArY-5ecret-4711"
SECRET: Json = {"variables": {"token": {"value": CANARY, "secret": True}}}


async def test_a_secret_variable_is_seen_by_the_provider_alone(table: Table) -> None:
    house = agent_house(table, calling(("current_date", {})), completion("done"), tools=(FakeTool("current_date"),))
    await house.agent(tools=[DATE], instructions="The token is {{token}}.")
    told = await house.told("use it", **SECRET)
    assert house.system() == f"The token is {CANARY}."
    assert CANARY not in repr(told.payloads) + repr(dict(told.answer.headers)) + await house.dump()
    assert told.payloads[-1]["instructions"] == "The token is ***."


@pytest.mark.parametrize("text", ["use it", "use {{token}}"])
async def test_a_secret_is_not_put_aside_for_a_worker_whether_or_not_a_text_has_it(table: Table, text: str) -> None:
    house = agent_house(table)
    await house.agent()
    err = await refused(house.room, {"model": "agent/support", "input": text, "background": True, **SECRET})
    assert (err.status, err.param, house.extras.sent.sent) == (400, "background", [])
    assert CANARY not in await house.dump()


async def test_a_stored_request_is_sent_with_its_secrets_and_tells_none(table: Table, tmp_path: Path) -> None:
    house = agent_house(table, calling(("weather", {"city": "Oslo"})), completion("rain"), keys=tmp_path)
    headers = {"Authorization": {"value": f"Bearer {CANARY}", "encrypted": True}}
    blueprint = {"url": "https://api.example.com/w/{{city}}", "method": "GET", "headers": headers}
    arguments = {"city": {"type": "string", "description": "The city."}}
    await house.tool("weather", type="http", http={"blueprint": blueprint, "arguments": arguments})
    await house.agent(tools=[{"type": "http", "key": "weather"}])
    house.outside.replies = [json_reply({"echo": CANARY, "sky": "grey"})]
    told = await house.told("weather?")
    (sent,) = house.outside.requests
    assert (sent.url, sent.headers["authorization"]) == ("https://api.example.com/w/Oslo", f"Bearer {CANARY}")
    resource = told.payloads[-1]
    assert (kinds(resource), said(resource)) == (["function_call", "orq:http", "message"], "rain")
    assert "grey" in house.asked()["messages"][-1]["content"]
    assert CANARY not in repr(told.payloads) + repr(house.asked()) + await house.dump()


async def test_a_stored_function_is_the_clients_to_answer(table: Table) -> None:
    house = agent_house(table, calling(("refund", {"order": 7})), completion("refunded"))
    told = {
        "name": "refund",
        "parameters": {"type": "object", "properties": {"order": {"type": "number"}}, "required": []},
    }
    await house.tool("refund", type="function", function=told)
    await house.agent(tools=[{"type": "function", "key": "refund"}])
    first = await house.ask("refund 7")
    assert kinds(first) == ["function_call"]
    output = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "ok"}
    assert said(await house.ask([output], previous_response_id=first["id"], id="r2")) == "refunded"


async def test_a_stored_tool_that_is_gone_or_anothers_is_a_404(table: Table) -> None:
    house = agent_house(table)
    await house.tool("refund", organization=BOB.organization, type="function", function={"name": "refund"})
    await house.agent(tools=[{"type": "function", "key": "refund"}])
    err = await refused(house.room, {"model": "agent/support", "input": "hi"})
    assert (err.status, house.room.ledger.said) == (404, [])


async def test_a_plain_model_continues_what_an_agent_said_without_its_instructions(table: Table) -> None:
    house = agent_house(table, completion("hello"), completion("bonjour"))
    await house.agent()
    first = await house.ask("greet")
    second = final(await respond(house.room, {"input": "more", "previous_response_id": first["id"]}, id="r2"))
    assert (said(second), house.system()) == ("bonjour", "")
    assert [message["content"] for message in house.asked()["messages"]] == ["greet", "hello", "more"]
