"""One worker for many tests that do not look at it."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from orrery.edge.templating import TemplateWorker


class Engines:
    """Renders in a loop of its own, for tests that have none."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.worker = TemplateWorker(render_s=60.0)

    def texts(self, texts: Sequence[str], values: Any, engine: Any) -> list[str]:
        return self._runner.run(self.worker.render(texts, values, engine))

    def one(self, text: str, engine: Any = "jinja", **values: Any) -> str:
        return self.texts([text], values, engine)[0]

    def close(self) -> None:
        self._runner.run(self.worker.close())
        self._runner.close()


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    made = Engines()
    yield made
    made.close()
