"""A response on its way to a door: its events as they come, or the resource that they add up to."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import orjson

from orrery.core.types import Json
from orrery.flow.responding.course import Course
from orrery.flow.serve import Answer


def answer_of(course: Course) -> Answer:
    """The course as what a door hands over: its events as they come, or the resource that they add up to."""
    stream = course.asked.call.stream
    return Answer(
        exchange=course.exchange,
        stream=stream,
        media_type="",
        headers=course.headers,
        batches=_streamed(course) if stream else _whole(course),
        close=lambda: closing(course),
        named=True,
    )


async def _streamed(course: Course) -> AsyncGenerator[Sequence[bytes]]:
    events = course.events()
    try:
        async for batch in events:
            if batch:
                yield [orjson.dumps(event) for event in batch]
    finally:
        await events.aclose()


async def _whole(course: Course) -> AsyncGenerator[Sequence[bytes]]:
    events = course.events()
    last: Json = {}
    try:
        async for batch in events:
            last = batch[-1] if batch else last
    finally:
        await events.aclose()
    yield [orjson.dumps(last["response"])]


_closing: set["asyncio.Task[None]"] = set()


def closing(course: Course) -> "asyncio.Future[None]":
    """Closes it; goes on even when its caller is cancelled."""
    task = asyncio.ensure_future(course.close())
    _closing.add(task)
    task.add_done_callback(_closing.discard)
    return asyncio.shield(task)
