"""The choices of the Gemini dialect that depend on a model or on other parameters; plain cases are in folders."""

from typing import Any

import pytest

from orrery.core.dialect import Encoded, UpstreamRequest
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation, Target
from orrery.providers.gemini import PROVIDER
from orrery.providers.gemini.models import ROWS, UNKNOWN, traits_of
from tests.providers.test_google_judged import assert_lawful_request

HI: dict[str, Any] = {"role": "user", "content": "Hi"}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"properties": {"at": {"type": "string"}}}}}


def encoded(model: str = "gemini-3.8-flash", *, provider: str = "google", **body: Any) -> Encoded:
    body = {"model": f"{provider}/{model}", "messages": [HI], **body}
    target = Target(provider, model, PROVIDER.base_url, secret="k")
    result = PROVIDER.adapters[Operation.CHAT].encode(Call(Operation.CHAT, body["model"], body), target)
    assert_lawful_request(result.body)
    return result


def config(model: str = "gemini-3.8-flash", **body: Any) -> Any:
    return encoded(model, **body).body.get("generationConfig", {})


@pytest.mark.parametrize(
    ("name", "version", "family"),
    [
        ("gemini-2.5-pro", (2, 5), "pro"),
        ("gemini-2.5-flash-preview-09-2025", (2, 5), ""),
        ("gemini-2.5-flash-lite", (2, 5), "lite"),
        ("gemini-pro-1.5", (0, 0), ""),
        ("gemini-2.0-flash-001", (0, 0), ""),
        ("models/gemini-3-pro-preview", (3, 0), "pro"),
        ("gemini-3-flash-preview", (3, 0), ""),
        ("gemini-3.1-pro-preview-customtools", (3, 1), "pro"),
        ("gemini-3.5-flash-lite", (3, 5), "lite"),
        ("gemini-3.5-flash", (3, 5), ""),
        ("gemini-3.6-flash-20260721", (3, 6), ""),
        ("gemini-3.8-flash", (3, 7), ""),
        ("gemini-flash-latest", (3, 7), ""),
        ("gemini-flash-lite-latest", (3, 7), ""),
        ("gemini-4-argon", (3, 7), ""),
        ("gemini-4-hydrogen", (4, 0), "hydrogen"),
    ],
)
def test_a_models_version_is_read_from_its_name(name: str, version: tuple[int, int], family: str) -> None:
    assert traits_of(name) is next(row[2] for row in ROWS if row[:2] == (version, family))


@pytest.mark.parametrize("name", ["gemma-4-31b-it", "gemini-exp-1206", "gemini-robotics-er-2-preview", "endpoints/123"])
def test_of_unknown_models_nothing_is_withheld(name: str) -> None:
    assert traits_of(name) is UNKNOWN


THINKING: list[tuple[str, Any, str | None, dict[str, Any] | None, tuple[str, ...]]] = [
    # model, thinking, effort → level, budget or neither, lost
    ("gemini-3.8-flash", None, None, None, ()),
    ("gemini-3.8-flash", None, "default", None, ()),
    ("gemini-3.8-flash", None, "medium", {"thinkingLevel": "MEDIUM"}, ()),
    ("gemini-3.8-flash", None, "minimal", {"thinkingLevel": "LOW"}, ("reasoning_effort",)),
    ("gemini-3.6-flash", None, "minimal", {"thinkingLevel": "MINIMAL"}, ()),
    ("gemini-3.8-flash", None, "xhigh", {"thinkingLevel": "HIGH"}, ("reasoning_effort",)),
    ("gemini-4-hydrogen", None, "xhigh", {"thinkingLevel": "XHIGH"}, ()),
    ("gemini-4-hydrogen", None, "max", {"thinkingLevel": "XHIGH"}, ("reasoning_effort",)),
    ("gemini-3-pro-preview", None, "medium", {"thinkingLevel": "LOW"}, ("reasoning_effort",)),
    ("gemini-3.8-flash", None, "none", {"thinkingLevel": "LOW"}, ("reasoning_effort",)),
    ("gemini-3.8-flash", "off", "high", {"thinkingLevel": "LOW"}, ("thinking",)),
    ("gemini-3.8-flash", "adaptive", None, {}, ()),
    ("gemini-3.8-flash", "adaptive", "high", {"thinkingLevel": "HIGH"}, ()),
    ("gemini-3.8-flash", 1024, None, {"thinkingLevel": "LOW"}, ("thinking.budget_tokens",)),
    ("gemini-3.8-flash", 9000, None, {"thinkingLevel": "HIGH"}, ("thinking.budget_tokens",)),
    ("gemini-3.8-flash", 9000, "low", {"thinkingLevel": "LOW"}, ("thinking.budget_tokens",)),
    ("gemini-3.8-flash", (9000, "low"), "high", {"thinkingLevel": "LOW"}, ()),
    ("gemini-3.8-flash", (None, "minimal"), None, {"thinkingLevel": "LOW"}, ("thinking.thinking_level",)),
    ("gemini-2.5-flash", None, "minimal", {"thinkingBudget": 1024}, ()),
    ("gemini-2.5-flash", None, "high", {"thinkingBudget": 24576}, ()),
    ("gemini-2.5-flash", None, "max", {"thinkingBudget": 24576}, ("reasoning_effort",)),
    ("gemini-2.5-flash", None, "none", {"thinkingBudget": 0}, ()),
    ("gemini-2.5-flash", "off", None, {"thinkingBudget": 0}, ()),
    ("gemini-2.5-flash", "adaptive", None, {"thinkingBudget": -1}, ()),
    ("gemini-2.5-flash", 30000, None, {"thinkingBudget": 24576}, ("thinking.budget_tokens",)),
    ("gemini-2.5-flash", (2000, "high"), None, {"thinkingBudget": 2000}, ()),
    ("gemini-2.5-flash", (None, "medium"), None, {"thinkingBudget": 8192}, ()),
    ("gemini-2.5-pro", 30000, "low", {"thinkingBudget": 30000}, ("reasoning_effort",)),
    ("gemini-2.5-pro", None, "none", {"thinkingBudget": 128}, ("reasoning_effort",)),
    ("gemini-2.0-flash", None, "high", None, ("reasoning_effort",)),
    ("gemini-2.0-flash", "off", None, None, ()),
    ("gemini-3-pro-image", 2000, None, None, ("thinking",)),
    ("gemma-4-31b-it", None, "xhigh", {"thinkingLevel": "XHIGH"}, ()),
    ("gemma-4-31b-it", 2000, None, {"thinkingBudget": 2000}, ()),
]


def wish_of(wish: Any) -> dict[str, Any] | None:
    if wish in ("off", "adaptive"):
        return {"type": "disabled" if wish == "off" else "adaptive"}
    budget, level = wish if isinstance(wish, tuple) else (wish, None)
    return {"type": "enabled", "budget_tokens": budget, "thinking_level": level} if wish else None


@pytest.mark.parametrize(("model", "wish", "effort", "sent", "lost"), THINKING)
def test_each_model_thinks_as_it_can(model: str, wish: Any, effort: Any, sent: Any, lost: tuple[str, ...]) -> None:
    found = encoded(model, thinking=wish_of(wish), reasoning_effort=effort)
    thinking = found.body.get("generationConfig", {}).get("thinkingConfig")
    off = wish == "off" or (effort == "none" and not wish)
    assert thinking == (sent if sent is None or off else {"includeThoughts": True, **sent})
    assert found.dropped == lost


def test_thoughts_are_shown_only_to_who_asked_for_thinking() -> None:
    assert "thinkingConfig" not in config(max_tokens=5)


SAMPLING: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, ...]]] = [
    (
        "gemini-3.5-flash",
        {"temperature": 0, "top_p": 0.5, "top_k": 3.0},
        {"temperature": 0, "topP": 0.5, "topK": 3},
        (),
    ),
    ("gemini-3.6-flash", {"temperature": 0, "top_p": 1, "top_k": 3}, {}, ("temperature", "top_k")),
    ("gemini-2.5-pro", {"top_k": 1.5}, {}, ("top_k",)),
    ("gemini-2.5-pro", {"seed": -5.0, "frequency_penalty": 0}, {"seed": -5, "frequencyPenalty": 0}, ()),
    ("gemini-2.5-pro", {"n": 1, "logprobs": False, "top_logprobs": 0}, {}, ()),
    ("gemini-2.5-pro", {"n": 3, "logprobs": True}, {"candidateCount": 3, "responseLogprobs": True}, ()),
    ("gemini-3-flash-preview", {"n": 3, "logprobs": True}, {}, ("n", "logprobs")),
    ("gemini-3.8-flash", {"max_tokens": 7, "max_completion_tokens": 9}, {"maxOutputTokens": 9}, ()),
    ("gemini-3.8-flash", {"stop": ["", "a"], "seed": 2**31}, {"stopSequences": ["a"]}, ("seed",)),
    ("gemini-3.8-flash", {"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}, ()),
    ("gemini-3.8-flash", {"response_format": {"type": "text"}, "service_tier": "auto", "user": None}, {}, ()),
]


@pytest.mark.parametrize(("model", "asked", "sent", "lost"), SAMPLING)
def test_parameters_become_generation_config(model: str, asked: Any, sent: Any, lost: tuple[str, ...]) -> None:
    found = encoded(model, **asked)
    assert found.body.get("generationConfig", {}) == sent
    assert found.dropped == lost


def test_a_schema_that_cannot_be_demanded_whole_is_named() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^a"}}}
    found = encoded(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
    assert found.dropped == ("response_format.json_schema",)
    assert found.body["generationConfig"]["responseJsonSchema"]["properties"] == {"a": {"type": "string"}}


def test_googles_own_wishes_are_taken_where_its_documents_put_them() -> None:
    google = {"cached_content": "cachedContents/a", "thinking_config": {"thinking_level": "low"}}
    wishes = ({"google": google}, {"extra_body": {"google": google}}, {"cached_content": "cachedContents/a"})
    assert {encoded(**wish).body["cachedContent"] for wish in wishes} == {"cachedContents/a"}
    assert config(google=google, reasoning_effort="high")["thinkingConfig"] == {"thinkingLevel": "LOW"}


def test_answers_in_audio_are_a_400() -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"})
    assert caught.value.param == "modalities"


CHOICES: list[tuple[Any, Any, tuple[str, ...]]] = [
    ("auto", None, ()),
    ("none", {"mode": "NONE"}, ()),
    ("required", {"mode": "ANY"}, ()),
    ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}}, {"mode": "NONE"}, ()),
]


@pytest.mark.parametrize(("choice", "sent", "lost"), CHOICES)
def test_tool_choices_have_their_modes(choice: Any, sent: Any, lost: tuple[str, ...]) -> None:
    found = encoded(tools=[TOOL], tool_choice=choice)
    assert found.body.get("toolConfig", {}).get("functionCallingConfig") == sent
    assert found.dropped == lost


def test_strict_tools_are_held_to_their_schema() -> None:
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}  # type: ignore[dict-item]
    sent = encoded(tools=[TOOL, strict], tool_choice="auto").body["toolConfig"]
    assert sent == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert encoded(tools=[strict], tool_choice="required").body["toolConfig"]["functionCallingConfig"]["mode"] == "ANY"


def test_a_choice_without_tools_is_not_sent() -> None:
    assert encoded(tool_choice="required").dropped == ("tool_choice",)
    assert "toolConfig" not in encoded(tool_choice="none").body


def test_custom_tools_are_a_400() -> None:
    with pytest.raises(InvalidRequest, match="function tools"):
        encoded(tools=[{"type": "custom", "custom": {"name": "c"}}])
    with pytest.raises(InvalidRequest, match="function tools"):
        encoded(tools=[TOOL], tool_choice={"type": "custom", "custom": {"name": "c"}})


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-3.8-flash", False, "/models/gemini-3.8-flash:generateContent"),
        ("models/gemini-3.8-flash", True, "/models/gemini-3.8-flash:streamGenerateContent?alt=sse"),
        ("tunedModels/mine", False, "/tunedModels/mine:generateContent"),
        ("../files/x?key=y#", False, "/models/..%2Ffiles%2Fx%3Fkey%3Dy%23:generateContent"),
    ],
)
def test_a_models_name_cannot_lead_elsewhere(model: str, stream: bool, path: str) -> None:
    call = Call(Operation.CHAT, "m", {}, stream=stream)
    assert PROVIDER.adapters[Operation.CHAT].path(call, Target("google", model, "")) == path


def test_the_key_goes_into_its_header() -> None:
    target = Target("google", "gemini-3.8-flash", PROVIDER.base_url, secret="AIza-1")
    assert PROVIDER.sign(UpstreamRequest("POST", "", {}), target, 0.0) == {"x-goog-api-key": "AIza-1"}
