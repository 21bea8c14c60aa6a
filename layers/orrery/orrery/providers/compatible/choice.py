"""What one choice says, in OpenAI's words and seed 003's names. Whole messages and deltas both go through here."""

from typing import Any

from orrery.core.types import Json
from orrery.providers.answer import text_of
from orrery.providers.compatible.calls import Calls
from orrery.providers.compatible.details import Details
from orrery.providers.compatible.row import Row
from orrery.providers.compatible.think import Think
from orrery.providers.errors import stream_error, upstream_error

OPENAIS = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""OpenAI's finish reasons."""


class Choice:
    """One choice so far. `name` is the answer's id; `begun`: its role was told; `ended`: its finish reason was."""

    __slots__ = ("_row", "begun", "calls", "details", "ended", "think")

    def __init__(self, row: Row, name: str) -> None:
        self._row = row
        self.details = Details()
        self.calls = Calls(name)
        self.think = Think() if row.thinks_in_tags else None
        self.begun = self.ended = False

    def take(self, said: Json, *, whole: bool = False) -> bool:
        """Puts a delta, or a whole message, into OpenAI's words in place; True when something was changed."""
        changed = False
        if isinstance(said.get("content"), list):
            self._listed(said)
            changed = True
        if "reasoning_content" in said:
            _add(said, "reasoning", said.pop("reasoning_content"), unless_there=True)
            changed = True
        if self._row.details == "reasoning_details" and "reasoning_details" in said:
            _add(said, "reasoning", self.details.add(said.pop("reasoning_details")), unless_there=True)
            changed = True
        if self.think is not None and not self.think.plain and isinstance(said.get("content"), str):
            self._part(said, self.think)
            changed = True
        if given := said.get("tool_calls"):
            said["tool_calls"] = self.calls.whole(given) if whole else self.calls.pieces(given)
            changed |= bool(said["tool_calls"] != given)
        return changed

    def rest(self) -> Json:
        """What is left to say at the end of the choice."""
        said: Json = {}
        if self.think is not None:
            reasoning, content = self.think.close()
            _add(said, "reasoning", reasoning)
            _add(said, "content", content)
        if calls := self.calls.rest():
            said["tool_calls"] = calls
        if signature := self.details.sealed(self._row.name):
            said["reasoning_signature"] = signature
        return said

    def reason(self, given: Any, holder: Json) -> str | None:
        """OpenAI's word for how the choice ended; None while it has not. Raises for words that say that it failed.

        New reasons appear from time to time: they ended normally.
        """
        word = text_of(given)
        if word in OPENAIS or not word:
            return word or None
        if word == "error":  # OpenRouter's word, and Mistral's wherever it is served
            raise stream_error(holder)
        if word in self._row.failures:
            raise upstream_error(self._row.failures[word], f"the provider ended its answer with '{word}'")
        return self._row.finish_reasons.get(word, "stop")

    def _listed(self, said: Json) -> None:
        """A content in parts becomes a text, and the reasoning among them what it is."""
        texts = reasoning = ""
        for part in said["content"]:
            kind = part.get("type") if isinstance(part, dict) else None
            if kind == "text":
                texts += text_of(part.get("text"))
            elif kind == "reasoning":
                reasoning += self.details.add([part])
        said["content"] = texts or None
        _add(said, "reasoning", reasoning)

    def _part(self, said: Json, think: Think) -> None:
        reasoning, content = think.feed(said["content"])
        if content or said["content"] == "":
            said["content"] = content
        else:
            del said["content"]
        _add(said, "reasoning", reasoning)


def _add(said: Json, name: str, text: Any, *, unless_there: bool = False) -> None:
    """Puts `text` after what is there; a text that says nothing is left out."""
    there = text_of(said.get(name))
    if isinstance(text, str) and text and not (there and unless_there):
        said[name] = there + text


def joined(said: Json, rest: Json) -> Json:
    """A delta with what is left to say: texts and tool calls after those that it has."""
    found = dict(said)
    for name, value in rest.items():
        found[name] = (found.get(name) or type(value)()) + value
    return found
