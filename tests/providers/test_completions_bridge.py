"""Completions over chat, with every chat provider's own cases."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation
from orrery.providers.bridge.completions import over
from tests.providers.cases import CHATTING, Case, events_of, streamed, with_files
from tests.providers.completing import DONE, adapter, body, call, encoded, fold, payload, payloads, target
from tests.providers.completing import streamed as completed
from tests.providers.test_cases import each

CHAT = (Operation.CHAT,)
"""What the catalog says of a model that only chats."""


def asked(case: Case) -> Call:
    given = case.call()
    fields = {"model": given.model, "prompt": "a"}
    return replace(given, operation=Operation.COMPLETIONS, body=fields, answer_id="cmpl-1", wants_usage=True)


def folded(case: Case) -> dict[int, tuple[str, str | None]]:
    decoder = over(case.adapter()).decoder
    assert decoder is not None
    decoding = decoder(replace(asked(case), stream=True))
    frames = [frame for event in events_of(case) for frame in decoding.feed(event)]
    return fold(payloads([*frames, *([] if decoding.done else decoding.close())]))


def answered(case: Case) -> dict[int, tuple[str, str | None]]:
    answer = payload(over(case.adapter()).decode(case.bytes_of("reply.json"), asked(case)))
    return {choice["index"]: (choice["text"], choice["finish_reason"]) for choice in answer["choices"]}


@each(streamed("reply.json", "answer.json"))
def test_a_stream_adds_up_to_the_whole_answer(case: Case) -> None:
    assert folded(case) == answered(case)


@each(with_files("reply.json", "answer.json"))
def test_the_text_is_what_the_chat_says_and_nothing_else_of_it(case: Case) -> None:
    said = {choice["index"]: choice for choice in case.json_of("answer.json")["choices"]}
    for index, (text, reason) in answered(case).items():
        message = said[index]["message"]
        assert text == (message.get("content") or "")
        ended = "content_filter" if message.get("refusal") else said[index]["finish_reason"]
        assert reason == (ended if ended in ("length", "content_filter") else "stop")


@each(with_files("reply.json", "answer.json"))
def test_usage_is_the_chats(case: Case) -> None:
    ours = over(case.adapter()).decode(case.bytes_of("reply.json"), asked(case))
    theirs = case.adapter().decode(case.bytes_of("reply.json"), case.call())
    assert ours.usage == theirs.usage and ours.output_chars == theirs.output_chars


@pytest.mark.parametrize("provider", CHATTING)
def test_every_provider_that_chats_completes(provider: str) -> None:
    sent = orjson.dumps(body(provider, *CHAT, prompt="Say hi", stop=["x"]))
    assert b"Say hi" in sent and b"16" in sent and b'"prompt"' not in sent


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"echo": True}, "echo"),
        ({"suffix": "x"}, "suffix"),
        ({"best_of": 2}, "best_of"),
        ({"logprobs": 0}, "logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1, 2]]}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"reasoning_effort": "much"}, "reasoning_effort"),
    ],
)
def test_what_a_chat_cannot_do_is_refused_by_its_name(fields: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded("anthropic", **fields)
    assert caught.value.param == param


def test_what_asks_for_nothing_is_not_refused() -> None:
    assert encoded("anthropic", echo=False, suffix="", best_of=1, logprobs=None).dropped == ()
    assert encoded("groq", n=2, best_of=2).dropped == ()


def test_the_limit_is_the_callers_or_openais() -> None:
    assert body("anthropic")["max_tokens"] == 16 and body("anthropic", max_tokens=7)["max_tokens"] == 7


def test_parameters_of_both_kinds_go_on() -> None:
    both = {"temperature": 0.5, "top_p": 0.5, "seed": 3, "user": "u", "logit_bias": {"1": 2}, "n": 2}
    sent = body("xai", **both, reasoning_effort="low", unheard_of=1)
    assert {name: sent[name] for name in both} == both
    assert sent["reasoning_effort"] == "low" and sent["unheard_of"] == 1


def test_parameters_that_only_a_chat_answers_to_are_lost_and_named() -> None:
    found = encoded("xai", tools="nonsense", response_format={}, max_completion_tokens=9, modalities=None)
    assert found.dropped == ("tools", "response_format", "max_completion_tokens")
    assert not {"tools", "response_format"} & set(found.body)  # type: ignore[arg-type]


def test_a_lost_limit_has_the_callers_name() -> None:
    assert "max_completion_tokens" not in encoded("google", max_tokens=5, logit_bias={"1": 1}).dropped


def test_several_prompts_are_a_chat_each() -> None:
    split = adapter("anthropic").split
    assert split is not None
    parts = split(call("anthropic", prompt=["a", "b"], n=1), target("anthropic"))
    assert [part.body["prompt"] for part in parts] == ["a", "b"]
    for fields in ({"stream": True}, {"echo": True}):
        with pytest.raises(InvalidRequest):
            split(call("anthropic", prompt=["a", "b"], **fields), target("anthropic"))


def test_a_refusal_is_told_as_something_left_out() -> None:
    message = {"role": "assistant", "content": None, "refusal": "No."}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    frame = adapter("xai").decode(orjson.dumps(reply), call("xai"))
    told = {"text": "", "index": 0, "logprobs": None, "finish_reason": "content_filter"}
    assert payload(frame)["choices"] == [told] and frame.output_chars == 3
    said = {**reply, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"refusal": "No."}}]}
    end = {**said, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    assert fold(payloads(completed([said, end, DONE], "xai"))) == {0: ("", "content_filter")}


@pytest.mark.parametrize(
    ("provider", "operations", "path"),
    [
        ("openai", (), "/completions"),
        ("openai", (Operation.CHAT,), "/chat/completions"),
        ("openai", (Operation.COMPLETIONS,), "/completions"),
        ("openai", (Operation.CHAT, Operation.COMPLETIONS), "/completions"),
        ("anthropic", (), "/v1/messages"),
    ],
)
def test_the_catalog_says_which_way_a_model_is_asked(provider: str, operations: Any, path: str) -> None:
    assert adapter(provider, *operations).path(call(provider), target(provider, *operations)) == path


@pytest.mark.parametrize(("provider", "operations"), [("voyage", ()), ("openai", (Operation.EMBEDDINGS,))])
def test_what_does_not_write_completes_nothing(provider: str, operations: Any) -> None:
    with pytest.raises(AssertionError):
        adapter(provider, *operations)
