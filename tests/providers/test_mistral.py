"""The choices of the Mistral dialect that depend on a model or on other parameters, and its ids."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.dialect import Encoded, UpstreamRequest
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.mistral import PROVIDER, decode, encode
from orrery.providers.mistral.ids import Ids, hashed
from tests.providers import any_mistral
from tests.providers.test_mistral_judged import assert_lawful_request
from tests.providers.test_mistral_stream import streaming

HI: Json = {"role": "user", "content": "Hi"}
TOOL: Json = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
OTHER: Json = {"type": "function", "function": {"name": "other"}}


def encoded(model: str = "mistral-small-2603", **body: Any) -> Encoded:
    body = {"model": f"mistral/{model}", "messages": [HI], **body}
    call = Call(Operation.CHAT, body["model"], body, stream=body.get("stream") is True)
    result = encode(call, Target("mistral", model, PROVIDER.base_url))
    assert_lawful_request(result.body)
    return result


def calling(*ids: str) -> Json:
    calls = [{"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}} for id in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(id: str | None) -> Json:
    return {"role": "tool", "tool_call_id": id, "content": "1"}


def test_a_call_and_its_result_have_the_same_id_again_and_again() -> None:
    messages = [
        HI,
        calling("call_1", "gSIMJiOkT"),
        result("gSIMJiOkT"),
        result("call_1"),
        calling("call_1"),
        result(None),
    ]
    _, first, one, two, second, three = encoded(messages=messages).body["messages"]
    sent = [call["id"] for call in first["tool_calls"]]
    assert sent[1] == "gSIMJiOkT" == one["tool_call_id"]
    assert sent[0] == two["tool_call_id"] == second["tool_calls"][0]["id"] == three["tool_call_id"] != sent[1]
    assert encoded(messages=messages).body["messages"][1] == first


def test_results_without_ids_answer_the_calls_in_their_order() -> None:
    turns = encoded(messages=[HI, calling("a", "b"), result(None), result(None)]).body["messages"]
    assert [turn["tool_call_id"] for turn in turns[2:]] == [call["id"] for call in turns[1]["tool_calls"]]


@pytest.mark.parametrize("before", [[{"role": "assistant", "content": "A"}], [calling("a"), result("a")]])
def test_instructions_go_to_the_front_where_they_would_be_refused(before: list[Json]) -> None:
    messages = [HI, *before, {"role": "system", "content": "S"}, HI]
    assert [turn["role"] for turn in encoded(messages=messages).body["messages"]][:2] == ["system", "user"]


@given(st.lists(st.text(max_size=12), unique=True, max_size=20))
def test_ids_are_nine_letters_and_digits_and_never_the_same(ids: list[str]) -> None:
    made = Ids()
    sent = [made.of(id) for id in ids]
    assert len(set(sent)) == len(ids) and sent == [made.of(id) for id in ids]
    assert all(len(id) == 9 and id.isascii() and id.isalnum() for id in sent)


def test_an_id_that_another_one_was_given_makes_way() -> None:
    made = Ids()
    assert made.of("call_1") == hashed("call_1")
    assert made.of(hashed("call_1")) not in (hashed("call_1"), "call_1")


def test_hashed_ids_stay_the_same_between_versions() -> None:
    assert hashed("call_1") == "T8WlhGkzj"  # histories that were sent before would change


EFFORTS: list[tuple[str, Any, Any, Any, tuple[str, ...]]] = [
    # model, thinking, effort → sent, lost
    ("mistral-small-2603", None, None, None, ()),
    ("mistral-small-2603", None, "default", None, ()),
    ("mistral-small-2603", None, "none", "none", ()),
    ("mistral-small-2603", None, "high", "high", ()),
    ("mistral-small-2603", None, "low", "high", ("reasoning_effort",)),
    ("Magistral-small-latest", None, "max", "high", ("reasoning_effort",)),
    ("zai-glm-5-3", None, "low", "low", ()),
    ("mistral-small-2603", {"type": "disabled"}, None, "none", ()),
    ("mistral-small-2603", {"type": "disabled"}, "high", "none", ("reasoning_effort",)),
    ("mistral-small-2603", {"type": "adaptive"}, None, "high", ()),
    ("mistral-small-2603", {"type": "adaptive"}, "none", "high", ("reasoning_effort",)),
    ("zai-glm-5-3", {"type": "adaptive"}, "max", "max", ()),
    ("mistral-small-2603", {"type": "enabled", "budget_tokens": 1024}, None, "high", ("thinking.budget_tokens",)),
    ("mistral-small-2603", {"type": "enabled", "thinking_level": "low"}, None, "high", ("thinking.thinking_level",)),
    ("mistral-small-2603", {"type": "enabled", "thinking_level": "high"}, None, "high", ()),
    ("mistral-small-2603", {"type": "enabled", "thinking_level": "low"}, "high", "high", ("thinking.thinking_level",)),
    ("zai-glm-5-3", {"type": "enabled", "thinking_level": "low"}, None, "low", ()),
]


@pytest.mark.parametrize(("model", "wish", "effort", "sent", "lost"), EFFORTS)
def test_each_model_thinks_as_it_can(model: str, wish: Any, effort: Any, sent: Any, lost: tuple[str, ...]) -> None:
    found = encoded(model, thinking=wish, reasoning_effort=effort)
    assert found.body.get("reasoning_effort") == sent and found.dropped == lost


CHOICES: list[tuple[Any, list[str], Any, tuple[str, ...]]] = [
    ("auto", ["look", "other"], None, ()),
    ("required", ["look", "other"], "any", ()),
    ("none", [], None, ()),
    ({"type": "function", "function": {"name": "other"}}, ["other"], "any", ()),
    ({"type": "function", "function": {"name": "nobody"}}, [], None, ("tool_choice",)),
    (
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"name": "look"}]}},
        ["look"],
        "any",
        (),
    ),
]


@pytest.mark.parametrize(("choice", "tools", "sent", "lost"), CHOICES)
def test_a_choice_narrows_the_tools(choice: Any, tools: list[str], sent: Any, lost: tuple[str, ...]) -> None:
    found = encoded(tools=[TOOL, OTHER], tool_choice=choice)
    assert [tool["function"]["name"] for tool in found.body.get("tools", [])] == tools
    assert found.body.get("tool_choice") == sent and found.dropped == lost


@pytest.mark.parametrize(
    ("wanted", "sent", "lost"),
    [
        ({"type": "text"}, None, ()),
        ({"type": "json_object"}, {"type": "json_object"}, ()),
        ({"type": "json_schema", "json_schema": {"name": "x"}}, None, ("response_format",)),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "schema": {}, "later": 1, "strict": None}},
            {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
            (),
        ),
    ],
)
def test_formats_are_sent_without_what_mistral_lacks(wanted: Any, sent: Any, lost: tuple[str, ...]) -> None:
    found = encoded(response_format=wanted)
    assert found.body.get("response_format") == sent and found.dropped == lost


@pytest.mark.parametrize(("tier", "sent"), [("auto", "auto"), ("default", "standard_only"), ("priority", None)])
def test_service_tiers_have_counterparts_or_none(tier: str, sent: str | None) -> None:
    found = encoded(service_tier=tier)
    assert found.body.get("service_tier") == sent and found.dropped == (() if sent else ("service_tier",))


@pytest.mark.parametrize("seed", [0, 5])
def test_a_seed_goes_by_another_name(seed: int) -> None:
    assert encoded(seed=seed).body["random_seed"] == seed


def test_the_newer_limit_wins_and_a_stream_is_asked_for() -> None:
    assert encoded(max_tokens=5, max_completion_tokens=3).body["max_tokens"] == 3
    assert encoded(stream=True, stream_options={"include_usage": True}).body["stream"] is True


def test_an_empty_message_of_the_assistant_is_left_out() -> None:
    messages = [HI, {"role": "assistant", "content": []}, HI]
    assert [turn["role"] for turn in encoded(messages=messages).body["messages"]] == ["user", "user"]


def test_edited_words_lose_their_thinking() -> None:
    chunks = [{"type": "text", "text": "A"}, {"type": "thinking", "thinking": [{"type": "text", "text": "T"}]}]
    reply = {"choices": [{"message": {"content": chunks}, "finish_reason": "stop"}]}
    message = decode(orjson.dumps(reply), streaming()).payload["choices"][0]["message"]  # type: ignore[index]
    assert encoded(messages=[HI, message, HI]).body["messages"][1]["content"] == chunks
    edited = encoded(messages=[HI, {**message, "content": "B!"}, HI])
    assert edited.body["messages"][1]["content"] == "B!" and edited.dropped == ("messages.reasoning",)


def test_empty_texts_beside_thinking_are_left_out() -> None:
    chunks = [{"type": "text", "text": ""}, {"type": "thinking", "thinking": [{"type": "text", "text": "T"}]}]
    reply = {"choices": [{"message": {"content": chunks}, "finish_reason": "stop"}]}
    message = decode(orjson.dumps(reply), streaming()).payload["choices"][0]["message"]  # type: ignore[index]
    assert encoded(messages=[HI, message, HI]).body["messages"][1]["content"] == chunks[1:]


@pytest.mark.parametrize("signature", ["mistral/blocks:", "mistral/blocks:e30=", "mistral:", "mistral", "é"])
def test_a_spoilt_signature_spoils_no_request(signature: str) -> None:
    message = {"role": "assistant", "content": "A", "reasoning": "T", "reasoning_signature": signature}
    found = encoded(messages=[HI, message, HI])
    assert found.body["messages"][1]["content"] == "A" and found.dropped == ("messages.reasoning",)


UNSAYABLE: list[tuple[str, Json]] = [
    ("messages[0].role", {"role": "function", "name": "f", "content": "1"}),
    ("messages[0].audio", {"role": "assistant", "audio": {"id": "x"}}),
    ("messages[0].tool_call_id", {"role": "tool", "tool_call_id": None, "content": "1"}),
    ("messages[0].content[0].type", {"role": "user", "content": [{"type": "video"}]}),
    (
        "messages[0].content[0].image_url.url",
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]},
    ),
    (
        "messages[0].content[0].image_url.url",
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,AA=="}}]},
    ),
    ("messages[0].content[0].file.file_id", {"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}),
    ("messages[0].content[0].file", {"role": "user", "content": [{"type": "file", "file": {"file_data": "AA=="}}]}),
    ("messages[0].content[0].file", {"role": "user", "content": [{"type": "file", "file": {"uri": "s3://b/a.pdf"}}]}),
]


@pytest.mark.parametrize(("param", "message"), UNSAYABLE)
def test_what_cannot_be_said_is_a_400_that_points_at_it(param: str, message: Json) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(messages=[message, HI])
    assert caught.value.param == param


@settings(deadline=None, max_examples=60)
@given(any_mistral.choices(0))
def test_an_answer_with_thinking_comes_back_in_its_places(choice: Json) -> None:
    reply = {"id": "x", "model": "m", "choices": [choice], "usage": {}}
    message = decode(orjson.dumps(reply), streaming()).payload["choices"][0]["message"]  # type: ignore[index]
    results = [result(call["id"]) for call in message.get("tool_calls", ())]
    sent = [m for m in encoded(messages=[HI, message, *results, HI]).body["messages"] if m["role"] == "assistant"]
    came = choice["message"]["content"]
    told = sent[0].get("content", "") if sent else ""
    assert joined(told) == joined(came)
    assert [call["id"] for call in (sent[0].get("tool_calls", []) if sent else [])] == [
        call["id"] for call in message.get("tool_calls", ())
    ]


def joined(content: Any) -> list[tuple[str, str, str]]:
    """Texts and thoughts in order, each with its signature; neighbours of a kind are one up to a signature."""
    parts: list[tuple[str, str, str]] = []
    for chunk in [any_mistral.text(content)] if isinstance(content, str) else content:
        text = chunk.get("text") or "".join(piece["text"] for piece in chunk.get("thinking", ()))
        last = parts[-1] if parts else ("", "", "")
        if not text and chunk["type"] != "thinking":
            continue
        if last[0] == chunk["type"] and not last[2]:
            parts.pop()
            text = last[1] + text
        parts.append((chunk["type"], text, chunk.get("signature") or ""))
    return parts


def test_the_key_is_a_bearer_token() -> None:
    target = Target("mistral", "m", PROVIDER.base_url, secret="k-1")
    assert PROVIDER.sign(UpstreamRequest("POST", "", {}), target, 0.0) == {"authorization": "Bearer k-1"}
    path = PROVIDER.adapters[Operation.CHAT].path(streaming(), target)
    assert PROVIDER.base_url + path == "https://api.mistral.ai/v1/chat/completions"
