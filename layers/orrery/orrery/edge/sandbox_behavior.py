"""How the sandbox answers: as a server does, or as one that fails in the way that the request asks for."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

type Json = dict[str, Any]

REMEMBERED_FAILURES = 1024
LABEL = (b"x-orrery-sandbox", b"practice provider, no model")
_failures: OrderedDict[str, int] = OrderedDict()


class Misbehave(Exception):
    """The request asked for this failure."""


class Refused(Exception):
    """What the sandbox does not have; `message` says so, `param` is what asked for it."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.message, self.param = message, param


@dataclass(frozen=True, slots=True)
class Behavior:
    """How a request wants to be treated."""

    told: Mapping[str, Any]

    def number(self, name: str) -> int | None:
        text = str(self.told.get(f"sandbox_{name}", ""))
        return int(text) if text.isascii() and text.isdigit() else None

    async def wait(self, name: str) -> None:
        await asyncio.sleep((self.number(name) or 0) / 1000)

    def status(self) -> int | None:
        """The failure to answer with, while it is still to be shown."""
        status, times = self.number("status"), self.number("fail_times")
        if status is None or times is None:
            return status
        name = str(self.told.get("sandbox_id", ""))[:64]
        shown = _failures.pop(name, 0)
        _failures[name] = shown + 1
        if len(_failures) > REMEMBERED_FAILURES:
            _failures.popitem(last=False)
        return status if shown < times else None


def behavior_of(asked: Json) -> Behavior:
    """What a request's `metadata` says."""
    told = asked.get("metadata")
    return Behavior(told if isinstance(told, dict) else {})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is answered: ASGI's two ends of one request, and how it wants to be treated."""

    receive: Any
    send: Any
    behavior: Behavior = Behavior({})


async def is_served(caller: Caller) -> bool:
    """Waits, falls silent or fails as the request wants; False when nothing more is to be said."""
    behavior = caller.behavior
    await behavior.wait("delay_ms")
    if behavior.told.get("sandbox_hang") == "true":
        await silence(caller.receive)
        return False
    if status := behavior.status():
        wait = behavior.number("retry_after")
        extra = [] if wait is None else [(b"retry-after", b"%d" % wait)]
        await send_whole(caller, status, error(f"the sandbox was told to fail with {status}", "sandbox_failure"), extra)
        return False
    return True


async def silence(receive: Any) -> None:
    """Says nothing until the other side has had enough."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_whole(caller: Caller, status: int, body: Any, extra: Any = ()) -> None:
    data = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(data)), LABEL, *extra]
    await caller.send({"type": "http.response.start", "status": status, "headers": headers})
    await caller.send({"type": "http.response.body", "body": data})


async def send_events(caller: Caller, chunks: Iterable[Json]) -> None:
    """The chunks as events, and `[DONE]`."""
    events = (b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks)
    failure = b"data: " + orjson.dumps(error("the sandbox was told to fail here", "sandbox_failure")) + b"\n\n"
    headers = [(b"content-type", b"text/event-stream")]
    await _send_pieces(caller, headers, _paced(events, failure, caller), b"data: [DONE]\n\n")


async def send_file(caller: Caller, media_type: str, pieces: Iterable[bytes], extra: Any = ()) -> None:
    """The bytes of one file, piece by piece; within one, nothing can say that it failed."""
    headers = [(b"content-type", media_type.encode()), *extra]
    await _send_pieces(caller, headers, _paced(pieces, b"", caller), b"")


async def _send_pieces(caller: Caller, headers: Any, pieces: AsyncIterator[bytes], end: bytes) -> None:
    await caller.send({"type": "http.response.start", "status": 200, "headers": [*headers, LABEL]})
    try:
        async for piece in pieces:
            await caller.send({"type": "http.response.body", "body": piece, "more_body": True})
    except Misbehave:
        return  # without the end of the body: the server drops the connection
    await caller.send({"type": "http.response.body", "body": end})


async def _paced(pieces: Iterable[bytes], failure: bytes, caller: Caller) -> AsyncIterator[bytes]:
    behavior = caller.behavior
    cut, hang, fail = (behavior.number(name) for name in ("cut_after", "hang_after", "error_after"))
    for number, piece in enumerate(pieces):
        if number == cut:
            raise Misbehave
        if number == hang:
            await silence(caller.receive)
            raise Misbehave
        if number == fail:
            yield failure
            raise Misbehave
        await behavior.wait("chunk_delay_ms")
        yield piece


def error(message: str, code: str, param: str | None = None) -> Json:
    return {"error": {"message": message, "type": "sandbox_error", "param": param, "code": code}}
