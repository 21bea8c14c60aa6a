"""A streamed completion as the whole one that a buffered call would have given, and a whole one as a stream.

So that an answer is recorded once, and given again either way: chat, and legacy completions. `[DONE]` is in neither:
the door writes it. Sources: OpenAI's API reference, streaming of chat completions and completions; the accumulator of
its SDK (openai/lib/streaming), read 2026-11-21.
"""

from collections.abc import Sequence

import orjson

from orrery.core.types import Json
from orrery.wire.assembled import Choice, object_of, tell
from orrery.wire.chunked import steps_of

CHUNK, TEXT = "chat.completion.chunk", "text_completion"

_OF_CHUNKS = frozenset({"object", "choices", "usage", "obfuscation"})
"""What is not the answer's own. `obfuscation` hides how long a chunk is."""

_ON_EACH = ("id", "created", "model", "system_fingerprint", "service_tier")
"""What each chunk says of its answer. All else that is said of it stands on the first."""


def whole_of(payloads: Sequence[bytes], *, usage: Json | None = None) -> Json:
    """The `chat.completion`, or the `text_completion`, that the events of a stream add up to.

    `usage` is the count of a stream that tells none, since nobody asked for it. Raises `ValueError` for what is not
    the stream of a completion.
    """
    told: Json = {}
    choices: dict[int, Choice] = {}
    for payload in payloads:
        chunk = orjson.loads(payload)
        if not isinstance(object_of(chunk).get("choices"), list):
            raise ValueError("an event of this stream is no chunk of a completion")  # noqa: TRY004 - bad data, all of it
        told["object"] = TEXT if chunk.get("object") == TEXT else "chat.completion"
        tell(told, {name: value for name, value in chunk.items() if name not in _OF_CHUNKS})
        usage = object_of(chunk.get("usage")) or usage
        for piece in map(object_of, chunk["choices"]):
            index = piece["index"] if isinstance(piece.get("index"), int) else 0
            choices.setdefault(index, Choice(index)).add(piece)
    if not told:
        raise ValueError("a stream without an event is no completion")
    whole = {**told, "choices": [choices[index].whole() for index in sorted(choices)]}
    return whole if usage is None else whole | {"usage": usage}


def events_of(body: Json, *, with_usage: bool) -> list[bytes]:
    """The events of a whole completion, one choice after the other.

    `with_usage`: `usage` is null on each, and stands on a last one without choices; it is on none otherwise.
    """
    head = {name: body[name] for name in _ON_EACH if name in body}
    head["object"] = TEXT if body.get("object") == TEXT else CHUNK
    more = {name: value for name, value in body.items() if name not in _OF_CHUNKS and name not in head}
    steps = [[step] for place, choice in enumerate(body["choices"]) for step in steps_of(object_of(choice), place)]
    chunks = [{**head, **({} if number else more), "choices": step} for number, step in enumerate(steps or [[]])]
    return _counted(chunks, body.get("usage"), with_usage)


def _counted(chunks: list[Json], usage: Json | None, wanted: bool) -> list[bytes]:
    """With usage as OpenAI tells it where that is wanted."""
    if wanted and chunks:
        last = {name: chunks[-1][name] for name in ("object", *_ON_EACH) if name in chunks[-1]}
        counts = [{**last, "choices": [], "usage": usage}] if usage else []
        chunks = [{**chunk, "usage": None} for chunk in chunks] + counts
    return [orjson.dumps(chunk) for chunk in chunks]
