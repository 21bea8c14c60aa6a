"""OpenAI's messages as Cohere's.

"system turn must be the first in the list" ("Errors", docs.cohere.com, read 2026-11-21): system and developer messages
all go there, wherever they stood. A message with tool calls takes no text: "text content is not allowed when
tool_calls are provided. If you wish to pass a tool plan, either pass thinking content (with thinking enabled) or use
'tool_plan'" (the API's own 400, quoted in github.com/vercel/ai/issues/5794, 2025-04-15). So such text is its plan.
"""

from typing import Any

from orrery.core.types import Json
from orrery.providers.cohere.answer import ISSUER, PLAN, THINKING
from orrery.providers.cohere.parts import content_of, text_part
from orrery.providers.layout import APART, described, opened
from orrery.providers.lost import Lost
from orrery.providers.turns import Unanswered, refuse_unsayable


class Conversation:
    """What was read of the messages so far. `thinks` False: the model is told not to think, and takes no thinking."""

    def __init__(self, lost: Lost, *, thinks: bool = True) -> None:
        self._lost = lost
        self._thinks = thinks
        self._system: list[str | list[Json]] = []
        self._turns: list[Json] = []
        self._unanswered = Unanswered()
        self._used: set[str] = set()

    def read(self, messages: list[Json]) -> list[Json]:
        """The messages to send. Raises `InvalidRequest` for what cannot be said."""
        for number, message in enumerate(messages):
            where = f"messages[{number}]"
            refuse_unsayable(message, where)
            for name in ("name", "cache_control"):
                if message.get(name):
                    self._lost.add("messages.name" if name == "name" else name)
            READERS[message["role"]](self, message, where)
        return [*self._instructions(), *self._turns]

    def _instructions(self) -> list[Json]:
        if len(self._system) == 1:
            return [{"role": "system", "content": self._system[0]}]
        parts = [p for content in self._system for p in ([text_part(content)] if isinstance(content, str) else content)]
        return [{"role": "system", "content": parts}] if parts else []

    def system(self, message: Json, where: str) -> None:
        if content := content_of(message.get("content"), f"{where}.content", self._lost):
            self._system.append(content)

    def user(self, message: Json, where: str) -> None:
        content = content_of(message.get("content"), f"{where}.content", self._lost, images=True)
        self._turns.append({"role": "user", "content": content})

    def tool(self, message: Json, where: str) -> None:
        content = content_of(message.get("content"), f"{where}.content", self._lost)
        id = self._unanswered.take(message.get("tool_call_id"), where)
        self._turns.append({"role": "tool", "tool_call_id": id, "content": content})

    def assistant(self, message: Json, where: str) -> None:
        """Messages that say nothing at all are left out: "message must not be empty in a turn"."""
        calls, sent = self._calls(message.get("tool_calls") or ())
        thinking, plan = self._thought(message, bool(calls))
        text = _text_of(message)
        turn: Json = {"role": "assistant"}
        if calls:
            turn["tool_calls"] = calls
            if spoken := APART.join(said for said in (plan, text) if said):
                turn["tool_plan"] = spoken
            text = ""
        if thinking:
            turn["content"] = [{"type": "thinking", "thinking": thinking}, *([text_part(text)] if text else [])]
        elif text:
            turn["content"] = text
        citations = message.get("citations")
        if citations and all(isinstance(each, dict) and "sources" in each for each in citations):
            turn["citations"] = citations
        if len(turn) > 1:
            self._turns.append(turn)
        self._unanswered.begin(sent)

    def _calls(self, theirs: Any) -> tuple[list[Json], dict[str, str]]:
        """The calls, and the ids sent for the caller's: "cannot have duplicate tool ids"."""
        calls, sent = [], {}
        for call in theirs:
            number, id = 1, call["id"]
            while id in self._used:
                number += 1
                id = f"{call['id']}_{number}"
            self._used.add(id)
            sent[call["id"]] = id
            function = {"name": call["function"]["name"], "arguments": call["function"].get("arguments") or "{}"}
            calls.append({"id": id, "type": "function", "function": function})
        return calls, sent

    def _thought(self, message: Json, has_calls: bool) -> tuple[str, str]:
        """The thinking and the tool plan of an answer of Cohere's; what another issuer thought is withheld."""
        told = [(message.get("reasoning") or "", message.get("reasoning_signature") or "")]
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if part.get("type") == "reasoning":
                told.append((part["reasoning"], part.get("signature") or ""))
        kept = {THINKING: "", PLAN: ""}
        for reasoning, signature in told:
            found = _kinds(reasoning, signature, _text_of(message))
            for kind, text in found:
                if kind in kept and (self._thinks if kind == THINKING else has_calls):
                    kept[kind] = APART.join(said for said in (kept[kind], text) if said)
                else:
                    found = []
            if reasoning and not found:
                self._lost.add("messages.reasoning")
        if message.get("redacted_reasoning") or _has(content, "redacted_reasoning"):
            self._lost.add("messages.redacted_reasoning")
        return kept[THINKING], kept[PLAN]


READERS: dict[str, Any] = {
    "system": Conversation.system,
    "developer": Conversation.system,
    "user": Conversation.user,
    "assistant": Conversation.assistant,
    "tool": Conversation.tool,
}


def _kinds(reasoning: str, signature: str, text: str) -> list[tuple[str, str]]:
    """What was thought, each with its kind; nothing where it was not Cohere that thought it."""
    sealed = opened(signature)
    if sealed.issuer != ISSUER:
        return []
    if not sealed.describes:
        return [(sealed.data, reasoning)]
    blocks = described(sealed.data, reasoning, text) or []
    return [(block.data, block.text) for block in blocks if block.kind == "thinking"]


def _has(content: Any, kind: str) -> bool:
    return isinstance(content, list) and any(part.get("type") == kind for part in content)


def _text_of(message: Json) -> str:
    """What the assistant said, or why it refused to."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(part.get("text") or part.get("refusal") or "" for part in content)
    return content or message.get("refusal") or ""
