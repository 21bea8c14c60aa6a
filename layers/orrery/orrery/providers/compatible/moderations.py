"""Moderations on OpenAI's wire: the body goes on as it came, and the judgements come back as they are."""

from typing import Any

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Target, Usage
from orrery.providers.answer import object_of
from orrery.providers.compatible.decode import filled_in, object_in
from orrery.providers.compatible.row import Row
from orrery.providers.errors import stream_error
from orrery.providers.vectors import count_of
from orrery.wire.moderations import results_expected


def adapter(row: Row) -> Adapter:
    return Adapter(path=path, encode=encode, decode=decode)


def path(call: Call, target: Target) -> str:
    return "/moderations"


def encode(call: Call, target: Target) -> Encoded:
    return Encoded({**call.body, "model": target.model})


def decode(body: bytes, call: Call) -> Frame:
    """The reply as it came, but for what OpenAI always says and others do not: the id, the model, what is flagged.

    Raises `UpstreamError` for an error under status 200, for another number of results than of inputs, and for a
    result that judges nothing: a missing judgement must not pass for a good one.
    """
    answer = object_in(body, "a reply")
    if answer.get("error"):
        raise stream_error(answer)
    results = answer.get("results")
    expected = results_expected(call)
    if not isinstance(results, list) or len(results) != expected:
        count = len(results) if isinstance(results, list) else "no"
        raise UpstreamError(f"the provider sent {count} moderation results, not {expected}", upstream_status=200)
    named = {"id": call.answer_id, "model": call.model}
    changed = any([filled_in(answer, name, value) for name, value in named.items()])
    changed |= any([_judged(result) for result in results])
    return Frame(answer if changed else body, tokens_in(answer))


def _judged(result: Any) -> bool:
    """Fills in whether anything is flagged, where the provider does not say so; True when it did not."""
    categories, scores = object_of(result).get("categories"), object_of(result).get("category_scores")
    if not isinstance(categories, dict) or not isinstance(scores, dict) or not categories:
        raise UpstreamError("the provider sent a moderation result without categories", upstream_status=200)
    # Categories that a model does not judge are null there.
    if not all(value is None or type(value) is bool for value in categories.values()):
        raise UpstreamError("the provider sent a moderation result that is neither yes nor no", upstream_status=200)
    if not all(value is None or type(value) in (int, float) for value in scores.values()):
        raise UpstreamError("the provider sent a moderation score that is no number", upstream_status=200)
    if type(result.get("flagged")) is bool:
        return False
    result["flagged"] = any(categories.values())
    return True


def tokens_in(answer: Json) -> Usage | None:
    """What a reply says of its tokens: OpenAI's says nothing, and costs nothing."""
    told = object_of(answer.get("usage"))
    prompt = count_of(told.get("prompt_tokens")) or count_of(told.get("total_tokens"))
    return None if prompt is None else Usage(prompt=prompt)
