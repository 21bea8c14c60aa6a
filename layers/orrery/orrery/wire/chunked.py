"""One choice of a whole completion in steps, as a stream tells it: role, thoughts, words, the rest, an end."""

from collections.abc import Iterator

from orrery.core.types import Json
from orrery.wire.assembled import object_of

_OWN = frozenset({"index", "message", "text", "logprobs", "finish_reason"})

_FIRST = ("reasoning", "reasoning_content", "content", "refusal")
"""What is told first: thoughts before words, as they came. What is signed, and calls, come after."""


def steps_of(choice: Json, place: int) -> Iterator[Json]:
    """The entries of `choices` of its chunks. `place` is its index where it has none of its own.

    Log probabilities stand beside the words, and what else a provider says of a choice beside its end.
    """
    index, logprobs = choice.get("index", place), choice.get("logprobs")
    for said, is_words in _said(choice):
        yield {"index": index, **said, "logprobs": logprobs if is_words else None, "finish_reason": None}
        logprobs = None if is_words else logprobs
    more = {name: value for name, value in choice.items() if name not in _OWN}
    nothing: Json = {"text": ""} if "text" in choice else {"delta": {}}
    yield {"index": index, **nothing, "logprobs": logprobs, "finish_reason": choice.get("finish_reason"), **more}


def _said(choice: Json) -> Iterator[tuple[Json, bool]]:
    """Each step's text or delta, and whether it is words."""
    if "text" in choice:
        if choice["text"]:
            yield {"text": choice["text"]}, True
        return
    message = object_of(choice.get("message"))
    yield {"delta": _role(message)}, False
    told = [name for name, value in message.items() if value is not None and name != "role"]
    for name in sorted(told, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST)):
        for value in _calls(message[name]) if name == "tool_calls" else [message[name]]:
            yield {"delta": {name: value}}, name in ("content", "refusal")


def _role(message: Json) -> Json:
    """The first delta: it says, too, what is null in the message."""
    nothing = {name: None for name, value in message.items() if value is None}
    words = {"content": ""} if isinstance(message.get("content"), str) else {}
    return {**nothing, "role": message.get("role") or "assistant", **words}


def _calls(calls: object) -> list[object]:
    """Each call as a list of its own, with its index; something else as it is."""
    if not isinstance(calls, list) or not calls:
        return [calls]
    return [[{**object_of(call), "index": index}] for index, call in enumerate(calls)]
