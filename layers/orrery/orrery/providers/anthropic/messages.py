"""OpenAI's messages as the dialect's `system` and `messages`.

System and developer messages all go to the front, wherever they stood: only some models take them in between, with
rules about their place ("Mid-conversation system messages", platform.claude.com, read 2026-11-21), and none loses
their words this way. Same roles in a row become one turn. The results of a turn's tool calls come first in the next.
"""

from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.anthropic.parts import blocks_of
from orrery.providers.anthropic.replay import Ids, assistant_blocks
from orrery.providers.lost import Lost
from orrery.providers.turns import Owed


class Conversation:
    """What was read of the messages so far; `system` and `turns` are what is sent."""

    def __init__(self, lost: Lost) -> None:
        self.system: list[Json] = []
        self.turns: list[Json] = []
        self._lost = lost
        self._ids = Ids()
        self._calls = Owed()
        self._results = 0  # how many lead the last turn

    def read(self, messages: list[Json]) -> None:
        """Raises `InvalidRequest` for a call without a result, a result without a call, or nothing to answer."""
        for number, message in enumerate(messages):
            where = f"messages[{number}]"
            if message.get("name") and message["role"] != "function":
                self._lost.add("messages.name")
            READERS[message["role"]](self, message, where)
        self._calls.check()
        if not self.turns:
            raise InvalidRequest("Anthropic's models need a message of the user.", param="messages")

    def instructions(self, message: Json, where: str) -> None:
        self.system += self._content(message, where)

    def user(self, message: Json, where: str) -> None:
        self._append("user", self._content(message, where))

    def assistant(self, message: Json, where: str) -> None:
        self._calls.check()
        blocks, calls = assistant_blocks(message, where, self._ids, self._lost)
        self._append("assistant", blocks)
        self._calls.owe(calls, where)

    def tool(self, message: Json, where: str) -> None:
        """A missing id (Orq allows null) answers the first call that has no answer yet."""
        id = self._calls.take(message.get("tool_call_id"), where)
        result: Json = {"type": "tool_result", "tool_use_id": id}
        if content := blocks_of(message.get("content"), f"{where}.content", self._lost):
            result["content"] = content
        if message.get("is_error") is True:
            result["is_error"] = True
        if message.get("cache_control"):
            result["cache_control"] = message["cache_control"]
        turn = self._turn("user")
        turn["content"].insert(self._results, result)
        self._results += 1

    def function(self, message: Json, where: str) -> None:
        raise InvalidRequest("Messages of the role 'function' are not translated; use 'tool'.", param=f"{where}.role")

    def _content(self, message: Json, where: str) -> list[Json]:
        blocks = blocks_of(message.get("content"), f"{where}.content", self._lost)
        if blocks and message.get("cache_control"):
            blocks[-1]["cache_control"] = message["cache_control"]
        return blocks

    def _append(self, role: str, blocks: list[Json]) -> None:
        if blocks:
            self._turn(role)["content"] += blocks

    def _turn(self, role: str) -> Json:
        if not self.turns or self.turns[-1]["role"] != role:
            self.turns.append({"role": role, "content": []})
            self._results = 0
        return self.turns[-1]


READERS: dict[str, Any] = {
    "system": Conversation.instructions,
    "developer": Conversation.instructions,
    "user": Conversation.user,
    "assistant": Conversation.assistant,
    "tool": Conversation.tool,
    "function": Conversation.function,
}


def lacks_thinking(turns: list[Json]) -> bool:
    """Whether the turn that is going on began without a thinking block: then a thinking budget is a 400.

    Source: the API's own message, quoted in OpenRouterTeam/ai-sdk-provider#162 (2025-08-21); adaptive thinking does
    not ask for it ("Thinking", platform.claude.com, read 2026-11-21).
    """
    last = turns[-1]
    if last["role"] == "user":
        if last["content"][0]["type"] != "tool_result":
            return False
        last = turns[-2]
    return last["content"][0]["type"] not in ("thinking", "redacted_thinking")
