"""Messages on their way to Gemini: contents, function calls and their ids, signatures, files, and what is a 400."""

from typing import Any

import pytest

from orrery.core.errors import InvalidRequest
from orrery.providers.gemini.parts import is_googles, needs_bytes
from tests.providers.test_gemini import HI, TOOL, encoded


def calling(*ids: str, **more: Any) -> dict[str, Any]:
    calls = [{"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}, **more} for id in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(id: str | None, content: Any = "1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": content}


def contents(*messages: dict[str, Any], model: str = "gemini-3.8-flash", **more: Any) -> list[Any]:
    found: list[Any] = encoded(model, messages=list(messages), **more).body["contents"]
    return found


def test_results_go_in_the_order_of_their_calls_and_stand_alone() -> None:
    sent = contents(HI, calling("a", "b"), result("b", "2"), result(None), {"role": "user", "content": "Well?"})
    assert [[next(iter(part)) for part in content["parts"]] for content in sent[2:]] == [
        ["functionResponse"] * 2,
        ["text"],
    ]
    assert [part["functionResponse"]["response"] for part in sent[2]["parts"]] == [{"output": "1"}, {"output": "2"}]


RESPONSES: list[tuple[Any, dict[str, Any]]] = [
    ('{"a": [1]}', {"a": [1]}),
    (' {"error": "x"} ', {"error": "x"}),
    ("[1]", {"output": "[1]"}),
    ("{not json", {"output": "{not json"}),
    ('{"$ref": "#/a"}', {"output": '{"$ref": "#/a"}'}),
    ("", {"output": ""}),
    ([{"type": "text", "text": '{"a"'}, {"type": "text", "text": ":1}"}], {"a": 1}),
]


@pytest.mark.parametrize(("content", "sent"), RESPONSES)
def test_a_result_is_always_an_object(content: Any, sent: dict[str, Any]) -> None:
    assert contents(HI, calling("a"), result("a", content))[2]["parts"][0]["functionResponse"]["response"] == sent


def test_a_failed_tool_says_so() -> None:
    failed = {**result("a", '{"why": 1}'), "is_error": True}
    assert contents(HI, calling("a"), failed)[2]["parts"][0]["functionResponse"]["response"] == {"error": '{"why": 1}'}


def signatures(sent: list[Any]) -> list[str | None]:
    return [part.get("thoughtSignature") for content in sent for part in content["parts"] if "functionCall" in part]


SKIP = "skip_thought_signature_validator"


@pytest.mark.parametrize(
    ("more", "sent"),
    [
        ({}, SKIP),
        ({"thought_signature": "c2ln"}, "c2ln"),
        ({"thought_signature": "google:c2ln"}, "c2ln"),
        ({"thought_signature": "vertex:c2ln"}, SKIP),
        ({"extra_content": {"google": {"thought_signature": "c2ln"}}}, "c2ln"),
        ({"extra_content": {"vertex": {"thought_signature": "c2ln"}}}, SKIP),
        ({"extra_content": {"google": "nonsense"}}, SKIP),
    ],
)
def test_each_first_call_has_its_own_signature_or_one_that_says_there_is_none(more: Any, sent: str) -> None:
    assert signatures(contents(HI, calling("a", **more), result("a"))) == [sent]


def test_only_the_first_of_parallel_calls_needs_a_signature() -> None:
    sent = contents(HI, calling("a", "b"), result("a"), result("b"), calling("c"), result("c"))
    assert signatures(sent) == [SKIP, None, SKIP]


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-3-pro-image", "gemma-4-31b-it"])
def test_models_that_do_not_ask_for_signatures_get_no_false_ones(model: str) -> None:
    assert signatures(contents(HI, calling("a"), result("a"), model=model)) == [None]


def test_a_signature_of_the_other_service_is_withheld_and_named() -> None:
    call = calling("a", extra_content={"google": {"thought_signature": "c2ln"}})
    found = encoded("gemini-3.8-flash", provider="vertex", messages=[HI, call, result("a")])
    assert signatures(found.body["contents"]) == [SKIP] and found.dropped == ("messages.reasoning",)


def test_signed_thinking_in_parts_goes_back_to_its_issuer() -> None:
    parts = [
        {"type": "reasoning", "reasoning": "T", "signature": "google:c2ln"},
        {"type": "reasoning", "reasoning": "U", "signature": "anthropic:x"},
        {"type": "redacted_reasoning", "data": "google:x"},
        {"type": "text", "text": "A"},
    ]
    found = encoded(messages=[HI, {"role": "assistant", "content": parts}])
    thought = {"text": "T", "thought": True, "thoughtSignature": "c2ln"}
    assert found.body["contents"][1]["parts"] == [thought, {"text": "A"}]
    assert found.dropped == ("messages.reasoning", "messages.redacted_reasoning")


def test_thoughts_that_nobody_signed_are_withheld() -> None:
    found = encoded(messages=[HI, {"role": "assistant", "content": "A", "reasoning": "T"}])
    assert found.body["contents"][1]["parts"] == [{"text": "A"}] and found.dropped == ("messages.reasoning",)


@pytest.mark.parametrize("signature", ["google/blocks:", "google/blocks:e30=", "google/blocks:%%%", "é"])
def test_a_spoilt_signature_spoils_no_request(signature: str) -> None:
    message = {"role": "assistant", "content": "A", "reasoning": "T", "reasoning_signature": signature}
    assert encoded(messages=[HI, message]).body["contents"][1]["parts"][-1] == {"text": "A"}


def test_empty_turns_disappear_and_their_neighbours_join() -> None:
    sent = contents(HI, {"role": "assistant", "content": ""}, {"role": "user", "content": "Again"})
    assert sent == [{"role": "user", "parts": [{"text": "Hi"}, {"text": "Again"}]}]


UNSAYABLE: list[tuple[str, list[dict[str, Any]]]] = [
    ("messages", [{"role": "system", "content": "Only this"}]),
    ("messages", [{"role": "user", "content": ""}]),
    ("messages[1].tool_calls", [HI, calling("a")]),
    ("messages[1].tool_calls", [HI, calling("a", "b"), result("a"), HI]),
    ("messages[1].tool_call_id", [HI, result("nobody")]),
    ("messages[1].tool_call_id", [HI, result(None)]),
    ("messages[3].tool_call_id", [HI, calling("a"), result("a"), result("a")]),
    ("messages[0].role", [{"role": "function", "name": "f", "content": "1"}]),
    ("messages[0].audio", [{"role": "assistant", "audio": {"id": "x"}}]),
    ("messages[0].function_call", [{"role": "assistant", "function_call": {"name": "f", "arguments": ""}}]),
    (
        "messages[0].tool_calls[0].type",
        [{"role": "assistant", "tool_calls": [{"id": "1", "type": "custom", "custom": {"name": "c", "input": ""}}]}],
    ),
]


@pytest.mark.parametrize(("param", "messages"), UNSAYABLE)
def test_what_cannot_be_said_is_a_400_that_points_at_it(param: str, messages: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(messages=messages)
    assert caught.value.param == param


def part_of(part: dict[str, Any]) -> Any:
    return contents({"role": "user", "content": [part]})[0]["parts"][0]


FILES: list[tuple[str, dict[str, Any]]] = [
    ("image_url.url", {"type": "image_url", "image_url": {"url": "data:image/gif;base64,AA=="}}),
    ("image_url.url", {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}),
    ("image_url.url", {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}),
    ("file.file_id", {"type": "file", "file": {"file_id": "file_1"}}),
    ("file.mimeType", {"type": "file", "file": {"filename": "a.weird", "file_data": "AA=="}}),
    ("file", {"type": "file", "file": {"uri": "s3://bucket/a.pdf"}}),
    ("file", {"type": "file", "file": {"uri": "https://example.com/a.pdf"}}),
    ("file", {"type": "file", "file": {}}),
]


@pytest.mark.parametrize(("param", "part"), FILES)
def test_files_that_gemini_does_not_take_are_a_400(param: str, part: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        part_of(part)
    assert caught.value.param == f"messages[0].content[0].{param}"


INLINE = [
    ({"type": "image_url", "image_url": {"url": "data:application/pdf;base64,JVBERi0x"}}, "application/pdf"),
    ({"type": "image_url", "image_url": {"url": "data:video/mp4;base64,AAAA"}}, "video/mp4"),
    ({"type": "input_audio", "input_audio": {"data": "data:audio/wav;base64,AAAA", "format": "mp3"}}, "audio/mp3"),
    ({"type": "file", "file": {"filename": "a.MOV", "file_data": "AAAA"}}, "video/quicktime"),
    ({"type": "file", "file": {"filename": "a.jpg", "file_data": "/9j/"}}, "image/jpeg"),
    ({"type": "file", "file": {"file_data": "data:text/csv;base64,AAAA"}}, "text/csv"),
    (
        {"type": "file", "file": {"file_data": "AAAA", "mimeType": "application/vnd.ms-excel"}},
        "application/vnd.ms-excel",
    ),
]


@pytest.mark.parametrize(("part", "media_type"), INLINE)
def test_content_goes_inline_under_its_type(part: dict[str, Any], media_type: str) -> None:
    assert part_of(part)["inlineData"]["mimeType"] == media_type


ADDRESSES = [
    ("gs://bucket/a.mp4", True),
    ("https://www.youtube.com/watch?v=abc", True),
    ("https://youtu.be/abc", True),
    ("https://generativelanguage.googleapis.com/v1beta/files/abc-1", True),
    ("https://generativelanguage.googleapis.com/v1beta/files/abc-1/../../x", False),
    ("https://generativelanguage.googleapis.com.evil.example/v1beta/files/abc", False),
    ("https://www.youtube.com.evil.example/watch?v=abc", False),
    ("https://example.com/watch?v=https://youtu.be/abc", False),
    ("http://youtu.be/abc", False),
]


@pytest.mark.parametrize(("url", "googles"), ADDRESSES)
def test_only_googles_own_addresses_go_on(url: str, googles: bool) -> None:
    assert is_googles(url) is googles
    assert needs_bytes("image_url", url) is (not googles)


def test_data_urls_need_no_fetching() -> None:
    assert not needs_bytes("image_url", "data:image/png;base64,AA==")


def test_tools_and_history_stand_together() -> None:
    found = encoded(messages=[HI, calling("a"), result("a")], tools=[TOOL])
    assert found.body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"]["type"] == "object"
    assert not found.dropped
