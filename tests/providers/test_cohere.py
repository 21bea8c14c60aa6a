"""The choices of the Cohere dialect that depend on other parameters."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from orrery.core.dialect import Encoded, Reply, UpstreamRequest
from orrery.core.errors import BadCredential, InvalidRequest
from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.cohere import PROVIDER, decode, encode
from tests.providers import any_cohere
from tests.providers.test_cohere_judged import assert_lawful_request
from tests.providers.test_cohere_stream import streaming

HI: Json = {"role": "user", "content": "Hi"}
TOOL: Json = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
STRICT: Json = {"type": "function", "function": {**TOOL["function"], "strict": True}}
CALL: Json = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def encoded(**body: Any) -> Encoded:
    body = {"model": "cohere/command-a-03-2025", "messages": [HI], **body}
    call = Call(Operation.CHAT, body["model"], body)
    result = encode(call, Target("cohere", "command-a-03-2025", PROVIDER.base_url))
    assert_lawful_request(result.body)
    return result


THINKING: list[tuple[Any, Any, Any, tuple[str, ...]]] = [
    # thinking, effort → sent, lost
    (None, None, None, ()),
    (None, "default", None, ()),
    (None, "none", {"type": "disabled"}, ()),
    (None, "high", {"type": "enabled"}, ()),
    (None, "low", {"type": "enabled"}, ("reasoning_effort",)),
    ({"type": "disabled"}, "none", {"type": "disabled"}, ()),
    ({"type": "disabled"}, "high", {"type": "disabled"}, ("reasoning_effort",)),
    ({"type": "adaptive"}, "high", {"type": "enabled"}, ()),
    ({"type": "adaptive"}, "medium", {"type": "enabled"}, ("reasoning_effort",)),
    ({"type": "enabled", "budget_tokens": 2048.0}, None, {"type": "enabled", "token_budget": 2048}, ()),
    ({"type": "adaptive", "token_budget": 9}, None, {"type": "enabled", "token_budget": 9}, ()),
    ({"type": "enabled", "thinking_level": "high"}, None, {"type": "enabled"}, ()),
    ({"type": "adaptive", "thinking_level": "low"}, None, {"type": "enabled"}, ("thinking.thinking_level",)),
]


@pytest.mark.parametrize(("wish", "effort", "sent", "lost"), THINKING)
def test_thinking_is_on_off_or_measured(wish: Any, effort: Any, sent: Any, lost: tuple[str, ...]) -> None:
    found = encoded(thinking=wish, reasoning_effort=effort)
    assert found.body.get("thinking") == sent and found.dropped == lost


NUMBERS: list[tuple[Json, Json, tuple[str, ...]]] = [
    ({"temperature": 0}, {"temperature": 0}, ()),
    ({"temperature": 1.01}, {"temperature": 1}, ("temperature",)),
    ({"top_p": 0}, {"p": 0.01}, ("top_p",)),
    ({"top_p": 0.5, "top_k": 500}, {"p": 0.5, "k": 500}, ()),
    ({"top_k": 501}, {"k": 500}, ("top_k",)),
    ({"top_k": 1.5}, {"k": 1}, ("top_k",)),
    ({"frequency_penalty": 0, "presence_penalty": 0.5}, {"presence_penalty": 0.5}, ()),
    ({"frequency_penalty": -1}, {}, ("frequency_penalty",)),
    ({"seed": 0}, {"seed": 0}, ()),
    ({"seed": -1}, {}, ("seed",)),
    ({"top_p": 0.5, "p": 0.7}, {"p": 0.7}, ()),
]


@pytest.mark.parametrize(("asked", "sent", "lost"), NUMBERS)
def test_numbers_stay_within_coheres_bounds(asked: Json, sent: Json, lost: tuple[str, ...]) -> None:
    found = encoded(**asked)
    assert {name: value for name, value in found.body.items() if name not in ("model", "messages")} == sent
    assert found.dropped == lost


@pytest.mark.parametrize(
    ("tools", "strict", "lost"),
    [([STRICT, STRICT], True, ()), ([STRICT, TOOL], None, ("tools.strict",)), ([TOOL], None, ())],
)
def test_all_tools_are_strict_or_none(tools: list[Json], strict: Any, lost: tuple[str, ...]) -> None:
    found = encoded(tools=tools)
    assert found.body.get("strict_tools") is strict and found.dropped == lost
    assert not any("strict" in tool["function"] for tool in found.body["tools"])


def test_a_choice_without_tools_is_not_sent() -> None:
    assert encoded(tool_choice="none").dropped == ()
    assert encoded(tool_choice="required").dropped == ("tool_choice",)


@pytest.mark.parametrize("beside", [{"tools": [TOOL]}, {"documents": ["a"]}])
def test_json_cannot_be_asked_for_beside_tools_and_documents(beside: Json) -> None:
    found = encoded(response_format={"type": "json_object"}, **beside)
    assert "response_format" not in found.body and found.dropped == ("response_format",)


@pytest.mark.parametrize("wanted", [{"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "x"}}])
def test_json_without_a_schema_is_json(wanted: Json) -> None:
    assert encoded(response_format=wanted).body["response_format"] == {"type": "json_object"}
    assert "response_format" not in encoded(response_format={"type": "text"}).body


UNSAYABLE: list[tuple[str, Json]] = [
    ("messages[0].role", {"role": "function", "name": "f", "content": "1"}),
    ("messages[0].audio", {"role": "assistant", "audio": {"id": "x"}}),
    ("messages[0].function_call", {"role": "assistant", "function_call": {"name": "f", "arguments": ""}}),
    ("messages[0].tool_calls[0].type", {"role": "assistant", "tool_calls": [{"id": "1", "custom": {"name": "c"}}]}),
    ("messages[0].tool_call_id", {"role": "tool", "tool_call_id": None, "content": "1"}),
    ("messages[0].content[0].type", {"role": "tool", "tool_call_id": "a", "content": [{"type": "image_url"}]}),
    ("messages[0].content[0].type", {"role": "system", "content": [{"type": "image_url"}]}),
    (
        "messages[0].content[0].image_url.url",
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]},
    ),
    ("messages[0].content[0].file", {"role": "user", "content": [{"type": "file", "file": {"uri": "s3://b/a.png"}}]}),
    ("messages[0].content[0].file", {"role": "user", "content": [{"type": "file", "file": {"file_id": "file_1"}}]}),
]


@pytest.mark.parametrize(("param", "message"), UNSAYABLE)
def test_what_cannot_be_said_is_a_400_that_points_at_it(param: str, message: Json) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(messages=[message, HI])
    assert caught.value.param == param


def test_custom_tools_are_a_400() -> None:
    with pytest.raises(InvalidRequest, match="function tools"):
        encoded(tools=[{"type": "custom", "custom": {"name": "c"}}])
    with pytest.raises(InvalidRequest, match="function tools"):
        encoded(tools=[TOOL], tool_choice={"type": "custom", "custom": {"name": "c"}})


def test_a_result_of_nobodys_call_goes_on_for_cohere_to_judge() -> None:
    assert encoded(messages=[HI, {"role": "tool", "tool_call_id": "x", "content": "1"}]).body["messages"][1] == {
        "role": "tool",
        "tool_call_id": "x",
        "content": "1",
    }


def test_a_plan_whose_calls_are_gone_is_withheld() -> None:
    found = encoded(
        messages=[HI, {"role": "assistant", "content": "A", "reasoning": "P", "reasoning_signature": "cohere:plan"}]
    )
    assert found.body["messages"][1] == {"role": "assistant", "content": "A"}
    assert found.dropped == ("messages.reasoning",)


def test_a_refusal_and_a_plan_are_said_before_the_calls() -> None:
    message = {"role": "assistant", "refusal": "No.", "reasoning": "P", "reasoning_signature": "cohere:plan"}
    found = encoded(
        messages=[HI, {**message, "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "a", "content": ""}]
    )
    assert found.body["messages"][1]["tool_plan"] == "P\n\nNo."


@pytest.mark.parametrize(
    "signature", ["cohere/blocks:", "cohere/blocks:e30=", "cohere:", "cohere:other", "é", "cohere"]
)
def test_a_spoilt_signature_spoils_no_request(signature: str) -> None:
    message = {"role": "assistant", "content": "A", "reasoning": "T", "reasoning_signature": signature}
    found = encoded(messages=[HI, message])
    assert found.body["messages"][1] == {"role": "assistant", "content": "A"}
    assert found.dropped == ("messages.reasoning",)


@settings(deadline=None, max_examples=60)
@given(any_cohere.replies())
def test_an_answer_with_thinking_comes_back_in_its_places(reply: Json) -> None:
    said = reply["message"]
    message = decode(orjson.dumps(reply), streaming()).payload["choices"][0]["message"]  # type: ignore[index]
    results = [{"role": "tool", "tool_call_id": c["id"], "content": "1"} for c in message.get("tool_calls", ())]
    sent = [m for m in encoded(messages=[HI, message, *results, HI]).body["messages"] if m["role"] == "assistant"]
    thinking = "\n\n".join(p["thinking"] for p in said["content"] if p.get("thinking"))
    parts = sent[0].get("content", []) if sent else []
    assert "".join(part["thinking"] for part in parts if isinstance(part, dict) and "thinking" in part) == thinking
    if said["tool_calls"]:
        assert sent[0].get("tool_plan", "") == "\n\n".join(s for s in (said["tool_plan"], message["content"]) if s)


def test_the_key_is_a_bearer_token() -> None:
    target = Target("cohere", "m", PROVIDER.base_url, secret="k-1")
    assert PROVIDER.sign(UpstreamRequest("POST", "", {}), target, 0.0) == {"authorization": "Bearer k-1"}
    path = PROVIDER.adapters[Operation.CHAT].path(streaming(), target)
    assert PROVIDER.base_url + path == "https://api.cohere.com/v2/chat"


def test_an_invalid_token_is_our_keys_fault() -> None:
    err = PROVIDER.explain(Reply(498, {}, b'{"message": "invalid token"}'))
    assert isinstance(err, BadCredential) and err.upstream_status == 498
