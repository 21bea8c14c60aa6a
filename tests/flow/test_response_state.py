"""What came before: chains, branches and conversations, in as few round trips as there can be."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson
import pytest

from orrery.core.errors import NotFound
from orrery.core.types import Json, Principal
from orrery.stores.table import Table
from tests.fakes import ALICE, FakeReply, Room, completion
from tests.flow.responding import FakeTool, Memory, calls, final, house, refused, respond, said, words

BOB = Principal("bobbobbob1", "org-bob", "main", "bob")


class Counting:
    """A table's calls, in order."""

    def __init__(self, table: Table) -> None:
        self.table, self.actions = table, list[str]()
        self._call = table._call
        table._call = self  # type: ignore[assignment]

    async def __call__(self, action: str, payload: Json) -> Json:
        self.actions.append(action)
        return await self._call(action, payload)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def echo(room: Room, of: Callable[[str], str] = str) -> None:
    """The upstream answers with all that it was told, or what is made `of` it, so that a wrong context shows."""

    async def reply() -> FakeReply:
        messages = orjson.loads(room.transport.requests[-1].body)["messages"]
        return completion(of("|".join(text_of(message) for message in messages)))

    class Endless(list[Any]):
        def pop(self, *_: Any) -> Any:
            return reply

    room.transport.replies = Endless()


def text_of(message: Json) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


async def test_a_response_continues_at_once_what_came_before_it(table: Table) -> None:
    room = house(table, words("one"), completion("two"))
    first = await respond(room, {"input": "a", "stream": True})
    second = final(await respond(room, {"input": "b", "previous_response_id": final(first)["id"]}, id="r2"))
    assert second["previous_response_id"] == final(first)["id"]
    assert [text_of(m) for m in room.transport.body()["messages"]] == ["a", "one", "b"]


async def test_instructions_are_not_carried_over(table: Table) -> None:
    room = house(table, completion("one"), completion("two"))
    first = final(await respond(room, {"input": "a", "instructions": "be brief"}))
    await respond(room, {"input": "b", "previous_response_id": first["id"], "instructions": "be long"}, id="r2")
    assert [text_of(m) for m in room.transport.body()["messages"]] == ["be long", "a", "one", "b"]


async def test_branches_have_each_their_own_past(table: Table) -> None:
    room = house(table)
    echo(room)
    root = final(await respond(room, {"input": "root"}))
    left = final(await respond(room, {"input": "left", "previous_response_id": root["id"]}, id="r2"))
    right = final(await respond(room, {"input": "right", "previous_response_id": root["id"]}, id="r3"))
    again = final(await respond(room, {"input": "more", "previous_response_id": left["id"]}, id="r4"))
    assert said(right) == "root|root|right"
    assert said(again) == "root|root|left|root|root|left|more"


@pytest.mark.parametrize("gone", ["deleted", "never", "foreign", "unfinished"])
async def test_what_is_not_there_is_404_and_nothing_is_left_out_silently(table: Table, gone: str) -> None:
    room = house(table, completion("one"), completion("two"), bob=BOB)
    first = final(await respond(room, {"input": "a"}))
    second = final(await respond(room, {"input": "b", "previous_response_id": first["id"]}, id="r2"))
    asked, token = second["id"], "good"
    if gone == "deleted":
        await room.extras.responses.delete(ALICE.organization, first["id"])
    elif gone == "never":
        asked = first["id"][:-3] + "zzz"
    elif gone == "foreign":
        token = "bob"
    else:
        kept = await room.extras.responses.read(ALICE.organization, second["id"])
        await room.extras.responses.delete(ALICE.organization, second["id"])
        await room.extras.responses.begin(replace(kept, status="in_progress", deadline=4e9))
    err = await refused(room, {"input": "c", "previous_response_id": asked}, token=token, id="r3")
    assert (err.status, err.code, err.param) == (404, "previous_response_not_found", "previous_response_id")
    assert len(room.transport.requests) == 2 and room.ledger.said.count("hold") == 2


async def test_a_conversation_is_shared_by_its_responses(table: Table) -> None:
    room = house(table)
    echo(room)
    opening = [{"type": "message", "id": "msg_0", "role": "user", "content": "hello"}]
    conversation = await room.extras.conversations.create(ALICE.organization, opening, {})
    first = final(await respond(room, {"input": "a", "conversation": conversation.id}))
    second = final(await respond(room, {"input": "b", "conversation": {"id": conversation.id}}, id="r2"))
    assert (said(first), said(second)) == ("hello|a", "hello|a|hello|a|b")
    assert second["conversation"] == {"id": conversation.id}


async def test_items_can_be_named_by_their_ids(table: Table) -> None:
    room = house(table, completion("one"), completion("two"))
    first = final(await respond(room, {"input": "a"}))
    reference = {"type": "item_reference", "id": first["output"][0]["id"]}
    again = [{"role": "user", "content": "a"}, reference, {"role": "user", "content": "b"}]
    await respond(room, {"input": again}, id="r2")
    assert [text_of(m) for m in room.transport.body()["messages"]] == ["a", "one", "b"]
    err = await refused(room, {"input": [{"type": "item_reference", "id": "msg_nowhere"}]}, id="r3")
    assert isinstance(err, NotFound)


async def test_parallel_chains_never_mix(table: Table) -> None:
    room = house(table)
    room.extras.__dict__["responses"] = Memory()  # the store has a test like this of its own
    echo(room, digest)  # an echo of echoes would double with each turn

    async def chain(number: int) -> None:
        told: list[str] = []
        previous: dict[str, str] = {}
        for turn in range(20):
            text = f"{number}.{turn}"
            answer = final(await respond(room, {"input": text, **previous}, id=f"c{number}x{turn}"))
            told.append(text)
            assert said(answer) == digest("|".join(told))
            told.append(said(answer))
            previous = {"previous_response_id": answer["id"]}

    await asyncio.gather(*(chain(number) for number in range(50)))


async def trips(
    table: Table, bodies: Sequence[Json], replies: Sequence[Any], tools: Sequence[FakeTool] = ()
) -> list[list[str]]:
    """What each request asks of the table, beside what the ledger and the keys (fakes here) do."""
    room = house(table, *replies, tools=tools)
    counting, found, previous = Counting(table), list[list[str]](), ""
    for number, body in enumerate(bodies):
        counting.actions.clear()
        more = {"previous_response_id": previous} if previous else {}
        previous = final(await respond(room, {**body, **more}, id=f"r{number}"))["id"]
        found.append(list(counting.actions))
    return found


async def test_state_costs_one_round_trip_before_the_upstream_and_one_before_the_end(table: Table) -> None:
    plain = {"input": "a"}
    first, second, third = await trips(table, [plain] * 3, [completion("x") for _ in range(3)])
    assert first == ["UpdateItem"]
    assert second == third == ["Query", "UpdateItem"]


async def test_what_is_not_stored_asks_the_table_for_nothing(table: Table) -> None:
    (only,) = await trips(table, [{"input": "a", "store": False}], [completion("x")])
    assert only == []


async def test_a_streamed_response_is_announced_while_its_words_go_out(table: Table) -> None:
    first, second = await trips(table, [{"input": "a", "stream": True}] * 2, [words("x"), words("y")])
    assert len(first) == 2 and "Query" not in first
    assert second[0] == "Query" and len(second) == 3


async def test_each_turn_of_tools_is_kept_before_it_is_charged(table: Table) -> None:
    replies = [calls(("clock", "{}")), words("x")]
    body = {"input": "a", "stream": True, "tools": [{"type": "orq:current_date"}]}
    (only,) = await trips(table, [body], replies, [FakeTool()])
    assert len(only) == 3


async def test_a_conversation_of_a_megabyte(table: Table) -> None:
    room = house(table, *(completion("ok") for _ in range(6)))
    previous: dict[str, str] = {}
    for number in range(6):
        text = f"{number}" + "".join(chr(65 + (number * 7 + place) % 26) for place in range(200_000))
        answer = final(await respond(room, {"input": text, **previous}, id=f"r{number}"))
        previous = {"previous_response_id": answer["id"]}
    messages = room.transport.body()["messages"]
    assert [text_of(message)[:1] for message in messages[::2]] == [str(number) for number in range(6)]
    assert len(room.transport.requests[-1].body) > 1_200_000
