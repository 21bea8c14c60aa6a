"""Messages on their way to Bedrock: turns, tool calls and their ids, earlier reasoning, files, and what is a 400."""

from typing import Any

import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Operation
from orrery.providers.bedrock.decode import decode
from tests.providers.test_bedrock import ARN, CLAUDE, HI, NOVA2, encoded

LLAMA = "meta.llama3-1-8b-instruct-v1:0"
MISTRAL = "mistral.mistral-large-2407-v1:0"
PDF = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}
TOOL = {"type": "function", "function": {"name": "look"}}


def calling(*ids: str) -> Json:
    calls = [{"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}} for id in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(id: str | None, content: Any = "1", **more: Any) -> Json:
    return {"role": "tool", "tool_call_id": id, "content": content, **more}


def turns(*messages: Json, model: str = CLAUDE, **body: Any) -> list[Json]:
    sent: list[Json] = encoded(model, messages=list(messages), tools=[TOOL], **body).body["messages"]
    return sent


def kinds(turn: Json) -> list[str]:
    return [next(iter(block)) for block in turn["content"]]


def test_results_come_first_whatever_was_said_before_them() -> None:
    last = turns(HI, calling("a", "b"), {"role": "user", "content": "Well?"}, result("b"), result(None))[-1]
    assert [block.get("toolResult", {}).get("toolUseId", "") for block in last["content"]] == ["b", "a", ""]


def test_empty_turns_disappear_and_their_neighbours_join() -> None:
    blank = {"role": "assistant", "content": " "}
    assert turns(HI, blank, HI) == [{"role": "user", "content": [{"text": "Hi"}, {"text": "Hi"}]}]


def test_instructions_go_to_the_front_wherever_they_stood() -> None:
    messages = [
        HI,
        {"role": "developer", "content": [{"type": "text", "text": "A"}]},
        {"role": "system", "content": "B"},
    ]
    assert encoded(messages=messages).body["system"] == [{"text": "A"}, {"text": "B"}]


@pytest.mark.parametrize(("model", "first"), [(CLAUDE, "assistant"), (NOVA2, "user"), (ARN, "assistant")])
def test_a_conversation_begins_with_the_user_where_it_must(model: str, first: str) -> None:
    assert turns({"role": "assistant", "content": "Hello"}, HI, model=model)[0]["role"] == first


IDS = [
    (CLAUDE, "call_1", "call_1"),
    (CLAUDE, "a" * 64, None),
    (CLAUDE, "ü.:", None),
    (MISTRAL, "abcDEF123", "abcDEF123"),
    (MISTRAL, "tooluse_1", None),
]


@pytest.mark.parametrize(("model", "given", "sent"), IDS)
def test_ids_are_made_of_what_the_model_takes(model: str, given: str, sent: str | None) -> None:
    found = turns(HI, calling(given), result(given), model=model)
    id = found[1]["content"][0]["toolUse"]["toolUseId"]
    assert id == found[2]["content"][0]["toolResult"]["toolUseId"]
    assert id == sent or (sent is None and id != given and id.isascii() and len(id) <= 64)
    assert model != MISTRAL or (len(id) == 9 and id.isalnum())


@pytest.mark.parametrize("model", [CLAUDE, MISTRAL])
def test_ids_that_come_again_are_told_apart(model: str) -> None:
    found = turns(HI, calling("call_0"), result("call_0"), calling("call_0"), result("call_0"), model=model)
    assert len({found[number]["content"][0]["toolUse"]["toolUseId"] for number in (1, 3)}) == 2


APART = [
    (CLAUDE, "text", ["toolResult", "text"]),
    (CLAUDE, PDF, ["toolResult"]),
    (NOVA2, PDF, ["toolResult", "text", "document"]),
    (LLAMA, "text", ["toolResult"]),
    (ARN, PDF, ["toolResult", "text", "document"]),
]


@pytest.mark.parametrize(("model", "said", "beside"), APART)
def test_what_may_not_stand_beside_results_gets_its_own_turn(model: str, said: Any, beside: list[str]) -> None:
    found = turns(
        HI, calling("a"), result("a"), {"role": "user", "content": [said] if said == PDF else said}, model=model
    )
    assert kinds(found[2]) == beside
    assert [turn["role"] for turn in found[3:]] == ([] if len(beside) > 1 else ["assistant", "user"])


def test_a_document_in_a_result_goes_where_the_model_takes_it() -> None:
    assert kinds(turns(HI, calling("a"), result("a", [PDF]))[2]) == ["toolResult"]
    nova = turns(HI, calling("a"), result("a", [PDF]), model=NOVA2)[2]
    assert kinds(nova) == ["toolResult", "text", "document"] and nova["content"][0]["toolResult"]["content"] == []


@pytest.mark.parametrize(("model", "status"), [(CLAUDE, "error"), (NOVA2, "error"), (LLAMA, None)])
def test_an_error_is_said_where_it_can_be(model: str, status: str | None) -> None:
    found = turns(HI, calling("a"), result("a", is_error=True), model=model)[2]["content"][0]["toolResult"]
    assert found.get("status") == status


def test_a_result_that_is_cached_is_marked_behind_it() -> None:
    part = {"type": "text", "text": "1", "cache_control": {"type": "ephemeral"}}
    found = turns(HI, calling("a"), result("a", [part]), HI)[2]
    assert kinds(found) == ["toolResult", "cachePoint", "text"]


def test_only_the_last_cache_points_are_kept() -> None:
    marked = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    messages = [
        {"role": "system", "content": [marked]},
        *[{"role": r, "content": [marked]} for r in ("user", "assistant") * 3],
    ]
    sent = encoded(messages=[*messages, HI])
    assert [kinds(turn).count("cachePoint") for turn in sent.body["messages"]] == [0, 0, 0, 1, 1, 1, 0]
    assert kinds({"content": sent.body["system"]}) == ["text", "cachePoint"] and sent.dropped == ("cache_control",)


@pytest.mark.parametrize(
    ("model", "sent"), [(CLAUDE, True), ("anthropic.claude-opus-4-1-20250805-v1:0", False), (ARN, True)]
)
def test_the_longer_cache_is_for_models_that_have_it(model: str, sent: bool) -> None:
    part = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    found = encoded(model, messages=[{"role": "user", "content": [part]}])
    assert ("ttl" in found.body["messages"][0]["content"][1]["cachePoint"]) is sent
    assert found.dropped == (() if sent else ("cache_control.ttl",))


def test_a_thinking_budget_gives_way_to_a_tool_loop_that_began_without() -> None:
    messages = [HI, calling("a"), result("a")]
    sent = encoded(messages=messages, reasoning_effort="high", tools=[TOOL])
    assert "additionalModelRequestFields" not in sent.body and sent.dropped == ("reasoning_effort",)
    messages[1] |= {"reasoning": "why", "reasoning_signature": "anthropic:s"}
    assert (
        "thinking"
        in encoded(messages=messages, reasoning_effort="high", tools=[TOOL]).body["additionalModelRequestFields"]
    )
    forced = encoded(messages=messages, reasoning_effort="high", tools=[TOOL], tool_choice="required")
    assert "additionalModelRequestFields" not in forced.body


REASONING = [
    # model, signature → sent
    (CLAUDE, "anthropic:s", True),
    (CLAUDE, "s", True),
    (CLAUDE, "bedrock:s", False),
    (CLAUDE, "google:s", False),
    (CLAUDE, "", False),
    (NOVA2, "anthropic:s", False),
    (NOVA2, "s", False),
    (NOVA2, "bedrock:s", True),
    (ARN, "bedrock:s", True),
    (ARN, "anthropic:s", False),
]


@pytest.mark.parametrize(("model", "signature", "sent"), REASONING)
def test_a_model_gets_the_reasoning_of_its_own_kind(model: str, signature: str, sent: bool) -> None:
    thought = {"role": "assistant", "content": "A", "reasoning": "T", "reasoning_signature": signature}
    found = encoded(model, messages=[HI, thought, HI])
    wanted = [{"reasoningContent": {"reasoningText": {"text": "T", "signature": "s"}}}] if sent else []
    assert found.body["messages"][1]["content"] == [*wanted, {"text": "A"}]
    assert found.dropped == (() if sent else ("messages.reasoning",))


@pytest.mark.parametrize("blob", ["not base64!", "/w=="])
def test_redacted_reasoning_that_cannot_be_kept_is_let_go(blob: str) -> None:
    content = b'[{"reasoningContent": {"redactedContent": "%b"}}, {"text": "A"}]' % blob.encode()
    call = Call(Operation.CHAT, f"bedrock/{CLAUDE}", {})
    message: Any = decode(b'{"output": {"message": {"content": %b}}}' % content, call).payload
    assert message["choices"][0]["message"] == {"role": "assistant", "content": "A", "refusal": None}


UNSAYABLE: list[tuple[str, list[Json]]] = [
    ("messages", [{"role": "system", "content": "Only this"}]),
    ("messages", [{"role": "user", "content": ""}]),
    ("messages[1].tool_calls", [HI, calling("a")]),
    ("messages[1].tool_calls", [HI, calling("a"), {"role": "assistant", "content": "b"}]),
    ("messages[1].tool_call_id", [HI, result("nobody")]),
    ("messages[1].tool_call_id", [HI, result(None)]),
    ("messages[3].tool_call_id", [HI, calling("a"), result("a"), result("a")]),
    ("messages[0].role", [{"role": "function", "name": "f", "content": "1"}]),
    ("messages[0].audio", [{"role": "assistant", "audio": {"id": "x"}}]),
]


@pytest.mark.parametrize(("param", "messages"), UNSAYABLE)
def test_what_cannot_be_said_is_a_400_that_points_at_it(param: str, messages: list[Json]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(messages=messages)
    assert caught.value.param == param


def file(**fields: Any) -> Json:
    return {"type": "file", "file": fields}


FILES: list[tuple[str, Json]] = [
    ("image_url.url", {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,AA=="}}),
    ("image_url.url", {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}),
    ("image_url.url", {"type": "image_url", "image_url": {"url": "s3://bucket/a.pdf"}}),
    ("image_url.url", {"type": "image_url", "image_url": {"url": "s3://b/a.png"}}),
    ("file.file_id", file(file_id="file_1")),
    ("file", file(filename="a.zip", file_data="AA==")),
    ("file", file(uri="https://example.com/a.pdf")),
    ("file", file(filename="a.mp3", file_data="AA==")),
    ("file", file()),
    ("type", {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}),
]


@pytest.mark.parametrize(("param", "part"), FILES)
def test_files_that_are_not_taken_are_a_400(param: str, part: Json) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(messages=[{"role": "user", "content": [part]}])
    assert caught.value.param == f"messages[0].content[0].{param}"


TAKEN: list[tuple[Json, str, str]] = [
    (file(filename="a.JPG", file_data="/9j/"), "image", "jpeg"),
    (file(file_data="data:application/octet-stream;base64,JVBERi0="), "document", "pdf"),
    (file(filename="a.json", file_data="e30="), "document", "txt"),
    (file(filename="a.md", file_data="Iw=="), "document", "md"),
    (file(uri="s3://bucket/a.xlsx"), "document", "xlsx"),
    (file(mimeType="text/html", file_data="PGI+"), "document", "html"),
    (file(filename="a.webm", file_data="AA=="), "video", "webm"),
    (file(filename="a.mp3", file_data="AA=="), "audio", "mp3"),
]


@pytest.mark.parametrize(("part", "kind", "form"), TAKEN)
def test_a_file_becomes_the_block_of_its_kind(part: Json, kind: str, form: str) -> None:
    sent = encoded(ARN, messages=[{"role": "user", "content": [{"type": "text", "text": "x"}, part]}])
    assert sent.body["messages"][0]["content"][1][kind]["format"] == form


def test_documents_have_names_that_differ_and_may_be_written() -> None:
    names = ["Q3/report_v2.pdf", "Q3 report v2.pdf", "", "x" * 300 + ".pdf", "übung.pdf", "a  b\t(1)[2]-3.pdf"]
    parts = [file(filename=name, file_data="data:application/pdf;base64,JVBERi0=") for name in names]
    content = encoded(messages=[{"role": "user", "content": parts}]).body["messages"][0]["content"]
    found = [block["document"]["name"] for block in content if "document" in block]
    assert found[:3] == ["Q3 report v2", "Q3 report v2 (2)", "document"] and found[4:] == ["bung", "a b (1)[2]-3"]
    assert len(found[3]) == 192
