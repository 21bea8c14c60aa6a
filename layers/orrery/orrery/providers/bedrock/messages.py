"""OpenAI's messages as the dialect's `system` and `messages`.

System and developer messages all go to the front, wherever they stood. Same roles in a row become one turn, for the API
joins them itself; the results of a turn's tool calls come first in the next. Where a model refuses what stands beside
results, or begins with the user only, or a document stands without a text, the least that the API lets pass is put in.

Sources, read 2026-11-21: "Message" in botocore 1.44.5's service model; "Conversation blocks and tool result blocks
cannot be provided in the same turn" (the API's 400, quoted in strands-agents/harness-sdk#1223); pydantic/pydantic-ai
#6081 for documents beside results, and its recordings of 2026-08 for what passes.
"""

from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.bedrock.models import Traits
from orrery.providers.bedrock.parts import Parts
from orrery.providers.bedrock.replay import Replay
from orrery.providers.lost import Lost
from orrery.providers.turns import Owed, refuse_unsayable

FILLER = "."
"""A turn or text that says nothing; blank ones are refused."""


class Conversation:
    """What was read of the messages so far: `system` and `turns()` are sent, `called` are the tools of old calls."""

    def __init__(self, traits: Traits, lost: Lost) -> None:
        self.system: list[Json] = []
        self.called: dict[str, None] = {}
        self.parts = Parts(traits, lost)
        self._traits = traits
        self._lost = lost
        self._replay = Replay(traits, self.parts, lost)
        self._turns: list[tuple[str, list[Json], list[Json]]] = []  # the role, tool results, and what else is said
        self._calls = Owed()

    def read(self, messages: list[Json]) -> None:
        """Raises `InvalidRequest` for a call without a result, a result without a call, or nothing to answer."""
        for number, message in enumerate(messages):
            where = f"messages[{number}]"
            refuse_unsayable(message, where)
            if message.get("name"):
                self._lost.add("messages.name")
            READERS[message["role"]](self, message, where)
        self._calls.check()
        if not self._turns:
            raise InvalidRequest("Bedrock's models need a message of the user.", param="messages")

    def instructions(self, message: Json, where: str) -> None:
        content, path = message.get("content"), f"{where}.content"
        for number, part in enumerate(content if isinstance(content, list) else [{"text": content}]):
            self.system += self.parts.of([{"type": "text", **part}], f"{path}[{number}]", marked=False)
            self.parts.caching.mark(self.system, part.get("cache_control"), "system")
        self.parts.caching.mark(self.system, message.get("cache_control"), "system")

    def user(self, message: Json, where: str) -> None:
        blocks = self.parts.of(message.get("content"), f"{where}.content")
        if blocks:
            self.parts.caching.mark(blocks, message.get("cache_control"), "messages")
            self._turn("user")[1].extend(blocks)

    def assistant(self, message: Json, where: str) -> None:
        self._calls.check()
        blocks, calls = self._replay.blocks(message)
        if blocks:
            self.parts.caching.mark(blocks, message.get("cache_control"), "messages")
            self._turn("assistant")[1].extend(blocks)
        self.called |= dict.fromkeys(call["function"]["name"] for call in message.get("tool_calls") or ())
        self._calls.owe(calls, where)

    def tool(self, message: Json, where: str) -> None:
        """A missing id (Orq allows null) answers the first call that has no answer yet."""
        id = self._calls.take(message.get("tool_call_id"), where)
        content = message.get("content")
        said = self.parts.of(content, f"{where}.content", marked=False)
        within = [block for block in said if kind_of(block) in self._traits.within | {"text"}]
        result: Json = {"toolUseId": id, "content": within}
        if message.get("is_error") is True:
            self._mark_error(result)
        results, beside = self._turn("user")
        results.append({"toolResult": result})
        beside += [block for block in said if block not in within]
        marks = [part.get("cache_control") for part in content] if isinstance(content, list) else []
        self.parts.caching.mark(results, next(filter(None, [message.get("cache_control"), *marks]), None), "messages")

    def _mark_error(self, result: Json) -> None:
        """`status`; with it, a result "cannot be empty" (the API's 400, quoted in
        aws-samples/sample-multi-agent-orchestration-chat-on-agentcore#15, 2026-06-01).
        """
        if not self._traits.status:
            self._lost.add("messages.is_error")
            return
        result["status"] = "error"
        result["content"] = result["content"] or [{"text": FILLER}]

    def _turn(self, role: str) -> tuple[list[Json], list[Json]]:
        if not self._turns or self._turns[-1][0] != role:
            self._turns.append((role, [], []))
        return self._turns[-1][1:]

    def turns(self) -> list[Json]:
        """The turns as they are sent."""
        sent: list[Json] = []
        if self._turns[0][0] == "assistant" and not self._traits.begins:
            sent.append(_turn("user", [{"text": FILLER}]))
        for role, results, blocks in self._turns:
            kinds = {kind_of(block) for block in blocks}
            said = [{"text": FILLER}, *blocks] if "document" in kinds and "text" not in kinds else blocks
            if results and kinds - self._traits.beside - {"cachePoint"}:
                sent += [_turn(role, results), _turn("assistant", [{"text": FILLER}]), _turn(role, said)]
            else:
                sent.append(_turn(role, results + said))
        return sent

    def lacks_reasoning(self) -> bool:
        """Whether the turn that is going on began without reasoning: then Claude refuses a thinking budget.

        `orrery.providers.anthropic.messages` has the source.
        """
        role, results, said = self._turns[-1]
        if role == "user":
            if not results:
                return False
            said = self._turns[-2][2]
        return "reasoningContent" not in said[0]


READERS: dict[str, Any] = {
    "system": Conversation.instructions,
    "developer": Conversation.instructions,
    "user": Conversation.user,
    "assistant": Conversation.assistant,
    "tool": Conversation.tool,
}


def kind_of(block: Json) -> str:
    """The kind of a content block: its only name."""
    return next(iter(block))


def _turn(role: str, content: list[Json]) -> Json:
    return {"role": role, "content": content}
