"""`core.extras.Extras`: each is imported and made at its first use, so that plain requests never pay for it."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from orrery.edge.peppers import ReadPeppers
from orrery.edge.reach import Reach
from orrery.stores.table import Table

if TYPE_CHECKING:
    from orrery.core import extras as kinds
    from orrery.core import keeping
    from orrery.core.ports import Blobs
    from orrery.edge.templating import TemplateWorker
    from orrery.stores.agents import AgentStore
    from orrery.stores.memory_stores import MemoryStoreStore
    from orrery.stores.prompts import PromptStore
    from orrery.stores.stored_tools import ToolStore
    from orrery.tools import Tools


type MakeBlobs = Callable[[], Blobs | None]


def no_blobs() -> None:
    """For a gateway that keeps only what the table takes."""


class TableExtras:
    """Over one table; `blobs` makes the place for what is too large for it."""

    def __init__(
        self,
        table: Table,
        *,
        peppers: ReadPeppers,
        reach: Reach | None = None,
        blobs: MakeBlobs = no_blobs,
        kept_blobs: MakeBlobs = no_blobs,
    ) -> None:
        self._table = table
        self._peppers = peppers
        self._reached = reach
        self._blobs = blobs
        self._kept_blobs = kept_blobs

    @property
    def _reach(self) -> Reach:
        assert self._reached is not None, "this gateway was joined without a way out for tools"
        return self._reached

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
        if "queue" in self.__dict__ and hasattr(self.queue, "close"):
            await self.queue.close()

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

    @cached_property
    def responses(self) -> "keeping.Responses":
        from orrery.stores.responses import ResponseStore

        return ResponseStore(self._table, self._kept_blobs())

    @cached_property
    def event_logs(self) -> "keeping.EventLogs":
        from orrery.stores.response_events import EventLogStore

        return EventLogStore(self._table)

    @cached_property
    def conversations(self) -> "keeping.Conversations":
        from orrery.stores.conversations import ConversationStore

        return ConversationStore(self._table, self._kept_blobs())

    @cached_property
    def queue(self) -> "keeping.Queue":
        return self._reach.queue()

    @property
    def agents(self) -> "AgentStore":
        return self.agent_registry

    @property
    def stored_tools(self) -> "ToolStore":
        return self.tool_registry

    @cached_property
    def agent_registry(self) -> "AgentStore":
        from orrery.stores.agents import AgentStore

        return AgentStore(self._table)

    @cached_property
    def tool_registry(self) -> "ToolStore":
        from orrery.stores.stored_tools import ToolStore

        return ToolStore(self._table, self._reach.vault)

    @cached_property
    def memory_stores(self) -> "MemoryStoreStore":
        from orrery.stores.memory_stores import MemoryStoreStore

        return MemoryStoreStore(self._table)

    @cached_property
    def toolbox(self) -> "Tools":
        from orrery.tools import Outfit, Tools

        reach = self._reach
        return Tools(
            Outfit(
                outside=reach.outside,
                fetch=reach.fetch,
                keys=reach.variables,
                stored=self.stored_tools,
                agents=self.agents,
                memories=lambda: self.memory_stores,
                interpreter=reach.interpreter(),
            )
        )
