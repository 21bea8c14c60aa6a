"""The process in which templates are rendered: `edge/templating.py` starts it and speaks to it over two pipes.

It has no environment, and reads nothing but its standard input. Each question is answered by a child of its own, which
gives up everything that it could harm with, answers, and ends: what one template did, the next one cannot see.
A message is its length (8 bytes, big-endian) and that many bytes of JSON.

Questions: `{id, engine, texts, values, most}`. Answers: `{id, texts}`, or `{id, error, text, line}`, where `error` is
`broken` (no such template) or `much` (too much room or time), `text` the number of the text.
"""

import json
import os
import resource
from collections.abc import Callable, Mapping
from typing import Any

from orrery.edge.template_bounds import Meter, TooMuch

ROOM_BYTES = 256 * 1024 * 1024
"""Address space of a child, with the interpreter and both engines in it (about 40 MiB)."""

CPU_S = 2
"""Seconds of computing that one question may take, before the kernel ends it: even if nobody waits for it any more."""

HEAD_BYTES = 8

READY = b"ready"

IN, OUT = 0, 1

type Render = Callable[[str, Mapping[str, Any], Meter], str]


def main() -> None:
    """Answers until the parent closes the pipe."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    engines = load()
    send(READY)
    while (question := receive()) is not None:
        child = os.fork()
        if not child:
            _confine()
            send(answer(question, engines))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            send(_error(json.loads(question)["id"], "much"))


def load() -> dict[str, Render]:
    """The engines, each used once, so that what they import late is there before no file can be opened."""
    from orrery.edge import template_jinja, template_mustache

    template_jinja.warm_up()
    template_mustache.warm_up()
    return {"jinja": template_jinja.render, "mustache": template_mustache.render}


def _confine() -> None:
    """No more questions, files, connections, processes; little room and time. None of it can be undone."""
    os.close(IN)
    for what, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, ROOM_BYTES),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):  # macOS knows some of them by name only
            continue


def answer(question: bytes, engines: Mapping[str, Render]) -> bytes:
    """The answer to one question, whatever it holds."""
    asked = json.loads(question)
    render, meter = engines[asked["engine"]], Meter(asked["most"])
    texts: list[str] = []
    try:
        for text in asked["texts"]:
            rendered = render(text, asked["values"], meter)
            rendered.encode()  # half a surrogate pair is no text
            texts.append(rendered)
        return json.dumps({"id": asked["id"], "texts": texts}, ensure_ascii=False).encode()
    except (TooMuch, MemoryError, RecursionError, OverflowError):
        return _error(asked["id"], "much", len(texts))
    except Exception as err:  # noqa: BLE001 - a template can raise whatever its values do
        return _error(asked["id"], "broken", len(texts), getattr(err, "lineno", None))


def _error(id: str, error: str, place: int | None = None, line: Any = None) -> bytes:
    """Nothing of the template or its values is told, only where it is; None: nobody knows which text."""
    shown = line if isinstance(line, int) else None
    return json.dumps({"id": id, "error": error, "text": place, "line": shown}).encode()


def receive() -> bytes | None:
    """The next message; None at the end."""
    head = _read(HEAD_BYTES)
    return None if head is None else _read(int.from_bytes(head))


def _read(size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(IN, min(size - len(parts), 1024 * 1024))
        if not part:
            return None
        parts += part
    return bytes(parts)


def send(message: bytes) -> None:
    """Writes a message whole."""
    left = memoryview(len(message).to_bytes(HEAD_BYTES) + message)
    while left:
        left = left[os.write(OUT, left) :]
