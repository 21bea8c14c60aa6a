"""`GET /videos/{id}` and `GET /videos/{id}/content`: a job that was accepted here, and the file that it made.

They cost nothing: the job was paid for when it was accepted.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import orjson

from orrery.core.errors import GatewayError, InvalidRequest, UpstreamError
from orrery.core.exchange import Exchange
from orrery.core.ports import UpstreamReply
from orrery.edge.answering import Sending
from orrery.edge.arrive import arrive, bearer_token, refuse_reserved
from orrery.edge.log import report_bug
from orrery.edge.web import Request, Response
from orrery.flow.gateway import Gateway
from orrery.flow.jobs import asked
from orrery.flow.upstream import LARGEST_ERROR_BYTES, read_whole
from orrery.providers.errors import read_json

VARIANTS = ("video", "thumbnail", "spritesheet")
"""What of a video's content there is. Source: OpenAI's API document 2.3.0, read 2026-11-21."""


async def retrieve_video(request: Request, gateway: Gateway) -> Response:
    """The job, under the name that the caller knows it by."""
    return Retrieving(request.path_params["id"], "", gateway)


async def download_video(request: Request, gateway: Gateway) -> Response:
    """Its file, as it comes."""
    return Retrieving(request.path_params["id"], "/content", gateway)


class Retrieving(Response):
    """A response that is made while it is sent."""

    def __init__(self, name: str, part: str, gateway: Gateway) -> None:
        self.status_code = 200
        self.background = None
        self._name, self._part, self._gateway = name, part, gateway

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        arrival = arrive(scope, self._gateway.policy.deadline_s)
        sending = Sending(arrival, send)
        try:
            refuse_reserved(scope["headers"])
            part = self._part + _variant(scope) if self._part else ""
            asking = asked(bearer_token(scope["headers"]), self._name, part, arrival, self._gateway)
            async with asyncio.timeout_at(arrival.deadline), asking as (exchange, reply):
                await (self._file(exchange, reply, sending) if part else self._job(reply, sending))
        except GatewayError as err:
            await sending.error(err)
        except TimeoutError:
            await sending.error(UpstreamError("the video took longer than this gateway may wait", status=504))
        except Exception as err:  # noqa: BLE001 - a bug of ours is the caller's 500, never a dropped connection
            report_bug(f"req_{arrival.id}", err)
            await sending.error(GatewayError("Internal error"))
        else:
            with suppress(OSError):
                await sending.end()

    async def _job(self, reply: UpstreamReply, sending: Sending) -> None:
        job = read_json((await read_whole(reply, LARGEST_ERROR_BYTES)).body)
        if not isinstance(job, dict):
            raise UpstreamError("the provider's reply is no video job", upstream_status=reply.status)
        await sending.whole(200, {}, orjson.dumps({**job, "id": self._name}))

    async def _file(self, exchange: Exchange, reply: UpstreamReply, sending: Sending) -> None:
        told = reply.headers.get("content-type", "application/octet-stream")
        headers = [(b"content-type", told.encode("latin-1"))]
        if (length := reply.headers.get("content-length", "")).isdigit() and "content-encoding" not in reply.headers:
            headers.append((b"content-length", length.encode()))
        chunks: AsyncIterator[bytes] = reply.chunks()
        sending.is_file = True
        await sending.start(200, {}, headers)
        async for chunk in chunks:
            exchange.chunks += 1
            await sending.body(chunk)


def _variant(scope: Any) -> str:
    """The query that asks for a video's preview, if one is asked for."""
    asked_for = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("variant")
    if not asked_for:
        return ""
    if asked_for[0] not in VARIANTS:
        raise InvalidRequest(f"Invalid value for 'variant': expected one of {', '.join(VARIANTS)}.", param="variant")
    return f"?variant={asked_for[0]}"
