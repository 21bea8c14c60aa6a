"""Deepgram: speech and transcription at a wire of its own.

Source: deepgram-sdk 7.17.0 (its generated client), read 2026-11-21.
"""

from collections.abc import Mapping

from orrery.core.dialect import Provider, Reply, UpstreamRequest
from orrery.core.errors import UpstreamError
from orrery.core.types import Operation, Target
from orrery.providers.answer import object_of, text_of
from orrery.providers.errors import read_json, upstream_error
from orrery.providers.lazily import Lazily, named


def sign(request: UpstreamRequest, target: Target, now: float) -> Mapping[str, str]:
    """`Authorization: Token`, not Bearer: that is for its short-lived tokens."""
    return {"authorization": f"Token {target.secret}"} if target.secret else {}


def explain(reply: Reply) -> UpstreamError:
    """`{err_code, err_msg, request_id}`, or `{category, message, details}`."""
    body = object_of(read_json(reply.body))
    said = text_of(body.get("err_msg")) or text_of(body.get("message")) or text_of(body.get("details"))
    return upstream_error(reply.status, said, headers=reply.headers)


PROVIDER = Provider(
    name="deepgram",
    base_url="https://api.deepgram.com/v1",
    sign=sign,
    adapters=Lazily(
        {
            Operation.SPEECH: named("orrery.providers.deepgram.speech:ADAPTER"),
            Operation.TRANSCRIPTIONS: named("orrery.providers.deepgram.transcriptions:ADAPTER"),
        }
    ),
    explain=explain,
)
