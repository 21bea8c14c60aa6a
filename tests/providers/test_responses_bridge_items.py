"""Items of every kind as messages of a chat, and what of a request no chat can do."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery import providers
from orrery.core.dialect import Encoded
from orrery.core.errors import InvalidRequest
from orrery.core.options import Options
from orrery.core.responses import Responding
from orrery.core.types import Operation, Target
from orrery.providers.bridge.response_items import messages_of
from orrery.providers.bridge.response_reasoning import Thoughts, sealed, unsealed
from orrery.providers.bridge.responses import over
from orrery.providers.lost import Lost
from orrery.wire.compaction import BEFORE, as_message, compacted, text_of
from tests.providers.cases import CHATTING
from tests.providers.families import REGIONS
from tests.providers.responding import call, of_chat

HI = {"type": "message", "role": "user", "content": "Hi"}


def encoded(provider: str = "xai", options: Options | None = None, **fields: Any) -> Encoded:
    found = providers.get(provider)
    assert found is not None
    target = Target(provider, "m", found.base_url, REGIONS.get(provider, ""))
    target = found.locate(target) if found.locate else target
    asked = call({"model": f"{provider}/m", "input": [HI], **fields}, provider)
    asked = replace(asked, options=options) if options else asked
    return over(found.adapters[Operation.CHAT]).encode(asked, target)


def body(provider: str = "xai", **fields: Any) -> Any:
    return encoded(provider, **fields).body


def messages(*items: Any, provider: str = "xai") -> Any:
    return body(provider, input=list(items))["messages"]


def refused(**fields: Any) -> str:
    with pytest.raises(InvalidRequest) as caught:
        encoded(**fields)
    assert caught.value.param is not None
    return caught.value.param


def fc(id: str, name: str = "f", arguments: str = "{}") -> Any:
    return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments}


def fco(id: str, output: Any = "1") -> Any:
    return {"type": "function_call_output", "call_id": id, "output": output}


def said(text: str, **more: Any) -> Any:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}], **more}


def rs(thoughts: Thoughts, provider: str = "vllm") -> Any:
    return {"type": "reasoning", "summary": [], "encrypted_content": sealed(thoughts, provider)}


def tool(id: str) -> Any:
    return {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def result(id: str) -> Any:
    return {"role": "tool", "tool_call_id": id, "content": "1"}


def test_a_text_is_what_the_user_says_after_the_instructions() -> None:
    assert body(input="Hi", instructions="Be brief.")["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert body(input="Hi", instructions="")["messages"] == [{"role": "user", "content": "Hi"}]


def test_a_message_need_not_say_that_it_is_one() -> None:
    assert messages({"role": "developer", "content": "D"}) == [{"role": "developer", "content": "D"}]


def test_words_and_calls_of_one_answer_are_one_message() -> None:
    assert messages(HI, said("Look."), fc("a"), fc("b", arguments=""), fco("b"), fco("a"), said("Done.")) == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Look.", "tool_calls": [tool("a"), tool("b")]},
        result("b"),
        result("a"),
        {"role": "assistant", "content": "Done."},
    ]


def test_words_after_calls_are_of_the_same_answer() -> None:
    (_, answer, _) = messages(HI, said("One."), fc("a"), said("Two."), fco("a"))
    assert answer == {"role": "assistant", "content": "One.\n\nTwo.", "tool_calls": [tool("a")]}
    (_, answer, _) = messages(HI, said("One."), fc("a"), said("\nTwo."), fco("a"))
    assert answer["content"] == "One.\nTwo."


def test_answers_without_calls_stay_apart() -> None:
    """What an SDK's `phase` says has no place in a chat."""
    found = messages(said("Thinking aloud.", phase="commentary"), said("42", phase="final_answer"), HI)
    assert [message["content"] for message in found] == ["Thinking aloud.", "42", "Hi"]
    assert not any("phase" in message for message in found)


def test_results_follow_their_calls_wherever_they_stood() -> None:
    found = messages(fc("a"), HI, fco("a"), said("x"))
    assert found == [
        {"role": "assistant", "content": None, "tool_calls": [tool("a")]},
        result("a"),
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "x"},
    ]


def test_results_without_a_call_stay_where_they_are() -> None:
    assert messages(HI, fco("z")) == [{"role": "user", "content": "Hi"}, result("z")]


def test_an_id_that_is_used_again_means_the_latest_call() -> None:
    found = messages(fc("a"), fco("a", "old"), fc("a"), fco("a", "new"))
    assert [message.get("content") for message in found] == [None, "old", None, "new"]


def test_calls_that_the_thoughts_name_are_of_one_answer_though_results_part_them() -> None:
    thoughts = Thoughts({"reasoning": "Hm."}, {"a": {}, "b": {}}, 0)
    found = messages(HI, rs(thoughts), fc("a"), fco("a"), fc("b"), fco("b"), fc("c"), fco("c"), provider="vllm")
    assert found[1:] == [
        {"role": "assistant", "content": None, "tool_calls": [tool("a"), tool("b")], "reasoning": "Hm."},
        result("a"),
        result("b"),
        {"role": "assistant", "content": None, "tool_calls": [tool("c")]},
        result("c"),
    ]


def test_texts_are_joined_as_far_as_the_thoughts_say_that_there_are() -> None:
    thoughts = Thoughts({"reasoning": "Hm."}, {}, 4)
    found = messages(HI, rs(thoughts), said("ab"), said("cd"), said("ef"), provider="vllm")
    assert [message["content"] for message in found] == ["Hi", "abcd", "ef"]
    assert [message.get("reasoning") for message in found] == [None, "Hm.", None]


def test_a_text_that_was_changed_keeps_its_thoughts() -> None:
    (_, answer) = messages(HI, rs(Thoughts({"reasoning": "Hm."}, {}, 2)), said("much longer"), provider="vllm")
    assert answer == {"role": "assistant", "content": "much longer", "reasoning": "Hm."}


def test_thoughts_that_come_in_several_items_are_put_together() -> None:
    later = Thoughts({"reasoning": "\n\nTwo."}, after=True)
    last = Thoughts({"reasoning_signature": "sig"}, {"a": {"extra_content": {"x": {"y": 1}}}}, 2, after=True)
    items = (rs(Thoughts({"reasoning": "One."})), said("a"), rs(later), said("b"), fc("a"), rs(last), fco("a"))
    (_, answer, _) = messages_of([HI, *items], "vllm", Lost())
    assert answer["content"] == "ab" and answer["reasoning"] == "One.\n\nTwo."
    assert answer["reasoning_signature"] == "sig"
    assert answer["tool_calls"] == [{**tool("a"), "extra_content": {"x": {"y": 1}}}]


def test_after_the_last_word_on_an_answer_another_begins() -> None:
    last = Thoughts({"reasoning": "Hm."}, {}, 1, after=True)
    found = messages(said("a"), rs(last), said("b"), HI, provider="vllm")
    assert [message["content"] for message in found] == ["a", "b", "Hi"]


def test_thoughts_begin_another_answer() -> None:
    found = messages(said("a"), rs(Thoughts({"reasoning": "Hm."}, {}, 1)), said("b"), HI, provider="vllm")
    assert [(message["content"], message.get("reasoning")) for message in found] == [
        ("a", None),
        ("b", "Hm."),
        ("Hi", None),
    ]


def test_thoughts_whose_answer_is_gone_are_not_sent() -> None:
    after = Thoughts({"reasoning": "Hm."}, {}, 1, after=True)
    assert messages(HI, rs(after), rs(Thoughts({"reasoning": "Hm."})), provider="vllm") == [
        {"role": "user", "content": "Hi"}
    ]


def test_thoughts_of_others_are_withheld_and_named() -> None:
    thoughts = rs(Thoughts({"reasoning": "secret"}, {"a": {}}, 1), "anthropic")
    found = encoded("vllm", input=[HI, thoughts, said("b"), fc("a"), fco("a")])
    assert found.dropped == ("input.reasoning",)
    assert found.body["messages"][1] == {"role": "assistant", "content": "b", "tool_calls": [tool("a")]}  # type: ignore[index,call-overload]
    plain = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "secret"}]}
    assert encoded("vllm", input=[HI, plain, said("b")]).dropped == ()


@pytest.mark.parametrize(
    "data",
    ["vllm:", "vllm:!!", "vllm:W10=", "vllm:e30=", "vllm/blocks:e30=", "x", "eyJtZXNzYWdlIjp7fX0="]
    + [f"vllm:{data}" for data in ("eyJtZXNzYWdlIjoxfQ==", "eyJtZXNzYWdlIjp7fSwiY2FsbHMiOltdfQ==")],
)
def test_seals_that_are_broken_are_those_of_others(data: str) -> None:
    found = encoded("vllm", input=[HI, {"type": "reasoning", "summary": [], "encrypted_content": data}, said("b")])
    assert found.dropped == ("input.reasoning",) and "secret" not in str(found.body)


def test_a_seal_brings_no_fields_but_thoughts() -> None:
    forged = Thoughts({"reasoning": "Hm.", "role": "system"}, {"a": {"function": {}, "extra_content": 1}}, 1)
    (_, answer, _) = messages_of([HI, rs(forged), said("b"), fc("a"), fco("a")], "vllm", Lost())
    assert answer == {
        "role": "assistant",
        "content": "b",
        "reasoning": "Hm.",
        "tool_calls": [{**tool("a"), "extra_content": 1}],
    }


def test_how_long_an_answer_is_is_told_once() -> None:
    thoughts = Thoughts({}, {}, 2)
    thoughts.merge(Thoughts())
    assert thoughts.said == 2


def test_refusals_go_back() -> None:
    parts = [{"type": "output_text", "text": "No: "}, {"type": "refusal", "refusal": "I can't."}]
    assert messages({"role": "assistant", "content": parts}) == [
        {"role": "assistant", "content": "No: ", "refusal": "I can't."}
    ]
    assert messages({"role": "assistant", "content": parts[1:]})[0] == {
        "role": "assistant",
        "content": None,
        "refusal": "I can't.",
    }


def test_marks_of_caches_stay_on_their_parts() -> None:
    mark = {"prompt_cache_breakpoint": {"mode": "explicit"}}
    text = {"type": "output_text", "text": "a", **mark}
    user = {"role": "user", "content": [{"type": "input_text", "text": "b", **mark}]}
    assert messages({"role": "assistant", "content": [text]}, user) == [
        {"role": "assistant", "content": [{"type": "text", "text": "a", **mark}]},
        {"role": "user", "content": [{"type": "text", "text": "b", **mark}]},
    ]


def test_media_are_the_parts_of_a_chat() -> None:
    pdf = "data:application/pdf;base64,JVBERi0="
    parts = [
        {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "low"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": None},
        {"type": "input_file", "file_data": pdf, "filename": "a.pdf", "file_url": "https://a.example/c.pdf"},
        {"type": "input_file", "file_url": pdf},
        {"type": "input_file", "file_url": pdf, "filename": "b.pdf"},
        {"type": "input_file", "file_url": "data:image/x;base64,AA=="},
        {"type": "input_file", "file_url": "https://a.example/b.pdf"},
        {"type": "input_file", "file_id": "file-1", "file_url": None},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]
    (message,) = messages({"role": "user", "content": parts}, provider="vllm")
    assert message["content"] == [
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "file", "file": {"file_data": pdf, "filename": "a.pdf"}},
        {"type": "file", "file": {"file_data": pdf, "filename": "file.pdf"}},
        {"type": "file", "file": {"file_data": pdf, "filename": "b.pdf"}},
        {"type": "file", "file": {"file_data": "data:image/x;base64,AA=="}},
        {"type": "file", "file": {"uri": "https://a.example/b.pdf"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]


def test_pictures_go_back_as_they_came() -> None:
    picture = {"type": "image_generation_call", "result": "iVBORw0KGgo="}
    jpeg = {"type": "image_generation_call", "result": "AAAA", "output_format": "jpeg"}
    assert messages(HI, said("Here."), picture, jpeg, provider="vllm")[1]["images"] == [
        {"index": 0, "type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"index": 1, "type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}},
    ]
    assert encoded(input=[HI, {"type": "image_generation_call", "result": None}]).dropped == (
        "input.image_generation_call",
    )


def test_receipts_of_tools_are_left_out_and_named() -> None:
    found = encoded(input=[HI, {"type": "web_search_call", "id": "ws_1", "status": "completed"}, said("b")])
    assert found.dropped == ("input.web_search_call",)


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"type": "item_reference", "id": "x"}, "input[1].type"),
        ({"type": "orq:http", "id": "x"}, "input[1].type"),
        ({"type": "custom_tool_call", "call_id": "x"}, "input[1].type"),
        ({"type": "compaction", "encrypted_content": "gAAAA"}, "input[1].encrypted_content"),
        ({"type": "compaction", "encrypted_content": "orrery:_"}, "input[1].encrypted_content"),
        ({"role": "user", "content": [{"type": "input_video", "video_url": "x"}]}, "input[1].content[0].type"),
        ({"role": "user", "content": [{"type": "refusal", "refusal": "x"}]}, "input[1].content[0].type"),
        ({"role": "user", "content": [{"type": "input_image", "file_id": "x"}]}, "input[1].content[0].image_url"),
        ({"role": "system", "content": [{"type": "input_image", "image_url": "x"}]}, "input[1].content[0].type"),
        ({"role": "assistant", "content": [{"type": "input_image", "image_url": "x"}]}, "input[1].content[0].type"),
        (fco("a", [{"type": "input_audio", "input_audio": {}}]), "input[1].output[0].type"),
    ],
)
def test_items_that_no_chat_knows_are_refused_by_their_place(item: Any, param: str) -> None:
    assert refused(input=[HI, item]) == param


def test_a_compaction_is_what_was_said_before() -> None:
    item = compacted("They spoke of ☕.", "cmp_1")
    assert item["id"] == "cmp_1" and item["encrypted_content"].startswith("orrery:") and "id" not in compacted("")
    assert text_of(item) == "They spoke of ☕."
    assert messages(item, HI) == [
        {"role": "user", "content": [{"type": "text", "text": f"{BEFORE}They spoke of ☕."}]},
        {"role": "user", "content": "Hi"},
    ]
    for content in (None, 5, "QQ==", "anthropic:QQ==", "orrery:/w==", "orrery"):
        assert text_of({"encrypted_content": content}) is None and as_message({"encrypted_content": content}) is None


def test_parameters_have_a_chats_names() -> None:
    same = {"temperature": 0.5, "top_p": 0.5, "seed": 3, "user": "u", "logit_bias": {"1": 2}, "service_tier": "flex"}
    same |= {"frequency_penalty": 1, "presence_penalty": 1, "prompt_cache_key": "k", "unheard_of": {"x": 1}}
    form = {"type": "json_schema", "name": "n", "description": None, "schema": {"type": "object"}, "strict": True}
    found = body(
        "vllm",
        **same,
        max_output_tokens=50,
        stop_sequences=["x"],
        reasoning={"effort": "low", "summary": "auto"},
        text={"format": form, "verbosity": "low"},
    )
    assert found == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        **same,
        "max_completion_tokens": 50,
        "stop": ["x"],
        "reasoning_effort": "low",
        "verbosity": "low",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
        },
    }


def test_what_is_between_a_caller_and_the_gateway_is_not_sent() -> None:
    ours = {"store": True, "background": False, "include": ["x"], "truncation": "disabled", "max_tool_calls": 3}
    ours |= {"previous_response_id": None, "conversation": None, "stream_options": {"include_obfuscation": False}}
    found = encoded(**ours, text={"format": {"type": "text"}}, reasoning={"summary": "auto"}, stop_sequences=[])
    assert found.body == body() and found.dropped == ()


def test_a_stream_is_asked_for_as_the_call_says() -> None:
    found = providers.get("xai")
    assert found is not None
    target = Target("xai", "m", found.base_url)
    for stream in (True, False):
        asked = call({"model": "xai/m", "input": "Hi"}, "xai", stream=stream)
        sent: Any = over(found.adapters[Operation.CHAT]).encode(asked, target).body
        assert sent.get("stream", False) is stream


def test_what_no_chat_has_a_word_for_is_lost_and_named() -> None:
    found = encoded(
        truncation="auto",
        context_management=[{}],
        prompt={"id": "x"},
        max_tokens=5,
        n=2,
        messages=[],
        reasoning={"context": "all"},
        response_format=None,
    )
    assert found.body == body()
    assert found.dropped == ("truncation", "reasoning.context", "context_management", "prompt", "max_tokens", "n")


def test_what_a_provider_loses_has_a_responses_name() -> None:
    found = encoded("anthropic", text={"verbosity": "low"}, metadata={"a": "b"}, seed=1, stop_sequences=["x"])
    assert found.dropped == ("seed", "text.verbosity")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "a b", "schema": {}}}}, "text.format.name"),
        ({"text": {"verbosity": 5}}, "text.verbosity"),
        ({"reasoning": {"effort": "much"}}, "reasoning.effort"),
        ({"stop_sequences": ["a"] * 5}, "stop_sequences"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "custom", "name": "x"}]}, "tools[0].type"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [{"type": "function", "name": "f"}], "tool_choice": {"type": "file_search"}}, "tool_choice.type"),
        ({"provider": "anthropic", "input": [HI, fco("z")]}, "input"),
    ],
)
def test_what_no_chat_can_do_is_refused_by_its_name(fields: Any, param: str) -> None:
    assert refused(**fields) == param


def test_log_probabilities_come_when_they_are_asked_for() -> None:
    included = Options(responding=Responding(include=frozenset({"message.output_text.logprobs"})))
    assert body(top_logprobs=0) == body() == body(include=["reasoning.encrypted_content"])
    assert body(top_logprobs=3) == {**body(), "logprobs": True, "top_logprobs": 3}
    assert body(include=["message.output_text.logprobs"]) == encoded(options=included).body
    assert body(include=["message.output_text.logprobs"]) == {**body(), "logprobs": True}


TOOLS = [{"type": "function", "name": name, "parameters": None, "strict": None, "description": name} for name in "fgh"]


def chat_tool(name: str) -> Any:
    return {"type": "function", "function": {"name": name, "description": name}}


def chosen(choice: Any, **more: Any) -> Any:
    found = body("vllm", tools=TOOLS, tool_choice=choice, **more)
    return [tool["function"]["name"] for tool in found.get("tools", ())], found.get("tool_choice")


def test_tools_are_a_chats() -> None:
    assert body("vllm", tools=TOOLS[:1], parallel_tool_calls=False) == {
        **body("vllm"),
        "tools": [chat_tool("f")],
        "parallel_tool_calls": False,
    }
    cached = {**TOOLS[0], "cache_control": {"type": "ephemeral"}}
    assert body("anthropic", tools=[cached])["tools"][0]["cache_control"] == {"type": "ephemeral"}


def test_choices_of_tools_are_a_chats() -> None:
    every = ["f", "g", "h"]
    assert [chosen(mode) for mode in ("none", "auto", "required", None)] == [
        (every, mode) for mode in ("none", "auto", "required", None)
    ]
    assert chosen({"type": "function", "name": "g"}) == (every, {"type": "function", "function": {"name": "g"}})


def test_allowed_tools_are_all_that_is_sent() -> None:
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": n} for n in "hf"]}
    assert chosen(allowed) == (["f", "h"], "required")
    assert chosen({**allowed, "mode": None})[1] == "auto"
    assert chosen({**allowed, "mode": "auto", "tools": []}) == ([], None)
    assert refused(tools=TOOLS, tool_choice={**allowed, "tools": [{"type": "function", "name": "z"}]}) == "tool_choice"


def test_without_tools_nothing_is_said_of_them() -> None:
    assert body(tools=[], tool_choice="auto", parallel_tool_calls=True) == body() == body(tool_choice="none")


def test_urls_are_read_where_the_chat_needs_their_content() -> None:
    found = providers.get("bedrock")
    assert found is not None
    chat = found.adapters[Operation.CHAT]
    asked: list[tuple[str, str]] = []
    needs = over(replace(chat, needs_bytes=lambda kind, url: bool(asked.append((kind, url))))).needs_bytes
    assert needs is not None
    for kind in ("input_file", "input_image", "input_video"):
        needs(kind, "u")
    assert asked == [("file", "u"), ("image_url", "u"), ("input_video", "u")]
    assert over(replace(chat, needs_bytes=None)).needs_bytes is None


def test_a_servers_name_may_be_any() -> None:
    for name in ("my_server.2", "2nd", "x" * 64):
        assert unsealed(sealed(Thoughts({"reasoning": "Hm."}), name), name) == Thoughts({"reasoning": "Hm."})
        assert unsealed(sealed(Thoughts({"reasoning": "Hm."}), name), name[:-1]) is None


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).map(lambda text: f"{text}.")
contents = st.one_of(texts, st.lists(texts.map(lambda text: {"type": "text", "text": text}), min_size=1, max_size=3))
arguments = st.sampled_from(["{}", '{"a": 1}'])


@st.composite
def turns(draw: st.DrawFn, number: int) -> list[Any]:
    """What a user says, what is answered, and what the tools say to that, if any are called."""
    count = draw(st.integers(0, 3))
    calls = [
        {"id": f"call{number}x{n}", "type": "function", "function": {"name": "f", "arguments": draw(arguments)}}
        for n in range(count)
    ]
    answer: Any = {"role": "assistant", "content": draw(texts if not calls else st.one_of(st.none(), texts))}
    answer |= {"tool_calls": calls} if calls else {}
    answer |= {"reasoning": draw(texts)} if draw(st.booleans()) else {}
    order = draw(st.permutations(calls))
    results = [{"role": "tool", "tool_call_id": call["id"], "content": draw(contents)} for call in order]
    return [{"role": "user", "content": draw(contents)}, answer, *results]


@st.composite
def chats(draw: st.DrawFn) -> list[Any]:
    first = [{"role": draw(st.sampled_from(["system", "developer"])), "content": draw(contents)}]
    several = [message for n in range(draw(st.integers(0, 3))) for message in draw(turns(n))]
    return [*(first if draw(st.booleans()) else []), *several, {"role": "user", "content": draw(contents)}]


@settings(max_examples=60)
@given(st.sampled_from(CHATTING), chats())
def test_any_chat_is_sent_as_the_same_request(provider: str, history: list[Any]) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    asked = {"model": f"{provider}/m", "messages": history, "tools": tools}
    found = providers.get(provider)
    assert found is not None
    target = Target(provider, "m", found.base_url, REGIONS.get(provider, ""))
    target = found.locate(target) if found.locate else target
    chat = found.adapters[Operation.CHAT]
    theirs = chat.encode(replace(call(asked, provider), operation=Operation.CHAT), target)
    ours = over(chat).encode(call(of_chat(asked, provider), provider), target)
    assert ours.body == theirs.body
    assert len(ours.dropped) == len(theirs.dropped)
