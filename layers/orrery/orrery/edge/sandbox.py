"""The practice provider of `make run`: speaks OpenAI's wire, and is no model. `echo` says what you said.

Beside it: `embed`, `moderate`, `rerank`, `read` (OCR), `draw` (images), `film` (videos), `speak` and `listen`. What
they make is drawn, counted or computed here, and says that it is the sandbox's.

A request's `metadata` (values are strings) makes it misbehave, so that retries and timeouts can be tried by hand:

    sandbox_delay_ms         waits before it answers
    sandbox_chunk_delay_ms   waits before each streamed chunk
    sandbox_status           fails with this status instead; with `sandbox_fail_times` and `sandbox_id` only so often
    sandbox_retry_after      the Retry-After that goes with it, in seconds
    sandbox_cut_after        breaks the stream off after so many chunks
    sandbox_error_after      sends an error event after so many chunks
    sandbox_hang_after       falls silent after so many chunks
    sandbox_hang             falls silent before it answers
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from orrery.edge import sandbox_chat, sandbox_pictures, sandbox_sound, sandbox_texts, sandbox_videos
from orrery.edge.arrive import header
from orrery.edge.sandbox_behavior import (
    Caller,
    Refused,
    behavior_of,
    error,
    is_served,
    send_events,
    send_file,
    send_whole,
)
from orrery.wire.form import is_form, read_form
from orrery.wire.posted import body_of
from orrery.wire.shapes import BOOLEAN, OBJECT, STRING, array, integer

type Json = dict[str, Any]

MODELS = ("echo", "embed", "moderate", "rerank", "read", "draw", "film", "speak", "listen")

MODEL_OF = {
    "/chat/completions": "echo",
    "/completions": "echo",
    "/embeddings": "embed",
    "/moderations": "moderate",
    "/rerank": "rerank",
    "/ocr": "read",
    "/images/generations": "draw",
    "/images/edits": "draw",
    "/images/variations": "draw",
    "/videos": "film",
    "/audio/speech": "speak",
    "/audio/transcriptions": "listen",
    "/audio/translations": "listen",
}
"""Which model answers on which route."""

FORM = {
    "prompt": STRING,
    "stream": BOOLEAN,
    "n": integer(),
    "partial_images": integer(),
    "metadata": OBJECT,
    "timestamp_granularities": array(STRING),
}
"""What of a form is no text, and what is one although the gateway reads it otherwise elsewhere."""

type Files = Sequence[bytes]

ANSWERS: Mapping[str, Callable[[Json, Files], Json]] = {
    "/chat/completions": lambda asked, files: sandbox_chat.chat(asked),
    "/completions": lambda asked, files: sandbox_chat.completion(asked),
    "/embeddings": lambda asked, files: sandbox_texts.embeddings(asked),
    "/moderations": lambda asked, files: sandbox_texts.moderations(asked),
    "/rerank": lambda asked, files: sandbox_texts.rerank(asked),
    "/ocr": lambda asked, files: sandbox_texts.ocr(asked),
    "/images/generations": sandbox_pictures.answer,
    "/images/edits": sandbox_pictures.answer,
    "/images/variations": sandbox_pictures.answer,
    "/videos": lambda asked, files: sandbox_videos.job(asked),
}
"""What is answered in one JSON body."""

EVENTS: Mapping[str, Callable[[Json, Files], Iterable[Json]]] = {
    "/chat/completions": lambda asked, files: sandbox_chat.chat_chunks(asked),
    "/completions": lambda asked, files: sandbox_chat.completion_chunks(asked),
    "/images/generations": lambda asked, files: sandbox_pictures.events(asked, files, "image_generation"),
    "/images/edits": lambda asked, files: sandbox_pictures.events(asked, files, "image_edit"),
    "/audio/transcriptions": lambda asked, files: sandbox_sound.events(files),
}
"""What is answered in events to who wants a stream."""


async def app(scope: Any, receive: Any, send: Any) -> None:
    """ASGI: OpenAI's routes under any prefix."""
    route, method = scope["path"].partition("/v1")[2], scope["method"]
    caller = Caller(receive, send)
    if method == "GET" and route == "/models":
        rows = [{"id": name, "object": "model", "created": 0, "owned_by": "orrery-sandbox"} for name in MODELS]
        await send_whole(caller, 200, {"object": "list", "data": rows})
    elif method == "POST" and route in MODEL_OF:
        await _posted(route, scope, caller)
    elif method == "GET" and route.startswith("/videos/"):
        await _video(route.removeprefix("/videos/"), caller)
    else:
        await send_whole(caller, 404, error("no such route in the sandbox", "not_found"))


async def _posted(route: str, scope: Any, caller: Caller) -> None:
    asked, files = _read(await _body(caller.receive), header(scope["headers"], b"content-type").decode("latin-1"))
    caller = replace(caller, behavior=behavior_of(asked))
    if not await is_served(caller):
        return
    if asked.get("model") != MODEL_OF[route]:
        message = f"here the sandbox has one model, {MODEL_OF[route]}"
        await send_whole(caller, 404, error(message, "model_not_found"))
        return
    try:
        await _answer(route, asked, files, caller)
    except Refused as err:
        await send_whole(caller, 400, error(err.message, "sandbox_refused", err.param))


async def _answer(route: str, asked: Json, files: Files, caller: Caller) -> None:
    if route == "/audio/speech":
        await _speak(asked, caller)
    elif asked.get("stream") is True and route in EVENTS:
        await send_events(caller, EVENTS[route](asked, files))
    elif route in ANSWERS:
        await send_whole(caller, 200, ANSWERS[route](asked, files))
    else:
        task = "translate" if route.endswith("translations") else "transcribe"
        media_type, data = sandbox_sound.answer(asked, files, task)
        await send_file(caller, media_type, [data])


async def _speak(asked: Json, caller: Caller) -> None:
    """Tones: WAV whatever was asked for, but for PCM; the media type and a header say which it is."""
    text, wanted = str(asked.get("input")), asked.get("response_format") or "mp3"
    made = "pcm" if wanted == "pcm" else "wav"
    pieces = sandbox_sound.tones(text) if made == "pcm" else sandbox_sound.wav(text)
    if asked.get("stream_format") == "sse":
        await send_events(caller, sandbox_sound.spoken(text, pieces))
        return
    extra = [(b"x-orrery-sandbox-format", f"{made} instead of {wanted}".encode("latin-1", "replace"))]
    await send_file(caller, f"audio/{made}", pieces, extra if made != wanted else ())


async def _video(rest: str, caller: Caller) -> None:
    """A job that is done at once, and its film, which is no film."""
    id, _, part = rest.partition("/")
    if part == "content":
        await send_file(caller, "video/mp4", [sandbox_videos.CONTENT])
    else:
        await send_whole(caller, 200, sandbox_videos.found(id))


def _read(raw: bytes, content_type: str) -> tuple[Json, Files]:
    """A JSON body, or a form's fields and files."""
    if not is_form(content_type):
        return orjson.loads(raw), ()
    form = read_form(raw, content_type)
    return body_of(form.fields, FORM), [bytes(file.data) for file in form.files]


async def _body(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
