"""Completions of one provider, whole and streamed, and what chunks add up to."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import orjson

from orrery import providers
from orrery.core.dialect import Adapter, Encoded, Event, Frame
from orrery.core.types import Call, Operation, Target
from orrery.providers.serving import adapter_for
from orrery.wire.completions import read_completion
from orrery.wire.posted import Posted
from tests.providers.families import REGIONS


def call(provider: str = "openai", **fields: Any) -> Call:
    posted = Posted(orjson.dumps({"model": f"{provider}/m", "prompt": "Say hi", **fields}))
    return replace(read_completion(posted), received_at=1_795_219_200, answer_id="cmpl-1", model=f"{provider}/m")


def target(provider: str = "openai", *operations: Operation) -> Target:
    found = providers.get(provider)
    assert found is not None
    bare = Target(found.name, "m", found.base_url, REGIONS.get(provider, ""), operations=operations)
    return found.locate(bare) if found.locate else bare


def adapter(provider: str = "openai", *operations: Operation) -> Adapter:
    found = providers.get(provider)
    assert found is not None
    served = adapter_for(found, Operation.COMPLETIONS, target(provider, *operations))
    assert served is not None, f"{provider} serves no completions"
    return served


def encoded(provider: str = "openai", *operations: Operation, **fields: Any) -> Encoded:
    asked = call(provider, **fields)
    return adapter(provider, *operations).encode(asked, target(provider, *operations))


def body(provider: str = "openai", *operations: Operation, **fields: Any) -> Any:
    return orjson.loads(orjson.dumps(encoded(provider, *operations, **fields).body))


def decoded(reply: Any, provider: str = "openai", **fields: Any) -> Frame:
    return adapter(provider).decode(orjson.dumps(reply), call(provider, **fields))


def streamed(chunks: Iterable[Any], provider: str = "openai", **fields: Any) -> list[Frame]:
    """The frames of a stream; bytes among `chunks` are an event's data as they are."""
    decoder = adapter(provider).decoder
    assert decoder is not None
    decoding = decoder(call(provider, stream=True, **fields))
    frames = []
    for chunk in chunks:
        frames += decoding.feed(Event("", chunk if isinstance(chunk, bytes) else orjson.dumps(chunk)))
    return [*frames, *([] if decoding.done else decoding.close())]


def payload(frame: Frame) -> Any:
    return orjson.loads(frame.payload) if isinstance(frame.payload, bytes) else frame.payload


def payloads(frames: Iterable[Frame]) -> list[Any]:
    return [payload(frame) for frame in frames if frame.payload is not None]


def fold(chunks: Iterable[Any]) -> dict[int, tuple[str, str | None]]:
    """Each choice's text and how it ended, by its index; nothing may follow an end."""
    found: dict[int, tuple[str, str | None]] = {}
    for chunk in chunks:
        assert chunk["object"] == "text_completion"
        for choice in chunk["choices"]:
            text, ended = found.get(choice["index"], ("", None))
            assert ended is None, "a choice goes on after its end"
            found[choice["index"]] = text + choice["text"], choice["finish_reason"]
    return found


def chunk(text: str = "", reason: str | None = None, index: int = 0, **more: Any) -> Any:
    choice = {"text": text, "index": index, "logprobs": None, "finish_reason": reason}
    head = {"id": "cmpl-x", "object": "text_completion", "created": 5, "model": "m"}
    return {**head, "choices": [choice], **more}


def whole(*choices: Any, **more: Any) -> Any:
    usage = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    return {**chunk(), "choices": list(choices), "usage": usage, **more}


DONE = b"[DONE]"
