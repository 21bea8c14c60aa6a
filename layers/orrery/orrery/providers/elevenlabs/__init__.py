"""ElevenLabs: speech and transcription at a wire of its own.

Source: elevenlabs 2.78.0 (its generated client), read 2026-11-21.
"""

from orrery.core.dialect import Provider, Reply
from orrery.core.errors import UpstreamError
from orrery.core.types import Operation
from orrery.providers.answer import object_of, text_of
from orrery.providers.errors import explain_openai, read_json, upstream_error
from orrery.providers.lazily import Lazily, named
from orrery.providers.signing import header


def explain(reply: Reply) -> UpstreamError:
    """`{"detail": {status, message}}`, or FastAPI's list of what is wrong."""
    detail = object_of(object_of(read_json(reply.body)).get("detail"))
    if not detail:
        return explain_openai(reply)
    said, code = text_of(detail.get("message")), text_of(detail.get("status"))
    return upstream_error(reply.status, said, code=code or None, headers=reply.headers)


PROVIDER = Provider(
    name="elevenlabs",
    base_url="https://api.elevenlabs.io/v1",
    sign=header("xi-api-key"),
    adapters=Lazily(
        {
            Operation.SPEECH: named("orrery.providers.elevenlabs.speech:ADAPTER"),
            Operation.TRANSCRIPTIONS: named("orrery.providers.elevenlabs.transcriptions:ADAPTER"),
        }
    ),
    explain=explain,
)
