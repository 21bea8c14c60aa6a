"""`core.extras.Extras`: each is imported and made at its first use, so that plain requests never pay for it."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from orrery.edge.peppers import ReadPeppers
from orrery.stores.table import Table

if TYPE_CHECKING:
    from orrery.core import extras as kinds
    from orrery.core.ports import Blobs
    from orrery.edge.templating import TemplateWorker
    from orrery.stores.prompts import PromptStore


type MakeBlobs = Callable[[], Blobs | None]


def no_blobs() -> None:
    """For a gateway that keeps only what the table takes."""


class TableExtras:
    """Over one table; `blobs` makes the place for what is too large for it."""

    def __init__(self, table: Table, *, peppers: ReadPeppers, blobs: MakeBlobs = no_blobs) -> None:
        self._table = table
        self._peppers = peppers
        self._blobs = blobs

    @cached_property
    def paces(self) -> "kinds.Paces":
        from orrery.stores.paces import PaceStore

        return PaceStore(self._table)

    @cached_property
    def budgets(self) -> "kinds.Budgets":
        from orrery.stores.budgets import BudgetStore

        return BudgetStore(self._table)

    async def close(self) -> None:
        """Ends what runs beside this process."""
        if "templates" in self.__dict__:
            await self.templates.close()

    @property
    def prompts(self) -> "kinds.Prompts":
        return self._prompt_store

    @property
    def prompt_registry(self) -> "kinds.PromptRegistry":
        return self._prompt_store

    @cached_property
    def _prompt_store(self) -> "PromptStore":
        from orrery.stores.prompts import PromptStore

        return PromptStore(self._table)

    @cached_property
    def templates(self) -> "TemplateWorker":
        from orrery.edge.templating import TemplateWorker

        return TemplateWorker()

    @cached_property
    def recordings(self) -> "kinds.Recordings":
        from orrery.stores.recordings import RecordingStore

        return RecordingStore(self._table, self._blobs())

    @cached_property
    def claims(self) -> "kinds.Claims":
        from orrery.stores.claims import ClaimStore

        return ClaimStore(self._table, self._blobs())

    @cached_property
    def flights(self) -> "kinds.Flights":
        from orrery.flow.flights import Flights

        return Flights()

    @cached_property
    def breakers(self) -> "kinds.Breakers":
        from orrery.stores.breakers import BreakerStore

        return BreakerStore(self._table)

    @cached_property
    def steps(self) -> "kinds.Steps":
        from orrery.stores.steps import StepStore

        return StepStore(self._table)

    @cached_property
    def activity(self) -> "kinds.Activity":
        from orrery.stores.step_reading import ActivityStore

        return ActivityStore(self._table)

    @cached_property
    def digests(self) -> "kinds.Digests":
        from orrery.edge.seals import PepperDigests

        return PepperDigests(self._peppers)
