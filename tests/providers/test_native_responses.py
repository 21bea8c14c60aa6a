"""What goes to a provider that has responses itself: what came, minus what it refuses, and nothing to be stored."""

from copy import deepcopy
from typing import Any

import pytest

from orrery import providers
from orrery.core.types import Json, Operation
from orrery.providers.bridge.response_reasoning import Thoughts, sealed
from orrery.providers.compatible import server
from orrery.providers.compatible.response_facts import FACTS, native_tools
from orrery.providers.compatible.response_reasoning import sealed_item
from orrery.providers.layout import seal
from orrery.wire.compaction import BEFORE, compacted
from tests.providers.native import (
    NATIVE,
    SEALING,
    adapter,
    encoded,
    function_call,
    items,
    message,
    reasoning,
    sent,
    target,
)

each_native = pytest.mark.parametrize("provider", NATIVE)
LOOK = {"type": "function", "name": "look", "description": "d", "parameters": {"type": "object"}, "strict": None}
FIND = {"type": "function", "name": "find", "parameters": {"type": "object"}}
CHOICE: Json = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "find"}]}
RESULT = {"type": "function_call_output", "call_id": "call_fc_1", "output": "3"}


def without(item: Json, *names: str) -> Json:
    return {name: value for name, value in item.items() if name not in names}


def test_facts_are_those_of_the_rows_that_serve_responses():
    rows = {name for name in providers.names() if Operation.RESPONSES in getattr(providers.get(name), "adapters", ())}
    assert rows == set(NATIVE) == set(FACTS)


@each_native
def test_it_goes_to_the_provider_s_own_path(provider):
    path = adapter(provider).path(None, target(provider))  # type: ignore[arg-type]
    assert path == ("/openai/v1/responses" if provider == "azure" else "/responses")


@each_native
def test_what_nobody_knows_goes_on_as_it_came(provider):
    asked = {"made_up": {"a": [1]}, "temperature": 0.5, "text": {"verbosity": "low"}, "instructions": "Be brief."}
    found = sent(provider, **asked)
    assert {name: found[name] for name in asked} == asked
    assert found["model"] == "some-model"


@each_native
def test_nothing_is_stored_or_looked_up_there(provider):
    found = sent(provider, previous_response_id="resp_1", conversation={"id": "conv_1"}, background=True, store=True)
    assert found.keys().isdisjoint({"previous_response_id", "conversation", "background", "stream"})
    assert found.get("store") is (None if provider == "groq" else False)


@each_native
def test_a_stream_is_asked_for_as_the_call_says(provider):
    assert sent(provider, stream=True)["stream"] is True
    assert "stream" not in sent(provider)


@each_native
def test_nulls_are_left_out_and_are_no_loss(provider):
    nothing = dict.fromkeys(("top_k", "metadata", "tools", "tool_choice", "reasoning", "truncation", "text", "user"))
    found = encoded(provider, **nothing)
    assert isinstance(found.body, dict) and found.body.keys().isdisjoint(nothing)
    assert found.dropped == ()


@each_native
def test_the_caller_s_own_mapping_stays_whole(provider):
    asked = {
        "input": [message("a"), reasoning("b", secret="x:y"), function_call(), RESULT],
        "tools": [LOOK],
        "top_k": 1,
    }
    before = deepcopy(asked)
    sent(provider, **asked)
    assert asked == before


REFUSED: dict[str, dict[str, Any]] = {
    "openai": {"top_k": 3, "stop_sequences": ["a"], "presence_penalty": 0.5, "frequency_penalty": 0.5},
    "azure": {"top_k": 3, "stop_sequences": ["a"], "presence_penalty": 0.5, "cache_control": {"type": "ephemeral"}},
    "xai": {"top_k": 3, "frequency_penalty": 1},
    "groq": {"truncation": "auto", "top_k": 3, "top_logprobs": 2},
    "openrouter": {},
    "vllm": {},
}


@each_native
def test_what_it_refuses_is_left_out_and_named(provider):
    found = encoded(provider, **REFUSED[provider])
    assert isinstance(found.body, dict) and found.body.keys().isdisjoint(REFUSED[provider])
    assert found.dropped == tuple(REFUSED[provider])


@each_native
def test_what_asks_for_nothing_is_no_loss(provider):
    nothing = {"truncation": "disabled", "top_logprobs": 0, "presence_penalty": 0, "frequency_penalty": 0.0}
    assert encoded(provider, **nothing, stop_sequences=[]).dropped == ()


@pytest.mark.parametrize(("provider", "names"), [("xai", {"metadata"}), ("groq", {"prompt_cache_key", "store"})])
def test_what_changes_nothing_is_left_out_in_silence(provider, names):
    found = encoded(provider, metadata={"a": "b"}, prompt_cache_key="k", store=True)
    assert found.dropped == ()
    assert isinstance(found.body, dict)
    assert found.body.keys() & {"metadata", "prompt_cache_key", "store"} == (
        {"metadata", "prompt_cache_key", "store"} - names
    )


@pytest.mark.parametrize("provider", ["openrouter", "vllm"])
def test_stop_sequences_have_the_name_that_is_known_there(provider):
    found = sent(provider, stop_sequences=["a"], top_k=3)
    assert (found["stop"], found["top_k"], "stop_sequences" in found) == (["a"], 3, False)


@pytest.mark.parametrize(
    ("provider", "asked", "told", "lost"),
    [
        ("groq", "xhigh", "high", ("reasoning.effort",)),
        ("groq", "minimal", "low", ("reasoning.effort",)),
        ("xai", "minimal", "low", ("reasoning.effort",)),
        ("groq", "low", "low", ()),
        ("openai", "max", "max", ()),
        ("vllm", "minimal", "minimal", ()),
        ("openrouter", "none", "none", ()),
    ],
)
def test_efforts_are_those_that_it_takes(provider, asked, told, lost):
    found = encoded(provider, reasoning={"effort": asked, "summary": "auto"})
    assert isinstance(found.body, dict)
    assert (found.body["reasoning"], found.dropped) == ({"summary": "auto", "effort": told}, lost)


class TestIncluding:
    """What is asked to be shown, and what is needed to go on."""

    @pytest.mark.parametrize(
        ("provider", "model", "asked", "included"),
        [
            ("openai", "gpt-5", {}, True),
            ("openai", "gpt-4o", {}, False),  # "Encrypted content is not supported with this model", 400
            ("openai", "brand-new", {}, False),
            ("openai", "brand-new", {"reasoning": {"effort": "low"}}, True),
            ("openai", "brand-new", {"reasoning": {"effort": "none"}}, False),
            ("openai", "brand-new", {"reasoning": {"effort": None}}, False),
            ("azure", "gpt-5", {}, True),
            ("azure", "o3-pro", {}, True),
            ("azure", "gpt-5.5-pro", {}, True),  # known by the name that OpenAI has for it
            ("azure", "my-deployment", {}, False),
            ("azure", "my-deployment", {"reasoning": {"summary": "auto"}}, True),
            ("xai", "grok-4", {}, True),
            ("groq", "openai/gpt-oss-20b", {"reasoning": {"effort": "low"}}, False),
            ("openrouter", "openai/gpt-4o", {}, False),
            ("openrouter", "openai/gpt-5", {"reasoning": {"effort": "low"}}, True),
            ("vllm", "gpt-oss", {"reasoning": {"effort": "low"}}, False),
        ],
    )
    def test_reasoning_is_asked_for_of_models_that_have_any(self, provider, model, asked, included):
        assert ("reasoning.encrypted_content" in sent(provider, model, **asked).get("include", [])) is included

    def test_what_the_caller_wants_is_asked_for_where_it_is_known(self):
        wanted = {"message.output_text.logprobs", "web_search_call.action.sources"}
        assert set(sent("openai", include=wanted)["include"]) == wanted
        assert sent("vllm", include=wanted)["include"] == ["message.output_text.logprobs"]
        assert "include" not in sent("groq", include=wanted)

    def test_encrypted_reasoning_is_never_asked_of_models_without(self):
        assert "include" not in sent("openai", "gpt-4o", include={"reasoning.encrypted_content"})


class TestReasoning:
    """It goes back to who issued it."""

    @pytest.mark.parametrize("provider", SEALING)
    def test_its_own_is_opened(self, provider):
        (found, _) = items(provider, reasoning("thought", secret=seal(provider, "gAAA==")), message("b"))
        assert found["encrypted_content"] == "gAAA=="
        assert found["summary"] == [{"type": "summary_text", "text": "thought"}]
        assert found.keys() == {"type", "summary", "encrypted_content"} | (
            set() if provider in ("openai", "azure") else {"id"}
        )

    @each_native
    @pytest.mark.parametrize("secret", ["anthropic:abc", "gAAA-of-nobody", "orrery:abc"])
    def test_what_others_issued_is_left_out_and_named(self, provider, secret):
        found = encoded(provider, input=[reasoning("", secret=secret), message("b")])
        assert isinstance(found.body, dict)
        assert [item.get("type") for item in found.body["input"]] == ["message"]
        assert found.dropped == ("input.reasoning",)

    @pytest.mark.parametrize("provider", SEALING)
    def test_what_was_sealed_for_its_chat_is_not_its_own(self, provider):
        bridged = sealed(Thoughts({"reasoning": "thought"}, {}, 7), provider)
        assert len(items(provider, reasoning("thought", secret=bridged), message("b"))) == 1

    @pytest.mark.parametrize("provider", [name for name in NATIVE if name != "vllm"])
    def test_plain_reasoning_is_left_out_in_silence(self, provider):
        found = encoded(provider, input=[reasoning("a", "b"), message("c")])
        assert isinstance(found.body, dict) and len(found.body["input"]) == 1
        assert found.dropped == ()

    def test_plain_reasoning_goes_where_it_is_read_without_what_is_encrypted(self):
        (found, _) = items("vllm", reasoning("a", "b", seal("openai", "c")), message("d"))
        assert found == reasoning("a", "b")

    @pytest.mark.parametrize("provider", SEALING)
    @pytest.mark.parametrize("after", [(), ({"role": "user", "content": "go on"},), (RESULT,)])
    def test_reasoning_that_led_to_nothing_is_left_out(self, provider, after):
        assert items(provider, reasoning(secret=seal(provider, "a")), *after) == list(after)

    @pytest.mark.parametrize("provider", SEALING)
    def test_reasoning_that_led_to_a_hosted_tool_goes_with_it(self, provider):
        searched = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
        thought = reasoning(secret=seal(provider, "a"))
        assert [item["type"] for item in items(provider, thought, searched, thought, message("b"))] == [
            "reasoning",
            "message",
        ]

    @pytest.mark.parametrize(("provider", "kept"), [("groq", 0), ("vllm", 1)])
    def test_what_is_encrypted_goes_to_nobody_who_cannot_read_it(self, provider, kept):
        found = items(provider, reasoning("", "a", seal(provider, "gAAA")), message("b"))
        assert len(found) == 1 + kept and "gAAA" not in str(found)

    def test_what_a_signature_belongs_to_goes_back_with_it(self):
        issued = {**reasoning("", "thought"), "signature": "EqQ=", "format": "anthropic-claude-v1"}
        shown = sealed_item(issued, "openrouter")
        assert shown.keys() == {"type", "id", "summary", "content", "encrypted_content"}
        assert items("openrouter", shown, message("b"))[0] == issued
        both = sealed_item({**issued, "encrypted_content": "gAAA"}, "openrouter")
        assert items("openrouter", both, message("b"))[0] == {**issued, "encrypted_content": "gAAA"}
        assert "signature" not in str(items("openai", shown, message("b")))

    @pytest.mark.parametrize("data", ["item=", "item=!", "item=bnVsbA==", "item=W10="])
    def test_a_broken_seal_is_nobody_s(self, data):
        assert len(items("openrouter", reasoning(secret=seal("openrouter", data)), message("b"))) == 1


class TestItems:
    """What was said before, as each wants it."""

    @pytest.mark.parametrize("provider", ["openai", "azure"])
    def test_items_have_no_ids_where_ids_are_looked_up(self, provider):
        found = items(provider, message("a"), function_call(), RESULT | {"id": "fco_1", "status": "completed"})
        assert found == [without(message("a"), "id", "status"), without(function_call(), "id", "status"), RESULT]

    @pytest.mark.parametrize("provider", ["xai", "groq", "openrouter", "vllm"])
    def test_an_answer_has_what_makes_it_one_elsewhere(self, provider):
        said = {"role": "assistant", "content": [{"type": "output_text", "text": "a"}]}
        assert items(provider, {"role": "user", "content": "q"}, said)[1] == message("a", "msg_1")
        assert items(provider, message("a", "msg_own"))[0]["id"] == "msg_own"

    @each_native
    def test_a_text_stays_one(self, provider):
        said = {"role": "assistant", "content": "a"}
        assert items(provider, said) == [said]
        assert sent(provider, input="hi")["input"] == "hi"

    @each_native
    def test_probabilities_do_not_go_back(self, provider):
        said = message("a")
        said["content"][0]["logprobs"] = [{"token": "a"}]
        assert "logprobs" not in str(items(provider, said))

    @pytest.mark.parametrize(("provider", "kept"), [("openai", True), ("azure", True), ("groq", False), ("xai", False)])
    def test_a_phase_goes_to_who_knows_it(self, provider, kept):
        assert ("phase" in items(provider, message("a") | {"phase": "commentary"})[0]) is kept

    @each_native
    def test_a_compaction_of_ours_is_a_text(self, provider):
        (found,) = items(provider, compacted("What was said.", "cmp_1"))
        text = {"type": "input_text", "text": f"{BEFORE}What was said."}
        assert found == {"type": "message", "role": "user", "content": [text]}

    def test_a_provider_s_own_compaction_goes_back_to_it_alone(self):
        item = {"type": "compaction", "id": "cmp_1", "encrypted_content": seal("openai", "gAAA")}
        assert items("openai", item) == [{"type": "compaction", "encrypted_content": "gAAA"}]
        found = encoded("xai", input=[item])
        assert isinstance(found.body, dict)
        assert (found.body["input"], found.dropped) == ([], ("input.compaction",))

    @each_native
    def test_what_hosted_tools_left_stays_behind(self, provider):
        left = [{"type": kind, "id": "x"} for kind in ("mcp_call", "orq:advisor_call", "image_generation_call")]
        assert items(provider, {"role": "user", "content": "q"}, *left) == [{"role": "user", "content": "q"}]

    def test_marks_of_others_are_left_out_and_named(self):
        mark = {"cache_control": {"type": "ephemeral"}}
        part, result = {"type": "input_text", "text": "a"}, {**RESULT, "output": [{"type": "input_text", "text": "b"}]}
        given = [{"role": "user", "content": [part | mark]}, {**result, "output": [result["output"][0] | mark]}]
        found = encoded("openai", input=given, tools=[LOOK | mark])
        assert isinstance(found.body, dict)
        assert found.body["input"] == [{"role": "user", "content": [part]}, result]
        assert (found.body["tools"], found.dropped) == ([LOOK], ("cache_control",))
        assert items("openrouter", *given) == given


class TestTools:
    @each_native
    def test_function_tools_go_on_as_they_came(self, provider):
        assert sent(provider, tools=[LOOK, FIND], tool_choice="required")["tools"] == [LOOK, FIND]

    @each_native
    def test_hosted_tools_go_to_who_runs_them(self, provider):
        kinds = ("web_search", "web_search_preview", "x_search", "browser_search", "mcp", "file_search", "orq:http")
        found = encoded(provider, tools=[LOOK, *({"type": kind} for kind in kinds)])
        assert isinstance(found.body, dict)
        assert {tool["type"] for tool in found.body["tools"]} == {"function"} | (native_tools(provider) & set(kinds))
        assert found.dropped == ("tools",)

    @each_native
    def test_no_tools_are_no_list(self, provider):
        found = sent(provider, tools=[{"type": "orq:http"}], tool_choice="auto")
        assert found.keys().isdisjoint({"tools", "tool_choice"})

    def test_tools_with_a_memory_are_run_by_nobody_else(self):
        stateful = {"file_search", "code_interpreter", "mcp", "computer_use_preview", "shell", "local_shell"}
        assert all(native_tools(name).isdisjoint(stateful) for name in providers.names())
        assert native_tools("openai") >= {"web_search", "web_search_preview"}
        assert native_tools("xai") == {"web_search", "x_search"}
        assert native_tools("anthropic") == native_tools("") == frozenset()

    @pytest.mark.parametrize("provider", ["openai", "azure"])
    def test_allowed_tools_are_named_where_that_is_known(self, provider):
        found = sent(provider, tools=[LOOK, FIND], tool_choice=CHOICE)
        assert (found["tools"], found["tool_choice"]) == ([LOOK, FIND], CHOICE)

    @pytest.mark.parametrize("provider", ["xai", "groq", "openrouter", "vllm"])
    def test_allowed_tools_are_the_only_ones_elsewhere(self, provider):
        found = encoded(provider, tools=[LOOK, FIND], tool_choice=CHOICE)
        assert isinstance(found.body, dict)
        assert (found.body["tools"], found.body["tool_choice"], found.dropped) == ([FIND], "required", ())
        assert sent(provider, tools=[LOOK, FIND], tool_choice=without(CHOICE, "mode"))["tool_choice"] == "auto"


def test_only_azure_wants_the_bytes_of_files():
    wanting = {
        name for name in NATIVE if (needs := adapter(name).needs_bytes) and needs("input_file", "https://a.example/b")
    }
    assert wanting == {"azure"}
    needs = adapter("azure").needs_bytes
    assert needs is not None
    assert not needs("input_file", "data:application/pdf;base64,AAAA") and not needs(
        "input_image", "https://a.example/b"
    )


def test_a_server_of_the_operator_s_responds_over_its_chat_unless_it_is_known_to():
    assert Operation.RESPONSES not in server("mine", "http://127.0.0.1:1/v1").adapters
    assert Operation.RESPONSES in server("mine", "http://127.0.0.1:1/v1", responds=True).adapters
