"""One worker for many tests that do not look at it."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from orrery.edge import templating
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


HURRIED = "from orrery.edge import template_worker as w; w.CPU_S = 1; w.main()"
"""The worker, with half the time to compute: many tests wait until the kernel ends what never would."""


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with pytest.MonkeyPatch.context() as patch:
        program = templating.PROGRAM.replace("from orrery.edge.template_worker import main; main()", HURRIED)
        assert program != templating.PROGRAM
        patch.setattr(templating, "PROGRAM", program)
        made = Engines()
        yield made
        made.close()
