"""The case folders: what each holds, and how a stream is read and added up. Nothing here knows any provider.

A folder `tests/providers/<provider>/<case>/` has an `ORIGIN` and some of
- `call.json`, what a client posts (`model` with the provider's prefix), and `request.json`, the body that goes
  upstream, with `dropped.json` and `headers.json` where they are not empty;
- `reply.json`, the provider's whole reply, and `answer.json`, the completion it becomes;
- `stream.sse`, the same reply streamed, or `stream.jsonl` where the wire is binary (see `eventstream_writer`);
- `usage.json`, the count behind the answer where the completion hides parts;
- `error.json` (`status`, `headers`, `body`), a refusal;
- `raised.json`, the error's class and fields: for the refusal, else for the stream, else for the call.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from orrery import providers
from orrery.core.dialect import Adapter, Event, Frame, Provider
from orrery.core.errors import Truncated
from orrery.core.types import Call, Operation, Target
from tests.providers.eventstream_writer import written

HERE = Path(__file__).parent
CHATTING = [name for name in providers.names() if Operation.CHAT in getattr(providers.get(name), "adapters", ())]
"""Providers that serve chat: not all do."""

RECEIVED_AT = 1_795_219_200
OPENAI_FIELDS = ("id", "object", "created", "model", "choices", "usage")


@dataclass(frozen=True)
class Case:
    provider: str
    name: str

    @property
    def folder(self) -> Path:
        return HERE / self.provider / self.name

    def has(self, *files: str) -> bool:
        return all((self.folder / file).exists() for file in files)

    def bytes_of(self, file: str) -> bytes:
        return (self.folder / file).read_bytes()

    def json_of(self, file: str, default: Any = None) -> Any:
        return orjson.loads(self.bytes_of(file)) if self.has(file) else default

    @property
    def is_streamed(self) -> bool:
        return self.has("stream.sse") or self.has("stream.jsonl")

    def found(self) -> Provider:
        provider = providers.get(self.provider)
        assert provider is not None, f"no provider called {self.provider}"
        return provider

    def adapter(self) -> Adapter:
        return self.found().adapters[Operation.CHAT]

    def call(self) -> Call:
        body = self.json_of("call.json", {"model": f"{self.provider}/some-model", "messages": []})
        return Call(Operation.CHAT, body["model"], body, stream=body.get("stream") is True, received_at=RECEIVED_AT)

    def target(self) -> Target:
        provider = self.found()
        return Target(provider.name, self.call().model.removeprefix(f"{self.provider}/"), provider.base_url)


def all_cases() -> list[Case]:
    """Those of chat completions: the others say what they are of (see `families`)."""
    folders = [folder for folder in HERE.glob("*/*") if folder.is_dir() and not folder.name.startswith("__")]
    folders = [folder for folder in folders if not (folder / "operation").exists()]
    return sorted((Case(f.parent.name, f.name) for f in folders), key=lambda case: (case.provider, case.name))


def with_files(*files: str) -> list[Case]:
    return [case for case in all_cases() if case.has(*files)]


def streamed(*files: str) -> list[Case]:
    """Cases with a stream in either form, and with these files."""
    return [case for case in with_files(*files) if case.is_streamed]


def stream_of(case: Case) -> bytes:
    """The stream's bytes, as the provider sends them."""
    return written(case.bytes_of("stream.jsonl")) if case.has("stream.jsonl") else case.bytes_of("stream.sse")


def events_of(case: Case, cuts: Iterable[int] = ()) -> list[Event]:
    """The stream's events, its bytes cut at `cuts`."""
    reader = case.adapter().reader
    assert reader is not None
    reading, stream = reader(), stream_of(case)
    places = [0, *sorted(cuts), len(stream)]
    events = [e for a, b in pairwise(places) for e in reading.feed(stream[a:b])]
    return events + list(reading.close())


def frames_of(case: Case, events: Iterable[Event], *, wants_usage: bool = True) -> Iterator[Frame]:
    """What the events become, to the end of the answer; raises what the decoder raises."""
    decoder = case.adapter().decoder
    assert decoder is not None
    decoding = decoder(replace(case.call(), stream=True, wants_usage=wants_usage))
    for event in events:
        yield from decoding.feed(event)
    if not decoding.done:
        yield from decoding.close()


def cuts_of(case: Case) -> Iterator[list[int]]:
    """Places to cut at: everywhere for small streams, and at random with a fixed seed."""
    size = len(stream_of(case))
    if size < 6_000:
        yield list(range(1, size))
    rng = random.Random(f"{case.provider}/{case.name}")
    for _ in range(5):
        yield rng.sample(range(1, size), min(size - 1, 20))


def chunk_of(frame: Frame) -> Any:
    return orjson.loads(frame.payload) if isinstance(frame.payload, bytes) else frame.payload


def chunks_of(frames: Iterable[Frame]) -> list[Any]:
    return [chunk_of(frame) for frame in frames if frame.payload is not None]


def fold(chunks: list[Any]) -> Any:
    """The completion that chunks add up to, as a client would add them: texts joined, tool calls by their index."""
    whole: dict[str, Any] = {name: chunks[0][name] for name in ("id", "model", "created")}
    choices: dict[int, Any] = {}
    for chunk in chunks:
        assert chunk["object"] == "chat.completion.chunk"
        whole["usage"] = chunk.get("usage") or whole.get("usage")
        for part in chunk["choices"]:
            choice = choices.setdefault(part["index"], {"index": part["index"], "message": {}, "finish_reason": None})
            assert choice["finish_reason"] is None, "a choice goes on after its end"
            choice["finish_reason"] = part["finish_reason"]
            _add(choice["message"], part["delta"])
    for choice in choices.values():
        calls = choice["message"].get("tool_calls", {})
        assert list(calls) == list(range(len(calls))), "the indexes of tool calls are dense, in order"
        choice["message"]["tool_calls"] = list(calls.values())
    return {**whole, "object": "chat.completion", "choices": [choices[index] for index in sorted(choices)]}


def _add(message: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name == "role":
            assert message.setdefault("role", value) == value, "the role changes"
        elif name == "tool_calls":
            for call in value or ():
                _add_call(message.setdefault("tool_calls", {}), call)
        elif isinstance(value, dict):
            _add(message.setdefault(name, {}), value)  # sound
        elif value is not None:
            message[name] = message[name] + value if name in message else value  # texts, and lists of images


def _add_call(calls: dict[int, Any], piece: dict[str, Any]) -> None:
    if piece["index"] not in calls:
        assert piece["id"] and piece["type"] == "function" and piece["function"]["name"]
        more = {name: value for name, value in piece.items() if name not in ("index", "function")}
        calls[piece["index"]] = {**more, "function": dict(piece["function"])}
    else:
        calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]


def plain(completion: Any) -> Any:
    """A completion without what buffered and streamed may tell differently: nulls, empty texts, spaces in arguments.

    Without a provider's own fields, too: those of rows go on as they came, and not on every chunk.
    """
    copy = {name: value for name, value in orjson.loads(orjson.dumps(completion)).items() if name in OPENAI_FIELDS}
    for choice in copy["choices"]:
        for name in choice.keys() - {"index", "message", "finish_reason"}:
            del choice[name]
        choice["message"] = {name: value for name, value in choice["message"].items() if value not in (None, "", [])}
        for call in choice["message"].get("tool_calls", ()):
            call.pop("index", None)
            call["function"]["arguments"] = orjson.loads(call["function"]["arguments"])
    return copy


def is_whole(chunks: list[Any]) -> bool:
    """Whether every choice that began was told to have ended."""
    begun = {part["index"] for chunk in chunks for part in chunk["choices"]}
    ended = {part["index"] for chunk in chunks for part in chunk["choices"] if part["finish_reason"]}
    return bool(begun) and begun == ended


def ends(case: Case, events: list[Event]) -> bool:
    """True when these events make a whole answer, False when they raise `Truncated`."""
    frames: list[Frame] = []
    try:
        for frame in frames_of(case, events):
            frames.append(frame)
    except Truncated:
        return False
    assert is_whole(chunks_of(frames)), f"{case.name}: no end was told, and nothing was raised"
    return True
