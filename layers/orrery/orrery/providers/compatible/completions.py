"""Legacy completions on OpenAI's wire: the body goes on as it came, and so does the answer."""

from orrery.core.dialect import Adapter, Decoder, Encoded, Frame
from orrery.core.errors import InvalidRequest, UpstreamError
from orrery.core.types import Call, Json, Target
from orrery.providers.compatible.choice import Choice
from orrery.providers.compatible.completion_facts import ANY, FACTS, NOTHING, Facts
from orrery.providers.compatible.completion_stream import CompletionDecoder, Echo, ended_as
from orrery.providers.compatible.counts import counted, told
from orrery.providers.compatible.decode import filled_in, identified, object_in
from orrery.providers.compatible.row import Row
from orrery.providers.errors import stream_error
from orrery.providers.lost import Lost
from orrery.providers.prompts import joined, one_each, text_of
from orrery.wire.completions import MAX_TOKENS
from orrery.wire.sse import Reader


def adapter(row: Row) -> Adapter:
    """The adapter of the provider that a row describes."""
    facts = FACTS.get(row.name, ANY)

    def encode(call: Call, target: Target) -> Encoded:
        return _encode(call, target, facts, row.stream_usage and facts.stream_usage)

    def decode(body: bytes, call: Call) -> Frame:
        return _decode(body, call, row)

    def decoder(call: Call) -> Decoder:
        return CompletionDecoder(call, row)

    return Adapter(
        path=lambda call, target: facts.path,
        encode=encode,
        decode=decode,
        decoder=decoder,
        reader=Reader,
        split=one_each if facts.one_text else None,
        join=joined if facts.one_text else None,
    )


def _encode(call: Call, target: Target, facts: Facts, stream_usage: bool) -> Encoded:
    """The body under the target's model name; usage is always asked of a stream.

    Raises `InvalidRequest` for parameters that the provider does not have and that the answer would be another without.
    """
    lost = Lost()
    body: Json = {}
    for name, value in call.body.items():
        if name not in facts.lacks | facts.drop:
            body[name] = value
        elif value is not None and value not in NOTHING.get(name, ()):
            if name in facts.lacks:
                raise InvalidRequest(f"{target.provider} has no '{name}' for completions.", param=name)
            lost.add(name)
    if facts.one_text:
        body["prompt"] = text_of(call, target.provider)
    if not facts.is_short and body.get("max_tokens") is None:
        body["max_tokens"] = MAX_TOKENS
    if not stream_usage:
        body.pop("stream_options", None)  # no loss to the caller: the usage that it asked for comes unasked
    elif call.stream:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    return Encoded({**body, "model": target.model}, lost.names())


def _decode(body: bytes, call: Call, row: Row) -> Frame:
    """Raises `UpstreamError` for an error under status 200, and for what is no completion at all."""
    answer = object_in(body, "a reply")
    if answer.get("error"):
        raise stream_error(answer)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise UpstreamError("the provider's reply has no choices", upstream_status=200)
    changed = identified(answer, "text_completion", row, call)
    if answer["object"] != "text_completion":
        answer["object"], changed = "text_completion", True
    echo = Echo(call)
    chars = 0
    for place, choice in enumerate(choices):
        changed |= _take(choice, place, row)
        chars += echo.new_in(choice)
    usage = counted(answer.get("usage"), row)
    if usage:
        changed |= told(answer["usage"], usage)
    return Frame(answer if changed else body, usage, chars)


def _take(choice: Json, place: int, row: Row) -> bool:
    """A choice as OpenAI would say it; True when something was changed in it."""
    changed = any([filled_in(choice, "index", place), filled_in(choice, "logprobs")])
    if not isinstance(choice.get("text"), str):
        choice["text"], changed = "", True
    reason = ended_as(choice, Choice(row, "")) or "stop"
    if reason != choice.get("finish_reason"):
        choice["finish_reason"], changed = reason, True
    return changed
