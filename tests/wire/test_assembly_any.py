"""Any answer, taken apart and put together again; and anything at all in the place of chunks."""

import base64
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from orrery.wire.assembly import events_of, whole_of
from tests.wire.streams import USAGE

TEXTS = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FUNCTIONS = st.fixed_dictionaries(
    {"type": st.just("function"), "id": TEXTS, "function": st.fixed_dictionaries({"name": TEXTS, "arguments": TEXTS})},
    optional={"extra_content": st.dictionaries(TEXTS, TEXTS, max_size=2)},
)
CUSTOM = st.fixed_dictionaries(
    {"type": st.just("custom"), "id": TEXTS, "custom": st.fixed_dictionaries({"name": TEXTS, "input": TEXTS})}
)
SOUND = st.fixed_dictionaries(
    {"id": TEXTS, "data": st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode())},
    optional={"transcript": TEXTS, "expires_at": st.integers(0, 9)},
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | TEXTS, "refusal": st.none() | TEXTS},
    optional={
        "reasoning": TEXTS,
        "reasoning_content": TEXTS,
        "reasoning_signature": TEXTS,
        "redacted_reasoning": TEXTS,
        "tool_calls": st.lists(FUNCTIONS | CUSTOM, max_size=3),
        "function_call": st.none() | st.fixed_dictionaries({"name": TEXTS, "arguments": TEXTS}),
        "audio": st.none() | SOUND,
        "annotations": st.lists(st.dictionaries(st.just("url"), TEXTS), max_size=2),
        "of_its_own": JSON,
    },
)
PROBABILITIES = st.none() | st.fixed_dictionaries(
    {"content": st.none() | st.lists(JSON, max_size=2), "refusal": st.none() | st.lists(JSON, max_size=2)}
)
ENDS = {"logprobs": PROBABILITIES, "finish_reason": st.sampled_from(["stop", "length", "tool_calls", None])}
CHOICES = st.fixed_dictionaries({"message": MESSAGES, **ENDS}, optional={"filters": JSON})
COMPLETIONS = st.fixed_dictionaries({"text": TEXTS, **ENDS}, optional={"filters": JSON})


def bodies(object_name: str, choices: Any) -> Any:
    numbered = st.lists(choices, max_size=3).map(lambda all: [{"index": n, **each} for n, each in enumerate(all)])
    return st.fixed_dictionaries(
        {
            "id": TEXTS,
            "object": st.just(object_name),
            "created": st.integers(0, 9),
            "model": TEXTS,
            "choices": numbered,
        },
        optional={"system_fingerprint": st.none() | TEXTS, "service_tier": TEXTS, "citations": JSON},
    )


@given(bodies("chat.completion", CHOICES) | bodies("text_completion", COMPLETIONS), st.booleans())
def test_what_was_taken_apart_is_put_together_again(body: dict[str, Any], with_usage: bool) -> None:
    body["usage"] = USAGE
    assert whole_of(events_of(body, with_usage=with_usage), usage=USAGE) == body
    if with_usage:
        assert whole_of(events_of(body, with_usage=True)) == body


DELTAS = st.dictionaries(
    st.sampled_from(["role", "content", "tool_calls", "audio", "function_call", "annotations", "x"]), JSON, max_size=4
)
PIECES = st.fixed_dictionaries(
    {"delta": DELTAS | JSON},
    optional={"index": JSON, "logprobs": JSON, "finish_reason": JSON, "text": JSON, "message": JSON},
)


@given(
    st.lists(st.lists(PIECES | JSON, max_size=2).map(lambda choices: orjson.dumps({"choices": choices})), min_size=1)
)
def test_whatever_a_provider_puts_into_chunks_it_is_some_answer(payloads: list[bytes]) -> None:
    whole = whole_of(payloads)
    assert orjson.loads(orjson.dumps(whole)) == whole
    assert [choice["index"] for choice in whole["choices"]] == sorted(choice["index"] for choice in whole["choices"])


def test_depth_is_no_danger() -> None:
    deep = b'{"a":' * 900 + b"[1]" + b"}" * 900
    delta = b'{"x":%b,"audio":%b,"tool_calls":[{"index":0,"function":%b}]}' % (deep, deep, deep)
    whole = whole_of([b'{"choices":[{"index":0,"delta":%b,"logprobs":%b}]}' % (delta, deep)] * 3)
    found, depth = whole["choices"][0]["message"]["tool_calls"][0]["function"], 0
    while isinstance(found, dict):
        found, depth = found["a"], depth + 1
    assert (depth, found) == (900, [1])
