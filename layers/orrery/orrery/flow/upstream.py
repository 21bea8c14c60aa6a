"""One exchange with one provider: encode, send, decode. A buffered reply is a stream of exactly one frame."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from orrery import providers
from orrery.core.dialect import Adapter, Decoder, Event, Frame, Provider, Reply
from orrery.core.errors import GatewayError, InvalidRequest, UpstreamError
from orrery.core.exchange import Exchange
from orrery.core.ports import Transport, UpstreamReply
from orrery.core.types import Call, Operation, Target
from orrery.flow.credentials import hide
from orrery.flow.gateway import Gateway
from orrery.flow.media import with_bytes
from orrery.flow.request import request_for
from orrery.flow.strict import refuse_dropped
from orrery.providers.serving import adapter_for

LARGEST_ERROR_BYTES = 256 * 1024

LINGER_S = 0.25
"""How long an upstream may take to close a stream that it has finished."""

AT_ONCE = 4
"""Parts of one split call that are under way together."""

ANSWER_IDS = {Operation.CHAT: "chatcmpl-", Operation.COMPLETIONS: "cmpl-", Operation.RESPONSES: "resp_"}

TOLD_BY_DECODERS = ("application/json", "text/event-stream")


async def batches_of(
    call: Call, target: Target, exchange: Exchange, silence_s: float, gateway: Gateway
) -> AsyncGenerator[Sequence[Frame]]:
    """The answer's frames, in batches as the network brought them: many frames of a burst cost one step.

    Raises `UpstreamError` and its kinds, `InvalidRequest` for what the dialect cannot say. Closing it early ends
    the connection.
    """
    provider = await provider_of(target, gateway)
    adapter = adapter_for(provider, call.operation, target)
    if adapter is None:
        raise UpstreamError(f"provider '{target.provider}' does not serve {call.operation.value} any more")
    answer_id = f"{ANSWER_IDS.get(call.operation, '')}{exchange.arrival.id}"
    call = replace(call, model=f"{target.provider}/{target.model}", answer_id=answer_id)
    if call.private is not None:
        call = replace(call, body=call.private, private=None)
    call = await with_bytes(call, adapter, exchange, gateway)
    as_events = adapter.as_events if call.stream else None
    call = replace(call, stream=False) if as_events and adapter.decoder is None else call
    sending = _Sending(provider, adapter, await gateway.accounts.authorize(target), exchange, silence_s, gateway)
    try:
        parts = adapter.split(call, target) if adapter.split else (call,)
        if len(parts) > 1 and adapter.join:
            frame = adapter.join(await sending.all(parts), call)
            yield as_events(frame, call) if as_events else [frame]
            return
        async with sending.reply(parts[0]) as reply:
            call = _with_type(parts[0], reply)
            if not call.stream or (call.raw and adapter.decoder is None):
                frame = await sending.whole(reply, call)
                yield as_events(frame, call) if as_events else [frame]
                return
            if not call.raw and reply.headers.get("content-type", "").startswith("application/json"):
                if as_events:  # a model that ignores `stream`, at a provider whose others heed it
                    yield as_events(await sending.whole(reply, replace(call, stream=False)), call)
                    return
                raise await _not_a_stream(reply, provider)
            async for batch in _decoded(reply, adapter, call):
                yield batch
    except GatewayError as err:
        hide(err, sending.target)
        raise


async def provider_of(target: Target, gateway: Gateway) -> Provider:
    """The provider of a target; for a caller's own key the built-in one, whatever server the operator calls so."""
    if target.own:
        provider = providers.get(target.provider)
    else:
        account = await gateway.accounts.find(target.provider)
        provider = account.provider if account else None
    if provider is None:
        raise UpstreamError(f"provider '{target.provider}' is gone")
    return provider


def way_to(target: Target, gateway: Gateway) -> Transport:
    """How requests get there: an address that a caller named is called only when it is a public one."""
    if not target.outside:
        return gateway.transport
    if gateway.outside is None:
        raise InvalidRequest("This gateway calls no addresses of its callers.", param="base_url")
    return gateway.outside


@dataclass(frozen=True, slots=True)
class _Sending:
    """What the requests of one attempt have in common: nearly always there is one."""

    provider: Provider
    adapter: Adapter
    target: Target
    exchange: Exchange
    silence_s: float
    gateway: Gateway

    @asynccontextmanager
    async def reply(self, call: Call) -> AsyncGenerator[UpstreamReply]:
        """Encodes and sends; enters when an answer that is no refusal has begun."""
        encoded = self.adapter.encode(call, self.target)
        self.exchange.dropped = encoded.dropped
        refuse_dropped(call, encoded.dropped, self.target)
        request = request_for(
            encoded, call, self.target, provider=self.provider, adapter=self.adapter, now=self.gateway.now()
        )
        async with way_to(self.target, self.gateway).send(request, self.silence_s) as reply:
            if reply.status >= 300:
                raise self.provider.explain(await read_whole(reply, LARGEST_ERROR_BYTES))
            yield reply

    async def whole(self, reply: UpstreamReply, call: Call) -> Frame:
        whole = await read_whole(reply, self.gateway.policy.max_reply_bytes)
        return self.adapter.decode(whole.body, call)

    async def all(self, parts: Sequence[Call]) -> list[Frame]:
        """The answers of the parts, in their order; the first failure ends the others."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(part: Call) -> Frame:
            async with turns, self.reply(part) as reply:
                return await self.whole(reply, _with_type(part, reply))

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(part)) for part in parts]
        except* GatewayError as errors:
            found = _first_of(errors)
        else:
            return [task.result() for task in tasks]
        raise found


def _first_of(errors: ExceptionGroup[GatewayError]) -> GatewayError:
    first = errors.exceptions[0]
    return _first_of(first) if isinstance(first, ExceptionGroup) else first


def _with_type(call: Call, reply: UpstreamReply) -> Call:
    told = reply.headers.get("content-type", "")
    return call if not told or told.startswith(TOLD_BY_DECODERS) else replace(call, reply_type=told)


async def _decoded(reply: UpstreamReply, adapter: Adapter, call: Call) -> AsyncGenerator[Sequence[Frame]]:
    if adapter.decoder is None or adapter.reader is None:
        raise InvalidRequest(f"{call.operation.value} does not stream", param="stream")
    reader, decoder = adapter.reader(), adapter.decoder(call)
    chunks = reply.chunks()
    async for chunk in chunks:
        batch, fault = _decode(reader.feed(chunk), decoder)
        if batch:
            yield batch
        if fault:
            raise fault
        if decoder.done:
            await _linger(chunks)
            return
    batch, fault = _decode(reader.close(), decoder)
    if not fault and not decoder.done:
        batch += decoder.close()
    if batch:
        yield batch
    if fault:
        raise fault


def _decode(events: Iterable[Event], decoder: Decoder) -> tuple[list[Frame], GatewayError | None]:
    """The frames of some events, and the fault that ended them: what came before it belongs to the caller."""
    frames: list[Frame] = []
    try:
        for event in events:
            frames += decoder.feed(event)
    except GatewayError as err:
        return frames, err
    return frames, None


async def _linger(chunks: AsyncIterator[bytes]) -> None:
    """Reads the end of a body whose answer is complete, so that its connection can be kept; not for long."""
    try:
        async with asyncio.timeout(LINGER_S):
            async for _ in chunks:
                pass
    except (TimeoutError, UpstreamError):
        return


async def read_whole(reply: UpstreamReply, limit_bytes: int) -> Reply:
    """The whole answer. Raises `UpstreamError` when it has more than `limit_bytes`."""
    parts, size = [], 0
    async for chunk in reply.chunks():
        size += len(chunk)
        if size > limit_bytes:
            raise UpstreamError(f"the provider's reply exceeds {limit_bytes} bytes", upstream_status=reply.status)
        parts.append(chunk)
    return Reply(reply.status, reply.headers, b"".join(parts))


async def _not_a_stream(reply: UpstreamReply, provider: Provider) -> UpstreamError:
    """A JSON body where a stream was asked for: an error under status 200, or a server that ignores `stream`."""
    whole = await read_whole(reply, LARGEST_ERROR_BYTES)
    if b'"error"' in whole.body[:512]:
        return provider.explain(Reply(502, whole.headers, whole.body))
    return UpstreamError(
        f"{provider.name} answered a streamed request with one JSON body", upstream_status=reply.status
    )
