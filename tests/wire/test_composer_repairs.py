"""What upstreams get wrong, and what becomes of it."""

from typing import Any

import pytest

from orrery.core.types import Json
from tests.wire.composing import Told, added, call, delta, done, message

TEXT_DONE = {"type": "response.output_text.done", "item_id": "msg_a", "output_index": 0, "content_index": 0}
PART_DONE = {"type": "response.content_part.done", "item_id": "msg_a", "output_index": 0, "content_index": 0}
URL = {"type": "url_citation", "url": "https://a.example", "start_index": 0, "end_index": 1, "title": "A"}


def texts(told: Told, **end: Any) -> list[list[str]]:
    items = told.end(**end)["output"]
    return [[part.get("text", part.get("refusal")) for part in item["content"]] for item in items]


def test_deltas_without_anything_around_them_are_a_message() -> None:
    told = Told()
    told.turn(
        {"type": "response.output_text.delta", "delta": "a"}, {"type": "response.output_text.delta", "delta": "b"}
    )
    assert texts(told, status="incomplete") == [["ab"]]


def test_a_missing_tail_is_one_more_delta() -> None:
    told = Told()
    told.turn(
        delta("Hel"), TEXT_DONE | {"text": "Hello"}, PART_DONE | {"part": {"type": "output_text", "text": "Hello!"}}
    )
    assert [event["delta"] for event in told.events if "delta" in event] == ["Hel", "lo", "!"]
    assert texts(told, status="incomplete") == [["Hello!"]]


@pytest.mark.parametrize("other", ["Hallo", "Hallo all", "He", "", None, 7])
def test_what_was_streamed_holds(other: Any) -> None:
    told = Told()
    told.turn(delta("Hel"), delta("lo"), TEXT_DONE | {"text": other}, output=[message("Hi")])
    assert texts(told) == [["Hello"]]


def test_what_comes_after_the_end_of_a_text_is_not_heard() -> None:
    told = Told()
    told.turn(delta("a"), TEXT_DONE | {"text": "a"}, delta("b"), done(message("a")), delta("c"), output=[])
    assert texts(told) == [["a"]]


def test_what_is_repeated_is_told_once() -> None:
    told = Told()
    begin, part = added(message()), {"type": "response.content_part.added", "part": {"type": "output_text", "text": ""}}
    end = [TEXT_DONE | {"text": "a"}, PART_DONE | {"part": message("a")["content"][0]}, done(message("a"))]
    told.turn(begin, begin, part, part, delta("a"), *end, *end, output=[message("a")])
    assert texts(told) == [["a"]]


def test_what_is_repeated_without_names_is_told_once() -> None:
    told = Told()
    item = {"type": "message", "content": [{"type": "output_text", "text": "a"}]}
    begin, end = (
        {"type": "response.output_item.added", "item": {"type": "message"}},
        {"type": "response.output_item.done"},
    )
    text = {"type": "response.output_text.done", "text": "a"}
    told.turn(begin, begin, end | {"item": item}, end | {"item": item}, text, output=[item])
    assert texts(told) == [["a"]]


def test_items_that_are_mixed_up_are_told_one_after_the_other() -> None:
    told = Told()
    one, other = message("ab", id="msg_a"), message("xy", id="msg_b")
    told.turn(
        added(one, 0),
        added(other, 1),
        delta("a", "msg_a", 0, 0),
        delta("x", "msg_b", 0, 1),
        delta("b", "msg_a", 0, 0),
        delta("y", "msg_b", 0, 1),
        done(other, 1),
        done(one, 0),
        output=[one, other],
    )
    assert texts(told) == [["ab"], ["xy"]]


def test_parts_that_are_mixed_up_are_told_one_after_the_other() -> None:
    told = Told()
    told.turn(delta("a"), delta("x", part=1), delta("b"), delta("y", part=1), output=[message("ab", "xy")])
    assert texts(told) == [["ab", "xy"]]


def test_indexes_with_gaps_are_counted_anew() -> None:
    told = Told()
    told.turn(added(message(), 3), delta("a", part=5, place=3), added(call(), 9), done(call(), 9), output=[])
    final = told.end()
    assert [event["output_index"] for event in told.events if "output_index" in event and "item" in event] == [
        0,
        0,
        1,
        1,
    ]
    assert len(final["output"]) == 2


def test_items_whose_indexes_are_all_zero_are_told_apart() -> None:
    told = Told()
    first, second = message("a", id="msg_a"), message("b", id="msg_b")
    told.turn(added(first), delta("a", "msg_a"), done(first), delta("b", "msg_b"), done(second), output=[first, second])
    assert texts(told) == [["a"], ["b"]]


def test_ids_that_change_with_every_event_are_one_item() -> None:
    told = Told()
    told.turn(added(message(id="x1")), delta("a", "x2"), delta("b", "x3"), done(message("ab", id="x4")), output=[])
    assert told.end()["output"] == [message("ab", id="x1")]


def test_an_id_that_was_used_before_is_replaced() -> None:
    told = Told()
    told.turn(output=[message("a"), call()])
    turn = told.turn(output=[message("b"), call(arguments="[]")])
    items = told.end()["output"]
    assert [item["id"] for item in items] == ["msg_a", "fc_a", "msg_1", "fc_2"]
    assert [items[1]["call_id"], items[3]["call_id"]] == ["call_a", "call_3"]
    assert turn.calls == [items[3]]


def test_a_summary_without_an_item_does_not_hold_the_answer_up() -> None:
    told = Told()
    told.composer.open_turn()
    told.feed({"type": "response.reasoning_summary_text.delta", "item_id": "rs_a", "summary_index": 0, "delta": "Hm."})
    assert told.feed(delta("a"))[-1]["delta"] == "a"
    told.feed({"type": "response.completed", "response": {}})
    told.close()
    assert [item["type"] for item in told.end()["output"]] == ["reasoning", "message"]


def test_reasoning_that_was_announced_is_waited_for() -> None:
    told = Told()
    told.composer.open_turn()
    told.feed(added({"type": "reasoning", "id": "rs_a", "summary": []}))
    assert told.feed(delta("a", place=1)) == []
    told.feed(done({"type": "reasoning", "id": "rs_a", "summary": [], "encrypted_content": "sealed"}))
    told.feed({"type": "response.completed", "response": {}})
    assert told.close().items[0]["encrypted_content"] == "sealed"
    told.end()


def test_a_function_is_not_called_before_its_name_is_known() -> None:
    told = Told()
    told.composer.open_turn()
    arguments = {"type": "response.function_call_arguments.delta", "item_id": "fc_a", "output_index": 0, "delta": "{}"}
    assert told.feed(arguments) == []
    told.feed(done(call()), {"type": "response.completed", "response": {}})
    assert told.close().calls == [call()]
    assert told.end()["output"] == [call()]


def test_a_name_beside_the_arguments_is_enough_for_a_call() -> None:
    told = Told()
    told.turn(
        {"type": "response.function_call_arguments.done", "name": "f", "call_id": "call_x", "arguments": "{}"},
        output=[],
    )
    assert [(item["name"], item["call_id"]) for item in told.end()["output"]] == [("f", "call_x")]


@pytest.mark.parametrize("name", ["", None, 7])
def test_a_call_of_nothing_is_left_out(name: Any) -> None:
    told = Told()
    turn = told.turn(output=[call(name), message("a")])
    assert turn.calls == turn.refused_calls == [] and texts(told) == [["a"]]


def test_arguments_that_are_an_object_become_text() -> None:
    told = Told()
    told.turn(output=[call() | {"arguments": {"a": 1}}])
    assert told.end()["output"] == [call(arguments='{"a":1}')]


def test_a_call_without_arguments_has_empty_ones() -> None:
    told = Told()
    told.turn(output=[call() | {"arguments": None, "namespace": 7, "caller": "x", "async": None, "extra": 1}])
    assert told.end()["output"] == [call(arguments="") | {"extra": 1}]


def test_content_that_is_a_text_is_a_part() -> None:
    told = Told()
    told.turn(output=[message() | {"content": "a"}, message(id="b") | {"content": [{"type": "text", "text": "b"}]}])
    assert texts(told) == [["a"], ["b"]]


def test_parts_that_clients_do_not_know_are_left_out() -> None:
    told = Told()
    odd = [{"type": "output_audio", "data": "x"}, None, 3, {"type": []}, {"type": "output_text", "text": "a"}]
    told.turn({"type": "response.content_part.added", "part": odd[0]}, output=[message() | {"content": odd}])
    assert texts(told) == [["a"]]


def test_citations_that_come_late_stand_before_the_end_of_their_text() -> None:
    told = Told()
    whole = message("a")
    whole["content"][0]["annotations"] = [URL, URL, {"type": "odd"}, {"type": "url_citation"}, 1]
    told.turn(added(message()), delta("a"), TEXT_DONE | {"text": "a"}, done(whole), output=[])
    assert told.kinds()[3:6] == ["output_text.annotation.added", "output_text.done", "content_part.done"]
    assert told.end()["output"][0]["content"][0]["annotations"] == [URL]


def test_citations_get_the_fields_that_clients_insist_on() -> None:
    told = Told()
    bare = {"type": "url_citation", "url": "https://a.example", "title": None, "start_index": "0"}
    at = {"item_id": "msg_a", "output_index": 0, "content_index": 0, "annotation_index": 9}
    told.turn(
        delta("a"), {"type": "response.output_text.annotation.added", **at, "annotation": bare}, output=[message("a")]
    )
    found = told.end()["output"][0]["content"][0]["annotations"]
    assert found == [URL | {"title": "", "end_index": 0}]


def test_events_that_nobody_knows_are_not_passed_on() -> None:
    told = Told()
    odd: list[Json] = [
        {"type": "orq.step"},
        {"type": "response.shell_call_command.delta", "delta": "ls"},
        {"type": None},
        {},
        {"type": ["response.output_text.delta"]},
        {"type": "response.created", "response": {}},
        {"type": "error", "message": "x"},
        {"type": "response.output_item.added", "item": {"type": "orq:advisor", "id": "x"}},
        {"type": "response.output_item.done"},
    ]
    told.turn(*odd, output=[{"type": "orq:advisor", "id": "x"}, {"id": "y"}, None])
    assert told.end()["output"] == []


def test_padding_is_not_passed_on() -> None:
    told = Told()
    told.turn(delta("a") | {"obfuscation": "xxxx"}, output=[message("a")])
    assert texts(told) == [["a"]]


def test_an_empty_delta_is_no_event() -> None:
    told = Told()
    told.composer.open_turn()
    assert told.feed(delta(""), {"type": "response.output_text.delta", "delta": None}, delta("")) == []


def test_what_nobody_begins_does_not_begin() -> None:
    told = Told()
    told.turn(TEXT_DONE | {"text": ""}, PART_DONE | {"part": {"type": "refusal", "refusal": None}}, output=[])
    assert told.end()["output"] == []


def test_a_reply_that_is_no_reply_ends_the_turn() -> None:
    told = Told()
    turn = told.turn(delta("a"), {"type": "response.completed", "response": None}, delta("b"))
    assert (turn.status, turn.usage, turn.model) == ("completed", None, "")
    assert texts(told) == [["a"]]


def test_a_status_that_nobody_knows_is_completed() -> None:
    told = Told()
    told.turn(output=[message("a", status="in_progress"), message("b", id="b", status="odd"), call(status=None)])
    assert {item["status"] for item in told.end()["output"]} == {"completed"}


def nameless(item: Json) -> Json:
    return {name: value for name, value in item.items() if name != "id"}


def test_the_first_word_of_an_item_at_a_taken_index_is_told_at_once() -> None:
    told = Told()
    told.composer.open_turn()
    told.feed(added(message()), delta("a"), done(message("a")))
    assert told.feed(delta("b", "msg_b"))[-1]["delta"] == "b"


def test_what_was_not_begun_is_told_in_the_order_of_the_reply() -> None:
    told = Told()
    arguments = {"type": "response.function_call_arguments.delta", "item_id": "fc_b", "output_index": 1, "delta": "{"}
    first, second = call(), call("g", id="fc_b", call_id="call_b")
    turn = told.turn(arguments, output=[first, second])
    assert turn.items == told.end()["output"] == [first, second]


def test_calls_without_ids_at_one_index_are_told_apart_by_their_call_ids() -> None:
    told = Told()
    calls = [nameless(call(call_id="call_a")), nameless(call(call_id="call_b"))]
    told.turn(*map(done, calls), *map(done, calls), output=[])
    assert [item["call_id"] for item in told.end()["output"]] == ["call_a", "call_b"]


def test_items_at_one_index_are_told_apart_by_their_ids() -> None:
    told = Told()
    first, second = message("a", id="msg_a"), message("b", id="msg_b")
    told.turn(added(first), delta("a", "msg_a"), added(second), delta("b", "msg_b"), output=[first, second])
    assert texts(told) == [["a"], ["b"]]


def test_items_without_ids_at_one_index_are_told_apart_by_their_beginnings() -> None:
    told = Told()
    say = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "a"}
    one = [added(nameless(message())), say, done(nameless(message("a")))]
    told.turn(*one, *one, output=[])
    assert texts(told) == [["a"], ["a"]]


def test_a_reply_in_another_order_is_matched_by_ids() -> None:
    told = Told()
    first, second = message("a!", id="msg_a"), message("b!", id="msg_b")
    told.turn(delta("a", "msg_a"), delta("b", "msg_b", place=1), output=[second, first])
    assert texts(told) == [["a!"], ["b!"]]


def test_a_reply_with_other_ids_is_matched_by_its_order() -> None:
    told = Told()
    first, second = message("a!", id="x"), message("b!", id="y")
    told.turn(delta("b", "msg_b", place=1), delta("a", "msg_a", place=0), output=[first, second])
    assert texts(told) == [["b!"], ["a!"]]


def test_calls_with_one_call_id_are_told_apart_by_their_ids() -> None:
    told = Told()
    calls = [call(id="fc_a", call_id="call_0"), call("g", id="fc_b", call_id="call_0")]
    turn = told.turn(done(calls[0], 0), done(calls[1], 1), output=calls)
    assert [(item["name"], item["call_id"]) for item in turn.calls] == [("f", "call_0"), ("g", "call_1")]
    told.end()


def test_citations_of_an_earlier_part_may_come_with_the_item() -> None:
    told = Told()
    whole = message("a", "b")
    whole["content"][0]["annotations"] = [URL]
    told.turn(added(message()), delta("a"), TEXT_DONE | {"text": "a"}, delta("b", part=1), done(whole), output=[])
    assert told.end()["output"] == [whole]


def test_a_text_that_ends_twice_is_one_part() -> None:
    told = Told()
    told.turn(delta("a"), TEXT_DONE | {"text": "a"}, TEXT_DONE | {"text": "a", "content_index": 3}, output=[])
    assert texts(told) == [["a"]]


def test_a_text_that_only_ends_is_no_part_unless_it_says_something() -> None:
    told = Told()
    told.turn(added(message()), TEXT_DONE | {"text": ""}, output=[])
    told.turn(added(message(id="b")), {**TEXT_DONE, "item_id": "b", "text": "b"}, output=[])
    assert texts(told) == [[], ["b"]]


def test_parts_without_indexes_are_told_apart_by_their_beginnings() -> None:
    told = Told()
    begin = {"type": "response.content_part.added", "part": {"type": "output_text", "text": ""}}
    say = {"type": "response.output_text.delta"}
    told.turn(added(message()), begin, say | {"delta": "a"}, begin, say | {"delta": "b"}, output=[])
    assert texts(told) == [["a", "b"]]


def test_a_part_that_was_streamed_keeps_its_place() -> None:
    told = Told()
    told.turn(delta("b", part=1), output=[message("a", "b")])
    assert texts(told) == [["b", "a"]]


def test_reasoning_of_which_nothing_is_said_is_no_content() -> None:
    told = Told()
    part = {"type": "response.content_part.added", "content_index": 0, "part": {"type": "reasoning_text", "text": ""}}
    sealed = {"type": "reasoning", "id": "rs_a", "summary": [], "encrypted_content": "sealed"}
    turn = told.turn(added(sealed), part | {"item_id": "rs_a"}, output=[])
    told.end()
    assert turn.items == [sealed]


def test_what_is_said_of_a_part_after_its_end_is_not_heard() -> None:
    told = Told()
    at = {"item_id": "msg_a", "output_index": 0, "content_index": 0, "annotation_index": 0}
    told.turn(
        delta("a"),
        PART_DONE | {"part": {"type": "output_text", "text": "a"}},
        {"type": "response.output_text.annotation.added", **at, "annotation": URL},
        output=[message("ab")],
    )
    assert told.end()["output"] == [message("a")]


def test_what_was_sealed_at_the_beginning_stays_sealed() -> None:
    told = Told()
    bare = {"type": "reasoning", "id": "rs_a", "summary": []}
    turn = told.turn(added(bare | {"encrypted_content": "sealed"}), done(bare | {"encrypted_content": None}))
    told.end()
    assert turn.items == [bare | {"encrypted_content": "sealed"}]


def test_a_message_of_which_nothing_came_is_incomplete() -> None:
    told = Told()
    turn = told.turn(added(message()))
    assert (turn.status, turn.items) == ("incomplete", [message(status="incomplete")])
    told.end("incomplete")


def test_a_beginning_that_is_repeated_late_begins_nothing() -> None:
    told = Told()
    begin = nameless(message())
    say = {"type": "response.output_text.delta", "content_index": 0}
    first, second = say | {"output_index": 0, "delta": "a"}, say | {"output_index": 1, "delta": "b"}
    told.turn(added(begin, 0), added(begin, 1), added(begin, 0), first, second, output=[])
    assert texts(told) == [["a"], ["b"]]
