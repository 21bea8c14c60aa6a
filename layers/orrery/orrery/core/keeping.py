"""What responses and agents need kept, as protocols; `edge/extras.py` makes each at its first use.

Each method may raise `Unavailable`. Ids of other organizations are like missing ones.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from orrery.core.agents import Agent, StoredDocument
from orrery.core.pages import Listed, Page
from orrery.core.responses import Context, Conversation, EventLog, StoredResponse, Work
from orrery.core.types import Json


class Responses(Protocol):
    """Stored responses: written as they begin, before what they cost is charged, and as they end."""

    def new_id(self, context: Context | None = None) -> str:
        """The id of a response that comes after `context`: `resp_` and letters and digits. It says where it stands."""
        ...

    async def context(self, organization: str, response: str) -> Context:
        """What came before the next response after this one, itself included; in one round trip, strongly read.

        Raises `NotFound` (`previous_response_not_found`) where it, or any ancestor, is gone, or has not ended
        well enough to be continued (queued, in_progress, failed, cancelled); `TooLarge` where it is more than the
        gateway carries. What is read so is kept for longer.
        """
        ...

    async def begin(self, response: StoredResponse) -> None:
        """Writes a queued response, or one in progress. Its second arrival is harmless.

        Raises `NotFound` where its conversation is gone, `TooLarge` (so do `save` and `finish`) where there is no room.
        """
        ...

    async def save(self, response: StoredResponse) -> bool:
        """Keeps what a response in progress has so far, before it is charged. False: it was cancelled, or is gone."""
        ...

    async def finish(self, response: StoredResponse) -> bool:
        """What it became. Its second arrival is harmless; one that `begin` never reached is written whole.

        False where it was cancelled meanwhile (what it had said so far is kept then, its status stays), was deleted,
        or has been read as failed (nothing is written).
        """
        ...

    async def read(self, organization: str, response: str) -> StoredResponse:
        """Strongly. Raises `NotFound`.

        One that has not ended although its deadline has passed, or its worker's lease, has failed from here on.
        """
        ...

    async def items(self, organization: str, ids: Sequence[str]) -> Mapping[str, Json]:
        """Items of stored responses, by their ids; those that are not there are left out."""
        ...

    async def cancel(self, organization: str, response: str) -> StoredResponse:
        """Ends a background response that has not ended; one that has is given as it is.

        Raises `NotFound`; `InvalidRequest` for one that is not in the background.
        """
        ...

    async def delete(self, organization: str, response: str) -> None:
        """It, its body and its events are gone when this returns. Raises `NotFound`.

        One that was interrupted is gone for readers; repeated, it ends.
        """
        ...

    async def claim(self, organization: str, response: str, *, owner: str, lease_s: float) -> StoredResponse | None:
        """Takes a queued response to work on it, for `lease_s`. None: nothing to do (ended, gone, somebody is at it).

        One whose worker's lease ran out ends as failed, with what was saved: it is not begun again, for tools may
        have acted.
        """
        ...

    async def beat(self, organization: str, response: str, *, owner: str, lease_s: float) -> bool:
        """Still at it. False: it was cancelled, deleted, or taken for dead; the worker must stop."""
        ...


class EventLogs(Protocol):
    """Events of background responses, so that a stream can be taken up where it broke off."""

    async def append(
        self, organization: str, response: str, first: int, events: Sequence[bytes], *, last: bool = False
    ) -> None:
        """`first` is the sequence number of the first. A second arrival of the same is harmless.

        Nothing is written for a response that is gone, or was not begun as one with `events`.
        """
        ...

    async def after(self, organization: str, response: str, number: int) -> EventLog:
        """Those with a sequence number above `number` (-1: all), strongly read: up to a gap, or some MiB at once.

        `ended` is not known for a `number` above the last one's: the response says it.
        """
        ...


class Conversations(Protocol):
    """Conversations: items that several responses share."""

    async def create(self, organization: str, items: Sequence[Json], metadata: Mapping[str, str]) -> Conversation:
        """Ids are `conv_…`. Items have ids already."""
        ...

    async def read(self, organization: str, conversation: str) -> Conversation:
        """Raises `NotFound`."""
        ...

    async def change(self, organization: str, conversation: str, metadata: Mapping[str, str]) -> Conversation:
        """With this metadata in place of its own. Raises `NotFound`."""
        ...

    async def delete(self, organization: str, conversation: str) -> None:
        """With its items, and the responses that are in it. Raises `NotFound`."""
        ...

    async def context(self, organization: str, conversation: str) -> Context:
        """Every item, oldest first; in one round trip, strongly read. Raises `NotFound`."""
        ...

    async def add(self, organization: str, conversation: str, items: Sequence[Json]) -> None:
        """More items at its end. Raises `NotFound`."""
        ...

    async def items(self, organization: str, conversation: str, page: Page, *, newest_first: bool) -> Listed[Json]:
        """Raises `NotFound`, `InvalidRequest` for a cursor that is none of its items'."""
        ...


class Queue(Protocol):
    """Work that goes on after its request has been answered."""

    async def send(self, work: Work) -> None:
        """At least once, somebody will do it."""
        ...


class Agents(Protocol):
    """Agents, as requests use them."""

    async def resolve(self, organization: str, key: str, version: str) -> Agent:
        """`version` is one, an environment, "latest", or "" for what is live.

        Raises `NotFound` (`Agent 'K' not found`, `version @X not found for agent K`).
        """
        ...


class StoredTools(Protocol):
    """Tools that an organization keeps."""

    async def find(self, organization: str, tool: str) -> StoredDocument:
        """By id or by key, with what was sealed in it opened. Raises `NotFound`."""
        ...
