"""OpenAI's messages as Mistral's: the same roles and shapes, but no field that its schema lacks ("Extra inputs are not
permitted", 422), and orders of roles that it refuses.

"Unexpected role 'system' after role 'assistant'" (400; `_validate_message_order` of mistral-common 1.11.7): what is
said there goes to the front, to the other instructions; elsewhere it stays. A user's message after a tool's is lawful
since mistral-common of 2026-04-27, and goes on as it came; models of before refuse it in their own words.
"""

from typing import Any

from orrery.core.types import Json
from orrery.providers.layout import Block, described, opened
from orrery.providers.lost import Lost
from orrery.providers.mistral.answer import ISSUER, signature_in
from orrery.providers.mistral.ids import Ids
from orrery.providers.mistral.parts import content_of
from orrery.providers.turns import Unanswered, refuse_unsayable


class Conversation:
    """What was read of the messages so far."""

    def __init__(self, lost: Lost) -> None:
        self._lost = lost
        self._front: list[Json] = []
        self._turns: list[Json] = []
        self._ids = Ids()
        self._unanswered = Unanswered()

    def read(self, messages: list[Json]) -> list[Json]:
        """The messages to send. Raises `InvalidRequest` for what cannot be said."""
        for number, message in enumerate(messages):
            where = f"messages[{number}]"
            refuse_unsayable(message, where)
            if message.get("name") and message["role"] != "tool":
                self._lost.add("messages.name")
            if message.get("cache_control"):
                self._lost.add("cache_control")
            READERS[message["role"]](self, message, where)
        return [*self._front, *self._turns]

    def system(self, message: Json, where: str) -> None:
        turn = {"role": "system", "content": content_of(message.get("content"), f"{where}.content", self._lost)}
        after = self._turns[-1]["role"] if self._turns else ""
        (self._front if after in ("assistant", "tool") else self._turns).append(turn)

    def user(self, message: Json, where: str) -> None:
        content = content_of(message.get("content"), f"{where}.content", self._lost)
        self._turns.append({"role": "user", "content": content})

    def tool(self, message: Json, where: str) -> None:
        content = content_of(message.get("content"), f"{where}.content", self._lost)
        id = self._ids.of(self._unanswered.take(message.get("tool_call_id"), where))
        name = {"name": message["name"]} if message.get("name") else {}
        self._turns.append({"role": "tool", "tool_call_id": id, **name, "content": content})

    def assistant(self, message: Json, where: str) -> None:
        """Thinking goes back where it was: "always replay the full assistant message" ("Reasoning", docs.mistral.ai).

        `prefix` is Mistral's own: the answer begins with this message. Messages that say nothing are left out.
        """
        calls = [self._call(call) for call in message.get("tool_calls") or ()]
        content = self._content(message)
        turn: Json = {"role": "assistant"}
        if content:
            turn["content"] = content
        if calls:
            turn["tool_calls"] = calls
        if len(turn) > 1:
            self._turns.append(turn if message.get("prefix") is not True else {**turn, "prefix": True})
        self._unanswered.begin({call["id"]: call["id"] for call in message.get("tool_calls") or ()})

    def _call(self, call: Json) -> Json:
        function = {"name": call["function"]["name"], "arguments": call["function"].get("arguments") or "{}"}
        return {"id": self._ids.of(call["id"]), "type": "function", "function": function}

    def _content(self, message: Json) -> str | list[Json]:
        """A string where there is no thinking, else chunks. What another issuer thought is withheld."""
        content = message.get("content")
        blocks = self._parts(content) if isinstance(content, list) else _text(content)
        if not any(block.kind == "thinking" for block in blocks):
            blocks = self._with_thinking(message, blocks)
        if message.get("redacted_reasoning"):
            self._lost.add("messages.redacted_reasoning")
        blocks += _text(message.get("refusal"))
        if any(block.kind == "thinking" for block in blocks):
            return [_chunk(block) for block in blocks if block.text or block.kind == "thinking"]
        return "".join(block.text for block in blocks)

    def _with_thinking(self, message: Json, blocks: list[Block]) -> list[Block]:
        """The blocks with seed 003's `reasoning` before them, or in the places that our own signature gives it."""
        reasoning, sealed = message.get("reasoning") or "", opened(message.get("reasoning_signature") or "")
        if sealed.issuer == ISSUER and sealed.describes:
            found = described(sealed.data, reasoning, "".join(block.text for block in blocks))
            if found is not None:
                return [block for block in found if block.kind in ("thinking", "text")]
        elif sealed.issuer == ISSUER and sealed.data:
            return [Block("thinking", data=sealed.data, text=reasoning), *blocks]
        if reasoning or sealed.data:
            self._lost.add("messages.reasoning")
        return blocks

    def _parts(self, parts: list[Json]) -> list[Block]:
        blocks: list[Block] = []
        for part in parts:
            kind = part.get("type")
            sealed = opened(part.get("signature") or "")
            if part.get("cache_control"):
                self._lost.add("cache_control")
            if kind == "reasoning" and sealed.issuer == ISSUER and not sealed.describes:
                blocks.append(Block("thinking", data=sealed.data, text=part["reasoning"]))
            elif kind in ("reasoning", "redacted_reasoning"):
                self._lost.add(f"messages.{kind}")
            else:
                blocks += _text(part.get("text") or part.get("refusal"))
        return blocks


READERS: dict[str, Any] = {
    "system": Conversation.system,
    "developer": Conversation.system,
    "user": Conversation.user,
    "assistant": Conversation.assistant,
    "tool": Conversation.tool,
}


def _text(text: Any) -> list[Block]:
    return [Block("text", text=text)] if text else []


def _chunk(block: Block) -> Json:
    if block.kind == "text":
        return {"type": "text", "text": block.text}
    signature = signature_in(block.data)
    chunk: Json = {"type": "thinking", "thinking": [{"type": "text", "text": block.text}]}
    return {**chunk, "signature": signature} if signature else chunk
