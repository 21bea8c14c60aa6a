"""The older way to ask an agent: what was posted as a request for a response, and what became of it in its words."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.wire.agent_answers import answered, finish_reason, messages, pending, usage
from orrery.wire.agent_events import AgentEvents
from orrery.wire.agent_messages import as_response, read_invocation
from orrery.wire.posted import Posted

TEXT = {"kind": "text", "text": "hi"}
ASKED = "mcpr_f8GnAC7yEJKS000Vbci3OyMuaBw000"


def body(*parts: Json, role: str = "user", **more: Any) -> Json:
    return {"message": {"role": role, "parts": list(parts) or [TEXT]}, **more}


def items(*parts: Json, role: str = "user") -> Any:
    return as_response("support", body(*parts, role=role))["input"]


def refusal(posted: Json) -> tuple[str | None, str]:
    with pytest.raises(InvalidRequest) as caught:
        read_invocation("support", Posted(orjson.dumps(posted)))
    return caught.value.param, caught.value.message


# ---- requests


def test_a_message_is_the_input_of_its_agent() -> None:
    call = read_invocation("support", Posted(orjson.dumps(body())))
    responding = call.options.responding
    assert responding is not None
    assert (responding.agent, responding.agent_version, responding.store) == ("support", "", True)
    assert call.body["input"] == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    ]
    assert orjson.loads(responding.posted)["model"] == "agent/support"
    assert (call.stream, responding.background) == (False, False)


def test_a_version_may_stand_in_the_path() -> None:
    responding = read_invocation("support@1.2.0", Posted(orjson.dumps(body()))).options.responding
    assert responding is not None and (responding.agent, responding.agent_version) == ("support", "1.2.0")


def test_every_field_means_what_it_means_for_a_response() -> None:
    more: Json = {
        "variables": {"name": "Ann", "token": {"value": "s", "secret": True}},
        "identity": {"id": "ann", "metadata": [{"plan": "pro"}]},
        "thread": {"id": "t1", "tags": ["a"]},
        "memory": {"entity_id": "ann"},
        "metadata": {"plain": "text", "number": 7, "nested": {"a": [1]}},
        "engine": "jinja",
        "configuration": {"blocking": True},
        "background": True,
        "stream": True,
        "task_id": "resp_1",
    }
    call = read_invocation("support", Posted(orjson.dumps(body(**more))))
    options, responding = call.options, call.options.responding
    assert responding is not None and options.variables and options.identity and options.thread
    assert (options.variables.engine, options.variables.secrets) == ("jinja", frozenset({"token"}))
    assert (options.identity.id, options.thread.id, options.thread.tags) == ("ann", "t1", ("a",))
    assert (responding.memory, responding.previous, responding.background) == ("ann", "resp_1", True)
    assert call.stream
    assert call.body["metadata"] == {"plain": "text", "number": "7", "nested": '{"a":[1]}'}


def test_a_contact_is_whom_it_is_for_and_a_conversation_is_one() -> None:
    call = read_invocation("support", Posted(orjson.dumps(body(contact={"id": "bo"}, conversation={"_id": "conv_1"}))))
    assert call.options.identity and call.options.responding
    assert (call.options.identity.id, call.options.responding.conversation) == ("bo", "conv_1")


def test_blocking_changes_nothing() -> None:
    for background in (True, False):
        for blocking in (True, False):
            told = as_response("a", body(configuration={"blocking": blocking}, background=background))
            assert told == as_response("a", body(background=background))


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ({"uri": "https://x.test/cat.png"}, {"type": "input_image", "image_url": "https://x.test/cat.png"}),
        ({"uri": "https://x.test/a?b=c.png"}, {"type": "input_file", "file_url": "https://x.test/a?b=c.png"}),
        (
            {"uri": "https://x.test/1", "mimeType": "image/webp", "name": "cat"},
            {"type": "input_image", "image_url": "https://x.test/1"},
        ),
        (
            {"uri": "https://x.test/1", "name": "a.pdf"},
            {"type": "input_file", "file_url": "https://x.test/1", "filename": "a.pdf"},
        ),
        (
            {"bytes": "QQ==", "mimeType": "image/png"},
            {"type": "input_image", "image_url": "data:image/png;base64,QQ=="},
        ),
        (
            {"bytes": "QQ==", "name": "a.pdf"},
            {"type": "input_file", "file_data": "data:application/pdf;base64,QQ==", "filename": "a.pdf"},
        ),
        ({"bytes": "QQ=="}, {"type": "input_file", "file_data": "data:application/octet-stream;base64,QQ=="}),
    ],
)
def test_files_are_pictures_or_files(file: Json, part: Json) -> None:
    (message,) = items(TEXT, {"kind": "file", "file": file})
    assert message["content"] == [{"type": "input_text", "text": "hi"}, part]
    read_invocation("support", Posted(orjson.dumps(body({"kind": "file", "file": file}))))


@pytest.mark.parametrize(
    ("result", "output"), [("ok", "ok"), ({"a": 1}, '{"a":1}'), ([1], "[1]"), (None, ""), (0, "0"), (False, "false")]
)
def test_results_answer_calls(result: Any, output: str) -> None:
    found = items({"kind": "tool_result", "tool_call_id": "c1", "result": result}, role="tool")
    assert found == [{"type": "function_call_output", "call_id": "c1", "output": output}]


def test_results_keep_their_order() -> None:
    parts = [{"kind": "tool_result", "tool_call_id": id, "result": id} for id in ("c1", "c2", "c3")]
    assert [item["call_id"] for item in items(*parts, role="tool")] == ["c1", "c2", "c3"]


def test_results_stand_before_what_else_is_said() -> None:
    parts = [TEXT, {"kind": "tool_result", "tool_call_id": "c1"}, {"kind": "error", "error": "broke"}]
    first, then = items(*parts, role="tool")
    assert (first["type"], [part["text"] for part in then["content"]]) == (
        "function_call_output",
        ["hi", "Error: broke"],
    )


@pytest.mark.parametrize(
    ("result", "approve", "reason"),
    [
        ("approved", True, None),
        ("rejected", False, None),
        ({"review": "approved"}, True, None),
        ({"review": "rejected", "reason": "too dear"}, False, "too dear"),
    ],
)
def test_a_call_that_waits_for_a_word_gets_it(result: Any, approve: bool, reason: str | None) -> None:
    (item,) = items({"kind": "tool_result", "tool_call_id": ASKED, "result": result}, role="tool")
    assert (item["type"], item["approval_request_id"]) == ("mcp_approval_response", ASKED)
    assert (item["approve"], item.get("reason")) == (approve, reason)


@pytest.mark.parametrize(
    "result", [None, True, 1, "yes", "Approved", {}, {"review": True}, ["approved"], {"review": []}]
)
def test_what_is_no_word_approves_nothing(result: Any) -> None:
    part = {"kind": "tool_result", "tool_call_id": ASKED, "result": result}
    param, message = refusal(body(part, role="tool"))
    assert param == "message.parts[0].result" and "'approved' or 'rejected'" in message


@pytest.mark.parametrize(
    ("posted", "param"),
    [
        ({}, "message"),
        ({"message": "hi"}, "message"),
        ({"message": {"role": "user"}}, "message.parts"),
        ({"message": {"role": "user", "parts": []}}, "message.parts"),
        (body(role="system"), "message.role"),
        (body({"kind": "video"}), "message.parts[0].kind"),
        (body({"kind": "text"}), "message.parts[0].text"),
        (body({"kind": "file", "file": {}}), "message.parts[0].file"),
        (body({"kind": "file", "file": {"uri": "u", "bytes": "b"}}), "message.parts[0].file"),
        (body({"kind": "tool_result"}), "message.parts[0].tool_call_id"),
        (body({"kind": "tool_result", "tool_call_id": "x" * 65}), "message.parts[0]"),
        (body(task_id="resp_1", conversation={"_id": "conv_1"}), "task_id"),
        (body(task_id=""), "task_id"),
        (body(engine="liquid"), "engine"),
        (body(identity={}), "identity.id"),
        (body(memory={}), "memory.entity_id"),
        (body(memory={"entity_id": "x" * 65}), "memory.entity_id"),
        (body(conversation={"id": "conv_1"}), "conversation._id"),
        (body(background="yes"), "background"),
        (body(metadata={str(n): "" for n in range(17)}), "metadata"),
        (body(variables={"a": {"value": 1, "secret": "yes"}}), "variables.a.secret"),
    ],
)
def test_what_is_wrong_is_named(posted: Json, param: str) -> None:
    assert refusal(posted)[0] == param


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=6), each, max_size=3),
    max_leaves=6,
)
_PART: Any = st.fixed_dictionaries(
    {"kind": st.sampled_from(["text", "file", "tool_result", "error"])},
    optional={name: _JSON for name in ("text", "file", "tool_call_id", "result", "error", "code", "metadata")},
)


@settings(max_examples=60)
@given(st.lists(_PART, max_size=3), st.dictionaries(st.sampled_from(["task_id", "thread", "metadata"]), _JSON))
def test_whatever_is_posted_is_a_call_or_the_callers_fault(parts: list[Json], more: Json) -> None:
    try:
        call = read_invocation("support", Posted(orjson.dumps(body(*parts, **more))))
    except InvalidRequest as err:
        assert err.param
    else:
        assert call.options.responding and call.options.responding.agent == "support"


# ---- answers

MESSAGE: Json = {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "hello"}]}
CALL: Json = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "clock", "arguments": '{"zone":"CET"}'}
RAN: Json = {"type": "orq:clock", "id": "orq_1", "call_id": "c1", "name": "clock", "arguments": "{}", "output": "noon"}
MCP: Json = {"type": "mcp_call", "id": "mcp_1", "name": "find", "arguments": "[]", "output": None, "error": {"code": 1}}
WAITS: Json = {"type": "mcp_approval_request", "id": ASKED, "name": "pay", "arguments": '{"eur":5}'}
SEARCH: Json = {"type": "web_search_call", "id": "ws_1", "action": {"query": "x"}}
SEARCHED: Json = {"kind": "tool_call", "tool_name": "web_search_call", "tool_call_id": "ws_1"}
THOUGHT: Json = {"type": "reasoning", "id": "rs_1", "summary": []}
COUNTS: Json = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_creation_tokens": 1},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 15,
    "total_cost": 0.1,
}


def resource(*output: Json, status: str = "completed", **more: Any) -> Json:
    plain = {"id": "resp_1", "created_at": 1_800_000_000, "model": "agent/support", "usage": None, "error": None}
    return {**plain, "status": status, "output": list(output), "incomplete_details": None, **more}


def test_an_answer_has_every_field_of_the_route() -> None:
    assert answered(resource(MESSAGE, usage=COUNTS), "trace", "span") == {
        "_id": "resp_1",
        "task_id": "resp_1",
        "output": [{"messageId": "msg_1", "role": "agent", "parts": [{"kind": "text", "text": "hello"}]}],
        "created_at": "2027-01-15T08:00:00.000Z",
        "model": "agent/support",
        "usage": {
            "completion_tokens": 5,
            "prompt_tokens": 10,
            "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_creation_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
        "pending_tool_calls": [],
        "telemetry": {"trace_id": "trace", "span_id": "span"},
        "finish_reason": "stop",
    }


def test_what_has_not_ended_has_no_reason_and_no_usage() -> None:
    told = answered(resource(status="queued"), "trace", "span")
    assert "finish_reason" not in told and (told["usage"], told["output"]) == (None, [])


def test_tools_are_calls_and_results() -> None:
    found = messages(resource(THOUGHT, CALL, RAN, MCP, SEARCH, WAITS))
    assert [(message["role"], message["parts"][0]) for message in found] == [
        ("agent", {"kind": "tool_call", "tool_name": "clock", "tool_call_id": "c1", "arguments": {"zone": "CET"}}),
        ("tool", {"kind": "tool_result", "tool_call_id": "c1", "result": "noon"}),
        ("agent", {"kind": "tool_call", "tool_name": "find", "tool_call_id": "mcp_1", "arguments": {}}),
        ("tool", {"kind": "tool_result", "tool_call_id": "mcp_1", "result": {"code": 1}}),
        ("agent", {**SEARCHED, "arguments": {"query": "x"}}),
        ("tool", {"kind": "tool_result", "tool_call_id": "ws_1", "result": ""}),
        ("agent", {"kind": "tool_call", "tool_name": "pay", "tool_call_id": ASKED, "arguments": {"eur": 5}}),
    ]  # fmt: skip


def test_what_the_client_must_answer_is_pending() -> None:
    own = {**CALL, "call_id": "c2", "name": "refund"}
    assert pending([CALL, RAN, own, WAITS]) == [
        {"id": ASKED, "type": "function", "function": {"name": "pay", "arguments": '{"eur":5}'}},
        {"id": "c2", "type": "function", "function": {"name": "refund", "arguments": '{"zone":"CET"}'}},
    ]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (resource(MESSAGE), "stop"),
        (resource(CALL), "tool_calls"),
        (resource(CALL, RAN), "stop"),
        (resource(WAITS), "tool_calls"),
        (resource(status="failed"), ""),
        (resource(status="cancelled"), ""),
        (resource(status="in_progress"), ""),
        *(
            (resource(status="incomplete", incomplete_details={"reason": why}), reason)
            for why, reason in (
                ("max_output_tokens", "length"),
                ("content_filter", "content_filter"),
                ("max_iterations", "max_iterations"),
                ("max_execution_time", "max_time"),
                ("max_cost", "length"),
            )
        ),
        (resource(status="incomplete"), "length"),
    ],
)
def test_why_it_ended(told: Json, reason: str) -> None:
    assert finish_reason(told) == reason


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [("failed", {"message": "no"}, "no"), ("cancelled", None, "The response is cancelled.")],
)
def test_why_it_failed_is_its_last_part(status: str, error: Any, words: str) -> None:
    assert messages(resource(MESSAGE, status=status, error=error))[-1]["parts"] == [{"kind": "error", "error": words}]


def test_a_refusal_is_words() -> None:
    refused = {**MESSAGE, "content": [{"type": "refusal", "refusal": "I cannot"}]}
    assert messages(resource(refused))[0]["parts"] == [{"kind": "text", "text": "I cannot"}]


def test_usage_without_details_is_counted() -> None:
    bare = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    found = usage(resource(usage=bare))
    assert found and found["prompt_tokens_details"] == {"cached_tokens": 0, "cache_creation_tokens": 0}


# ---- events


def events(*heard: Json, tools: Any = (), status: int = 0, message_id: str = "m1") -> list[Json]:
    stream = AgentEvents(message_id=message_id, trace_id="trace", span_id="span", now=lambda: 1_800_000_000.5)
    stream.status = status
    begun = {"type": "response.created", "response": resource(status="in_progress", tools=list(tools))}
    return [told for event in (begun, *heard) for told in stream.feed(event)]


def done(item: Json) -> Json:
    return {"type": "response.output_item.done", "item": item}


def kinds(told: list[Json]) -> list[str]:
    return [event["type"] for event in told]


def test_a_start_says_what_began() -> None:
    (started,) = events()
    assert list(started) == ["type", "timestamp", "data"]
    assert (started["type"], started["timestamp"]) == ("response.started", "2027-01-15T08:00:00.500Z")
    assert started["data"] == {
        "responseId": "resp_1",
        "taskId": "resp_1",
        "model": "agent/support",
        "workflowRunId": "resp_1",
        "telemetry": {"trace_id": "trace", "span_id": "span"},
        "userMessageId": "m1",
    }
    assert "userMessageId" not in events(message_id="")[0]["data"]


@pytest.mark.parametrize(
    ("name", "field", "place", "part"),
    [
        ("output_text", "text", {"content_index": 1}, {"kind": "text", "text": "hel"}),
        ("refusal", "refusal", {"content_index": 1}, {"kind": "text", "text": "hel"}),
        ("reasoning_summary_text", "text", {"summary_index": 1}, {"kind": "reasoning", "reasoning": "hel"}),
        ("reasoning", "text", {"content_index": 1}, {"kind": "reasoning", "reasoning": "hel"}),
        ("reasoning_text", "text", {"content_index": 1}, {"kind": "reasoning", "reasoning": "hel"}),
    ],
)
def test_parts_grow_and_are_done(name: str, field: str, place: Json, part: Json) -> None:
    at = {"item_id": "i1", **place}
    delta = {"type": f"response.{name}.delta", **at, "delta": "hel"}
    told = events(delta, {"type": f"response.{name}.done", **at, field: "hel"})[1:]
    assert [(event["type"], event["data"]) for event in told] == [
        ("part.delta", {"partId": "i1_1", "delta": part}),
        ("part.done", {"partId": "i1_1", "part": part}),
    ]


def test_a_tool_of_ours_has_begun_when_its_call_is_complete() -> None:
    told = events(done(CALL), done(RAN), tools=[{"type": "orq:clock"}])[1:]
    assert [(event["type"], event["data"]) for event in told] == [
        ("tool.started", {"toolId": "clock", "toolCallId": "c1", "toolName": "clock", "arguments": {"zone": "CET"}}),
        ("tool.done", {"toolId": "clock", "toolCallId": "c1", "result": "noon"}),
    ]


def test_a_stored_request_is_known_by_its_key() -> None:
    assert kinds(events(done(CALL), tools=[{"type": "orq:http", "tool_id": "clock"}])) == [
        "response.started",
        "tool.started",
    ]


def test_a_tool_whose_name_nobody_knew_has_begun_when_it_ended() -> None:
    assert kinds(events(done(CALL), done(RAN)))[1:] == ["tool.started", "tool.done"]
    assert kinds(events(done({**MCP, "status": "failed"})))[1:] == ["tool.started", "tool.failed"]


def test_a_function_of_the_clients_never_begins_here() -> None:
    assert kinds(events(done(CALL), done(MESSAGE), done(THOUGHT))) == ["response.started"]


def test_a_failure_of_a_tool_is_told_in_words() -> None:
    (failed,) = events(done({**MCP, "status": "failed"}))[2:]
    assert failed["data"] == {"toolId": "find", "toolCallId": "mcp_1", "error": '{"code":1}'}


def test_what_waits_for_a_word_says_so_and_what_got_it_too() -> None:
    (asked,) = events(done(WAITS))[1:]
    wanted = {"toolId": "pay", "toolCallId": ASKED, "toolName": "pay", "arguments": {"eur": 5}}
    assert (asked["type"], asked["data"]) == ("tool.review.requested", {**wanted, "requiresApproval": True})
    told = events(done({**RAN, "approval_request_id": ASKED}))[1:]
    assert kinds(told) == ["tool.review.done", "tool.started", "tool.done"]
    assert told[0]["data"]["review"] == "approved"


@pytest.mark.parametrize("kind", ["completed", "incomplete"])
def test_the_end_says_why_and_what_is_pending(kind: str) -> None:
    ended = resource(CALL, status=kind, usage=COUNTS, incomplete_details={"reason": "max_iterations"})
    (last,) = events({"type": f"response.{kind}", "response": ended})[1:]
    assert last["type"] == "response.done"
    assert last["data"]["finishReason"] == {"completed": "tool_calls", "incomplete": "max_iterations"}[kind]
    assert (last["data"]["usage"]["total_tokens"], len(last["data"]["pendingToolCalls"])) == (15, 1)
    assert last["data"]["telemetry"] == {"trace_id": "trace", "span_id": "span"}


@pytest.mark.parametrize(
    ("kind", "status", "known", "code"),
    [("failed", "failed", 0, 500), ("failed", "failed", 502, 502), ("failed", "failed", 200, 500),
     ("incomplete", "cancelled", 0, 499)],
)  # fmt: skip
def test_a_failure_has_a_number(kind: str, status: str, known: int, code: int) -> None:
    ended = resource(status=status, error={"code": "x", "message": "no"})
    (last,) = events({"type": f"response.{kind}", "response": ended}, status=known)[1:]
    assert (last["type"], last["data"]) == ("response.failed", {"error": "no", "code": code})


def test_other_events_are_nothing_there() -> None:
    others = ["response.in_progress", "response.queued", "error", "response.content_part.added", "what.ever"]
    assert len(events(*({"type": type} for type in others))) == 1
