"""`POST /v2/agents/{key}/responses` as its clients use it: whole, streamed, put aside, and continued."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orrery.core.pages import Page
from orrery.core.types import Json
from orrery.edge.agent_responses import PATH, ROUTES
from orrery.edge.embedded.engine import Engine
from orrery.edge.web import FastAPI, Request
from orrery.stores.definition import DEFINITION
from orrery.stores.table import Table
from tests.edge.asgi import Heard, request
from tests.fakes import FakeReply, chunk, completion, cut, json_reply, stream
from tests.flow.agenting import BOB, House, agent_house, calling
from tests.flow.responding import FakeTool, calls, soon, words

_numbers = itertools.count()
DATE: Json = {"tools": [{"type": "current_date"}]}
REFUND: Json = {
    "type": "function",
    "function": {"name": "refund", "parameters": {"type": "object", "properties": {}, "required": []}},
}
CANARY = "cAnArY-5ecret-4713"
SECRET: Json = {"variables": {"token": {"value": CANARY, "secret": True}}}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(Engine(tmp_path_factory.mktemp("state") / "journal")) as engine:
        yield engine


@pytest.fixture
def table(engine: Engine) -> Table:
    name = f"invoked{next(_numbers)}"
    engine.run("CreateTable", DEFINITION | {"TableName": name})
    return Table(engine.call, name)


def app_of(house: House) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gateway = house.room.gateway()
    for method, path, endpoint in ROUTES:

        async def answer(request: Request, endpoint: Any = endpoint) -> Any:
            return await endpoint(request, gateway)

        app.add_route(path, answer, methods=[method])
    return app


def text(said: str = "hi") -> Json:
    return {"message": {"role": "user", "messageId": "m1", "parts": [{"kind": "text", "text": said}]}}


def result(id: str, value: Any) -> Json:
    return {"message": {"role": "tool", "parts": [{"kind": "tool_result", "tool_call_id": id, "result": value}]}}


async def ask(house: House, body: Any, agent: str = "support", **more: Any) -> Heard:
    return await request(app_of(house), body, path=PATH.replace("{key}", agent), **more)


def told(heard: Heard) -> list[Json]:
    """The events of a stream, each under the name that its type is."""
    assert heard.headers["content-type"].startswith("text/event-stream")
    *events, last = heard.body.decode().strip().split("\n\n")
    assert last == "data: [DONE]"
    found = []
    for each in events:
        name, data = each.split("\n", 1)
        found.append(orjson.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def spoken(house: House) -> list[str]:
    """What a provider was told after its instructions."""
    contents = [message["content"] for message in house.asked()["messages"][1:]]
    return [each if isinstance(each, str) else each[0]["text"] for each in contents]


def kinds(heard: Heard) -> list[str]:
    return [event["type"] for event in told(heard)]


async def test_an_agent_answers_in_messages_of_parts(table: Table) -> None:
    house = agent_house(table, completion("hello"))
    await house.agent(instructions="Help {{name}}.")
    heard = await ask(house, {**text(), "variables": {"name": "Ann"}})
    assert heard.status == 200 and house.system() == "Help Ann."
    answer = heard.json()
    assert answer["output"][0]["parts"] == [{"kind": "text", "text": "hello"}]
    assert (answer["output"][0]["role"], answer["finish_reason"]) == ("agent", "stop")
    assert answer["task_id"] == answer["_id"] and answer["_id"].startswith("resp_")
    assert answer["telemetry"] == {
        "trace_id": heard.headers["x-orq-trace-id"],
        "span_id": heard.headers["x-request-id"],
    }
    assert (answer["usage"]["total_tokens"], answer["model"]) == (15, "agent/support")


async def test_a_task_is_continued_by_its_id(table: Table) -> None:
    house = agent_house(table, completion("hello"), completion("again"), completion("third"))
    await house.agent()
    task = ""
    for said in ("one", "two", "three"):
        body = {**text(said), **({"task_id": task} if task else {})}
        task = (await ask(house, body)).json()["task_id"]
    assert spoken(house) == ["one", "hello", "two", "again", "three"]


async def test_a_conversation_is_shared_by_its_requests(table: Table) -> None:
    house = agent_house(table, completion("hello"), completion("again"))
    await house.agent()
    conversation = await house.extras.conversations.create("org-alice", [], {})
    for said in ("one", "two"):
        await ask(house, {**text(said), "conversation": {"_id": conversation.id}})
    assert spoken(house) == ["one", "hello", "two"]


async def test_pending_calls_are_answered_by_results(table: Table) -> None:
    house = agent_house(table, calling(("refund", {"order": 7})), completion("refunded"))
    await house.tool("refund", **REFUND)
    await house.agent(tools=[{"type": "function", "key": "refund"}])
    first = (await ask(house, text())).json()
    (call,) = first["pending_tool_calls"]
    assert (first["finish_reason"], call["function"]) == ("tool_calls", {"name": "refund", "arguments": '{"order":7}'})
    second = (await ask(house, {**result(call["id"], {"ok": True}), "task_id": first["task_id"]})).json()
    assert second["output"][0]["parts"][0]["text"] == "refunded"
    assert house.asked()["messages"][-1]["content"] == '{"ok":true}'


@pytest.mark.parametrize("word", ["approved", "rejected"])
async def test_a_call_that_waits_gets_its_word(table: Table, word: str) -> None:
    clock = FakeTool("current_date")
    house = agent_house(table, calling(("current_date", {})), completion("done"), tools=(clock,))
    await house.agent(**DATE, tool_approval_required="all")
    first = (await ask(house, text())).json()
    (call,) = first["pending_tool_calls"]
    heard = await ask(house, {**result(call["id"], word), "task_id": first["task_id"]})
    assert (heard.status, len(clock.ran)) == (200, int(word == "approved"))
    assert heard.json()["output"][-1]["parts"] == [{"kind": "text", "text": "done"}]


async def test_a_stream_has_the_routes_own_events(table: Table) -> None:
    replies = [calls(("current_date", '{"zone":"CET"}')), words("it is", " noon")]
    house = agent_house(table, *replies, tools=(FakeTool("current_date"),))
    await house.agent(**DATE)
    heard = await ask(house, {**text(), "stream": True})
    events = told(heard)
    assert [event["type"] for event in events] == [
        *("response.started", "tool.started", "tool.done"),
        *("part.delta", "part.delta", "part.done", "response.done"),
    ]
    deltas = "".join(event["data"]["delta"]["text"] for event in events if event["type"] == "part.delta")
    assert deltas == events[-2]["data"]["part"]["text"] == "it is noon"
    assert events[0]["data"]["userMessageId"] == "m1"
    assert (events[2]["data"]["result"], events[-1]["data"]["finishReason"]) == ("noon", "stop")
    assert len({event["data"]["partId"] for event in events if "part" in event["type"]}) == 1


async def test_a_streamed_task_is_continued_by_the_id_that_its_start_told(table: Table) -> None:
    house = agent_house(table, words("hello"), completion("again"))
    await house.agent()
    task = told(await ask(house, {**text("one"), "stream": True}))[0]["data"]["taskId"]
    assert (await ask(house, {**text("two"), "task_id": task})).status == 200
    assert spoken(house) == ["one", "hello", "two"]


async def test_a_review_is_asked_for_in_a_stream(table: Table) -> None:
    house = agent_house(table, calls(("current_date", "{}")), words("done"), tools=(FakeTool("current_date"),))
    await house.agent(**DATE, tool_approval_required="all")
    events = told(await ask(house, {**text(), "stream": True}))
    asked, last = events[1], events[-1]
    assert (asked["type"], last["data"]["finishReason"]) == ("tool.review.requested", "tool_calls")
    assert [call["id"] for call in last["data"]["pendingToolCalls"]] == [asked["data"]["toolCallId"]]
    again = {**result(asked["data"]["toolCallId"], "approved"), "task_id": events[0]["data"]["taskId"], "stream": True}
    assert kinds(await ask(house, again))[1:4] == ["tool.review.done", "tool.started", "tool.done"]


async def test_a_stream_that_breaks_off_has_failed(table: Table) -> None:
    house = agent_house(table, stream(chunk({"content": "hel"}), cut()))
    await house.agent()
    events = told(await ask(house, {**text(), "stream": True}))
    assert events[-1]["type"] == "response.failed" and events[-1]["data"]["code"] == 502
    assert "partId" in events[1]["data"]


async def test_a_background_stream_that_takes_too_long_has_failed_for_who_listens(table: Table) -> None:
    house = agent_house(table)
    house.room.policy = replace(house.room.policy, deadline_s=0.1)
    await house.agent()
    (last,) = told(await ask(house, {**text(), "background": True, "stream": True}))
    assert (last["type"], last["data"]["code"]) == ("response.failed", 504)
    assert "starting_after" in last["data"]["error"]


async def test_a_later_turn_that_fails_is_an_error_part(table: Table) -> None:
    replies: list[FakeReply] = [calling(("current_date", {})), json_reply({"error": {"message": "no"}}, 500)]
    house = agent_house(table, *replies, tools=(FakeTool("current_date"),))
    await house.agent(**DATE)
    answer = (await ask(house, text())).json()
    assert answer["output"][-1]["parts"][0]["kind"] == "error" and "finish_reason" not in answer


@pytest.mark.parametrize("streamed", [False, True])
async def test_in_the_background_it_is_accepted_at_once_and_worked_on_later(table: Table, streamed: bool) -> None:
    house = agent_house(table, words("hello") if streamed else completion("hello"))
    await house.agent(instructions="Help {{name}}.")
    body = {**text(), "background": True, "variables": {"name": "Ann"}, "stream": streamed}
    asking = asyncio.ensure_future(ask(house, body))
    await soon(lambda: bool(house.extras.sent.sent))
    if not streamed:
        answer = (await asking).json()
        assert (answer["output"], answer["usage"], "finish_reason" in answer) == ([], None, False)
        assert house.room.transport.requests == []
    assert await house.work()
    assert house.system() == "Help Ann."
    if streamed:
        assert kinds(await asking)[-1] == "response.done"
    else:
        found = await house.extras.responses.read("org-alice", answer["_id"])
        assert found.status == "completed"


async def test_a_background_task_continues_another(table: Table) -> None:
    house = agent_house(table, completion("hello"), completion("again"))
    await house.agent()
    task = (await ask(house, text("one"))).json()["task_id"]
    await ask(house, {**text("two"), "background": True, "task_id": task})
    assert await house.work()
    assert spoken(house) == ["one", "hello", "two"]


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({**text(), "task_id": "resp_nope"}, 404, "previous_response_id"),
        ({**text(), "conversation": {"_id": "conv_nope"}}, 404, None),
        ({"message": {"role": "user"}}, 400, "message.parts"),
        (result("c1", "ok"), 400, "input"),
        (b"{", 400, None),
        ({**text(), **SECRET, "background": True}, 400, "background"),
    ],
)
async def test_what_cannot_be_is_refused_in_the_gateways_own_shape(
    table: Table, body: Any, status: int, param: str | None
) -> None:
    house = agent_house(table)
    await house.agent()
    heard = await ask(house, body)
    assert heard.status == status
    error = heard.json()["error"]
    assert param is None or error["param"] == param
    assert house.room.ledger.said == []


async def test_who_may_not_gets_nothing(table: Table) -> None:
    house = agent_house(table)
    await house.agent()
    assert (await ask(house, text(), token=None)).status == 401
    assert (await ask(house, text(), token="bad")).status == 401
    theirs, missing = await ask(house, text(), token="bob"), await ask(house, text(), agent="nobody", token="bob")
    assert (theirs.status, missing.status) == (404, 404)
    assert theirs.json()["error"]["message"] == missing.json()["error"]["message"].replace("nobody", "support")


async def test_a_version_of_the_agent_is_named_in_the_path(table: Table) -> None:
    house = agent_house(table, completion())
    await house.agent(instructions="first")
    await house.change("support", instructions="second")
    assert (await ask(house, text(), agent="support@1.0.0")).json()["model"] == "agent/support@1.0.0"
    assert house.system() == "first"


async def test_another_organization_cannot_continue_a_task(table: Table) -> None:
    house = agent_house(table, completion("hello"))
    await house.agent()
    await house.agent(organization=BOB.organization)
    task = (await ask(house, text())).json()["task_id"]
    assert (await ask(house, {**text(), "task_id": task}, token="bob")).status == 404


@pytest.mark.parametrize("streamed", [False, True])
async def test_no_secret_comes_back_or_stays(table: Table, streamed: bool) -> None:
    house = agent_house(table, words("done") if streamed else completion("done"))
    await house.agent(instructions="The token is {{token}}.")
    heard = await ask(house, {**text("use {{token}}"), **SECRET, "stream": streamed})
    assert house.system() == f"The token is {CANARY}."
    assert CANARY not in heard.body.decode() + repr(heard.headers) + await house.dump()


async def test_labels_and_idempotency_are_as_everywhere(table: Table) -> None:
    house = agent_house(table, completion("once"))
    await house.agent()
    body = {**text(), "thread": {"id": "t1"}, "contact": {"id": "ann"}}
    extra = ((b"idempotency-key", b"k1"), (b"x-orbitrage-session-id", b"s1"))
    answers = [(await ask(house, body, extra=extra)).json() for _ in range(2)]
    assert answers[0]["_id"] == answers[1]["_id"] and len(house.room.transport.requests) == 1
    steps = await house.extras.activity.steps("org-alice", "thread", "t1", Page())
    assert {(each.step.identity, each.step.session, each.step.response) for each in steps.data} == {
        ("ann", "s1", answers[0]["_id"])
    }


async def test_a_bug_is_a_500_that_tells_nothing(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    house = agent_house(table)
    await house.agent()

    async def bug(*_: Any) -> None:
        raise ZeroDivisionError(CANARY)

    monkeypatch.setattr(house.extras.agents, "resolve", bug)
    heard = await ask(house, text())
    assert heard.status == 500 and CANARY not in heard.body.decode()
