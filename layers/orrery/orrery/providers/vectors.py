"""What all embeddings have in common: inputs, how many of them fit into a request, and vectors that can be trusted."""

from array import array as numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, NamedTuple

from orrery.core.dialect import Frame
from orrery.core.errors import InvalidRequest, UpstreamError
from orrery.core.types import Call, Target, Usage
from orrery.providers.lost import Lost
from orrery.wire.embeddings import MOST_INPUTS, embeddings_answer, from_base64, inputs_of, meaning_of

BYTES_PER_TOKEN_WORST = 2
BYTES_PER_TOKEN_TYPICAL = 4
"""Of text, as `flow.estimate` reckons: the one for limits and holds, the other where no usage came."""

TOKENS_BESIDE = 16
"""Per input, at most: what a provider puts around it by its kind, as Voyage's "Represent the query for …"."""

WIDER = {"question": "query", "fact": "query", "code query": "query", "code document": "document"}
"""What a finer meaning of `input_type` is where a provider makes no such difference."""


class Limits(NamedTuple):
    """What one request may hold: so many inputs, and so many tokens in all (0: no such limit is documented)."""

    inputs: int = MOST_INPUTS
    tokens: int = 0


def texts_of(call: Call, who: str) -> list[str]:
    """The inputs as texts. Raises `InvalidRequest` for tokens: only the model that they were made for can read them."""
    texts = inputs_of(call)
    if not isinstance(texts[0], str):
        raise InvalidRequest(
            f"{who} takes text, not tokens: send strings (LangChain: check_embedding_ctx_length=False).", param="input"
        )
    return texts


def input_type_of(call: Call, words: Mapping[str, str], lost: Lost) -> str:
    """The provider's word for the caller's `input_type`; "" for none, and lost where the provider has none for it."""
    given = call.body.get("input_type")
    meaning = meaning_of(given) if given else ""
    word = words.get(meaning) or words.get(WIDER.get(meaning, ""), "")
    if given and not word:
        lost.add("input_type")
    return word


def dtype_of(call: Call, name: str) -> str:
    """The kind of numbers that the caller wants; raises `InvalidRequest` for several, of which an answer holds one."""
    asked = call.body.get(name) or "float"
    listed = asked if isinstance(asked, list) else [asked]
    if len(listed) != 1 or not isinstance(listed[0], str):
        raise InvalidRequest(f"An answer holds one kind of numbers: '{name}' may name one.", param=name)
    return str(listed[0])


def splitting(limits: Callable[[str], Limits]) -> Callable[[Call, Target], Sequence[Call]]:
    """An adapter's `split`: consecutive inputs together, as many as fit. `limits` are those of a model, by its name."""

    def split(call: Call, target: Target) -> Sequence[Call]:
        groups = grouped(inputs_of(call), limits(target.model))
        if len(groups) == 1:
            return (call,)
        return [replace(call, body={**call.body, "input": group}) for group in groups]

    return split


def grouped(inputs: Sequence[Any], limits: Limits) -> list[list[Any]]:
    """The inputs in groups within the limits; one that alone exceeds them stands alone, for the provider to judge."""
    groups: list[list[Any]] = []
    room = 0
    for each in inputs:
        tokens = _tokens(each, BYTES_PER_TOKEN_WORST)
        if not groups or len(groups[-1]) == limits.inputs or (limits.tokens and tokens > room):
            groups.append([])
            room = limits.tokens
        groups[-1].append(each)
        room -= tokens
    return groups


def _tokens(each: Any, bytes_per_token: int) -> int:
    return -(-len(each.encode(errors="replace")) // bytes_per_token) if isinstance(each, str) else len(each)


def most(call: Call, target: Target) -> Usage:
    """The most that a call may use. Short inputs in great number cost more than their bytes tell: each has a frame."""
    window = target.context_window or 0
    tokens = [_tokens(each, BYTES_PER_TOKEN_WORST) + TOKENS_BESIDE for each in inputs_of(call)]
    return Usage(prompt=sum(min(count, window) if window else count for count in tokens))


def count_of(value: Any) -> int | None:
    """A provider's count of tokens, be it written as a float; None for what is none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0:
        return int(value)
    return None


def frame_of(vectors: Any, call: Call, tokens: int | None, dimensions: int | None = None) -> Frame:
    """The answer of these vectors, in the order of the inputs; `tokens` None: they are counted here.

    `dimensions` is how long each must be, where that was asked of the provider.
    Raises `UpstreamError` for another number of vectors than of inputs, and for what is no vector.
    """
    inputs = inputs_of(call)
    if not isinstance(vectors, list) or not vectors:
        raise UpstreamError("the provider's reply has no embeddings", upstream_status=200)
    if len(vectors) != len(inputs):
        raise UpstreamError(
            f"the provider sent {len(vectors)} embeddings for {len(inputs)} inputs", upstream_status=200
        )
    lengths = {_length(vector) for vector in vectors}
    if len(lengths) > 1 or (dimensions and lengths != {dimensions}):
        expected = f"{dimensions} dimensions" if dimensions else "one length"
        raise UpstreamError(f"the provider's embeddings are not of {expected}", upstream_status=200)
    ours = tokens is None
    prompt = sum(_tokens(each, BYTES_PER_TOKEN_TYPICAL) for each in inputs) if tokens is None else tokens
    return Frame(embeddings_answer(vectors, call, prompt), Usage(prompt=prompt, ours=ours))


def _length(vector: Any) -> int:
    """How long a vector is. Raises `UpstreamError` when it is none: a wrong one would go unnoticed in an index."""
    fault = UpstreamError("the provider sent an embedding that is no vector of numbers", upstream_status=200)
    try:
        given = from_base64(vector) if isinstance(vector, str) else vector
        # The types are looked at first: an array takes True for 1.
        if not isinstance(given, list) or not given or not set(map(type, given)) <= {int, float}:
            raise fault
        if not isfinite(sum(numbers("f", given))):
            raise fault
    except (ValueError, OverflowError):
        # The cause would carry the vector's text.
        raise fault from None
    return len(given)


def in_order(rows: Any) -> list[Any]:
    """The vectors of OpenAI's `data`, by their indexes, or as they come where there are none.

    Raises `UpstreamError` when the indexes do not name each place once.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "embedding" in row for row in rows):
        raise UpstreamError("the provider's reply has no embeddings", upstream_status=200)
    indexes = [row.get("index") for row in rows]
    if all(index is None for index in indexes):
        return [row["embedding"] for row in rows]
    if {type(index) for index in indexes} != {int} or sorted(indexes) != list(range(len(rows))):
        raise UpstreamError("the provider's embeddings have indexes that contradict each other", upstream_status=200)
    return [row["embedding"] for row in sorted(rows, key=lambda row: row["index"])]


def join(frames: Sequence[Frame], call: Call) -> Frame:
    """One list of several, their tokens added up."""
    vectors = [row["embedding"] for frame in frames if isinstance(frame.payload, dict) for row in frame.payload["data"]]
    if len({len(vector) for vector in vectors}) > 1:
        raise UpstreamError("the provider's embeddings are not of one length", upstream_status=200)
    told = [frame.usage for frame in frames if frame.usage]
    tokens = sum(usage.prompt for usage in told)
    ours = any(usage.ours for usage in told)
    return Frame(embeddings_answer(vectors, call, tokens), Usage(prompt=tokens, ours=ours))
