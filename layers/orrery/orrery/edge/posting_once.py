"""`Idempotency-Key` on what is posted to be kept, as prompts are: done once, answered alike however often it is sent.

Calls of models have the same in `flow.idempotency`, where answers may stream.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson

from orrery.core.errors import GatewayError
from orrery.core.extras import Extras
from orrery.core.records import Recording
from orrery.core.types import Json
from orrery.edge.arrive import read_body
from orrery.edge.replying import respond
from orrery.edge.web import Request, Response
from orrery.flow.claiming import REPLAYED, standing

LARGEST_BYTES = 1024 * 1024
LIFETIME_S = 60.0
"""How long such a request may take: a key whose request died is free after that."""

type Work = Callable[[Request], Awaitable[Json]]


async def posted_once(request: Request, key: str, organization: str, extras: Extras, work: Work) -> Response:
    """What `work` gives, or gave when the key came first. Raises `GatewayError`; the key is free again then."""
    raw = await read_body(request.scope, request.receive, LARGEST_BYTES)
    asked = orjson.dumps([request.method, request.url.path]) + raw
    digest, claims = await extras.digests.digest(organization, asked), extras.claims
    claim = await claims.claim(organization, key, digest, lifetime_s=LIFETIME_S)
    if (known := standing(claim)) is not None:
        return respond(request, 200, orjson.loads(known.payloads[0]), REPLAYED)
    try:
        done = await work(Request(request.scope, _again(raw)))
    except BaseException:
        with suppress(GatewayError):
            await claims.release(organization, key, claim.token)
        raise
    with suppress(GatewayError):
        await claims.complete(organization, key, claim.token, Recording(False, "", {}, [orjson.dumps(done)]))
    return respond(request, 200, done)


def _again(raw: bytes) -> Callable[[], Awaitable[Json]]:
    """ASGI's `receive` of a body that was read already."""

    async def receive() -> Json:
        return {"type": "http.request", "body": raw, "more_body": False}

    return receive
