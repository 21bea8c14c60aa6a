"""Frames to HTTP, errors to JSON: the one place where a request's outcome becomes bytes."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from orrery.core.errors import GatewayError
from orrery.core.exchange import Arrival
from orrery.core.types import Call, Principal
from orrery.edge.arrive import arrive, bearer_token, header, read_body
from orrery.edge.labels import IDEMPOTENCY_KEY
from orrery.edge.log import report_bug
from orrery.edge.web import Response
from orrery.flow.gateway import Gateway
from orrery.flow.serve import Answer, serve
from orrery.wire import sse

PULSE_S = 15.0
"""A stream that is silent so long gets a comment, so that nothing between us and the caller closes it."""

STREAM_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


type Read = Callable[[bytes, Mapping[str, Any], Principal], Call]


class Answering(Response):
    """A response that is made while it is sent: calls the flow, then writes what comes.

    `read` turns the posted bytes, the request's head and who sent them into a call (raises `GatewayError`).
    """

    def __init__(self, read: Read, gateway: Gateway) -> None:
        self.status_code = 200
        self.background = None
        self._read = read
        self._gateway = gateway

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        arrival = arrive(scope, self._gateway.policy.deadline_s)
        sending = Sending(arrival, send)
        watch: asyncio.Future[None] | None = None
        try:
            raw = await read_body(scope, receive, self._gateway.policy.max_body_bytes)
            # Lambda never tells of a caller who left; and one with an idempotency key comes back for the answer.
            if "aws.event" not in scope and not header(scope["headers"], IDEMPOTENCY_KEY):
                watch = _watch(receive)
            await self._run(scope, raw, arrival, sending)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if watch is None or not watch.done() or task is None:
                raise
            task.uncancel()  # the caller left; everything is settled
        except GatewayError as err:
            self._gateway.refused(arrival, err, None)
            await sending.error(err)
        finally:
            if watch is not None:
                watch.cancel()

    async def _run(self, scope: Any, raw: bytes, arrival: Arrival, sending: "Sending") -> None:
        def read(principal: Principal) -> Call:
            return self._read(raw, scope, principal)

        try:
            answer = await serve(bearer_token(scope["headers"]), read, arrival, self._gateway)
        except GatewayError as err:
            await sending.error(err)
        except Exception as err:  # noqa: BLE001 - a bug of ours is the caller's 500, never a dropped connection
            report_bug(f"req_{arrival.id}", err)
            await sending.error(GatewayError("Internal error"))
        else:
            await _hand_over(self.shaped(answer, arrival), arrival, sending)

    def shaped(self, answer: Answer, arrival: Arrival) -> Answer:
        """The answer as it is written: routes of another shape translate it."""
        return answer


async def _hand_over(answer: Answer, arrival: Arrival, sending: "Sending") -> None:
    """Writes the answer; closes it before the last, empty message: what comes after that, Lambda freezes.

    Where options have something to keep, it is closed before the last bytes: who has them finds it kept.
    """
    task, close = asyncio.current_task(), _once(answer.close)
    assert task is not None
    sending.overhead_ms = int((asyncio.get_running_loop().time() - arrival.started - answer.exchange.upstream_s) * 1000)
    try:
        if not answer.stream:
            batches = [batch async for batch in answer.batches]
            if answer.exchange.after:
                await close()
            for batch in batches:
                await sending.whole(200, answer.headers, batch[0], answer.media_type)
        else:
            await _stream(answer, arrival, sending, task)
            if answer.exchange.after:
                await close()
            if not sending.is_file:
                await sending.body(sse.DONE)
    except GatewayError as err:
        await sending.error(err)
    except Exception as err:  # noqa: BLE001 - as above; after the start it becomes an event
        report_bug(f"req_{arrival.id}", err)
        await sending.error(GatewayError("Internal error"))
    finally:
        await answer.batches.aclose()
        await close()
    await sending.end()


def _once(close: Callable[[], "asyncio.Future[None]"]) -> Callable[[], "asyncio.Future[None]"]:
    """Closes when it is first asked to; whoever asks again waits for the same."""
    closing: asyncio.Future[None] | None = None

    def closed() -> "asyncio.Future[None]":
        nonlocal closing
        closing = closing or close()
        return closing

    return closed


async def _stream(answer: Answer, arrival: Arrival, sending: "Sending", task: "asyncio.Task[Any]") -> None:
    """Events, or the bytes of a file, as they come."""
    is_file = sending.is_file = bool(answer.media_type)
    pulse = _Pulse(sending, arrival.deadline, task)
    file_headers = ((b"content-type", answer.media_type.encode("latin-1")),)
    try:
        await sending.start(200, answer.headers, file_headers if is_file else STREAM_HEADERS)
        async for batch in answer.batches:
            if answer.named:
                for payload in batch:  # one write each: some clients lose what is cut between two reads
                    await sending.body(sse.named(payload))
            else:
                await sending.body(b"".join(batch) if is_file else sse.events(batch))
    finally:
        pulse.stop()


class Sending:
    """The ASGI `send` of one request, and what has been said through it."""

    def __init__(self, arrival: Arrival, send: Any) -> None:
        self._send = send
        self._arrival = arrival
        self.started = False
        self.ended = False
        self.is_file = False
        self.overhead_ms = 0
        self.last_s = 0.0

    async def start(self, status: int, headers: Mapping[str, str], more: Any = ()) -> None:
        self.started = True
        own = (
            (b"x-request-id", b"req_" + self._arrival.id.encode()),
            (b"x-orq-trace-id", self._arrival.trace_id.encode()),
            (b"x-orbitrage-overhead-ms", b"%d" % max(0, self.overhead_ms)),
        )
        told = ((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())
        await self._send({"type": "http.response.start", "status": status, "headers": [*own, *more, *told]})

    async def body(self, data: bytes) -> None:
        self.last_s = asyncio.get_running_loop().time()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def whole(self, status: int, headers: Mapping[str, str], data: bytes, media_type: str = "") -> None:
        told = media_type.encode("latin-1") or b"application/json"
        length = ((b"content-type", told), (b"content-length", b"%d" % len(data)))
        await self.start(status, headers, length)
        await self.body(data)

    async def end(self) -> None:
        if not self.ended:
            self.ended = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def error(self, err: GatewayError) -> None:
        """The error as JSON with its status; once the answer has begun, as an event, and no `[DONE]` after it.

        Within a file nothing can say so: it is left without its end, and the server breaks the connection off.
        """
        if self.is_file:
            self.ended = True
            return
        data = orjson.dumps(err.body())
        if self.started:
            with suppress(OSError):
                await self.body(sse.event(data))
            return
        await self.whole(err.status, err.headers(), data)
        await self.end()


class _Pulse:
    """Every `PULSE_S`: a comment in silent events, and the end of a caller who reads too slowly for ever."""

    def __init__(self, sending: Sending, deadline: float, task: "asyncio.Task[Any]") -> None:
        self._sending, self._deadline, self._task = sending, deadline, task
        self._loop = asyncio.get_running_loop()
        self._beat: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(PULSE_S, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        if now > self._deadline + PULSE_S:
            self._task.cancel()
            return
        rest_s = self._sending.last_s + PULSE_S - now
        speaks = self._sending.started and not self._sending.is_file
        if speaks and rest_s <= 0 and (self._beat is None or self._beat.done()):
            self._beat = self._loop.create_task(self._sending.body(sse.PING))
        self._timer = self._loop.call_later(rest_s if rest_s > 0 else PULSE_S, self._tick)

    def stop(self) -> None:
        self._timer.cancel()
        if self._beat is not None:
            self._beat.cancel()


def _watch(receive: Any) -> "asyncio.Future[None]":
    """Cancels the request when its caller leaves: an answer that nobody reads should not be paid for further."""
    task = asyncio.current_task()
    assert task is not None

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        task.cancel()

    return asyncio.ensure_future(watch())
