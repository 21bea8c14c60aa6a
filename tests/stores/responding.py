"""What the tests of stored responses share: responses that are easy to tell apart, and a table that counts."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orrery.core.ports import AwsCall
from orrery.core.responses import Context, Conversation, Origin, StoredResponse
from orrery.core.types import Json
from orrery.stores.attributes import unpack_item
from orrery.stores.conversations import ConversationStore
from orrery.stores.response_events import EventLogStore
from orrery.stores.responses import ResponseStore
from orrery.stores.table import Table
from tests.stores.blobs import MemoryBlobs
from tests.stores.books import NOW, Clock, quick_table

ORG, OTHER = "org-a", "org-b"


@dataclass
class Counting:
    """An `AwsCall` that notes what is asked of it, how many rows come, and how often somebody has to wait for it."""

    call: AwsCall
    actions: list[str] = field(default_factory=list)
    asked: list[tuple[str, Json]] = field(default_factory=list)
    rows: int = 0
    rounds: int = 0
    under_way: int = 0

    async def __call__(self, action: str, payload: Json) -> Json:
        self.actions.append(action)
        self.asked.append((action, payload))
        self.rounds += not self.under_way
        self.under_way += 1
        await asyncio.sleep(0)  # those that are asked at once begin before the first of them is answered
        try:
            answer = await self.call(action, payload)
        finally:
            self.under_way -= 1
        self.rows += len(answer.get("Items", ()))
        return answer

    def taken(self) -> list[str]:
        """What was asked since this was asked; counts begin anew."""
        taken, self.actions = self.actions, []
        self.rows = self.rounds = 0
        return taken


@dataclass
class Kept:
    """The three stores over one table."""

    table: Table
    blobs: MemoryBlobs | None
    clock: Clock

    def __post_init__(self) -> None:
        self.counting = Counting(self.table._call)
        self.counted = quick_table(self.counting, self.table.name)
        self.responses = ResponseStore(self.counted, self.blobs, clock=self.clock)
        self.conversations = ConversationStore(self.counted, self.blobs, clock=self.clock)
        self.events = EventLogStore(self.counted, clock=self.clock)

    async def said(
        self,
        words: str,
        *,
        after: str = "",
        conversation: str = "",
        status: str = "completed",
        organization: str = ORG,
        **more: Any,
    ) -> str:
        """A response that has ended, and its id."""
        response = await self.next(words, after=after, conversation=conversation, organization=organization, **more)
        await self.responses.begin(response)
        assert await self.responses.finish(ended(response, status))
        return response.id

    async def next(
        self, words: str, *, after: str = "", conversation: str = "", organization: str = ORG, **more: Any
    ) -> StoredResponse:
        """One in progress that comes after `after`, or in `conversation`."""
        context: Context | None = None
        if after:
            context = await self.responses.context(organization, after)
        if conversation:
            context = await self.conversations.context(organization, conversation)
        id = self.responses.new_id(context)
        return in_progress(id, words, organization, parent=after, conversation=conversation, **more)

    async def words(self, response: str, organization: str = ORG) -> list[str]:
        """What its context says, the oldest first."""
        return words_in((await self.responses.context(organization, response)).items)

    async def heard(self, conversation: str, organization: str = ORG) -> list[str]:
        """What a conversation says."""
        return words_in((await self.conversations.context(organization, conversation)).items)

    async def conversation(self, *words: str, organization: str = ORG, **metadata: str) -> Conversation:
        return await self.conversations.create(organization, [message(word) for word in words], metadata)

    async def dump(self) -> list[Json]:
        """Every item of the table, as Python values."""
        items: list[Json] = []
        start: Json = {}
        while True:
            page = await self.table.run("Scan", {"ConsistentRead": True} | start)
            items += map(unpack_item, page["Items"])
            if not page.get("LastEvaluatedKey"):
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def message(words: str, role: str = "user") -> Json:
    kind = "input_text" if role == "user" else "output_text"
    return {
        "type": "message",
        "id": f"msg_{role}_{words[:40]}",
        "role": role,
        "content": [{"type": kind, "text": words}],
    }


def words_in(items: Any) -> list[str]:
    return [item["content"][0]["text"] for item in items]


def in_progress(id: str, words: str, organization: str = ORG, **more: Any) -> StoredResponse:
    """It was asked `words`, and has said nothing yet."""
    status = more.pop("status", "in_progress")
    shown = {"id": id, "object": "response", "status": status, "background": more.pop("background", False)}
    return StoredResponse(
        id=id,
        organization=organization,
        status=status,
        created_at=int(NOW),
        shown=shown | {"error": None, "completed_at": None, "output": []},
        input=[message(words)],
        origin=Origin(key_id="key", thread="thread-1"),
        **more,
    )


def queued(id: str, words: str = "?", **more: Any) -> StoredResponse:
    """One in the background, with what it takes to work on it."""
    return in_progress(id, words, status="queued", background=True, request={"model": words}, **more)


def saying(response: StoredResponse, words: str, status: str = "in_progress") -> StoredResponse:
    """With these words said so far."""
    shown = response.shown | {"status": status, "output": [message(words, "assistant")]}
    return replace(response, status=status, shown=shown)  # type: ignore[arg-type]  # it is one


def ended(response: StoredResponse, status: str = "completed") -> StoredResponse:
    """Having answered with its question and an exclamation mark."""
    (question,) = words_in(response.input)
    return saying(response, f"{question}!", status)


def turns(*questions: str) -> list[str]:
    """What is in a context after these turns."""
    return [words for question in questions for words in (question, f"{question}!")]


def texts_of(items: list[Json], blobs: Mapping[Any, bytes] | None = None) -> str:
    """Everything that an auditor can read of a table and of blobs, packed or not."""
    import zlib

    found = []

    def look(value: Any) -> None:
        if isinstance(value, bytes):
            try:
                found.append(zlib.decompress(value).decode())
            except zlib.error:
                found.append(value.decode("latin-1"))
        elif isinstance(value, dict):
            for part in value.values():
                look(part)
        elif isinstance(value, list):
            for part in value:
                look(part)
        else:
            found.append(str(value))

    for item in items:
        look(item)
    for blob in (blobs or {}).values():
        look(blob)
    return "\n".join(found)
