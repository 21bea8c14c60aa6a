"""Jinja and mustache, in a process of their own: `core.extras.Templates`.

The worker is started when the first template comes, and kept. It gets nothing of this process: no environment, no open
files, no values but those of the question. What takes too long is killed, worker and all. Source: ADR 0015.
"""

import asyncio
import json
import os
import secrets
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from orrery.core.errors import InvalidRequest, Unavailable
from orrery.core.options import Engine

PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from orrery.edge.template_worker import main; main()"
)

START_S = 20.0
RENDER_S = 4.0
"""Seconds that a worker has to start, and a question from the first byte to the last."""

MOST_CHARS = 6 * 1024 * 1024
"""What all texts of a question may have together once they are rendered."""

HEAD_BYTES = 8
LARGEST_ANSWER_BYTES = 64 * 1024 * 1024

MARKS: Mapping[Engine, tuple[str, ...]] = {"mustache": ("{{",), "jinja": ("{{", "{%", "{#")}
"""A text without any of them is no template."""


@dataclass(frozen=True, slots=True)
class _Fault:
    much: bool
    place: int | None
    line: int | None


class TemplateWorker:
    """One worker, one question at a time; the others wait for their turn."""

    def __init__(self, *, start_s: float = START_S, render_s: float = RENDER_S, most_chars: int = MOST_CHARS) -> None:
        self._start_s = start_s
        self._render_s = render_s
        self._most_chars = most_chars
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._ending: set[asyncio.Task[Any]] = set()

    async def render(self, texts: Sequence[str], values: Mapping[str, Any], engine: Engine) -> list[str]:
        """Each text with its values.

        Raises `InvalidRequest` for a broken template, or one that takes too much, with the number of its text as
        `param` (None: any of them); `Unavailable` where no worker starts.
        """
        marked = [place for place, text in enumerate(texts) if any(mark in text for mark in MARKS[engine])]
        rendered = list(texts)
        if not marked:
            return rendered
        most = self._most_chars - sum(map(len, texts)) + sum(len(texts[place]) for place in marked)
        asked = {"engine": engine, "texts": [texts[place] for place in marked], "values": values, "most": most}
        answer = await self._ask(asked)
        if isinstance(answer, _Fault):
            raise _refusal(answer, marked)
        for place, text in zip(marked, answer, strict=True):
            rendered[place] = text
        return rendered

    async def close(self) -> None:
        """Ends the worker, and waits until it has ended."""
        self._end()
        await asyncio.gather(*self._ending)

    async def _ask(self, asked: Mapping[str, Any]) -> list[str] | _Fault:
        """The worker's answer. A worker that is gone is replaced once: a template cannot end it."""
        async with self._turn:
            for _ in range(2):
                process = self._process or await self._start()
                try:
                    async with asyncio.timeout(self._render_s):
                        return await _exchange(process, asked)
                except TimeoutError:
                    self._end()
                    raise InvalidRequest(f"The template takes longer than {self._render_s:g} s.") from None
                except (EOFError, ConnectionError):
                    self._end()
                except BaseException:
                    self._end()  # whoever asks next must not get this answer
                    raise
            raise Unavailable("The template engines do not answer.")

    async def _start(self) -> Process:
        paths = json.dumps([path for path in sys.path if path])
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-B", "-X", "utf8", "-c", PROGRAM, paths,
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, cwd="/", close_fds=True, start_new_session=True,
            )  # fmt: skip
            async with asyncio.timeout(self._start_s):
                await _receive(process)
        except (OSError, EOFError, TimeoutError) as err:
            self._end()
            raise Unavailable("The template engines do not start.") from err
        except BaseException:
            self._end()
            raise
        return process

    def _end(self) -> None:
        """Kills the worker and its children, at once; it is reaped later."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        ending = asyncio.ensure_future(process.communicate())  # closes its pipes, too
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


async def _exchange(process: Process, asked: Mapping[str, Any]) -> list[str] | _Fault:
    """Asks, and gives the answer to that. Raises `EOFError`, `ConnectionError`."""
    number = secrets.token_hex(8)
    question = orjson.dumps({"id": number, **asked})
    assert process.stdin is not None
    process.stdin.write(len(question).to_bytes(HEAD_BYTES))
    process.stdin.write(question)
    await process.stdin.drain()
    return _read(await _receive(process), number, len(asked["texts"]))


async def _receive(process: Process) -> bytes:
    assert process.stdout is not None
    size = int.from_bytes(await process.stdout.readexactly(HEAD_BYTES))
    if size > LARGEST_ANSWER_BYTES:
        raise ConnectionError(f"the template worker announces {size} bytes")
    return await process.stdout.readexactly(size)


def _read(answer: bytes, number: str, texts: int) -> list[str] | _Fault:
    """What an answer says. Nothing is taken on trust: a template that broke out could write anything."""
    try:
        read = orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise ConnectionError("the template worker writes no JSON") from None
    if not isinstance(read, dict) or read.get("id") != number:
        raise ConnectionError("the template worker answers another question")
    given = read.get("texts")
    if isinstance(given, list) and len(given) == texts and all(isinstance(text, str) for text in given):
        return given
    place, line = read.get("text"), read.get("line")
    return _Fault(
        much=read.get("error") != "broken",
        place=place if isinstance(place, int) and 0 <= place < texts else None,
        line=line if isinstance(line, int) else None,
    )


def _refusal(fault: _Fault, marked: Sequence[int]) -> InvalidRequest:
    param = None if fault.place is None else str(marked[fault.place])
    if fault.much:
        return InvalidRequest("The template takes too much room or time.", param=param)
    line = f" (line {fault.line})" if fault.line else ""
    return InvalidRequest(f"The template is not valid{line}.", param=param)
