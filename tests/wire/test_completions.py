"""The posted bytes of `POST /completions` as a call."""

from typing import Any

import orjson
import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation
from orrery.flow.estimate import COMPLETION_UNSTATED
from orrery.wire.completions import MAX_TOKENS, prompts_of, read_completion
from orrery.wire.posted import Posted


def read(strict: bool = False, **fields: Any) -> Call:
    return read_completion(Posted(orjson.dumps({"model": "m", "prompt": "a", **fields}), strict=strict))


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        ("a", ["a"]),
        ("", [""]),
        (["a", "b"], ["a", "b"]),
        ([1, 2], [[1, 2]]),
        ([[1], [2, 3]], [[1], [2, 3]]),
        (None, [None]),
    ],
)
def test_a_prompt_is_one_text_or_several_or_tokens(prompt: Any, prompts: Any) -> None:
    assert prompts_of(read(prompt=prompt).body) == prompts


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": 3}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"prompt": ["a", 1]}, "prompt[1]"),
        ({"prompt": [1, "a"]}, "prompt[1]"),
        ({"prompt": [1, -1]}, "prompt[1]"),
        ({"prompt": [[1], []]}, "prompt[1]"),
        ({"prompt": [[1], "a"]}, "prompt[1]"),
        ({"prompt": [True]}, "prompt[0]"),
        ({"model": ""}, "model"),
        ({"best_of": 21}, "best_of"),
        ({"best_of": 2, "n": 3}, "best_of"),
        ({"best_of": 2, "stream": True}, "best_of"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"echo": "yes"}, "echo"),
        ({"suffix": 1}, "suffix"),
        ({"logprobs": True}, "logprobs"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"logit_bias": {"1": 101}}, "logit_bias"),
        ({"stop": 1}, "stop"),
        ({"retry": {"count": 9}}, "retry.count"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_its_name(fields: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**fields)
    assert caught.value.param == param


def test_null_is_left_out_and_unknown_fields_survive() -> None:
    body = read(echo=None, best_of=None, n=None, logprobs=None, stop=None, top_k=3).body
    assert body["top_k"] == 3 and body["echo"] is None


def test_the_prompt_stays_and_the_gateways_own_fields_go() -> None:
    call = read(retry={"count": 2}, orq={"prompt": {"id": "p", "version": "latest"}}, fallbacks=[{"model": "x/y"}])
    assert call.body == {"model": "m", "prompt": "a"}
    assert call.options.retry.count == 2 and call.options.fallbacks == ("x/y",)


def test_a_call_knows_how_it_is_to_be_answered() -> None:
    call = read(strict=True, stream=True, stream_options={"include_usage": True})
    assert call.operation is Operation.COMPLETIONS and call.stream and call.wants_usage and call.strict
    assert not read().stream and not read().wants_usage and not read().strict and read().body_bytes == 26


def test_best_of_as_many_as_are_wanted_may_be_streamed() -> None:
    assert read(best_of=2, n=2, stream=True).stream and read(best_of=0, stream=True).stream


def test_what_is_held_is_what_is_sent() -> None:
    assert MAX_TOKENS == COMPLETION_UNSTATED
