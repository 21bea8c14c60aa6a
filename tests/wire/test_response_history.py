"""What a model gets to read: the whole conversation, in items that every provider can be told."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.errors import GatewayError, InvalidRequest, NotFound
from orrery.wire.response_history import turn_input, with_references
from orrery.wire.response_items import items_of
from tests.wire.response_items import ITEMS, Item
from tests.wire.telling import HI, MORE, SAID, answer, call, ours, output, request, told, turn
from tests.work import steps


def test_what_came_before_comes_first() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    compaction = {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}
    assert turn(MORE, before=(compaction, HI, reasoning, SAID)) == [compaction, HI, reasoning, SAID, MORE]
    assert turn() == []


def test_an_answered_call_is_told_as_it_stands() -> None:
    assert turn(output("a"), MORE, before=(HI, call("a"))) == [HI, call("a"), output("a"), MORE]
    assert told(call("a"), call("b"), output("b"), output("a")) == ["f(a)", "f(b)", "b=1", "a=1"]


def test_an_output_is_told_before_anybody_else_speaks() -> None:
    assert told(HI, output("a"), before=(call("a"),)) == ["f(a)", "a=1", "hi"]
    assert told(HI, MORE, output("b"), output("a"), before=(call("a"), call("b"))) == [
        "f(a)",
        "f(b)",
        "a=1",
        "b=1",
        "hi",
        "more",
    ]
    assert told(call("a"), SAID, output("a"), HI) == ["f(a)", "said", "a=1", "hi"]
    assert told(call("a"), output("a"), HI, call("b"), MORE, output("b")) == [
        "f(a)",
        "a=1",
        "hi",
        "f(b)",
        "b=1",
        "more",
    ]


def test_an_id_may_come_again() -> None:
    once = [call("0"), output("0", "1"), HI]
    again = [call("0"), MORE, output("0", "2")]
    assert told(call("0"), call("0"), HI, output("0", "1"), output("0", "2"))[2:] == ["0=1", "0=2", "hi"]
    assert told(*again, before=tuple(once)) == ["f(0)", "0=1", "hi", "f(0)", "0=2", "more"]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([output("a")], "No tool call found for function call output with call_id a."),
        ([HI, call("b"), output("a")], "No tool call found for function call output with call_id a."),
        ([output("a"), call("a")], "No tool call found for function call output with call_id a."),
        ([call("a"), output("a"), output("a")], "No tool call found for function call output with call_id a."),
        ([call("a")], "No tool output found for function call a."),
        ([call("a"), HI], "No tool output found for function call a."),
        ([call("a"), call("b"), output("a")], "No tool output found for function call b."),
        ([call("a"), call("a"), output("a")], "No tool output found for function call a."),
    ],
)
def test_calls_and_outputs_belong_together(items: list[Item], message: str) -> None:
    for before in range(len(items) + 1):
        with pytest.raises(InvalidRequest) as caught:
            turn(*items[before:], before=tuple(items[:before]))
        assert (caught.value.status, caught.value.param, caught.value.message) == (400, "input", message)


def test_a_call_that_was_cut_off_is_left_out() -> None:
    assert told(MORE, before=(HI, call("a", status="incomplete"))) == ["hi", "more"]
    assert told(output("a"), before=(call("a", status="incomplete"),)) == ["f(a)", "a=1"]


def test_a_reference_becomes_what_it_refers_to() -> None:
    reference = {"type": "item_reference", "id": "msg_said"}
    assert turn(reference, MORE, resolved={"msg_said": SAID}) == [SAID, MORE]
    assert with_references([reference, MORE], {"msg_said": SAID}) == [SAID, MORE]


def test_a_reference_to_what_is_there_already_repeats_nothing() -> None:
    reference = {"type": "item_reference", "id": "msg_said"}
    for resolved in ({}, {"msg_said": SAID}):
        assert turn(reference, MORE, before=(HI, SAID), resolved=resolved) == [HI, SAID, MORE]


@pytest.mark.parametrize("resolved", [{}, {"msg_x": {"type": "item_reference", "id": "msg_x"}}])
def test_a_reference_to_nothing_is_not_found(resolved: dict[str, Item]) -> None:
    with pytest.raises(NotFound) as caught:
        turn({"type": "item_reference", "id": "msg_x"}, resolved=resolved)
    assert (caught.value.status, caught.value.param) == (404, "input")
    assert caught.value.message.startswith("Item with id 'msg_x' not found.")


def test_nothing_that_was_given_is_changed() -> None:
    items = items_of([*ITEMS.values()])
    before = orjson.dumps(items)
    with pytest.raises(GatewayError):
        turn_input(items, items, resolved={})
    assert orjson.dumps(items) == before


ids = st.sampled_from("abc")
unique = st.uuids().map(lambda id: id.hex)  # ids of what is to be approved are made here, and never come again
REFERENCE = {"type": "item_reference", "id": "msg_hi"}
KEPT = items_of([item for item in ITEMS.values() if item.get("id") != "msg_1" or "role" in item])
wholes = st.one_of(
    st.sampled_from([[HI], [SAID], [MORE], [call("x", status="incomplete")]]),
    st.builds(lambda id: [call(id), output(id)], ids),
    st.builds(lambda id: [call(id), MORE, output(id)], ids),
    st.builds(lambda id: [call(id), ours(id)], ids),
    st.builds(lambda id: [ours(id)], ids),
    st.builds(lambda id: [call(id), request(f"r{id}"), answer(f"r{id}", False)], unique),
    st.builds(lambda id: [call(id), request(f"r{id}")], unique),
    st.builds(lambda id: [call(id), request(f"r{id}"), answer(f"r{id}", True)], unique),
    st.builds(lambda id: [call(id), request(f"r{id}"), answer(f"r{id}", True), MORE, ours(id)], unique),
    st.builds(lambda id: [request(f"r{id}"), answer(f"r{id}", True)], unique),
)
parts = st.one_of(
    st.sampled_from(KEPT),
    st.builds(call, ids),
    st.builds(output, ids),
    st.builds(request, ids),
    st.builds(answer, ids, st.booleans()),
).map(lambda item: [item])


def flat(pieces: list[list[Item]]) -> list[Item]:
    return [item for piece in pieces for item in piece]


def check_turn(found: list[Item], approvals: int) -> None:
    """Each output follows its call, before anybody else speaks; only what was approved waits, at the end."""
    waiting: list[str] = []
    for item in found:
        kind = item["type"]
        assert kind not in ("item_reference", "mcp_call", "mcp_approval_request", "web_search_call")
        assert ":" not in kind
        if kind == "function_call":
            waiting.append(item["call_id"])
        elif kind == "function_call_output":
            waiting.remove(item["call_id"])
        elif kind == "message" and item["role"] != "assistant":
            assert not waiting
    assert waiting == [item["call_id"] for item in found[len(found) - len(waiting) :]]
    assert len(waiting) <= approvals


@settings(max_examples=60)
@given(st.lists(wholes, max_size=5), st.lists(wholes | st.just([REFERENCE]), max_size=3))
def test_a_whole_conversation_is_always_told(before: list[list[Item]], own: list[list[Item]]) -> None:
    items = [*flat(before), *flat(own)]
    approvals = sum(item.get("approve") is True for item in items)
    check_turn(turn_input(flat(before), flat(own), resolved={"msg_hi": HI}), approvals)


@settings(max_examples=60)
@given(st.lists(wholes | parts, max_size=6), st.lists(wholes | parts, max_size=3))
def test_any_items_give_a_turn_or_an_error_that_says_where(before: list[list[Item]], own: list[list[Item]]) -> None:
    items = [*flat(before), *flat(own)]
    try:
        found = turn_input(flat(before), flat(own), resolved={})
    except GatewayError as err:
        assert err.param == "input"
    else:
        check_turn(found, sum(item.get("approve") is True for item in items))


def test_the_work_grows_with_the_items_and_no_faster() -> None:
    def work(count: int) -> int:
        items = [request(f"r{place}") for place in range(count)] + [call(f"c{place}") for place in range(count)]
        items += [request(f"q{place}") for place in range(count)] + [ours(f"c{place}") for place in range(count)]
        items += [HI] * count
        return steps(lambda: turn_input(items, [], resolved={}))

    assert work(400) < 5 * work(100)
