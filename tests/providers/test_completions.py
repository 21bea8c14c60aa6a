"""Completions on OpenAI's wire: what goes on, what is refused, and chunks that pass through."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from orrery.core.errors import InvalidRequest, Truncated, UpstreamError
from orrery.core.types import Operation
from orrery.providers.compatible import server
from tests.providers.completing import (
    DONE,
    adapter,
    body,
    call,
    chunk,
    decoded,
    encoded,
    fold,
    payload,
    payloads,
    streamed,
    target,
    whole,
)

ONE = {"text": "hi", "index": 0, "logprobs": None, "finish_reason": "stop"}
COUNT = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
OWN = (Operation.COMPLETIONS,)
"""What the catalog says of a model that completes."""

EVERYTHING = {"echo": True, "suffix": "!", "best_of": 3, "n": 2, "logprobs": 5, "seed": 1, "top_k": 4}


# Requests


def test_the_body_goes_on_as_it_came() -> None:
    sent = {"prompt": [[1], [2]], "stop": ["a"], "logit_bias": {"1": 2}, "user": "u", **EVERYTHING}
    assert body(**sent) == {"model": "m", **sent}


def test_usage_is_asked_of_every_stream() -> None:
    options = {"include_usage": False, "include_obfuscation": False}
    assert body(stream=True, stream_options=options)["stream_options"] == {**options, "include_usage": True}
    assert "stream_options" not in body()
    assert "stream_options" not in body("fireworks", stream=True, stream_options={"include_usage": True})


def test_a_dated_api_of_azure_is_not_asked_for_it() -> None:
    dated = replace(target("azure"), query="api-version=2024-10-21")
    asked = call("azure", stream=True)
    assert "stream_options" not in adapter("azure").encode(asked, dated).body  # type: ignore[operator]
    assert adapter("azure").path(asked, dated) == "/openai/deployments/m/completions?api-version=2024-10-21"
    assert body("azure", stream=True)["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("provider", ["openai", "azure", "vllm"])
def test_openais_limit_is_left_to_those_who_have_it(provider: str) -> None:
    assert "max_tokens" not in body(provider) and body(provider, max_tokens=0)["max_tokens"] == 0


@pytest.mark.parametrize("provider", ["together", "fireworks", "novita", "deepinfra", "deepseek", "ollama", "mistral"])
def test_to_all_others_it_is_sent(provider: str) -> None:
    assert body(provider, *OWN)["max_tokens"] == body(provider, *OWN, max_tokens=None)["max_tokens"] == 16
    assert body(provider, *OWN, max_tokens=9)["max_tokens"] == 9


@pytest.mark.parametrize(
    ("provider", "fields", "param"),
    [
        ("together", {"suffix": "x"}, "suffix"),
        ("together", {"best_of": 2}, "best_of"),
        ("together", {"prompt": [1, 2]}, "prompt"),
        ("together", {"prompt": ""}, "prompt"),
        ("fireworks", {"suffix": "x"}, "suffix"),
        ("novita", {"echo": True}, "echo"),
        ("ollama", {"n": 2}, "n"),
        ("ollama", {"logprobs": 0}, "logprobs"),
        ("deepseek", {"n": 2}, "n"),
        ("mistral", {"echo": True}, "echo"),
        ("mistral", {"prompt": [1]}, "prompt"),
    ],
)
def test_what_the_answer_would_be_another_without_is_refused(provider: str, fields: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(provider, *OWN, **fields)
    assert caught.value.param == param and provider in caught.value.message


def test_values_that_ask_for_nothing_are_no_loss() -> None:
    asked = {"echo": False, "best_of": 1, "n": 1, "logprobs": None, "suffix": "", "user": None}
    assert encoded("ollama", **asked).dropped == ()
    assert encoded("ollama", user="u", logit_bias={"1": 1}).dropped == ("user", "logit_bias")


def test_one_prompt_at_a_time_is_a_call_for_each() -> None:
    split = adapter("together").split
    assert split is not None
    parts = split(call("together", prompt=["a", "b"]), target("together"))
    assert [part.body["prompt"] for part in parts] == ["a", "b"]
    assert len(split(call("together", prompt=["a"], stream=True), target("together"))) == 1
    for fields in ({"prompt": ["a", "b"], "stream": True}, {"prompt": ["a"] * 129}):
        with pytest.raises(InvalidRequest):
            split(call("together", **fields), target("together"))


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("openai", "/completions"),
        ("novita", "/v1/completions"),
        ("deepseek", "/beta/completions"),
        ("mistral", "/fim/completions"),
        ("azure", "/openai/v1/completions"),
    ],
)
def test_each_has_its_path(provider: str, path: str) -> None:
    assert adapter(provider, *OWN).path(call(provider), target(provider)) == path


@pytest.mark.parametrize("provider", ["mistral", "deepseek"])
def test_models_that_fill_in_are_those_of_the_catalog(provider: str) -> None:
    assert adapter(provider).path(call(provider), target(provider)) == "/chat/completions"


def test_mistral_fills_in_what_fits_before_a_suffix() -> None:
    found = encoded("mistral", *OWN, suffix="return a", seed=3, user="u", n=1, stream=True)
    expected = {
        "model": "m",
        "prompt": "Say hi",
        "max_tokens": 16,
        "suffix": "return a",
        "random_seed": 3,
        "stream": True,
    }
    assert found.body == expected and found.dropped == ("user",)


def test_a_server_that_an_operator_named_completes() -> None:
    assert Operation.COMPLETIONS in server("mine", "http://x.test/v1").adapters


# Whole answers


def test_a_lawful_reply_goes_on_as_it_came() -> None:
    reply = orjson.dumps(whole(ONE))
    frame = adapter().decode(reply, call())
    assert frame.payload is reply and frame.usage and frame.usage.completion == 3 and frame.output_chars == 2


def test_what_others_leave_out_is_filled_in() -> None:
    reply = {"choices": [{"text": None, "finish_reason": "eos"}, {"text": "b"}], "object": "text.completion"}
    answer = payload(decoded(reply, "together"))
    assert [(each["index"], each["text"], each["finish_reason"]) for each in answer["choices"]] == [
        (0, "", "stop"),
        (1, "b", "stop"),
    ]
    assert answer["object"] == "text_completion" and answer["model"] == "together/m" and answer["created"]


@pytest.mark.parametrize("reply", [{}, {"choices": "x"}, {"choices": [3]}, {"error": {"message": "no"}}])
def test_what_is_no_completion_raises(reply: Any) -> None:
    with pytest.raises(UpstreamError):
        decoded(reply)


def test_an_echoed_prompt_is_not_counted_as_generated() -> None:
    echoed = {**ONE, "text": "Say hi there"}
    assert decoded(whole(echoed), echo=True).output_chars == len(" there")
    assert decoded(whole(echoed)).output_chars == len("Say hi there")
    frames = streamed([chunk("Say "), chunk("hi th"), chunk("ere", "stop"), DONE], echo=True)
    assert sum(frame.output_chars for frame in frames) == len(" there")


def test_several_answers_become_one_whose_choices_follow_the_prompts() -> None:
    join = adapter("together").join
    assert join is not None
    asked = call("together", prompt=["a", "b"], n=2)
    parts = [decoded(whole({**ONE, "text": f"{name}1", "index": 1}, {**ONE, "text": f"{name}0"})) for name in "ab"]
    frame = join(parts, asked)
    answer = payload(frame)
    assert [(each["index"], each["text"]) for each in answer["choices"]] == [(0, "a0"), (1, "a1"), (2, "b0"), (3, "b1")]
    assert answer["usage"]["total_tokens"] == 10 and frame.usage and frame.usage.prompt == 4
    assert frame.output_chars == 8


def test_where_one_answer_counted_nothing_none_is_believed() -> None:
    join = adapter("together").join
    assert join is not None
    silent = decoded({**whole(ONE), "usage": None})
    frame = join([decoded(whole(ONE)), silent], call("together", prompt=["a", "b"]))
    assert frame.usage is None and "usage" not in payload(frame) and frame.output_chars == 4


def test_an_error_under_status_200_is_told_in_the_providers_words() -> None:
    failed = {"error": {"message": "The engine is full", "type": "rate_limit_error"}}
    for tell in (lambda: decoded(failed), lambda: streamed([chunk("a"), failed])):
        with pytest.raises(UpstreamError, match="The engine is full") as caught:
            tell()
        assert caught.value.status == 429


# Streams


def test_chunks_pass_unparsed() -> None:
    events = [orjson.dumps(chunk(text)) for text in ("one", " two", " three")]
    frames = streamed([*events, orjson.dumps(chunk("", "stop")), DONE])
    assert [frame.payload for frame in frames[:3]] == events
    assert [frame.output_chars for frame in frames] == [3, 4, 6, 0]


def test_a_usage_that_says_nothing_is_cut_out_unparsed() -> None:
    (frame, *_) = streamed([orjson.dumps(chunk("a", usage=None)), chunk("", "stop"), DONE])
    assert frame.payload == orjson.dumps(chunk("a"))


def test_usage_is_withheld_from_who_did_not_ask() -> None:
    events = [chunk("a", usage=None), chunk("", "stop", usage=None), {**chunk(), "choices": [], "usage": COUNT}, DONE]
    frames = streamed(events)
    assert not any("usage" in each for each in payloads(frames))
    assert [frame.usage for frame in frames if frame.usage][-1].completion == 3  # type: ignore[union-attr]


def test_usage_comes_last_to_who_asked() -> None:
    asked = {"stream_options": {"include_usage": True}}
    for events in (
        [chunk("a"), chunk("", "stop"), {**chunk(), "choices": [], "usage": COUNT}, DONE],
        [chunk("a", usage=None), chunk("b", "stop", usage=COUNT), DONE],
    ):
        *before, last = payloads(streamed(events, **asked))
        assert last["choices"] == [] and last["usage"]["total_tokens"] == 5
        assert all(each["usage"] is None for each in before)


def test_all_chunks_have_one_name() -> None:
    odd = {"id": "other", "created": 9, "object": "completion.chunk"}
    told = payloads(streamed([chunk("a"), chunk("b", **odd), chunk("", "stop"), DONE]))
    assert {(each["id"], each["created"], each["object"]) for each in told} == {("cmpl-x", 5, "text_completion")}


def test_chunks_that_say_nothing_are_left_out() -> None:
    azures = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": []}
    told = payloads(streamed([azures, chunk(""), chunk("a"), chunk("", "stop"), chunk("late"), DONE]))
    assert fold(told) == {0: ("a", "stop")} and len(told) == 2 and told[0]["id"] == "cmpl-x"


def test_probabilities_without_words_are_told() -> None:
    odd = chunk("")
    odd["choices"][0]["logprobs"] = {"tokens": [""], "token_logprobs": [-0.1]}
    assert len(payloads(streamed([odd, chunk("", "stop"), DONE]))) == 2


def test_done_ends_what_nothing_else_ended() -> None:
    assert fold(payloads(streamed([chunk("a"), chunk("b", index=1), DONE]))) == {0: ("a", "stop"), 1: ("b", "stop")}


def test_a_stream_may_end_without_done_once_every_choice_has() -> None:
    assert fold(payloads(streamed([chunk("a", "length")]))) == {0: ("a", "length")}


@pytest.mark.parametrize("events", [[], [chunk("a")], [chunk("a", "stop"), chunk("b", index=1)]])
def test_a_cut_stream_is_told_so(events: Any) -> None:
    with pytest.raises(Truncated):
        streamed(events)


@pytest.mark.parametrize("event", [b"nonsense", {"error": {"message": "no"}}, chunk("", "error")])
def test_an_error_in_a_stream_raises(event: Any) -> None:
    with pytest.raises(UpstreamError):
        streamed([chunk("a"), event])


def test_after_the_end_nothing_is_read() -> None:
    assert fold(payloads(streamed([chunk("a", "stop"), DONE, chunk("b")]))) == {0: ("a", "stop")}


def test_togethers_chunks_become_openais() -> None:
    piece = {"index": 0, "text": "a", "delta": {"role": "assistant", "content": "a", "token_id": 1}}
    event = {"id": "t", "object": "completion.chunk", "created": 1, "model": "m", "choices": [piece]}
    (told,) = payloads(
        streamed([event, {**event, "choices": [{**piece, "text": "", "finish_reason": "eos"}]}], "together")
    )[:1]
    assert told["object"] == "text_completion" and told["choices"][0]["finish_reason"] is None
