"""Embeddings of every provider: split and rejoined as one, and never a wrong vector without a word."""

import base64
import struct
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery import providers
from orrery.core.dialect import Adapter, Frame
from orrery.core.errors import InvalidRequest, UpstreamError
from orrery.core.types import Call, Operation, Target
from orrery.providers.compatible import server
from orrery.providers.vectors import Limits, grouped, join, splitting
from orrery.wire.embeddings import from_base64, inputs_of, read_embeddings
from orrery.wire.posted import Posted

OWN = server("own", "http://own.test/v1").adapters[Operation.EMBEDDINGS]
EMBEDDING = [name for name in providers.names() if Operation.EMBEDDINGS in getattr(providers.get(name), "adapters", ())]
MODELS = {"bedrock": "amazon.titan-embed-text-v2:0"}


def asked(model: str = "own/m", **body: Any) -> Call:
    return read_embeddings(Posted(orjson.dumps({"model": model, "input": "x"} | body)))


def adapter_of(name: str) -> Adapter:
    provider = providers.get(name)
    assert provider is not None
    return provider.adapters[Operation.EMBEDDINGS]


def at(name: str, model: str = "m") -> Target:
    return Target(name, MODELS.get(name, model), "http://a.test", "us-east-1")


def reply(vectors: list[Any], tokens: int = 3, indexes: list[Any] | None = None) -> bytes:
    places = range(len(vectors)) if indexes is None else indexes
    rows = [{"object": "embedding", "index": n, "embedding": v} for n, v in zip(places, vectors, strict=True)]
    return orjson.dumps({"object": "list", "data": rows, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})


def vectors_in(frame: Frame) -> list[Any]:
    assert isinstance(frame.payload, dict)
    return [row["embedding"] for row in frame.payload["data"]]


def embedded(text: str) -> list[float]:
    """A vector by which a text is known again."""
    return [float(ord(letter)) for letter in (text + "  ")[:2]]


@given(
    st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=30),
    st.integers(1, 7),
    st.integers(0, 9),
    st.booleans(),
)
def test_however_it_is_split_the_answer_is_that_of_one_request(
    texts: list[str], inputs: int, tokens: int, wants_base64: bool
) -> None:
    call = asked(input=texts, encoding_format="base64" if wants_base64 else "float")
    parts = splitting(lambda model: Limits(inputs, tokens))(call, at("own"))
    frames = [OWN.decode(reply([embedded(text) for text in inputs_of(part)], 5), part) for part in parts]
    one = OWN.decode(reply([embedded(text) for text in texts], 5 * len(parts)), call)
    joined = join(frames, call)
    assert joined.payload == one.payload and joined.usage == one.usage
    assert [text for part in parts for text in inputs_of(part)] == texts


@given(st.lists(st.one_of(st.text(min_size=1), st.lists(st.integers(0, 9), min_size=1)), min_size=1), st.integers(1, 5))
def test_a_group_exceeds_its_limits_only_alone(inputs: list[Any], tokens: int) -> None:
    for group in grouped(inputs, Limits(3, tokens)):
        size = sum(len(i) if isinstance(i, list) else -(-len(i.encode(errors="replace")) // 2) for i in group)
        assert len(group) == 1 or (len(group) <= 3 and size <= tokens)


def test_tokens_are_counted_as_they_are() -> None:
    parts = adapter_of("openai").split
    assert parts is not None
    lists = [[7] * 1000] * 301
    assert [len(inputs_of(part)) for part in parts(asked("openai/m", input=lists), at("openai"))] == [300, 1]


def test_text_is_reckoned_by_its_bytes() -> None:
    parts = adapter_of("voyage").split
    assert parts is not None
    call = asked("voyage/voyage-3-large", input=["é" * 60_000] * 3)  # 120,000 bytes each: 60,000 tokens at worst
    assert [len(inputs_of(part)) for part in parts(call, at("voyage", "voyage-3-large"))] == [2, 1]


@pytest.mark.parametrize(
    ("model", "size"), [("text-embedding-v4", 10), ("text-embedding-v3", 10), ("text-embedding-v2", 25)]
)
def test_limits_follow_the_model(model: str, size: int) -> None:
    split = adapter_of("qwen").split
    assert split is not None
    parts = split(asked(f"qwen/{model}", input=["a"] * 26), at("qwen", model))
    assert len(inputs_of(parts[0])) == size


@pytest.mark.parametrize("name", EMBEDDING)
def test_tokens_go_where_they_are_taken_and_are_refused_elsewhere(name: str) -> None:
    call = asked(f"{name}/m", input=[[1, 2], [3]])
    takes = {"openai", "azure", "openrouter", "vllm", "sandbox"}
    if name in takes:
        body = adapter_of(name).encode(call, at(name)).body
        assert isinstance(body, dict) and body["input"] == [[1, 2], [3]]
        return
    with pytest.raises(InvalidRequest, match="takes text, not tokens") as caught:
        adapter_of(name).encode(call, at(name))
    assert caught.value.param == "input"


@pytest.mark.parametrize("name", EMBEDDING)
def test_no_provider_gets_an_input_type_in_words_that_are_not_its_own(name: str) -> None:
    for word in ("text_matching", "retrieval_query", "passage", "separation"):
        encoded = adapter_of(name).encode(asked(f"{name}/m", input=["x"], input_type=word), at(name))
        own = {"passage"} if name == "nvidia" else {"separation"} if name == "jina" else set()
        assert word in own or f'"{word}"'.encode() not in orjson.dumps(encoded.body)


@pytest.mark.parametrize("name", EMBEDDING)
def test_the_caller_s_body_stays_as_it_is(name: str) -> None:
    call = asked(f"{name}/m", input=["x"], input_type="query", dimensions=2, user="u", encoding_format="base64")
    before = orjson.dumps(call.body)
    adapter_of(name).encode(call, at(name))
    assert orjson.dumps(call.body) == before


LIES = {
    "fewer": reply([[1.0]]),
    "more": reply([[1.0]] * 3),
    "none": reply([]),
    "twice the same place": reply([[1.0], [2.0]], indexes=[0, 0]),
    "places that are not there": reply([[1.0], [2.0]], indexes=[1, 2]),
    "places below": reply([[1.0], [2.0]], indexes=[-1, 0]),
    "places for some": reply([[1.0], [2.0]], indexes=[0, None]),
    "places as text": reply([[1.0], [2.0]], indexes=["0", "1"]),
    "true and false as places": reply([[1.0], [2.0]], indexes=[True, False]),
    "other lengths": reply([[1.0], [1.0, 2.0]]),
    "empty vectors": reply([[], []]),
    "text in vectors": reply([["1"], ["2"]]),
    "null in vectors": reply([[None], [1.0]]),
    "booleans in vectors": reply([[True], [1.0]]),
    "lists in vectors": reply([[[1.0]], [[1.0]]]),
    "an object for a vector": reply([{"values": [1.0]}, [1.0]]),
    "a number for a vector": reply([1.0, 2.0]),
    "beyond 32 bits": reply([[1e39], [1.0]]),
    "no base64": reply(["not base64!", "????"]),
    "base64 of half a float": reply([base64.b64encode(b"\0\0\0").decode()] * 2),
    "base64 of nothing": reply(["", ""]),
    "base64 of NaN": reply([base64.b64encode(struct.pack("<f", float("nan"))).decode()] * 2),
    "base64 of infinity": reply([base64.b64encode(struct.pack("<f", float("inf"))).decode()] * 2),
    "NaN": b'{"data": [{"index": 0, "embedding": [NaN]}, {"index": 1, "embedding": [1.0]}]}',
    "no data": b'{"object": "list"}',
    "data that is no list": b'{"data": {"0": [1.0]}}',
    "rows that are none": b'{"data": [[1.0], [2.0]]}',
    "a list": b"[[1.0], [2.0]]",
    "no JSON": b"<html>",
    "an error": b'{"error": {"message": "overloaded", "type": "server_error"}, "data": []}',
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_a_reply_that_cannot_be_trusted_is_the_providers_fault(lie: str, encoding: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        OWN.decode(LIES[lie], asked(input=["a", "b"], encoding_format=encoding))
    assert caught.value.status >= 500 and caught.value.__cause__ is None


def test_another_length_than_asked_for_is_the_providers_fault() -> None:
    with pytest.raises(UpstreamError, match="not of 3 dimensions"):
        OWN.decode(reply([[1.0, 2.0]]), asked(dimensions=3))


def test_packed_bits_are_shorter_than_the_dimensions() -> None:
    frame = OWN.decode(reply([[1, -2]]), asked(dimensions=16, output_dtype="binary"))
    assert vectors_in(frame) == [[1, -2]]


@pytest.mark.parametrize("indexes", [[1, 0], [None, None]])
def test_vectors_stand_in_the_order_of_their_inputs(indexes: list[Any]) -> None:
    frame = OWN.decode(reply([[1.0], [2.0]], indexes=indexes), asked(input=["a", "b"]))
    assert vectors_in(frame) == ([[2.0], [1.0]] if indexes[0] == 1 else [[1.0], [2.0]])


def test_parts_of_unlike_lengths_are_not_joined() -> None:
    call = asked(input=["a", "b"])
    frames = [OWN.decode(reply([[1.0] * size]), asked()) for size in (1, 2)]
    with pytest.raises(UpstreamError):
        join(frames, call)


@pytest.mark.parametrize("written", ["float", "base64"])
@pytest.mark.parametrize("wanted", ["float", "base64"])
@given(
    vector=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
)
def test_the_same_floats_arrive_whatever_was_written_and_wanted(written: str, wanted: str, vector: list[float]) -> None:
    packed = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    frame = OWN.decode(reply([packed if written == "base64" else vector]), asked(encoding_format=wanted))
    (given_back,) = vectors_in(frame)
    assert (from_base64(given_back) if wanted == "base64" else given_back) == vector


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "7"}, {"prompt_tokens": -1}, {"prompt_tokens": True}])
def test_what_nobody_counted_is_counted_here(usage: Any) -> None:
    frame = OWN.decode(orjson.dumps({"data": [{"embedding": [1.0]}], "usage": usage}), asked(input="nine char"))
    assert frame.usage is not None and frame.usage.ours and frame.usage.prompt == 3
    assert isinstance(frame.payload, dict) and frame.payload["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_one_part_that_was_counted_here_makes_the_sum_ours() -> None:
    told, untold = OWN.decode(reply([[1.0]], 5), asked()), OWN.decode(b'{"data": [{"embedding": [1.0]}]}', asked())
    joined = join([told, untold], asked(input=["a", "b"]))
    assert joined.usage is not None and joined.usage.ours and joined.usage.prompt == 6


@pytest.mark.parametrize("name", EMBEDDING)
def test_a_hold_covers_many_short_inputs(name: str) -> None:
    most = adapter_of(name).most
    assert most is not None
    # A tokenizer puts a mark before and one behind each, and Voyage nine words.
    assert most(asked(f"{name}/m", input=["a"] * 100, input_type="query"), at(name)).prompt >= 100 * (1 + 2 + 9)


def test_a_hold_is_not_larger_than_what_the_model_can_read() -> None:
    most = OWN.most
    assert most is not None
    assert most(asked(input=["a" * 10_000] * 2), Target("own", "m", "", context_window=512)).prompt == 1024


def test_a_server_of_ones_own_gets_the_body_as_it_came() -> None:
    posted = {
        "model": "own/m",
        "input": [1, 2],
        "input_type": "query",
        "user": "u",
        "encoding_format": "base64",
        "x": 1,
    }
    call = asked(**posted)
    encoded = OWN.encode(call, Target("own", "m", ""))
    assert encoded.body == {**posted, "model": "m"} and encoded.dropped == ()


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("", "/openai/v1/embeddings"),
        ("api-version=preview", "/openai/v1/embeddings?api-version=preview"),
        ("api-version=2024-10-21", "/openai/deployments/my%2Fown/embeddings?api-version=2024-10-21"),
    ],
)
def test_azure_has_a_path_for_each_of_its_apis(query: str, path: str) -> None:
    target = Target("azure", "my/own", "https://a.openai.azure.com", query=query)
    assert adapter_of("azure").path(asked("azure/my/own"), target) == path


def test_a_tuned_model_of_vertex_is_an_endpoint() -> None:
    path = adapter_of("vertex").path(asked("vertex/endpoints/12"), Target("vertex", "endpoints/12", ""))
    assert path == "/endpoints/12:predict"


def test_a_model_of_bedrock_s_that_says_it_failed_is_believed() -> None:
    call = asked("bedrock/amazon.titan-embed-image-v1")
    with pytest.raises(UpstreamError, match="made no embedding"):
        adapter_of("bedrock").decode(b'{"message": "the input is too long"}', call)


def test_google_s_error_under_status_200_keeps_its_status() -> None:
    with pytest.raises(UpstreamError) as caught:
        adapter_of("google").decode(
            b'{"error": {"code": 429, "message": "quota"}}', asked("google/gemini-embedding-001")
        )
    assert caught.value.status == 429


@pytest.mark.parametrize(
    ("word", "theirs"), [("question_answering", "query"), ("fact_verification", "query"), ("code.passage", "document")]
)
def test_a_finer_meaning_becomes_the_wider_one_that_a_provider_knows(word: str, theirs: str) -> None:
    encoded = adapter_of("voyage").encode(asked("voyage/m", input_type=word), at("voyage"))
    assert isinstance(encoded.body, dict) and encoded.body["input_type"] == theirs and encoded.dropped == ()


def test_an_error_under_status_200_is_told_in_the_providers_words() -> None:
    with pytest.raises(UpstreamError, match="too busy"):
        OWN.decode(b'{"error": {"message": "too busy"}, "data": []}', asked())


def test_the_prompts_tokens_are_charged_rather_than_the_total() -> None:
    usage = {"prompt_tokens": 5, "total_tokens": 7}
    frame = OWN.decode(orjson.dumps({"data": [{"embedding": [1.0]}], "usage": usage}), asked())
    assert frame.usage is not None and frame.usage.prompt == 5
