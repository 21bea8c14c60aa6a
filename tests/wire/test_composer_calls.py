"""Calls of functions, some of them hidden or refused; calls of tools that run elsewhere; items of our own."""

from typing import Any

import pytest

from orrery.core.types import Json
from orrery.wire.composer import shown
from tests.wire.composing import Told, added, call, delta, done, judge, message, names

ARGUMENTS = {"type": "response.function_call_arguments.delta", "item_id": "fc_a", "output_index": 0}


def test_a_call_is_told_in_the_order_of_the_specification() -> None:
    told = Told()
    told.turn(added(call(arguments="")), ARGUMENTS | {"delta": "{"}, ARGUMENTS | {"delta": "}"}, output=[call()])
    final = told.end()
    assert told.kinds() == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert told.events[5]["name"] == "f"
    assert final["output"] == [call()]


def test_a_hidden_call_is_seen_by_nobody_but_the_gateway() -> None:
    told = Told()
    turn = told.turn(
        added(call(arguments="")), ARGUMENTS | {"delta": "{}"}, output=[call(), message("a")], hidden=["f", "g"]
    )
    assert told.end()["output"] == [message("a")] == told.composer.resource["output"]
    assert turn.calls == [call()] and turn.items == [call(), message("a")]
    assert told.events[2]["output_index"] == 0


def test_a_hidden_call_that_waits_for_the_end_is_hidden_too() -> None:
    told = Told()
    summary = {"type": "response.reasoning_summary_text.done", "item_id": "rs_a", "summary_index": 0, "text": "Hm."}
    reasoning = added({"type": "reasoning", "id": "rs_a", "summary": []})
    turn = told.turn(
        reasoning, summary, done(call(), 1), done(call("g", id="b", call_id="b"), 2), hidden=["f"], allowed=["f"]
    )
    assert [item["type"] for item in told.end()["output"]] == ["reasoning"]
    assert [item["name"] for item in turn.calls + turn.refused_calls] == ["f", "g"]


def test_a_call_that_is_not_allowed_is_refused() -> None:
    told = Told()
    turn = told.turn(
        added(call(arguments="")),
        ARGUMENTS | {"delta": "{}"},
        output=[call(), call("g", id="fc_b", call_id="call_b"), call("h", id="fc_c", call_id="call_c")],
        allowed=["g", "h"],
        hidden=["h", "f"],
    )
    assert [item["name"] for item in turn.refused_calls] == ["f"]
    assert [item["name"] for item in turn.calls] == [item["name"] for item in turn.items] == ["g", "h"]
    assert [item["name"] for item in told.end()["output"]] == ["g"]


def test_nothing_may_be_called_where_nothing_is_allowed() -> None:
    told = Told()
    turn = told.turn(output=[call()], allowed=[])
    assert turn.refused_calls == [call()] and not turn.items and told.end()["output"] == []


def test_a_call_that_was_cut_is_incomplete() -> None:
    told = Told()
    cut = {"type": "response.incomplete", "response": {"output": [call(arguments='{"a')]}}
    turn = told.turn(added(call(arguments="")), ARGUMENTS | {"delta": '{"a'}, done(call(arguments='{"a')), cut)
    assert turn.calls == [call(arguments='{"a', status="incomplete")] == told.end("incomplete")["output"]


def test_a_hidden_call_that_was_cut_is_incomplete() -> None:
    told = Told()
    turn = told.turn(done(call()), {"type": "response.incomplete", "response": {}}, hidden=["f"])
    assert turn.calls == [call(status="incomplete")]
    assert told.end("incomplete")["output"] == []


def test_in_a_complete_turn_no_call_is_incomplete() -> None:
    told = Told()
    cut = call("g", status="incomplete", id="fc_b", call_id="call_b")
    turn = told.turn(done(call(status="incomplete")), done(cut, 1), output=[], hidden=["f", "g"])
    assert [item["status"] for item in turn.calls] == ["completed", "completed"]


def test_our_own_call_is_shown_whatever_is_hidden() -> None:
    told = Told()
    told.composer.open_turn(hidden=["f"], allowed=[])
    told.add(call())
    assert told.close().calls == []
    assert told.end()["output"] == [call()]


STEPS: list[tuple[Json, list[str]]] = [
    (
        {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}},
        ["web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed"],
    ),
    (
        {"type": "web_search_call", "status": "failed", "action": {"type": "search", "query": "q"}},
        ["web_search_call.in_progress", "web_search_call.searching"],
    ),
    (
        {"type": "mcp_call", "status": "completed", "name": "t", "server_label": "s", "arguments": "{}", "output": "o"},
        ["mcp_call.in_progress", "mcp_call_arguments.delta", "mcp_call_arguments.done", "mcp_call.completed"],
    ),
    (
        {
            "type": "mcp_call",
            "name": "t",
            "server_label": "s",
            "arguments": "",
            "error": {"type": "http_error", "code": 500, "message": "x"},
        },
        ["mcp_call.in_progress", "mcp_call.failed"],
    ),
    (
        {"type": "mcp_list_tools", "server_label": "s", "tools": [{"name": "t", "input_schema": {}}]},
        ["mcp_list_tools.in_progress", "mcp_list_tools.completed"],
    ),
    (
        {"type": "mcp_list_tools", "server_label": "s", "tools": [], "error": "gone"},
        ["mcp_list_tools.in_progress", "mcp_list_tools.failed"],
    ),
    (
        {
            "type": "code_interpreter_call",
            "status": "completed",
            "container_id": "c",
            "code": "1+1",
            "outputs": [{"type": "logs", "logs": "2"}],
        },
        [
            "code_interpreter_call.in_progress",
            "code_interpreter_call_code.delta",
            "code_interpreter_call_code.done",
            "code_interpreter_call.interpreting",
            "code_interpreter_call.completed",
        ],
    ),
    ({"type": "image_generation_call", "status": "completed", "result": "iVBO"}, ["image_generation_call.in_progress"]),
    ({"type": "orq:current_date", "status": "failed", "error": "x"}, []),
    ({"type": "function_call_output", "call_id": "call_a", "output": "1", "status": "completed"}, []),
    ({"type": "mcp_approval_request", "name": "t", "server_label": "s", "arguments": "{}"}, []),
    ({"type": "custom_tool_call", "name": "t", "call_id": "call_b", "input": "x"}, ["custom_tool_call_input.delta"]),
]


@pytest.mark.parametrize(("item", "between"), STEPS, ids=lambda value: str(value)[:40])
def test_an_item_of_our_own_is_told_with_its_steps(item: Json, between: list[str]) -> None:
    told = Told(reveals=["code_interpreter_call.outputs"])
    events = names(told.add(item))
    assert events[0] == "output_item.added" and events[-1] == "output_item.done"
    assert events[1 : 1 + len(between)] == between
    assert len(events) == 2 + len(between) or item["type"] in ("image_generation_call", "custom_tool_call")
    found = told.end()["output"][0]
    assert {name: found[name] for name in item} == item
    assert isinstance(found["id"], str)


def test_what_is_not_known_at_the_beginning_is_not_told_then() -> None:
    told = Told(reveals=["code_interpreter_call.outputs", "web_search_call.results"])
    for item, _ in STEPS[:8]:
        told.add(item | {"results": [1]} if item["type"] == "web_search_call" else item)
    begun = {event["item"]["type"]: event["item"] for event in told.events if event["type"].endswith("item.added")}
    assert begun["code_interpreter_call"] | {"id": ""} == {
        "type": "code_interpreter_call",
        "id": "",
        "status": "in_progress",
        "container_id": "c",
        "code": "",
        "outputs": None,
    }
    assert begun["mcp_list_tools"]["tools"] == [] and "error" not in begun["mcp_list_tools"]
    assert not {"output", "error", "results"} & (begun["mcp_call"].keys() | begun["web_search_call"].keys())
    assert begun["image_generation_call"]["result"] is None
    judge(told.events, ended=False)


def test_a_message_of_our_own_is_told_like_any_other() -> None:
    told = Told()
    assert names(told.add({"type": "message", "content": [{"type": "output_text", "text": "hi"}]})) == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
    ]
    assert told.end()["output"] == [message("hi", id="msg_1")]


SEARCH: Json = {
    "type": "web_search_call",
    "id": "ws_a",
    "status": "completed",
    "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a.example"}]},
    "results": [{"title": "A"}],
}


def test_what_a_search_found_is_shown_on_demand() -> None:
    told = Told()
    told.add(SEARCH)
    bare = {**SEARCH, "action": {"type": "search", "query": "q"}}
    del bare["results"]
    assert told.end()["output"] == [bare]
    kept = told.composer.resource
    assert kept["output"] == [SEARCH]
    assert shown(kept, ["web_search_call.results"])["output"] == [bare | {"results": SEARCH["results"]}]
    assert shown(kept, ["web_search_call.action.sources"])["output"] == [bare | {"action": SEARCH["action"]}]


def test_other_findings_are_shown_on_demand() -> None:
    told = Told()
    told.add(STEPS[6][0])
    told.add({"type": "file_search_call", "status": "completed", "queries": ["q"], "results": [{"text": "x"}]})
    first, second = told.end()["output"]
    assert first["outputs"] is None and "results" not in second
    kept = told.composer.resource
    both = shown(kept, ["code_interpreter_call.outputs", "file_search_call.results"])
    assert both == kept


def hosted(step: str, **more: Any) -> Json:
    return {"type": f"response.{step}", "item_id": "ws_a", "output_index": 0, "sequence_number": 99, **more}


def test_steps_of_a_hosted_tool_are_passed_on_and_numbered_anew() -> None:
    told = Told()
    told.composer.open_turn()
    told.feed(added({"type": "web_search_call", "id": "ws_a", "status": "in_progress"}))
    assert told.feed(hosted("web_search_call.searching", obfuscation="x")) == [
        {"type": f"response.web_search_call.{step}", "sequence_number": n, "item_id": "ws_a", "output_index": 0}
        for n, step in ((3, "in_progress"), (4, "searching"))
    ]
    assert told.feed(hosted("web_search_call.searching"), hosted("web_search_call.in_progress")) == []
    assert names(told.feed(hosted("web_search_call.completed"))) == ["web_search_call.completed"]
    assert names(told.feed(done(SEARCH))) == ["output_item.done"]
    told.feed({"type": "response.completed", "response": {}})
    assert told.close().items == [SEARCH]
    told.end()


def test_code_is_streamed_between_its_steps() -> None:
    told = Told()
    item = STEPS[6][0] | {"id": "ws_a"}
    told.turn(
        added(item | {"code": "", "outputs": None}),
        hosted("code_interpreter_call_code.delta", delta="1+"),
        hosted("code_interpreter_call_code.done", code="1+1"),
        hosted("code_interpreter_call_code.delta", delta="late"),
        hosted("code_interpreter_call.interpreting"),
        hosted("code_interpreter_call.completed"),
        done(item),
        output=[],
    )
    assert told.kinds() == [
        "output_item.added",
        "code_interpreter_call.in_progress",
        "code_interpreter_call_code.delta",
        "code_interpreter_call_code.delta",
        "code_interpreter_call_code.done",
        "code_interpreter_call.interpreting",
        "code_interpreter_call.completed",
        "output_item.done",
    ]
    assert told.end()["output"][0]["code"] == "1+1"


def test_arguments_that_come_after_all_steps_are_in_the_item_alone() -> None:
    told = Told()
    item = STEPS[2][0] | {"id": "ws_a"}
    told.turn(
        added(item), hosted("mcp_call.completed"), hosted("mcp_call_arguments.delta", delta="x"), done(item), output=[]
    )
    assert told.kinds() == ["output_item.added", "mcp_call.in_progress", "mcp_call.completed", "output_item.done"]
    assert told.end()["output"][0]["arguments"] == "{}"


def test_pictures_that_are_not_finished_are_passed_on() -> None:
    told = Told()
    item = {"type": "image_generation_call", "id": "ws_a", "status": "completed", "result": "iVBO"}
    partial = "image_generation_call.partial_image"
    told.turn(
        added(item | {"result": None, "status": "in_progress"}),
        hosted(partial, partial_image_b64="aa", partial_image_index=0, size="1x1", quality=None),
        hosted(partial, partial_image_b64="bb", partial_image_index=1),
        hosted(partial, partial_image_b64=None, partial_image_index=1),
        done(item),
        output=[],
    )
    assert told.kinds()[1:6] == [
        "image_generation_call.in_progress",
        "image_generation_call.generating",
        partial,
        partial,
        "image_generation_call.completed",
    ]
    assert told.events[5]["size"] == "1x1" and "quality" not in told.events[5]
    assert told.end()["output"] == [item]


def test_a_search_that_was_not_cut_is_complete_in_an_incomplete_answer() -> None:
    told = Told(reveals=["web_search_call.results", "web_search_call.action.sources"])
    turn = told.turn({"type": "response.incomplete", "response": {"output": [SEARCH]}})
    assert told.end("incomplete")["output"] == [SEARCH] == turn.items


def test_a_search_that_was_cut_has_failed() -> None:
    told = Told()
    told.turn(added(SEARCH), hosted("web_search_call.in_progress"))
    assert told.end("incomplete")["output"][0]["status"] == "failed"
    assert "web_search_call.completed" not in told.kinds()


def test_an_item_of_a_type_that_is_new_is_passed_on() -> None:
    told = Told()
    new = {"type": "telepathy_call", "id": "t_a", "status": "failed", "thought": None}
    told.turn(added(new | {"status": "in_progress"}), done(new), output=[new])
    assert told.end(typed=False)["output"] == [new]


def test_an_item_of_our_own_waits_for_what_upstream_has_begun() -> None:
    told = Told()
    told.composer.open_turn()
    told.feed(added(message()), delta("a"))
    assert told.add({"type": "orq:current_date", "status": "completed"}) == []
    told.feed({"type": "response.completed", "response": {"output": [message("a"), call()]}})
    assert told.close().items == [message("a"), call()]
    assert [item["type"] for item in told.end()["output"]] == ["message", "function_call", "orq:current_date"]


def test_a_list_of_tools_that_was_cut_is_not_complete() -> None:
    told = Told()
    told.turn(added({"type": "mcp_list_tools", "id": "mcpl_a", "server_label": "s", "tools": []}))
    told.end("incomplete")
    assert told.kinds() == ["output_item.added", "output_item.done"]


def test_an_extension_always_has_a_status() -> None:
    told = Told()
    told.add({"type": "orq:current_date"})
    assert told.end()["output"] == [{"type": "orq:current_date", "id": "orq_1", "status": "completed"}]
