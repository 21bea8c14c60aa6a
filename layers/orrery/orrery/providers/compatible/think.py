"""Reasoning that stands in tags before the answer: `<think>…</think>`, wherever the text is cut.

The line breaks next to the tags belong to them: the chat templates of the models that write so put them there, and
take them away again. A tag that comes after the answer's first words is one that the answer speaks of.
"""

import re

OPEN, CLOSE = "<think>", "</think>"
_UNDECIDED = re.compile(r"\n*(?:<(?:/(?:t(?:h(?:i(?:n(?:k)?)?)?)?)?)?)?\Z")
"""What may become the end of the reasoning, at the end of a piece."""


class Think:
    """Parts one text. `plain`: what comes next is all content; `within`: it is reasoning until the tag closes."""

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._held = ""
        self._state = "before"

    @property
    def plain(self) -> bool:
        return self._state == "beyond"

    @property
    def within(self) -> bool:
        """In the midst of the reasoning, with nothing held back."""
        return self._state == "inside" and not self._held

    def feed(self, text: str) -> tuple[str, str]:
        """More of the text: what is decided of it, as reasoning and content."""
        reasoning = ""
        if self._state == "before":
            text = self._before(text)
        if self._state in ("begun", "inside"):
            reasoning, text = self._inside(text)
        if self._state == "closed":
            text = text.lstrip("\n")
            self._state = "beyond" if text else "closed"
        return reasoning, text

    def close(self) -> tuple[str, str]:
        """The text is over: a tag that never closed leaves reasoning, half a tag leaves what it was."""
        held, self._held = self._held, ""
        return ("", held) if self._state == "before" else (held, "")

    def _before(self, text: str) -> str:
        text = self._held + text
        self._held, start = "", text.lstrip()
        if start.startswith(OPEN):
            self._state = "begun"
            return start[len(OPEN) :]
        if OPEN.startswith(start):
            self._held = text
            return ""
        self._state = "beyond"
        return text

    def _inside(self, text: str) -> tuple[str, str]:
        text = self._held + text
        self._held = ""
        if self._state == "begun":
            text = text.lstrip("\n")
            self._state = "inside" if text else "begun"
        reasoning, tag, rest = text.partition(CLOSE)
        if tag:
            self._state = "closed"
            return reasoning.rstrip("\n"), rest
        undecided = _UNDECIDED.search(text)
        place = undecided.start() if undecided else len(text)
        self._held = text[place:]
        return text[:place], ""
