"""Azure's addresses, versions and signatures, and what its content filter puts into streams."""

from typing import Any

import orjson
import pytest

from orrery.core.dialect import Event, UpstreamRequest
from orrery.core.types import Call, Json, Operation, Target
from orrery.providers.azure import PROVIDER, StreamDecoder, encode, locate, path

CALL = Call(Operation.CHAT, "azure/gpt", {"model": "azure/gpt", "messages": []}, stream=True, wants_usage=True)
HOST = "https://res.openai.azure.com"
V1 = "/openai/v1/chat/completions"
DATED = "/openai/deployments/my%20gpt%2F4/chat/completions?api-version="

ADDRESSES = [
    # what the operator gave → what is called
    (HOST, HOST + V1),
    (HOST + "/", HOST + V1),
    (HOST + "/openai/v1/", HOST + V1),
    (HOST + "/openai/v1/chat/completions", HOST + V1),
    (HOST + "/openai", HOST + V1),
    (HOST + "/openai/v1?api-version=preview", HOST + V1 + "?api-version=preview"),
    (HOST + "/openai/v1?api-version=2024-10-21", HOST + V1),
    (HOST + "?api-version=2024-10-21", HOST + DATED + "2024-10-21"),
    (HOST + "/openai?api-version=2025-04-01-preview", HOST + DATED + "2025-04-01-preview"),
    (HOST + "/openai/deployments/x/chat/completions?api-version=2024-10-21", HOST + DATED + "2024-10-21"),
    ("https://res.cognitiveservices.azure.com/", "https://res.cognitiveservices.azure.com" + V1),
    ("https://res.services.ai.azure.com/models", "https://res.services.ai.azure.com" + V1),
    ("https://res.services.ai.azure.com/api/projects/p", "https://res.services.ai.azure.com/api/projects/p" + V1),
    ("https://gateway.test/my-openai/openai/v1", "https://gateway.test/my-openai" + V1),
    (HOST + "?api-version=2024-10-21&x=1", HOST + DATED + "2024-10-21&x=1"),
]


def located(base_url: str) -> Target:
    return locate(Target("azure", "my gpt/4", base_url))


@pytest.mark.parametrize(("given", "called"), ADDRESSES)
def test_the_operators_url_decides_which_api_is_spoken(given: str, called: str) -> None:
    target = located(given)
    assert target.base_url.rstrip("/") + path(CALL, target) == called
    assert locate(target) == target


@pytest.mark.parametrize(
    ("version", "asks_usage", "limit"),
    [
        ("", True, "max_completion_tokens"),
        ("?api-version=preview", True, "max_completion_tokens"),
        ("?api-version=2024-10-21", True, "max_completion_tokens"),
        ("?api-version=2024-08-01-preview", True, "max_completion_tokens"),
        ("?api-version=2024-06-01", False, "max_tokens"),
        ("?api-version=2023-05-15", False, "max_tokens"),
    ],
)
def test_old_versions_are_asked_for_nothing_newer(version: str, asks_usage: bool, limit: str) -> None:
    body = {**CALL.body, "max_completion_tokens": 5}
    sent = encode(Call(Operation.CHAT, "azure/gpt", body, stream=True), located(HOST + version)).body
    assert sent.get("stream_options") == ({"include_usage": True} if asks_usage else None)
    assert sent[limit] == 5 and sent["model"] == "my gpt/4"


def test_a_key_has_its_own_header_and_a_token_is_a_bearer_token() -> None:
    request, target = UpstreamRequest("POST", "", {}), Target("azure", "m", HOST, secret="k-1")
    assert PROVIDER.sign(request, target, 0.0) == {"api-key": "k-1"}
    minted = Target("azure", "m", HOST, token="t-1")
    assert PROVIDER.sign(request, minted, 0.0) == {"authorization": "Bearer t-1"}
    assert PROVIDER.sign(request, Target("azure", "m", HOST), 0.0) == {}
    assert PROVIDER.credential == "entra"


PROMPT: Json = {"choices": [], "id": "", "model": "", "object": "", "prompt_filter_results": [{"prompt_index": 0}]}


def chunk(delta: Json, finish_reason: str | None = None, index: int = 0) -> Json:
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c-1", "object": "chat.completion.chunk", "created": 7, "model": "gpt", "choices": [choice]}


def annotation(index: int = 0) -> Json:
    choice = {"index": index, "finish_reason": None, "content_filter_results": {"hate": {"filtered": False}}}
    return {"id": "", "object": "", "created": 0, "model": "", "choices": [choice]}


def told(*events: Json, dumps: Any = orjson.dumps) -> list[Any]:
    decoder = StreamDecoder(CALL)
    frames = [frame for event in events for frame in decoder.feed(Event("", dumps(event)))]
    payloads = [frame.payload for frame in frames if frame.payload is not None]
    return [orjson.loads(payload) if isinstance(payload, bytes) else payload for payload in payloads]


def test_what_the_filter_found_in_the_prompt_stands_in_the_first_true_chunk() -> None:
    first, second = told(PROMPT, chunk({"role": "assistant"}), chunk({"content": "x"}))
    assert first["id"] == "c-1" and first["prompt_filter_results"] == PROMPT["prompt_filter_results"]
    assert "prompt_filter_results" not in second


def test_an_annotation_becomes_a_chunk_of_the_same_answer() -> None:
    _, found = told(chunk({"role": "assistant", "content": "x"}), annotation())
    assert {name: found[name] for name in ("id", "object", "created", "model")} == {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "gpt",
    }
    assert found["choices"][0]["delta"] == {} and found["choices"][0]["content_filter_results"]


def test_an_annotation_neither_begins_nor_goes_on_after_an_answer() -> None:
    chunks = told(annotation(), chunk({"role": "assistant"}), chunk({}, "stop"), annotation(), annotation(1))
    assert [part["choices"][0]["finish_reason"] for part in chunks] == [None, "stop", None]
    assert chunks[-1]["choices"][0]["index"] == 1


def test_an_annotation_may_end_an_answer() -> None:
    end = annotation()
    end["choices"][0]["finish_reason"] = "content_filter"
    chunks = told(chunk({"role": "assistant"}), end, annotation())
    assert [part["choices"][0]["finish_reason"] for part in chunks] == [None, "content_filter"]


def test_spaces_in_the_events_make_no_difference() -> None:
    def spaced(value: Json) -> bytes:
        return orjson.dumps(value).replace(b'":', b'": ').replace(b',"', b', "')

    events = [PROMPT, chunk({"role": "assistant"}), annotation(), chunk({}, "stop"), annotation()]
    assert told(*events, dumps=spaced) == told(*events)


def test_a_plain_chunk_goes_on_byte_for_byte() -> None:
    decoder = StreamDecoder(Call(Operation.CHAT, "m", {}, stream=True))
    for delta in ({"role": "assistant", "content": "x"}, {"content": "a"}):
        data = orjson.dumps(chunk(delta))
        assert [frame.payload for frame in decoder.feed(Event("", data))] == [data]


def test_files_by_url_are_fetched_and_images_are_not() -> None:
    needs = PROVIDER.adapters[Operation.CHAT].needs_bytes
    assert needs is not None and needs("file", "https://x.test/a.pdf")
    assert not needs("image_url", "https://x.test/a.png")
