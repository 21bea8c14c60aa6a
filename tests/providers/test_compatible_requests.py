"""What is asked of providers that speak OpenAI's wire: the caller's own mapping, changed only where a row says so."""

from base64 import urlsafe_b64encode
from typing import Any

import orjson
import pytest

from orrery import providers
from orrery.core.dialect import Encoded, UpstreamRequest
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation, Target
from orrery.providers.compatible import NOT_OPENAI, Row, encode_chat, server
from orrery.providers.rows import ROWS
from orrery.wire.chat import read_chat
from orrery.wire.options import GATEWAY_FIELDS

LIMITED = Row("own", "", "", "", rename={"max_completion_tokens": "max_tokens", "seed": "random_seed"})
UNASKED = Row("own", "", "", "", stream_usage=False)
CLOSED = Row("own", "", "", "", drop=NOT_OPENAI, marks=frozenset(), by_content=frozenset({"image_url", "file"}))
EPHEMERAL = {"cache_control": {"type": "ephemeral"}}


def encode(row: Row, *, stream: bool = False, **body: Any) -> Encoded:
    asked = Call(Operation.CHAT, "p/m", {"model": "p/m", "messages": [], **body}, stream=stream)
    before = orjson.dumps(asked.body)
    encoded = encode_chat(asked, Target(row.name, "m", row.base_url), row)
    assert orjson.dumps(asked.body) == before, "the caller's own mapping was changed"
    return encoded


def said(row: Row, *messages: Any) -> Any:
    """The messages that go upstream, and what was lost of them."""
    encoded = encode(row, messages=list(messages))
    return encoded.body["messages"], list(encoded.dropped)


@pytest.mark.parametrize("name", ROWS)
def test_gateway_fields_never_go_upstream(name: str) -> None:
    posted = {
        "model": "p/m",
        "messages": [{"role": "user", "content": "hi"}],
        "retry": {"count": 1, "on_codes": [500]},
        "fallbacks": [{"model": "p/n"}],
        "timeout": {"call_timeout": 1000},
        "cache": {"type": "exact_match", "ttl": 60},
        "orq": {"retry": {"count": 2}},
    }
    asked = read_chat(orjson.dumps(posted))
    body = encode_chat(asked, Target(name, "m", ""), ROWS[name]).body
    assert set(posted) & GATEWAY_FIELDS and not set(body) & GATEWAY_FIELDS
    assert body["model"] == "m"


def test_usage_is_asked_of_streams_only() -> None:
    asked = {"stream_options": {"include_usage": False, "include_obfuscation": False}}
    assert encode(LIMITED, stream=True, **asked).body["stream_options"] == {
        "include_usage": True,
        "include_obfuscation": False,
    }
    assert encode(LIMITED, stream=True, stream_options=None).body["stream_options"] == {"include_usage": True}
    assert "stream_options" not in encode(LIMITED).body


def test_a_row_that_refuses_stream_options_gets_none_and_names_none() -> None:
    encoded = encode(UNASKED, stream=True, stream_options={"include_usage": True})
    assert "stream_options" not in encoded.body and encoded.dropped == ()


def test_null_is_neither_sent_nor_named() -> None:
    nothing = {"top_k": None, "thinking": None, "reasoning_effort": None}
    encoded = encode(ROWS["groq"], **nothing)
    assert encoded.dropped == () and not encoded.body.keys() & {"top_k"}
    assert encode(LIMITED, seed=None, max_completion_tokens=None, max_tokens=5).body == {
        "model": "m",
        "messages": [],
        "max_tokens": 5,
    }


def test_the_newer_name_of_a_limit_wins() -> None:
    assert encode(LIMITED, max_completion_tokens=3, max_tokens=5).body["max_tokens"] == 3


def test_a_server_that_an_operator_named_takes_everything() -> None:
    own = server("own", "http://127.0.0.1:9/v1")
    adapter = own.adapters[Operation.CHAT]
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "a", **EPHEMERAL}]},
        {"role": "assistant", "content": "b", "reasoning": "c", "reasoning_content": "d", "reasoning_signature": "e"},
    ]
    asked = {"messages": messages, "top_k": 1, "thinking": {"type": "adaptive"}, **EPHEMERAL, "later": [2]}
    call = Call(Operation.CHAT, "own/m", {"model": "own/m", **asked}, stream=True)
    target = Target("own", "m", own.base_url)
    encoded = adapter.encode(call, target)
    assert encoded.dropped == ()
    assert encoded.body == {**asked, "model": "m", "stream_options": {"include_usage": True}}
    assert not own.needs_key and own.sign(UpstreamRequest("POST", "", {}), target, 0.0) == {}
    assert adapter.path(call, target) == "/chat/completions"


def test_even_such_a_server_gets_nothing_that_was_sealed_for_another() -> None:
    message = {"role": "assistant", "reasoning": "r", "reasoning_signature": "anthropic:s", "redacted_reasoning": "x:y"}
    encoded = (
        server("own", "")
        .adapters[Operation.CHAT]
        .encode(Call(Operation.CHAT, "m", {"messages": [message]}), Target("own", "m", ""))
    )
    assert encoded.body["messages"] == [{"role": "assistant", "reasoning": "r"}]
    assert encoded.dropped == ("messages.reasoning", "messages.redacted_reasoning")


# Marks, and content by address


def test_a_mark_that_is_null_is_no_loss() -> None:
    marked = {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": None}]}
    assert said(CLOSED, marked) == ([{"role": "user", "content": [{"type": "text", "text": "a"}]}], [])


def test_marks_do_not_reach_closed_schemas_and_are_named_once() -> None:
    marked = {"role": "user", "content": [{"type": "text", "text": "a", **EPHEMERAL}, {"type": "text", "text": "b"}]}
    result = {"role": "tool", "tool_call_id": "c", "content": "d", **EPHEMERAL}
    messages, lost = said(CLOSED, marked, result)
    assert messages[0]["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert messages[1] == {"role": "tool", "tool_call_id": "c", "content": "d"} and lost == ["cache_control"]


@pytest.mark.parametrize("where", ["tool", "function"])
def test_marks_on_tools_do_not_either(where: str) -> None:
    marked = {"type": "function", "function": {"name": "f"}}
    (marked if where == "tool" else marked["function"]).update(EPHEMERAL)  # type: ignore[attr-defined]
    encoded = encode(CLOSED, tools=[marked, {"type": "function", "function": {"name": "g"}}])
    assert orjson.dumps(encoded.body["tools"]).find(b"cache_control") < 0
    assert [tool["function"]["name"] for tool in encoded.body["tools"]] == ["f", "g"]
    assert encoded.dropped == ("cache_control",)


@pytest.mark.parametrize("name", ["openrouter", "qwen", "databricks", "vllm"])
def test_marks_reach_those_who_take_them(name: str) -> None:
    marked = {"role": "user", "content": [{"type": "text", "text": "a", **EPHEMERAL}]}
    assert said(ROWS[name], marked) == ([marked], [])


def test_openais_own_mark_goes_to_openai_and_not_to_closed_schemas() -> None:
    marked = {"role": "user", "content": [{"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "x"}}]}
    assert said(ROWS["openai"], marked) == ([marked], [])
    assert said(CLOSED, marked)[1] == ["prompt_cache_breakpoint"]


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}, "image_url.url"),
        ({"type": "file", "file": {"uri": "http://a.example/b.pdf"}}, "file.uri"),
        ({"type": "file", "file": {"file_data": "HTTPS://a.example/b.pdf"}}, "file.file_data"),
    ],
)
def test_what_comes_by_content_only_is_refused_by_address(part: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        said(CLOSED, {"role": "user", "content": [{"type": "text", "text": "a"}, part]})
    assert caught.value.param == f"messages[0].content[1].{path}"


def test_a_row_says_which_contents_it_needs() -> None:
    for name, kinds in {"moonshot": {"image_url"}, "openai": {"file"}, "xai": set()}.items():
        provider = providers.get(name)
        assert provider is not None and (needs := provider.adapters[Operation.CHAT].needs_bytes) is not None
        assert {kind for kind in ("image_url", "file") if needs(kind, "https://a.example/b")} == kinds
        assert not needs("image_url", "data:image/png;base64,AA==")


# Reasoning in the history

THOUGHT = {"role": "assistant", "content": "a", "reasoning": "r"}
CALLED = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]}


@pytest.mark.parametrize(
    ("replay", "sent"),
    [
        ("", {"role": "assistant", "content": "a"}),
        ("reasoning", THOUGHT),
        ("reasoning_content", {"role": "assistant", "content": "a", "reasoning_content": "r"}),
        ("<think>", {"role": "assistant", "content": "<think>\nr\n</think>\n\na"}),
    ],
)
@pytest.mark.parametrize("kept_as", ["reasoning", "reasoning_content", "part"])
def test_reasoning_goes_back_as_the_provider_wants_it(replay: Any, sent: Any, kept_as: str) -> None:
    row = Row("own", "", "", "", replay=replay)
    given: Any = {"role": "assistant", "content": "a", kept_as: "r"}
    if kept_as == "part":
        parts = [{"type": "reasoning", "reasoning": "r"}, {"type": "text", "text": "a"}]
        given = {"role": "assistant", "content": parts}
        texts = [{"type": "text", "text": "a"}]
        thought = [{"type": "text", "text": "<think>\nr\n</think>\n\n"}]
        sent = {**sent, "content": thought + texts if replay == "<think>" else texts}
    assert said(row, given) == ([sent], [])


def test_an_empty_reasoning_stands_only_where_it_must() -> None:
    row = Row("own", "", "", "", replay="reasoning_content", replay_with_calls=True)
    plain = {"role": "assistant", "content": "a", "reasoning": ""}
    (thought, called, said_only), _ = said(row, THOUGHT, CALLED, plain)
    assert (thought["reasoning_content"], called["reasoning_content"]) == ("r", "")
    assert said_only == {"role": "assistant", "content": "a"}


SIGNED = {"role": "assistant", "content": "a", "reasoning": "r", "reasoning_signature": "anthropic:s"}


@pytest.mark.parametrize(
    ("message", "lost"),
    [
        (SIGNED, ["messages.reasoning"]),
        ({**SIGNED, "reasoning_signature": "unsealed"}, ["messages.reasoning"]),
        ({**SIGNED, "reasoning_signature": "own:not base64 of json"}, ["messages.reasoning"]),
        ({**SIGNED, "reasoning_signature": ""}, []),
        ({"role": "assistant", "content": "a", "redacted_reasoning": "anthropic:b"}, ["messages.redacted_reasoning"]),
        ({"role": "assistant", "content": "a", "reasoning_details": [{"text": "r"}]}, ["messages.reasoning"]),
    ],
)
def test_what_others_signed_is_withheld_and_named(message: Any, lost: list[str]) -> None:
    assert said(Row("own", "", "", ""), message) == ([{"role": "assistant", "content": "a"}], lost)


def test_blocks_that_another_sealed_are_withheld_even_from_who_has_blocks_too() -> None:
    signature = "openrouter:" + urlsafe_b64encode(b'[{"type":"reasoning.text","text":"r"}]').decode()
    row = Row("own", "", "", "", details="reasoning_details")
    message = {**SIGNED, "reasoning_signature": signature}
    assert said(row, message) == ([{"role": "assistant", "content": "a"}], ["messages.reasoning"])


def test_a_message_of_thoughts_alone_has_no_content_left() -> None:
    given = {"role": "assistant", "content": [{"type": "reasoning", "reasoning": "r"}]}
    assert said(CLOSED, given) == ([{"role": "assistant", "content": None}], [])


def test_signatures_on_tool_calls_are_withheld_and_named() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    signed = {**call, "thought_signature": "google:s", "extra_content": {"google": {"thought_signature": "google:s"}}}
    (sent,), lost = said(Row("own", "", "", ""), {"role": "assistant", "tool_calls": [signed, call]})
    assert sent["tool_calls"] == [call, call] and lost == ["messages.reasoning"]


def test_details_that_the_client_kept_itself_go_back_to_who_knows_them() -> None:
    given = {"role": "assistant", "content": "a", "reasoning": "r", "reasoning_details": [{"text": "r"}]}
    sent = {"role": "assistant", "content": "a", "reasoning_details": [{"text": "r"}]}
    assert said(ROWS["openrouter"], given) == ([sent], [])


def test_a_message_that_needs_nothing_is_the_callers_own() -> None:
    message = {"role": "assistant", "content": [{"type": "text", "text": "a"}], "name": "b", "later": 1}
    (sent,), _ = said(CLOSED, message)
    assert sent is message
