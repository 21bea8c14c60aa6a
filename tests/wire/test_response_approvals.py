"""What a user says to calls that waited for approval."""

import pytest

from orrery.core.errors import InvalidRequest
from orrery.wire.response_approvals import decisions
from tests.wire.response_items import Item
from tests.wire.telling import HI, answer, call, ours, output, request


def test_a_decision_names_the_call_that_stands_before_its_request() -> None:
    before = [HI, call("a", "f", '{"q":1}'), request("r", arguments='{"q":1}')]
    (found,) = decisions(before, [answer("r", True)])
    assert found.request is before[2]
    assert found.call == {**call("a", "f", '{"q":1}'), "approval_request_id": "r"}
    assert (found.approved, found.reason) == (True, "")


@pytest.mark.parametrize(
    "before",
    [
        [request("r")],
        [call("a", "g"), output("a"), request("r")],
        [call("a", "f", '{"q":1}'), output("a"), request("r")],
        [call("a"), output("a"), request("r")],
        [call("a"), ours("a"), request("r")],
    ],
)
def test_a_call_that_is_not_shown_is_made_of_its_request(before: list[Item]) -> None:
    (found,) = decisions(before, [answer("r", False, "no")])
    assert found.call == {
        "type": "function_call",
        "call_id": "r",
        "name": "f",
        "arguments": "{}",
        "approval_request_id": "r",
    }
    assert (found.approved, found.reason) == (False, "no")


def test_a_request_may_name_its_call() -> None:
    (found,) = decisions([request("r", call_id="c")], [answer("r", True)])
    assert found.call["call_id"] == "c"


def test_what_has_run_is_decided_no_more() -> None:
    asked = [call("a"), request("r")]
    assert decisions(asked, [answer("r", True), ours("a")]) == []
    again = [call("a"), request("r"), call("a"), output("a")]
    assert len(decisions(again, [answer("r", True)])) == 1
    assert decisions(again, [answer("r", True), ours("a")]) == []
    assert decisions([request("r"), ours("r")], [answer("r", True)]) == []
    assert decisions([request("r"), ours("x", approval_request_id="r")], [answer("r", True)]) == []
    assert decisions([request("r", call_id="c"), ours("c")], [answer("r", True)]) == []


def test_only_what_this_request_says_is_a_decision() -> None:
    before = [request("r"), request("q"), answer("r", True)]
    assert decisions(before, [HI]) == []
    assert [found.request["id"] for found in decisions(before, [answer("q", False)])] == ["q"]


def test_a_stateless_client_brings_requests_and_answers_together() -> None:
    own = [HI, call("a"), call("b", "g"), request("r"), request("q", "g"), answer("q", True), answer("r", False)]
    found = decisions([], own)
    assert [(each.call["call_id"], each.approved) for each in found] == [("b", True), ("a", False)]


def test_an_answer_to_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="No approval request found with id 'r'") as caught:
        decisions([request("q")], [answer("r", True)])
    assert caught.value.param == "input"
