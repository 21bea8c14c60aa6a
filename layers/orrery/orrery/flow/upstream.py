"""One exchange with one provider: encode, send, decode. A buffered reply is a stream of exactly one frame."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace

import orjson

from orrery.core.dialect import Adapter, Decoder, Encoded, Event, Frame, Provider, Reply, UpstreamRequest
from orrery.core.errors import GatewayError, InvalidRequest, UpstreamError
from orrery.core.ports import UpstreamReply
from orrery.core.types import Call, Exchange, Target
from orrery.flow.gateway import Gateway
from orrery.flow.media import with_bytes
from orrery.flow.strict import refuse_dropped

LARGEST_ERROR_BYTES = 256 * 1024

LINGER_S = 0.25
"""How long an upstream may take to close a stream that it has finished."""


async def batches_of(
    call: Call, target: Target, exchange: Exchange, silence_s: float, gateway: Gateway
) -> AsyncGenerator[Sequence[Frame]]:
    """The answer's frames, in batches as the network brought them: many frames of a burst cost one step.

    Raises `UpstreamError` and its kinds, `InvalidRequest` for what the dialect cannot say. Closing it early ends
    the connection.
    """
    account = await gateway.accounts.find(target.provider)
    if account is None:
        raise UpstreamError(f"provider '{target.provider}' is gone")
    provider = account.provider
    adapter = provider.adapters[call.operation]
    call = replace(call, model=f"{target.provider}/{target.model}", answer_id=f"chatcmpl-{exchange.arrival.id}")
    call = await with_bytes(call, adapter, exchange, gateway)
    encoded = adapter.encode(call, target)
    exchange.dropped = encoded.dropped
    refuse_dropped(call, encoded.dropped, target)
    target = await gateway.accounts.authorize(target)
    request = request_for(encoded, call, target, provider, gateway.now())
    async with gateway.transport.send(request, silence_s) as reply:
        if reply.status >= 300:
            raise provider.explain(await _whole(reply, LARGEST_ERROR_BYTES))
        if not call.stream:
            whole = await _whole(reply, gateway.policy.max_reply_bytes)
            yield [adapter.decode(whole.body, call)]
            return
        if reply.headers.get("content-type", "").startswith("application/json"):
            raise await _not_a_stream(reply, provider)
        async for batch in _decoded(reply, adapter, call):
            yield batch


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


def request_for(encoded: Encoded, call: Call, target: Target, provider: Provider, now: float) -> UpstreamRequest:
    """The HTTP request; only headers made here ever go upstream, none of the caller's."""
    headers: Mapping[str, str] = {
        "content-type": "application/json",
        "accept": "text/event-stream" if call.stream else "application/json",
        "user-agent": "orrery",
        **encoded.headers,
    }
    url = target.base_url.rstrip("/") + provider.adapters[call.operation].path(call, target)
    request = UpstreamRequest("POST", url, headers, orjson.dumps(encoded.body))
    return replace(request, headers={**headers, **provider.sign(request, target, now)})


async def _whole(reply: UpstreamReply, limit_bytes: int) -> Reply:
    parts, size = [], 0
    async for chunk in reply.chunks():
        size += len(chunk)
        if size > limit_bytes:
            raise UpstreamError(f"the provider's reply exceeds {limit_bytes} bytes", upstream_status=reply.status)
        parts.append(chunk)
    return Reply(reply.status, reply.headers, b"".join(parts))


async def _not_a_stream(reply: UpstreamReply, provider: Provider) -> UpstreamError:
    """A JSON body where a stream was asked for: an error under status 200, or a server that ignores `stream`."""
    whole = await _whole(reply, LARGEST_ERROR_BYTES)
    if b'"error"' in whole.body[:512]:
        return provider.explain(Reply(502, whole.headers, whole.body))
    return UpstreamError(
        f"{provider.name} answered a streamed request with one JSON body", upstream_status=reply.status
    )
