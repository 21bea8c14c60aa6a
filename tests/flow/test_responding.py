"""Responses: turns of models and tools, events, and what is kept of them."""

import orjson
import pytest

from orrery.core.errors import NotFound, Unavailable, UpstreamError
from orrery.core.pages import Page
from orrery.core.tools import Outcome
from orrery.flow.serve import serve
from orrery.stores.table import Table
from orrery.wire.compaction import text_of
from tests.fakes import ALICE, chunk, completion, cut, json_reply, stream
from tests.flow.asking import Told, arrive, heard
from tests.flow.responding import (
    FakeTool,
    calls,
    final,
    function,
    house,
    kinds,
    read,
    refused,
    respond,
    said,
    words,
)
from tests.wire.composing import judge

CLOCK = [{"type": "orq:current_date"}]


async def test_a_whole_answer_is_a_completed_response(table: Table) -> None:
    room = house(table, completion("hello"))
    told = final(await respond(room, {"input": "hi"}))
    assert (told["status"], said(told), told["usage"]["total_tokens"]) == ("completed", "hello", 15)
    assert room.ledger.said == ["hold", "record", "settle"]


async def test_a_streamed_answer_is_the_specifications_events(table: Table) -> None:
    told = await respond(house(table, words("hel", "lo")), {"input": "hi", "stream": True})
    judge(told.payloads)
    assert said(final(told)) == "hello"


async def test_tools_run_until_the_model_has_its_answer(table: Table) -> None:
    clock = FakeTool()
    room = house(table, calls(("clock", '{"zone":"CET"}')), words("it is noon"), tools=[clock])
    told = await respond(room, {"input": "what time is it?", "tools": CLOCK, "stream": True})
    judge(told.payloads)
    resource = final(told)
    assert kinds(resource) == ["function_call", "orq:current_date", "message"]
    assert (clock.ran, said(resource)) == ([{"zone": "CET"}], "it is noon")
    asked = room.transport.body()["messages"]
    assert [(message["role"], message.get("content")) for message in asked[1:]] == [
        ("assistant", None),
        ("tool", "noon"),
    ]


async def test_streamed_and_whole_answers_come_to_the_same(table: Table) -> None:
    resources = []
    for stream_it in (True, False):
        answers = [calls(("clock", "{}")), words("noon")] if stream_it else [_whole_call(), completion("noon", 10, 5)]
        room = house(table, *answers, tools=[FakeTool()])
        told = final(await respond(room, {"input": "time?", "tools": CLOCK, "stream": stream_it}))
        resources.append(told)
    shapes = [[(item["type"], item.get("output"), item["status"]) for item in each["output"]] for each in resources]
    assert shapes[0] == shapes[1]
    assert resources[0]["usage"] == resources[1]["usage"]


def _whole_call():
    call = {"id": "c0", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}
    return completion(choices=[choice])


async def test_each_turn_is_charged_and_the_response_tells_all_of_it(table: Table) -> None:
    room = house(table, calls(("clock", "{}")), words("noon"), tools=[FakeTool()])
    resource = final(await respond(room, {"input": "time?", "tools": CLOCK, "stream": True}))
    assert list(room.ledger.settled) == ["r1", "r1t2"]
    assert resource["usage"]["input_tokens"] == sum(r.usage.prompt for r in room.ledger.settled.values()) == 20
    cost = sum(receipt.cost_nano for receipt in room.ledger.settled.values())
    assert round(resource["usage"]["total_cost"] * 1e9) == cost > 0


async def test_a_clients_function_ends_the_response_and_its_output_continues_it(table: Table) -> None:
    room = house(table, calls(("get_weather", '{"city":"Oslo"}')), words("rain"))
    first = final(await respond(room, {"input": "weather?", "tools": [function()], "stream": True}))
    assert (first["status"], kinds(first)) == ("completed", ["function_call"])
    output = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "wet"}
    again = {"previous_response_id": first["id"], "input": [output], "tools": [function()], "stream": True}
    second = final(await respond(room, again, id="r2"))
    assert said(second) == "rain"
    assert [message["role"] for message in room.transport.body()["messages"]] == ["user", "assistant", "tool"]


async def test_own_and_clients_functions_in_one_turn(table: Table) -> None:
    room = house(table, calls(("clock", "{}"), ("get_weather", "{}")), words("done"), tools=[FakeTool()])
    tools = [*CLOCK, function()]
    first = final(await respond(room, {"input": "both", "tools": tools, "stream": True}))
    assert kinds(first) == ["function_call", "function_call", "orq:current_date"]
    output = {"type": "function_call_output", "call_id": first["output"][1]["call_id"], "output": "wet"}
    again = {"previous_response_id": first["id"], "input": [output], "tools": tools, "stream": True}
    assert said(final(await respond(room, again, id="r2"))) == "done"
    tool_messages = [m["content"] for m in room.transport.body()["messages"] if m["role"] == "tool"]
    assert sorted(tool_messages) == ["noon", "wet"]


async def test_a_failure_before_the_first_word_is_an_error_and_holds_nothing(table: Table) -> None:
    room = house(table, stream(status=500))
    err = await refused(room, {"input": "hi", "stream": True})
    assert err.status == 500
    assert (room.ledger.holds, [r.cost_nano for r in room.ledger.settled.values()]) == ({}, [0])


async def test_a_failure_after_it_is_a_failed_response_that_is_kept(table: Table) -> None:
    room = house(table, stream(chunk({"content": "hel"}), cut()))
    told = await respond(room, {"input": "hi", "stream": True})
    judge(told.payloads)
    resource = final(told)
    assert (told.error, resource["status"]) == (None, "failed")
    kept = await room.extras.responses.read(ALICE.organization, resource["id"])
    assert (kept.status, said(kept.shown)) == ("failed", "hel")
    charged = room.ledger.settled["r1"]
    assert round(resource["usage"]["total_cost"] * 1e9) == charged.cost_nano > 0
    assert resource["usage"]["output_tokens"] == charged.usage.completion > 0


async def test_a_later_turn_that_fails_keeps_what_there_was(table: Table) -> None:
    room = house(table, _whole_call(), stream(status=500), tools=[FakeTool()])
    resource = final(await respond(room, {"input": "time?", "tools": CLOCK}))
    assert (resource["status"], kinds(resource)) == ("failed", ["function_call", "orq:current_date"])
    assert (await room.extras.responses.read(ALICE.organization, resource["id"])).status == "failed"


async def test_what_cannot_be_kept_has_failed_and_costs_nothing(table: Table) -> None:
    room = house(table, words("hello"))

    async def away(*_: object) -> bool:
        raise Unavailable("the table is away")

    room.extras.responses.finish = away
    told = await respond(room, {"input": "hi", "stream": True})
    judge(told.payloads)
    assert final(told)["status"] == "failed"
    assert [receipt.cost_nano for receipt in room.ledger.settled.values()] == [0]


async def test_who_leaves_finds_what_there_was(table: Table) -> None:
    room = house(table, words("hel", "lo"))
    answer = await serve("good", lambda _: read({"input": "hi", "stream": True}), await arrive(), room.gateway())
    first = await anext(answer.batches)
    await answer.batches.aclose()
    await answer.close()
    id = orjson.loads(first[0])["response"]["id"]
    assert (await room.extras.responses.read(ALICE.organization, id)).status == "cancelled"
    assert room.ledger.holds == {} and room.transport.open == 0


async def test_nothing_is_kept_where_nothing_is_to_be(table: Table) -> None:
    room = house(table, words("hello"))
    resource = final(await respond(room, {"input": "hi", "store": False, "stream": True}))
    with pytest.raises(NotFound):
        await room.extras.responses.read(ALICE.organization, resource["id"])


async def test_a_model_that_never_stops_calling_is_stopped(table: Table) -> None:
    room = house(table, *(calls(("clock", "{}"), id=f"c{n}") for n in range(40)), tools=[FakeTool()])
    told = await respond(room, {"input": "loop", "tools": CLOCK, "stream": True, "limits": {"max_iterations": 3}})
    judge(told.payloads)
    resource = final(told)
    assert (resource["status"], resource["incomplete_details"]) == ("incomplete", {"reason": "max_iterations"})
    assert len(room.transport.requests) == 3


async def test_a_cost_bound_ends_the_loop(table: Table) -> None:
    room = house(table, *(calls(("clock", "{}"), id=f"c{n}") for n in range(9)), tools=[FakeTool()])
    limits = {"max_cost": 0.000001}
    resource = final(await respond(room, {"input": "loop", "tools": CLOCK, "stream": True, "limits": limits}))
    assert resource["incomplete_details"] == {"reason": "max_cost"}
    assert len(room.transport.requests) == 1


async def test_credit_that_runs_out_between_turns_ends_the_response_as_incomplete(table: Table) -> None:
    clock = FakeTool()
    room = house(table, calls(("clock", "{}")), words("noon"), tools=[clock])

    async def spend(*_: object) -> Outcome:
        room.ledger.balance_nano = 0
        return Outcome("noon")

    clock.does = spend
    told = await respond(room, {"input": "time?", "tools": CLOCK, "stream": True})
    judge(told.payloads)
    resource = final(told)
    assert (resource["status"], resource["incomplete_details"]) == ("incomplete", {"reason": "insufficient_credits"})
    assert (await room.extras.responses.read(ALICE.organization, resource["id"])).status == "incomplete"


async def test_no_more_tools_than_allowed_are_called(table: Table) -> None:
    clock = FakeTool()
    room = house(table, calls(("clock", "{}"), ("clock", "{}")), words("fine"), tools=[clock])
    body = {"input": "loop", "tools": CLOCK, "stream": True, "max_tool_calls": 1}
    assert said(final(await respond(room, body))) == "fine"
    assert len(clock.ran) == 1


async def test_a_tool_that_fails_or_says_too_much_is_heard_in_part(table: Table) -> None:
    async def shout(*_: object) -> Outcome:
        return Outcome("x" * 10_000_000)

    room = house(table, calls(("clock", "{}")), words("ok"), tools=[FakeTool(does=shout)])
    await respond(room, {"input": "shout", "tools": CLOCK, "stream": True})
    heard = room.transport.body()["messages"][-1]["content"]
    assert 100_000 < len(heard) < 100_100 and heard.endswith("more characters are left out]")


async def test_arguments_that_are_no_object_never_reach_a_tool(table: Table) -> None:
    clock = FakeTool()
    room = house(table, calls(("clock", "[1]")), words("ok"), tools=[clock])
    resource = final(await respond(room, {"input": "x", "tools": CLOCK, "stream": True}))
    assert (clock.ran, resource["output"][1]["status"]) == ([], "failed")


async def test_what_must_be_called_must_be_called_once(table: Table) -> None:
    room = house(table, calls(("clock", "{}")), words("noon"), tools=[FakeTool()])
    await respond(room, {"input": "time?", "tools": CLOCK, "tool_choice": "required", "stream": True})
    choices = [room.transport.body(n).get("tool_choice") for n in range(2)]
    assert choices == ["required", "auto"]


async def test_a_call_that_is_not_allowed_is_not_run_and_not_shown(table: Table) -> None:
    room = house(table, calls(("get_weather", "{}")), words("sorry"))
    choice = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "other"}]}
    body = {"input": "x", "tools": [function(), function("other")], "tool_choice": choice, "stream": True}
    resource = final(await respond(room, body))
    assert (kinds(resource), said(resource)) == (["message"], "sorry")


async def test_approval_is_asked_for_and_then_the_call_runs(table: Table) -> None:
    clock = FakeTool(approval=True, hidden=True)
    clock.server_label = "s"  # type: ignore[attr-defined]
    room = house(table, calls(("clock", '{"a":1}')), words("noon"), tools=[clock])
    first = final(await respond(room, {"input": "time?", "tools": CLOCK, "stream": True}))
    assert (kinds(first), clock.ran) == (["mcp_approval_request"], [])
    answer = {"type": "mcp_approval_response", "approval_request_id": first["output"][0]["id"], "approve": True}
    again = {"previous_response_id": first["id"], "input": [answer], "tools": CLOCK, "stream": True}
    second = final(await respond(room, again, id="r2"))
    assert (clock.ran, kinds(second), said(second)) == ([{"a": 1}], ["orq:current_date", "message"], "noon")


async def test_a_key_that_was_revoked_gets_nothing(table: Table) -> None:
    room = house(table, words("hello"))
    room.keys.fresh = False
    room.keys.revoked.add(ALICE.key_id)
    assert (await refused(room, {"input": "hi", "stream": True})).status == 401
    assert room.transport.requests == []


async def test_a_summary_is_all_that_is_left_so_an_empty_one_is_an_error(table: Table) -> None:
    room = house(table, completion("all of it"), completion(" "))

    async def compact() -> Told:
        call = read({"input": "hi"}, compacts=True)
        return await heard(await serve("good", lambda _: call, await arrive(), room.gateway()))

    (made,) = (await compact()).payloads
    assert text_of(made["output"][0]) == "all of it"
    empty = await compact()
    assert isinstance(empty.error, UpstreamError) and empty.payloads == []


async def test_the_step_of_a_response_knows_it(table: Table) -> None:
    room = house(table, words("hello"))
    body = {"input": "hi", "stream": True, "thread": {"id": "t1", "tags": ["a"]}, "identity": {"id": "jane"}}
    resource = final(await respond(room, body))
    steps = await room.extras.activity.steps(ALICE.organization, "thread", "t1", Page())
    assert [stored.step.response for stored in steps.data] == [resource["id"]]
    kept = await room.extras.responses.read(ALICE.organization, resource["id"])
    assert (kept.origin.thread, kept.origin.identity) == ("t1", "jane")


async def test_the_model_may_be_one_that_has_responses_itself(table: Table) -> None:
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "hello", "annotations": []}],
    }
    usage = {
        "input_tokens": 3,
        "output_tokens": 2,
        "total_tokens": 5,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    native = {"id": "resp_x", "object": "response", "status": "completed", "output": [message], "usage": usage}
    room = house(table, json_reply(native))
    resource = final(await respond(room, {"model": "openai/gpt-4o-mini", "input": "hi"}))
    assert (said(resource), resource["usage"]["total_tokens"], resource["store"]) == ("hello", 5, True)
    assert room.transport.requests[0].url.endswith("/responses")
    assert orjson.loads(room.transport.requests[0].body)["store"] is False
