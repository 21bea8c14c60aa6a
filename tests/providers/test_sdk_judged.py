"""What callers get, judged by the openai SDK: every chunk under its models, and its accumulators give the same message.

Every provider's cases go through the SDK's own client, buffered and streamed, as `flow/replay.py` would send them.
"""

from collections.abc import Callable
from typing import Any

import httpx
import openai
import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from orrery.flow.replay import payloads_of
from orrery.wire import sse
from tests.providers.cases import Case, all_cases, chunks_of, events_of, frames_of
from tests.providers.test_cases import each

STREAMED = [
    case for case in all_cases() if case.has("answer.json") and (case.has("stream.sse") or case.has("stream.jsonl"))
]
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def client(content: bytes, content_type: str) -> openai.OpenAI:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": content_type}, content=content)

    return openai.OpenAI(
        base_url="http://gateway.test/v1",
        api_key="orb_x",
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
    )


def sent(case: Case) -> bytes:
    """The stream's bytes, as they leave the gateway."""
    return sse.events(payloads_of(list(frames_of(case, events_of(case))))) + sse.DONE


@each(STREAMED)
def test_every_chunk_is_openais(case: Case) -> None:
    for chunk in chunks_of(frames_of(case, events_of(case))):
        ChatCompletionChunk.model_validate_json(orjson.dumps(chunk), strict=True)


@each(STREAMED)
def test_the_answer_is_openais(case: Case) -> None:
    ChatCompletion.model_validate_json(case.bytes_of("answer.json"), strict=True)


@each(STREAMED)
def test_the_sdks_accumulator_rebuilds_the_buffered_answer(case: Case) -> None:
    with client(sent(case), "text/event-stream").chat.completions.stream(**ASKED) as stream:
        stream.until_done()
        streamed = stream.current_completion_snapshot
    whole = client(case.bytes_of("answer.json"), "application/json").chat.completions.create(**ASKED)
    assert told(streamed) == told(whole)
    assert streamed.usage is not None and whole.usage is not None
    assert streamed.usage.total_tokens == whole.usage.total_tokens


@each(STREAMED)
def test_parse_and_stream_end_alike(case: Case) -> None:
    """The SDK raises for answers that were cut or filtered, in both of its ways or in neither."""
    with client(sent(case), "text/event-stream").chat.completions.stream(**ASKED) as stream:
        streamed = ended(stream.get_final_completion)
    whole = client(case.bytes_of("answer.json"), "application/json")
    assert streamed == ended(lambda: whole.chat.completions.parse(**ASKED))


def ended(finish: Callable[[], Any]) -> Any:
    try:
        return told(finish())
    except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError) as err:
        return type(err)


def told(completion: Any) -> list[Any]:
    """What a person would see of each choice; arguments by their meaning, for a provider may space them differently."""
    return [
        {
            "content": choice.message.content or "",
            "refusal": choice.message.refusal or "",
            "reasoning": getattr(choice.message, "reasoning", None) or "",
            "signature": getattr(choice.message, "reasoning_signature", None) or "",
            "redacted": getattr(choice.message, "redacted_reasoning", None) or "",
            "tools": [
                (call.id, call.function.name, orjson.loads(call.function.arguments))
                for call in choice.message.tool_calls or ()
            ],
            "finish_reason": choice.finish_reason,
        }
        for choice in completion.choices
    ]


def test_the_accumulator_is_a_judge_that_can_say_no() -> None:
    case = next(case for case in STREAMED if case.name == "text")
    spoilt = sent(case).replace(b'"role":"assistant"', b'"role":"nobody"', 1)
    if spoilt == sent(case):
        spoilt = sent(case).replace(b'"role": "assistant"', b'"role": "nobody"', 1)
    chunks = [line.removeprefix(b"data: ") for line in spoilt.splitlines() if line.startswith(b"data: {")]
    with pytest.raises(ValueError, match="nobody"):
        for chunk in chunks:
            ChatCompletionChunk.model_validate_json(chunk, strict=True)
