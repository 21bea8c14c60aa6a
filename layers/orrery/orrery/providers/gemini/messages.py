"""OpenAI's messages as the dialect's `systemInstruction` and `contents`.

System and developer messages all go to the front: there is one place for them. Same roles in a row become one content,
but results of functions stand alone ("Function calling", ai.google.dev, read 2026-11-21).
"""

from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.gemini.models import Traits
from orrery.providers.gemini.parts import parts_of
from orrery.providers.gemini.replay import assistant_parts
from orrery.providers.gemini.results import Results
from orrery.providers.lost import Lost

NO_SIGNATURE = "skip_thought_signature_validator"
"""What stands for the signature of a call that Gemini did not make, or whose signature is gone.

Gemini 3 refuses the first call of a step without one. Both documents on thought signatures name this value, Vertex AI's
no other: pydantic/pydantic-ai#3881, read 2026-11-21.
"""


class Conversation:
    """What was read of the messages so far; `system` and `contents` are what is sent."""

    def __init__(self, issuer: str, traits: Traits, lost: Lost) -> None:
        self.system: list[Json] = []
        self.contents: list[Json] = []
        self._issuer = issuer
        self._traits = traits
        self._lost = lost
        self._results = Results(with_media=traits.signed, lost=lost)
        self._joins = False  # whether the last content may grow

    def read(self, messages: list[Json]) -> None:
        """Raises `InvalidRequest` for a call without a result, a result without a call, or nothing to answer."""
        for number, message in enumerate(messages):
            where = f"messages[{number}]"
            if message.get("name") and message["role"] != "function":
                self._lost.add("messages.name")
            READERS[message["role"]](self, message, where)
        self._answer_calls()
        if not self.contents:
            raise InvalidRequest("Gemini models need a message of the user.", param="messages")
        if self._traits.signed:
            for content in self.contents:
                _sign(content)

    def instructions(self, message: Json, where: str) -> None:
        self.system += parts_of(message.get("content"), f"{where}.content", self._lost)

    def user(self, message: Json, where: str) -> None:
        self._answer_calls()
        self._append("user", parts_of(message.get("content"), f"{where}.content", self._lost))

    def assistant(self, message: Json, where: str) -> None:
        self._answer_calls()
        parts, calls = assistant_parts(message, where, self._issuer, self._lost)
        self._append("model", parts)
        self._results.expect(calls, where)

    def tool(self, message: Json, where: str) -> None:
        self._results.add(message, where)

    def function(self, message: Json, where: str) -> None:
        raise InvalidRequest("Messages of the role 'function' are not translated; use 'tool'.", param=f"{where}.role")

    def _append(self, role: str, parts: list[Json]) -> None:
        if not parts:
            return
        if not self._joins or self.contents[-1]["role"] != role:
            self.contents.append({"role": role, "parts": []})
        self.contents[-1]["parts"] += parts
        self._joins = True

    def _answer_calls(self) -> None:
        found = self._results.contents()
        if found:
            self.contents += found
            self._joins = False


READERS: dict[str, Any] = {
    "system": Conversation.instructions,
    "developer": Conversation.instructions,
    "user": Conversation.user,
    "assistant": Conversation.assistant,
    "tool": Conversation.tool,
    "function": Conversation.function,
}


def _sign(content: Json) -> None:
    """Gives the first function call of a model's content a signature, if it has none."""
    for number, part in enumerate(content["parts"]):
        if "functionCall" in part:
            if "thoughtSignature" not in part:
                content["parts"][number] = {**part, "thoughtSignature": NO_SIGNATURE}
            return
