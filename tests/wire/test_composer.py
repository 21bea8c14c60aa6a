"""What callers see of a response, from its beginning to its end."""

import orjson
import pytest

from orrery.wire.composer import Composer, shown
from tests.wire.composing import (
    USAGE,
    Told,
    accumulated,
    added,
    call,
    delta,
    done,
    judge,
    message,
    names,
    resource,
)
from tests.work import steps

ENCRYPTED = "reasoning.encrypted_content"


def test_a_text_is_told_in_the_order_of_the_specification() -> None:
    told = Told()
    turn = told.turn(added(message(), 0), delta("Hel"), delta("lo"), output=[message("Hello")])
    final = told.end()
    assert names(told.events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert final["output"] == [message("Hello")] == turn.items == accumulated(told.events)
    assert (final["status"], final["completed_at"], final["usage"]) == ("completed", 1_800_000_001, USAGE)


def test_a_delta_is_sent_at_once() -> None:
    told = Told()
    told.composer.open_turn()
    told.feed(added(message()), delta("a"))
    assert told.feed(delta("b")) == [
        {
            "type": "response.output_text.delta",
            "sequence_number": 5,
            "item_id": "msg_a",
            "output_index": 0,
            "content_index": 0,
            "delta": "b",
            "logprobs": [],
        }
    ]


def test_a_queued_response_says_so_first() -> None:
    told = Told(queued=True)
    told.turn(output=[message("a")])
    told.end()
    assert names(told.events)[:3] == ["created", "queued", "in_progress"]
    assert [event["response"]["status"] for event in told.events[:3]] == ["queued", "queued", "in_progress"]


def test_what_a_beginning_said_does_not_change_later() -> None:
    told = Told()
    before = orjson.dumps(told.events)
    told.turn(output=[message("a")])
    told.end()
    assert orjson.dumps(told.events[:2]) == before


def test_turns_and_items_of_our_own_make_one_output() -> None:
    told = Told()
    first = told.turn(output=[call("ours")], hidden=["ours"])
    told.add({"type": "orq:current_date", "status": "completed", "output": "today"})
    second = told.turn(output=[message("Today.", id="msg_b")])
    final = told.end()
    assert [item["type"] for item in final["output"]] == ["orq:current_date", "message"]
    assert final["output"][0]["id"] == "orq_1"
    assert (first.calls, first.items) == ([call("ours")], [call("ours")])
    assert (second.calls, second.items) == ([], [message("Today.", id="msg_b")])


def test_a_turn_says_what_upstream_said_of_it() -> None:
    told = Told()
    reply = {"output": [message("a")], "usage": {"input_tokens": 1}, "model": "gpt", "service_tier": "flex"}
    told.composer.open_turn()
    told.events += told.composer.whole(
        reply | {"incomplete_details": {"reason": "content_filter"}, "status": "incomplete"}
    )
    turn = told.close()
    assert (turn.status, turn.reason, turn.usage) == ("incomplete", "content_filter", {"input_tokens": 1})
    assert (turn.model, turn.service_tier) == ("gpt", "flex")


def test_an_incomplete_response_ends_with_an_incomplete_item() -> None:
    told = Told()
    told.turn(
        added(message()),
        delta("a"),
        done(message("a")),
        {"type": "response.incomplete", "response": {"output": [message("a")]}},
    )
    final = told.end("incomplete", reason="max_output_tokens")
    assert final["output"] == [message("a", status="incomplete")]
    assert final["incomplete_details"] == {"reason": "max_output_tokens"}
    assert final["completed_at"] is None


def test_only_the_last_item_is_incomplete() -> None:
    told = Told()
    told.turn(done(message("a", status="incomplete")), {"type": "response.incomplete", "response": {}})
    told.turn(output=[message("b", id="msg_b")])
    assert [item["status"] for item in told.end()["output"]] == ["completed", "completed"]


def test_an_incomplete_turn_in_a_completed_response_leaves_no_incomplete_item() -> None:
    told = Told()
    turn = told.turn(done(message("a")), {"type": "response.incomplete", "response": {}})
    assert turn.items == [message("a", status="incomplete")]
    assert told.end()["output"] == [message("a")]


def test_an_upstream_that_breaks_off_leaves_its_item_incomplete() -> None:
    told = Told()
    turn = told.turn(added(message()), delta("a"))
    assert (turn.status, turn.items) == ("incomplete", [message("a", status="incomplete")])
    final = told.end("failed", error={"type": "server_error", "code": "x", "message": "gone"})
    assert final["output"] == turn.items


def test_after_what_was_cut_nothing_follows() -> None:
    told = Told()
    turn = told.turn(added(message(), 0), delta("a"), added(call(), 1), done(call(), 1))
    assert turn.items == [message("a", status="incomplete")] and not turn.calls
    told.end("incomplete")


def test_an_upstream_without_a_last_event_is_complete_when_its_items_are() -> None:
    told = Told()
    assert told.turn(added(message()), delta("a"), done(message("a"))).status == "completed"
    assert told.turn(done(call())).status == "completed"
    assert told.end()["output"] == [message("a"), call()]
    assert Told().turn().status == "incomplete"


def test_a_failure_is_told_twice_for_two_kinds_of_clients() -> None:
    told = Told()
    told.composer.open_turn()
    told.feed(added(message()), delta("a"))
    error = {"type": "too_many_requests", "code": "rate_limit_exceeded", "message": "slow down", "param": "model"}
    final = told.end("failed", error=error, usage=None)
    assert names(told.events)[-3:] == ["output_item.done", "error", "failed"]
    assert told.events[-2] == {
        "type": "error",
        "sequence_number": told.events[-1]["sequence_number"] - 1,
        "error": error,
        "code": "rate_limit_exceeded",
        "message": "slow down",
        "param": "model",
    }
    assert final["error"] == {"code": "rate_limit_exceeded", "message": "slow down"}
    assert final["usage"] is final["completed_at"] is final["incomplete_details"] is None


def test_an_error_of_which_little_is_known_is_a_server_error() -> None:
    told = Told()
    assert told.end("failed")["error"] == {"code": "server_error", "message": ""}
    assert told.events[-2]["error"] == {"type": "server_error", "code": None, "message": "", "param": None}


def test_what_was_cancelled_ends_as_incomplete_and_says_why() -> None:
    told = Told()
    told.composer.open_turn()
    told.feed(added(message()), delta("a"))
    final = told.end("cancelled", reason="nobody asks")
    assert told.events[-1]["type"] == "response.incomplete"
    assert (final["status"], final["incomplete_details"]) == ("cancelled", None)
    assert told.composer.resource["status"] == "cancelled"


def test_what_has_ended_never_changes() -> None:
    told = Told()
    told.turn(output=[message("a")])
    final = told.end()
    assert told.composer.finish("failed", now=2, error={"message": "late"}) == []
    assert told.composer.add(message("late")) == []
    told.composer.open_turn()
    assert told.composer.feed(delta("late")) == []
    assert told.composer.resource == final


def test_fields_that_are_known_at_the_end_are_told_at_the_end() -> None:
    told = Told()
    final = told.end(more={"model": "openai/gpt-6", "service_tier": "flex", "status": "odd"})
    assert (final["model"], final["service_tier"], final["status"]) == ("openai/gpt-6", "flex", "completed")
    assert told.events[0]["response"]["model"] == "sandbox/echo"


def test_a_second_composer_goes_on_where_the_first_one_stopped() -> None:
    told = Told(queued=True)
    told.turn(output=[message("a")])
    later = Composer(told.composer.resource | {"status": "queued"}, first=len(told.events))
    assert later.resource["status"] == "in_progress"
    later.open_turn()
    events = later.whole({"output": [message("b"), call()]})
    more, _ = later.close_turn()
    events += more + later.finish("completed", now=1, usage=USAGE)
    judge(events, first=len(told.events), begun=False)
    final = judge([*told.events, *events])
    assert [item["type"] for item in final["output"]] == ["message", "message", "function_call"]
    assert final["output"][0]["id"] == "msg_a" != final["output"][1]["id"]


def test_no_turn_is_closed_that_is_not_open() -> None:
    with pytest.raises(ValueError, match="no turn"):
        Told().composer.close_turn()
    assert Told().composer.feed(delta("a")) == []


def test_reasoning_is_told_in_summaries_and_kept_in_full() -> None:
    told = Told()
    at = {"item_id": "rs_a", "output_index": 0}
    reasoning = {
        "type": "reasoning",
        "id": "rs_a",
        "summary": [{"type": "summary_text", "text": "Sums."}],
        "content": [{"type": "reasoning_text", "text": "One and one"}],
        "encrypted_content": "sealed",
    }
    turn = told.turn(
        added({"type": "reasoning", "id": "rs_a", "summary": [], "status": "in_progress", "encrypted_content": "s"}),
        {"type": "response.reasoning_text.delta", **at, "content_index": 0, "delta": "One and "},
        {"type": "response.reasoning.delta", **at, "content_index": 0, "delta": "one"},
        {"type": "response.reasoning_summary_text.delta", **at, "summary_index": 0, "delta": "Sums."},
        done(reasoning | {"status": None}),
    )
    final = told.end()
    assert told.kinds() == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert final["output"] == [{name: value for name, value in reasoning.items() if name != "encrypted_content"}]
    assert told.composer.resource["output"] == turn.items == [reasoning]


def test_what_is_shown_on_demand_is_shown_to_who_demands_it() -> None:
    reasoning = {"type": "reasoning", "id": "rs_a", "summary": [], "encrypted_content": "sealed"}
    told = Told(reveals=[ENCRYPTED])
    told.turn(output=[reasoning])
    assert told.end()["output"] == [reasoning]
    kept = told.composer.resource
    assert shown(kept, [ENCRYPTED])["output"] == [reasoning]
    assert shown(kept, [])["output"] == [{"type": "reasoning", "id": "rs_a", "summary": []}]
    assert kept["output"] == [reasoning]


LOGPROB = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [{"token": "b", "logprob": -1, "bytes": [98]}]}


def test_log_probabilities_are_kept_when_asked_for() -> None:
    bare = {"token": "a", "logprob": -0.5, "top_logprobs": [{"token": "b", "logprob": -1}, {"token": 1}, None]}
    told = Told(reveals=["message.output_text.logprobs"])
    told.turn(
        added(message()), delta("a") | {"logprobs": [bare, {"token": "x"}, 1]}, delta("b"), output=[message("ab")]
    )
    part = told.end()["output"][0]["content"][0]
    assert part["logprobs"] == [LOGPROB] == told.events[4]["logprobs"] == told.events[6]["logprobs"]
    kept = told.composer.resource
    assert "logprobs" not in shown(kept, [])["output"][0]["content"][0]
    assert shown(kept, ["message.output_text.logprobs"])["output"][0]["content"][0] == part


def test_log_probabilities_that_come_at_the_end_are_kept_once() -> None:
    told = Told(reveals=["message.output_text.logprobs"])
    end = {"type": "response.output_text.done", "content_index": 0}
    odd = {"token": "\ufffd", "logprob": -1, "bytes": [195], "top_logprobs": []}
    told.turn(
        added(message()),
        delta("a"),
        end | {"item_id": "msg_a", "text": "a", "logprobs": [odd]},
        done(message("a")),
        delta("a", "msg_b") | {"logprobs": [LOGPROB]},
        end | {"item_id": "msg_b", "text": "ab", "logprobs": [LOGPROB, odd]},
        output=[],
    )
    first, second = told.end()["output"]
    assert first["content"][0]["logprobs"] == [odd]
    assert second["content"][0]["logprobs"] == [LOGPROB]


@pytest.mark.parametrize("data", [None, [True], [256], ["a"], "a"])
def test_bytes_of_tokens_are_made_where_they_are_none(data: object) -> None:
    told = Told(reveals=["message.output_text.logprobs"])
    told.turn(delta("a") | {"logprobs": [LOGPROB | {"bytes": data}]}, output=[])
    assert told.end()["output"][0]["content"][0]["logprobs"] == [LOGPROB]


def test_log_probabilities_of_a_whole_answer_are_kept_when_asked_for() -> None:
    told = Told(reveals=["message.output_text.logprobs"])
    whole = message("a")
    whole["content"][0]["logprobs"] = [LOGPROB]
    told.turn(output=[whole])
    assert told.end()["output"] == [whole]


def test_log_probabilities_that_nobody_asked_for_are_nowhere() -> None:
    told = Told()
    whole = message("a")
    whole["content"][0]["logprobs"] = [LOGPROB]
    told.turn(added(message()), delta("a") | {"logprobs": [LOGPROB]}, output=[whole])
    assert told.end()["output"] == [message("a")] == told.composer.resource["output"]
    assert [event["logprobs"] for event in told.events if "logprobs" in event] == [[], []]


def test_a_refusal_is_told_as_one() -> None:
    told = Told()
    at = {"item_id": "msg_a", "output_index": 0, "content_index": 0}
    told.turn(
        added(message()),
        {"type": "response.refusal.delta", **at, "delta": "No"},
        {"type": "response.refusal.done", **at, "refusal": "No."},
        output=[],
    )
    assert told.end()["output"][0]["content"] == [{"type": "refusal", "refusal": "No."}]


def test_a_phase_is_kept_and_an_unknown_one_is_left_out() -> None:
    told = Told()
    told.turn(output=[message("a", phase="commentary"), message("b", id="b", phase="odd"), message(id="c", phase=None)])
    assert [item.get("phase") for item in told.end()["output"]] == ["commentary", None, None]
    assert "phase" not in told.composer.resource["output"][2]


def test_a_delta_costs_the_same_however_long_the_text_is() -> None:
    told = Told()
    told.composer.open_turn()
    told.feed(added(message()), delta("a"))
    feed, more = told.composer.feed, delta("b")
    first = steps(lambda: feed(more))
    for _ in range(2000):
        feed(more)
    assert max(first, steps(lambda: feed(more))) <= 70


def test_a_long_answer_costs_in_proportion() -> None:
    def answer(count: int) -> int:
        told = Told()
        told.composer.open_turn()
        return steps(lambda: told.feed(*(delta("a") for _ in range(count)), done(message("a" * count))))

    # Not to the step: what is collected meanwhile takes a few of its own.
    assert answer(3000) - answer(2000) == pytest.approx(answer(2000) - answer(1000), rel=0.02)


def test_items_that_are_shown_may_have_ids_that_say_where_they_are() -> None:
    """Hidden ones keep upstream's: nobody gets to name them."""
    composer = Composer(resource(), ids=lambda prefix, place: f"{prefix}_here{place}")
    events = composer.begin()
    composer.open_turn(hidden={"f"})
    events += composer.whole({"status": "completed", "output": [call(id="fc_up"), message("hi", id="msg_up")]})
    more, turn = composer.close_turn()
    events += [*more, *composer.finish("completed", now=1, usage=USAGE)]
    judge(events)
    assert [item["id"] for item in turn.items] == ["fc_up", "msg_here0"]
    assert [item["id"] for item in composer.resource["output"]] == ["msg_here0"]
