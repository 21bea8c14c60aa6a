"""Stability AI's own API: pictures only, each model family at a path of its own, asked by a form.

Source: the reference of its REST API v2beta (platform.stability.ai/docs/api-reference), as generated into types in
github.com/tadasant/mcp-server-stability-ai, src/stabilityAi/types.ts, and as called in github.com/juspay/neurolink;
read 2026-11-21.
"""

from orrery.core.dialect import Provider, Reply
from orrery.core.errors import UpstreamError
from orrery.core.types import Operation
from orrery.providers.answer import object_of, text_of
from orrery.providers.errors import read_json, upstream_error
from orrery.providers.lazily import Lazily, named
from orrery.providers.signing import bearer


def explain(reply: Reply) -> UpstreamError:
    """`{id, name, errors}`. A 403 is a prompt that its moderation flagged; a key that is not valid is a 401."""
    body = object_of(read_json(reply.body))
    listed = body.get("errors")
    said = "; ".join(filter(None, map(text_of, listed))) if isinstance(listed, list) else ""
    if reply.status == 403:
        return upstream_error(400, said, code="moderation_blocked", headers=reply.headers)
    return upstream_error(reply.status, said, headers=reply.headers)


PROVIDER = Provider(
    name="stability",
    base_url="https://api.stability.ai",
    sign=bearer,
    adapters=Lazily({Operation.IMAGES: named("orrery.providers.stability.images:ADAPTER")}),
    explain=explain,
)
