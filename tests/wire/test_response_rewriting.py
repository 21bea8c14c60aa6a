"""Tools that did not run at the client, as models are told of them: called, waiting for approval, denied, done."""

import pytest

from orrery.wire.response_items import items_of
from orrery.wire.response_rewriting import DENIED, NOTHING, WAITING
from tests.wire.response_items import ITEMS, Item
from tests.wire.telling import HI, MORE, SAID, answer, call, ours, request, told, turn


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
