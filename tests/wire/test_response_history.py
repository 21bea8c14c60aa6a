"""What a model gets to read: the whole conversation, in items that every provider can be told."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.errors import GatewayError, InvalidRequest, NotFound
from orrery.wire.response_history import turn_input, with_references
from orrery.wire.response_items import items_of
from orrery.wire.response_rewriting import DENIED, NOTHING, WAITING
from tests.wire.response_items import ITEMS, Item
from tests.work import steps


def message(text: str, role: str = "user") -> Item:
    return {"type": "message", "id": f"msg_{text}", "role": role, "content": text}


def call(id: str, name: str = "f", arguments: str = "{}", **more: Any) -> Item:
    return {"type": "function_call", "id": f"fc_{id}", "call_id": id, "name": name, "arguments": arguments, **more}


def output(id: str, text: str = "1") -> Item:
    return {"type": "function_call_output", "id": f"fco_{id}", "call_id": id, "output": text}


def ours(id: str, text: str = "now", **more: Any) -> Item:
    head = {"type": "orq:current_date", "id": f"orq_{id}", "status": "completed", "call_id": id}
    return {**head, "name": "f", "arguments": "{}", "output": text, **more}


def request(id: str, name: str = "f", **more: Any) -> Item:
    return {"type": "mcp_approval_request", "id": id, "server_label": "s", "name": name, "arguments": "{}", **more}


def answer(id: str, approve: bool, reason: str | None = None) -> Item:
    return {
        "type": "mcp_approval_response",
        "id": f"mcpa_{id}",
        "approval_request_id": id,
        "approve": approve,
        "reason": reason,
    }


def turn(*own: Item, before: tuple[Item, ...] = (), resolved: dict[str, Item] | None = None) -> list[Item]:
    return turn_input(before, own, resolved=resolved or {})


def told(*own: Item, before: tuple[Item, ...] = ()) -> list[str]:
    """The turn in short: `f(a)` a call, `a=1` its output, else the text."""
    return [_short(item) for item in turn(*own, before=before)]


def _short(item: Item) -> str:
    if item["type"] == "function_call":
        return f"{item['name']}({item['call_id']})"
    if item["type"] == "function_call_output":
        return f"{item['call_id']}={item['output']}"
    return str(item.get("content") or item["type"])


HI, MORE = message("hi"), message("more")
SAID = message("said", "assistant")


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


def test_a_tool_that_ran_here_is_told_as_a_function() -> None:
    shown = (HI, call("a"), call("b"), ours("a"), ours("b", "later"), SAID)
    assert told(MORE, before=shown) == ["hi", "f(a)", "f(b)", "a=now", "b=later", "said", "more"]


def test_a_tool_whose_call_is_not_shown_is_told_with_it() -> None:
    (called, given) = turn(ours("a", "now", name="x.y z", arguments='{"q":1}'))
    assert called == {"type": "function_call", "call_id": "a", "name": "x_y_z", "arguments": '{"q":1}'}
    assert given == {"type": "function_call_output", "call_id": "a", "output": "now"}


def test_a_tool_that_gave_nothing_still_answers_its_call() -> None:
    assert told(call("a"), ours("a", "")) == ["f(a)", f"a={NOTHING}"]
    assert told(call("a"), ours("a", "", error="broken")) == ["f(a)", "a=broken"]
    assert told(ours("a", "")) == []


@pytest.mark.parametrize(
    ("item", "function", "arguments", "given"),
    [
        (
            {
                "type": "mcp_call",
                "id": "mcp_1",
                "server_label": "s",
                "name": "f",
                "arguments": "{}",
                "output": "1",
                "error": None,
            },
            "f",
            "{}",
            "1",
        ),
        (
            {
                "type": "mcp_call",
                "id": "mcp_1",
                "server_label": "s",
                "name": "f",
                "arguments": "",
                "output": None,
                "error": {"type": "http_error", "code": 500},
            },
            "f",
            "",
            '{"type":"http_error","code":500}',
        ),
        (
            {
                "type": "web_search_call",
                "id": "ws_1",
                "status": "completed",
                "action": {"type": "search", "query": "q"},
                "results": [{"url": "u"}],
            },
            "web_search",
            '{"action":{"type":"search","query":"q"}}',
            '[{"url":"u"}]',
        ),
        (
            {"type": "code_interpreter_call", "id": "ci_1", "code": "1+1", "outputs": [{"logs": "2"}]},
            "code_interpreter",
            '{"code":"1+1"}',
            '[{"logs":"2"}]',
        ),
        (
            {"type": "file_search_call", "id": "fs_1", "queries": ["q"], "results": [{"text": "t"}]},
            "file_search",
            '{"queries":["q"]}',
            '[{"text":"t"}]',
        ),
        ({"type": "acme:x", "id": "a_1", "output": {"n": [1]}}, "acme_x", "{}", '{"n":[1]}'),
        ({"type": "acme:x", "id": "a_1", "output": "o", "name": 7, "arguments": {"a": 1}}, "acme_x", '{"a":1}', "o"),
    ],
)
def test_a_tool_that_ran_elsewhere_is_told_as_a_function(item: Item, function: str, arguments: str, given: str) -> None:
    called, heard = turn(item)
    assert (called["name"], called["arguments"], heard["output"]) == (function, arguments, given)
    assert called["call_id"] == heard["call_id"] == item["id"]


@pytest.mark.parametrize(
    "item",
    [ITEMS[name] for name in ("web_search", "file_search", "code", "image", "mcp_list", "theirs")],
    ids=lambda item: item["type"],
)
def test_what_tells_a_model_nothing_is_left_out(item: Item) -> None:
    assert turn(HI, item, MORE) == [HI, MORE]


@pytest.mark.parametrize(
    "name", ["custom_call", "shell", "patch", "tool_search", "computer", "compaction", "reasoning"]
)
def test_what_only_some_providers_have_is_passed_on(name: str) -> None:
    (item,) = items_of([ITEMS[name]])
    assert turn(HI, item) == [HI, item]


def test_a_call_that_waits_for_approval_is_told_so() -> None:
    assert told(MORE, before=(HI, request("r"))) == ["hi", "f(r)", f"r={WAITING}", "more"]
    assert told(MORE, before=(HI, call("a"), request("r"))) == ["hi", "f(a)", f"a={WAITING}", "more"]
    assert told(MORE, before=(HI, call("a"), request("r", call_id="a"))) == ["hi", "f(a)", f"a={WAITING}", "more"]


def test_a_call_that_was_denied_is_told_so() -> None:
    assert told(answer("r", False), before=(request("r"),)) == ["f(r)", f"r={DENIED}"]
    assert told(answer("r", False, "too dear"), before=(call("a"), request("r"))) == ["f(a)", f"a={DENIED} too dear"]


def test_calls_that_were_approved_stand_last_and_wait_for_their_outputs() -> None:
    assert told(answer("r", True), before=(HI, request("r"))) == ["hi", "f(r)"]
    assert told(answer("r", True), MORE, before=(call("a"), request("r"))) == ["more", "f(a)"]
    before = (call("a"), call("b", "g"), ours("b"), request("r"))
    assert told(answer("r", True), MORE, before=before) == ["g(b)", "b=now", "more", "f(a)"]


def test_what_came_of_an_approved_call_is_told_once() -> None:
    ran = {**ITEMS["mcp_call"], "approval_request_id": "r"}
    assert told(ran, MORE, before=(request("r"), answer("r", True))) == ["f(mcp_1)", "mcp_1=1", "more"]
    assert told(MORE, before=(call("a"), request("r"), answer("r", True), ours("a"))) == ["f(a)", "a=now", "more"]
    assert told(MORE, before=(request("r"), answer("r", True), ours("r"))) == ["f(r)", "r=now", "more"]


def test_calls_of_the_same_are_approved_one_by_one() -> None:
    before = (call("a"), call("b"), request("r"), request("q"))
    assert sorted(told(answer("r", True), answer("q", False), before=before)) == sorted(["f(a)", f"a={DENIED}", "f(b)"])


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


@settings(max_examples=150)
@given(st.lists(wholes, max_size=5), st.lists(wholes | st.just([REFERENCE]), max_size=3))
def test_a_whole_conversation_is_always_told(before: list[list[Item]], own: list[list[Item]]) -> None:
    items = [*flat(before), *flat(own)]
    approvals = sum(item.get("approve") is True for item in items)
    check_turn(turn_input(flat(before), flat(own), resolved={"msg_hi": HI}), approvals)


@settings(max_examples=150)
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
