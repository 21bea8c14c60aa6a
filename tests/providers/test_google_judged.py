"""Judged by Google's own SDK: what goes to Gemini, and the fixtures said to be from it."""

from typing import Any

import orjson
import pytest
from google.genai import types
from pydantic import BaseModel, ConfigDict, ValidationError

from tests.providers.cases import Case, events_of, with_files
from tests.providers.test_cases import each

KEYWORDS = frozenset(
    {"type", "format", "title", "description", "enum", "items", "prefixItems", "minItems", "maxItems", "minimum"}
    | {"maximum", "anyOf", "properties", "additionalProperties", "required", "propertyOrdering"}
)
"""Of JSON Schema; Google's list has references and `oneOf` beside them (ai.google.dev/api/generate-content)."""


class Request(BaseModel):
    """The body that the SDK sends, put together as its `_GenerateContentParameters_to_mldev` does."""

    model_config = ConfigDict(extra="forbid")

    contents: list[types.Content]
    systemInstruction: types.Content | None = None
    tools: list[types.Tool] = []
    toolConfig: types.ToolConfig | None = None
    generationConfig: types.GenerationConfig | None = None
    safetySettings: list[types.SafetySetting] = []
    cachedContent: str | None = None


class ApiError(BaseModel):
    """What the SDK's `errors.APIError` reads."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: int
    message: str
    status: str
    details: list[dict[str, Any]] = []


def assert_lawful_request(body: dict[str, Any]) -> None:
    """The SDK's types take it and know all of it, and what they leave open keeps to what is documented."""
    request = Request.model_validate_json(orjson.dumps(body))
    assert request.contents
    for content in request.contents:
        assert content.role in ("user", "model") and content.parts
        for part in content.parts:
            assert len(part.model_dump(exclude={"thought", "thought_signature"}, exclude_none=True)) == 1
        kinds = [part.function_response is not None for part in content.parts]
        assert all(kinds) or not any(kinds), "results of functions stand beside something else"
    assert_answered(request.contents)
    for tool in request.tools:
        for declaration in tool.function_declarations or ():
            assert_lawful_schema(declaration.parameters_json_schema or {})
    config = request.generationConfig
    if config and config.response_json_schema:
        assert config.response_mime_type == "application/json"
        assert_lawful_schema(config.response_json_schema)


def assert_answered(contents: list[types.Content]) -> None:
    """Each content with calls is followed by one with as many results, in the same order."""
    for content, after in zip(contents, [*contents[1:], types.Content(parts=[])], strict=True):
        calls = [part.function_call for part in content.parts or () if part.function_call]
        results = [part.function_response for part in after.parts or () if part.function_response]
        if calls:
            assert [(call.id, call.name) for call in calls] == [(result.id, result.name) for result in results]


def assert_lawful_schema(schema: Any) -> None:
    if not isinstance(schema, dict):
        return
    assert schema.keys() <= KEYWORDS
    assert set(schema.get("required", ())) <= schema.get("properties", {}).keys()
    assert all(isinstance(value, str | int | float) for value in schema.get("enum", ()))
    inner = [schema.get("items"), schema.get("additionalProperties"), *schema.get("properties", {}).values()]
    for each_schema in [*inner, *schema.get("anyOf", ()), *schema.get("prefixItems", ())]:
        assert_lawful_schema(each_schema)


def ours(*files: str) -> list[Case]:
    return [case for case in with_files(*files) if case.provider in ("google", "vertex")]


@each(ours("request.json"))
def test_requests_are_lawful(case: Case) -> None:
    assert_lawful_request(case.adapter().encode(case.call(), case.target()).body)


HI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
CALLED = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
ANSWER: dict[str, Any] = {"functionResponse": {"name": "f", "response": {}}}
WRONG: list[dict[str, Any]] = [
    {"contents": []},
    {"contents": [{"role": "assistant", "parts": [{"text": "Hi"}]}]},
    {"contents": [{"role": "user", "parts": [{"text": "Hi", "colour": 1}]}]},
    {"contents": [{"role": "user", "parts": [{"text": "Hi"}, ANSWER]}]},
    {"contents": [CALLED]},
    {"contents": [CALLED, {"role": "user", "parts": [{"functionResponse": {"name": "g", "response": {}}}]}]},
    {"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "f", "response": "1"}}]}]},
    {"generationConfig": {"max_tokens": 5}},
    {"generationConfig": {"thinkingConfig": {"thinkingLevel": "ENORMOUS"}}},
    {"toolConfig": {"functionCallingConfig": {"mode": "required"}}},
    {"tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"$ref": "#"}}]}]},
    {"tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"required": ["a"]}}]}]},
    {"speed": 1},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_the_judge_refuses_what_is_not_lawful(wrong: dict[str, Any]) -> None:
    assert_lawful_request(HI)
    with pytest.raises((AssertionError, ValidationError, UserWarning)):
        assert_lawful_request(HI | wrong)


@each(ours("reply.json"))
def test_replies_are_googles(case: Case) -> None:
    types.GenerateContentResponse.model_validate_json(case.bytes_of("reply.json"))


def google_events(case: Case) -> list[types.GenerateContentResponse]:
    datas = [event.data for event in events_of(case) if b'"error"' not in event.data]
    return [types.GenerateContentResponse.model_validate_json(data) for data in datas]


@each(ours("stream.sse"))
def test_streams_are_made_of_googles_responses(case: Case) -> None:
    events = google_events(case)
    assert len({(event.response_id, event.model_version) for event in events}) == 1


@each(ours("stream.sse", "reply.json"))
def test_stream_and_reply_are_the_same_answer(case: Case) -> None:
    whole = types.GenerateContentResponse.model_validate_json(case.bytes_of("reply.json"))
    events = google_events(case)
    assert events[-1].usage_metadata == whole.usage_metadata
    for candidate in whole.candidates or ():
        pieces = [c for event in events for c in event.candidates or () if (c.index or 0) == candidate.index]
        assert [p.finish_reason for p in pieces if p.finish_reason] == [candidate.finish_reason]
        parts = [part for piece in pieces for part in (piece.content and piece.content.parts) or ()]
        assert joined(parts) == joined((candidate.content and candidate.content.parts) or [])


def joined(parts: list[types.Part]) -> list[Any]:
    """The parts, texts that follow each other without a signature taken together."""
    found: list[Any] = []
    for part in parts:
        data = part.model_dump(exclude_none=True)
        plain = "text" in data and "thought_signature" not in data
        if plain and found and found[-1].keys() == data.keys():
            found[-1]["text"] += data["text"]
        else:
            found.append(data)
    return found


@each([case for case in ours("error.json") if case.name != "error_html"])
def test_errors_are_googles(case: Case) -> None:
    body = case.json_of("error.json")["body"]
    error = ApiError.model_validate((body[0] if isinstance(body, list) else body)["error"])
    assert error.code == case.json_of("error.json")["status"]
