"""What only requests with options need from outside, as protocols; `edge/extras.py` makes each at its first use."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from orrery.core.activity import Kind, StoredStep, Tracked
from orrery.core.keeping import Agents, Conversations, EventLogs, Queue, Responses, StoredTools
from orrery.core.limits import Budget
from orrery.core.options import Engine
from orrery.core.pages import Listed, Page
from orrery.core.prompts import PromptChange, PromptDraft, PromptVersion, StoredPrompt
from orrery.core.records import Claim, Prompt, Recording, Step
from orrery.core.registries import Registries
from orrery.core.tools import Toolbox
from orrery.core.types import Principal


class Paces(Protocol):
    """Requests and tokens a minute (GCRA): one conditional write that also proves that the key is still good."""

    async def take(self, principal: Principal, tokens: int) -> Mapping[str, str]:
        """Takes one request and `tokens`; gives the `x-ratelimit-…` headers of the answer.

        Raises `RateLimited` (with `retry_after_s` and `told` headers), `Unauthenticated`, `Unavailable`.
        """
        ...

    async def correct(self, principal: Principal, tokens: int) -> None:
        """Takes `tokens` more, or gives them back where negative, once it is known how many there were."""
        ...


class BudgetHold(Protocol):
    """What a request set aside of one budget."""

    @property
    def budget(self) -> Budget: ...


class Budgets[Hold: BudgetHold = Any](Protocol):
    """What was used of budgets, exactly once for each request, whatever crashes in between."""

    async def hold(
        self,
        *,
        organization: str,
        request_id: str,
        budget: Budget,
        target: str,
        cost_nano: int,
        tokens: int,
        lifetime_s: float,
    ) -> Hold:
        """Sets the worst case aside. `target` is the one among a "*" budget's.

        Raises `RateLimited` (`cost_budget_exceeded`, `token_budget_exceeded`), `Unavailable`.
        """
        ...

    async def settle(self, hold: Hold, *, cost_nano: int, tokens: int) -> None:
        """What it was in the end. Idempotent. Raises `Unavailable`; the hold ends by itself then."""
        ...


class Prompts(Protocol):
    """Stored prompts of organizations."""

    async def published(self, organization: str, prompt: str) -> Prompt | None:
        """The version that requests get just now (a minute old at most); None where nothing is published."""
        ...


class PromptRegistry(Protocol):
    """The management of stored prompts. Each method may raise `Unavailable`; ids of others are like missing ones."""

    async def create(self, organization: str, draft: PromptDraft) -> StoredPrompt:
        """Raises `InvalidRequest` (409, `prompt_exists`) where the key is taken."""
        ...

    async def read(self, organization: str, prompt: str) -> StoredPrompt:
        """With its published version, or the newest where none is. Raises `NotFound`."""
        ...

    async def list(self, organization: str, page: Page) -> Listed[StoredPrompt]:
        """The newest first, as `read` gives them. Raises `InvalidRequest` for a cursor that is none of them."""
        ...

    async def change(self, organization: str, prompt: str, change: PromptChange) -> StoredPrompt:
        """With the version that was made; none is where the document is that of the newest or the published one.

        Raises `NotFound`.
        """
        ...

    async def publish(self, organization: str, prompt: str, version: int) -> StoredPrompt:
        """Makes a version the one that requests get, an older one too. Raises `NotFound`."""
        ...

    async def remove(self, organization: str, prompt: str) -> None:
        """Deletes it with all of its versions. Raises `NotFound`."""
        ...

    async def version(self, organization: str, prompt: str, version: int) -> StoredPrompt:
        """With this version. Raises `NotFound`."""
        ...

    async def versions(self, organization: str, prompt: str, page: Page) -> tuple[StoredPrompt, Listed[PromptVersion]]:
        """The newest first; cursors are numbers. Raises `NotFound`, `InvalidRequest`."""
        ...


class Templates(Protocol):
    """Template engines that can do more than put a value in a place: they run apart, bounded in time and room."""

    async def render(self, texts: Sequence[str], values: Mapping[str, Any], engine: Engine) -> list[str]:
        """Each text with its values.

        Raises `InvalidRequest` for a broken template, or one that takes too much. Its `param` is the number of the
        text, None where it is nobody's.
        """
        ...


class Recordings(Protocol):
    """Answers that are kept for a while. `name` is a digest, and so is never a caller's text."""

    async def load(self, organization: str, name: str) -> Recording | None:
        """Raises `Unavailable`."""
        ...

    async def keep(self, organization: str, name: str, recording: Recording, ttl_s: int) -> None:
        """The last one to write stays. Raises `Unavailable`."""
        ...


class Claims(Protocol):
    """Idempotency keys of organizations. `digest` is the SHA-256 of what was asked, in hexadecimal."""

    async def claim(self, organization: str, key: str, digest: str, *, lifetime_s: float) -> Claim:
        """Raises `Unavailable`."""
        ...

    async def complete(self, organization: str, key: str, token: str, answer: Recording) -> None:
        """What the key is answered with for a day. Harmless for a claim that is not ours any more."""
        ...

    async def release(self, organization: str, key: str, token: str) -> None:
        """Lets the next one try. Harmless for a claim that is not ours any more."""
        ...


class Flight(Protocol):
    """One of several requests for the same: the first leads, the others wait for what it lands with."""

    @property
    def leads(self) -> bool: ...

    def land(self, recording: Recording | None) -> None:
        """The leader's, whatever became of it; None: nothing that could be given again. Harmless when repeated."""
        ...

    async def landed(self) -> Recording | None:
        """What the leader landed with. After None, one of those who board again leads."""
        ...


class Flights(Protocol):
    """Requests for the same that are under way in this process."""

    def board(self, organization: str, name: str) -> Flight: ...


class Breakers(Protocol):
    """Which targets are cooling down. `name` is `provider/model`, or that of one organization's own key."""

    async def cooling(self, names: Sequence[str]) -> frozenset[str]:
        """Those among `names` that should be spared now. Never raises: not to know is not to spare."""
        ...

    async def failed(self, name: str, *, retry_after_s: float | None) -> None:
        """One more failure in a row; or a refusal that said how long. Never raises."""
        ...

    def worked(self, name: str) -> None:
        """The row of failures has ended."""
        ...


class Steps(Protocol):
    """Runs, sessions, threads and identities: each request with labels leaves a step, and its sums."""

    async def add(self, step: Step) -> None:
        """Idempotent by the request's id. Raises `Unavailable`."""
        ...


class Activity(Protocol):
    """What steps left behind, for their organization. Each method may raise `Unavailable`."""

    async def listed(self, organization: str, kind: Kind, page: Page) -> Listed[Tracked]:
        """The newest first. Raises `InvalidRequest` for a cursor that is none of them."""
        ...

    async def read(self, organization: str, kind: Kind, label: str) -> Tracked:
        """Raises `NotFound`: labels of others are like missing ones."""
        ...

    async def steps(self, organization: str, kind: Kind, label: str, page: Page) -> Listed[StoredStep]:
        """The oldest first; identities have none. Raises `InvalidRequest` for what is no cursor."""
        ...


class Digests(Protocol):
    """Digests that only this deployment can make: of secrets, for names that stand in a table."""

    async def digest(self, organization: str, data: bytes) -> str:
        """64 hexadecimal digits. Raises `Unavailable`."""
        ...


class Extras(Registries, Protocol):
    """All of them."""

    @property
    def paces(self) -> Paces: ...

    @property
    def budgets(self) -> Budgets: ...

    @property
    def prompts(self) -> Prompts: ...

    @property
    def prompt_registry(self) -> PromptRegistry: ...

    @property
    def templates(self) -> Templates: ...

    @property
    def recordings(self) -> Recordings: ...

    @property
    def claims(self) -> Claims: ...

    @property
    def flights(self) -> Flights: ...

    @property
    def breakers(self) -> Breakers: ...

    @property
    def steps(self) -> Steps: ...

    @property
    def activity(self) -> Activity: ...

    @property
    def digests(self) -> Digests: ...

    @property
    def responses(self) -> Responses: ...

    @property
    def event_logs(self) -> EventLogs: ...

    @property
    def conversations(self) -> Conversations: ...

    @property
    def queue(self) -> Queue: ...

    @property
    def toolbox(self) -> Toolbox: ...

    @property
    def agents(self) -> Agents: ...

    @property
    def stored_tools(self) -> StoredTools: ...
