"""The items of a response's input as the messages of a chat.

What one answer of a model said, reasoning, words and calls, is one message of the assistant; the results of its calls
follow it at once, as every chat wants them, wherever they stood. Which items are of one answer: those that its sealed
reasoning names, else those that stand together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.bridge.response_parts import SAID, SHOWN, TEXTS, contents, marks_of, refuse_others, text_part
from orrery.providers.bridge.response_pictures import as_image
from orrery.providers.bridge.response_reasoning import Thoughts, unsealed
from orrery.providers.layout import APART
from orrery.providers.lost import Lost
from orrery.wire.compaction import as_message

RECEIPTS = frozenset({"web_search_call", "file_search_call", "code_interpreter_call", "mcp_list_tools", "mcp_call"})
"""Items that say what a provider's own tools did: where another provider goes on, what was said of it is there."""

_INSTRUCTING = ("system", "developer")
_ANSWERING = TEXTS | {"refusal"}


def messages_of(items: Sequence[Json], provider: str, lost: Lost) -> list[Json]:
    """The messages, for a provider that reads what was sealed for it and nothing else of that kind.

    What is left out is named in `lost`. Raises `InvalidRequest` for what no chat can say.
    """
    history = _History(provider, lost)
    for number, item in enumerate(items):
        history.add(item, f"input[{number}]")
    return history.messages()


class _Answer:
    """One message of the assistant, as its items come, and the results of its calls."""

    def __init__(self, thoughts: Thoughts | None = None) -> None:
        self.thoughts = thoughts
        self.results: list[Json] = []
        self.calls: list[Json] = []
        self._texts: list[Json] = []
        self._refusals: list[str] = []
        self._images: list[Json] = []
        self._has_content = self._goes_on = False

    def takes(self, content: Any) -> bool:
        """Whether a message with this content is more of the same answer."""
        if not self._has_content or self._goes_on:
            return True
        said = self.thoughts.said if self.thoughts else None
        return bool(self.calls) if said is None else self._length + _length(content) <= said

    def think(self, more: Thoughts) -> None:
        """What another item of reasoning tells of it."""
        self.thoughts = self.thoughts or Thoughts()
        self.thoughts.merge(more)
        self._goes_on = more.said is None  # else it was the last word
        for call in self.calls:
            call.update(more.calls.get(call["id"], {}))

    def say(self, content: Any) -> None:
        """More of its text: as one string, which signatures may be about."""
        parts = content if isinstance(content, list) else [{"type": "output_text", "text": content or ""}]
        first = True
        for part in parts:
            if part.get("type") == "refusal":
                self._refusals.append(str(part.get("refusal") or ""))
            elif part.get("type") in TEXTS:
                found = {**text_part(part), **marks_of(part)}
                self._texts.append(self._parted(found) if first else found)
                first = False
        self._has_content, self._goes_on = True, False

    def _parted(self, found: Json) -> Json:
        """A text after others of the answer: apart from them, unless it is known to be as it came."""
        if self.thoughts is not None or not self._texts:
            return found
        before, text = self._texts[-1]["text"], found["text"]
        is_apart = not before or not text or before[-1].isspace() or text[0].isspace()
        return found if is_apart else {**found, "text": APART + text}

    def call(self, item: Json) -> None:
        id = item["call_id"]
        signed = self.thoughts.calls.get(id, {}) if self.thoughts else {}
        function = {"name": item["name"], "arguments": item.get("arguments") or "{}"}
        self.calls.append({"id": id, "type": "function", "function": function, **signed})

    def show(self, image: Json) -> None:
        self._images.append({"index": len(self._images), **image})

    def messages(self) -> list[Json]:
        """The message and the results; none for an answer that came to nothing but thoughts."""
        if not (self._has_content or self.calls or self._images):
            return self.results
        message: Json = {"role": "assistant", "content": self._content()}
        if self._refusals:
            message["refusal"] = "".join(self._refusals)
        if self.calls:
            message["tool_calls"] = self.calls
        if self._images:
            message["images"] = self._images
        return [message | (self.thoughts.message if self.thoughts else {}), *self.results]

    def _content(self) -> str | list[Json] | None:
        if any(len(text) > 2 for text in self._texts):
            return self._texts  # with marks, which a string has no place for
        return "".join(text["text"] for text in self._texts) if self._texts else None

    @property
    def _length(self) -> int:
        return sum(len(text["text"]) for text in self._texts)


class _History:
    """The messages so far. `_open` is the answer that the next item may be of."""

    def __init__(self, provider: str, lost: Lost) -> None:
        self._provider = provider
        self._lost = lost
        self._all: list[Json | _Answer] = []
        self._open: _Answer | None = None
        self._calling: dict[str, _Answer] = {}  # by the ids of calls
        self._named: dict[str, _Answer] = {}  # the same, of calls that are still to come

    def add(self, item: Json, where: str) -> None:
        kind = item.get("type") or "message"
        add = _ADD.get(kind)
        if add is not None:
            add(self, item, where)
        elif kind in RECEIPTS:
            self._lost.add(f"input.{kind}")
        else:
            raise InvalidRequest(
                f"This model is served as a chat, which knows no items of type '{kind}'.", param=f"{where}.type"
            )

    def messages(self) -> list[Json]:
        return [found for one in self._all for found in (one.messages() if isinstance(one, _Answer) else [one])]

    def message(self, item: Json, where: str) -> None:
        role, content = item.get("role"), item.get("content")
        if role == "assistant":
            refuse_others(content, f"{where}.content", _ANSWERING)
            if self._open is None or not self._open.takes(content):
                self._begin(None)
            self._answer().say(content)
            return
        self._open = None
        kinds = TEXTS if role in _INSTRUCTING else SAID
        self._all.append({"role": role, "content": contents(content, f"{where}.content", kinds)})

    def reasoning(self, item: Json, where: str) -> None:
        thoughts = unsealed(item.get("encrypted_content"), self._provider)
        if thoughts is None:
            if item.get("encrypted_content"):
                self._lost.add("input.reasoning")
            return
        if not thoughts.after:
            answer = self._begin(thoughts)
        elif self._open is None:
            return  # what it belongs to is not here
        else:
            answer = self._open
            answer.think(thoughts)
        self._named |= dict.fromkeys(thoughts.calls.keys() - {call["id"] for call in answer.calls}, answer)

    def function_call(self, item: Json, where: str) -> None:
        id = item["call_id"]
        answer = self._named.pop(id, None) or self._answer()
        answer.call(item)
        self._calling[id] = answer

    def function_call_output(self, item: Json, where: str) -> None:
        self._open = None
        content = contents(item.get("output"), f"{where}.output", SHOWN)
        failed = {"is_error": True} if item.get("is_error") is True else {}
        result = {"role": "tool", "tool_call_id": item["call_id"], "content": content, **failed, **marks_of(item)}
        caller = self._calling.get(item["call_id"])
        (self._all if caller is None else caller.results).append(result)

    def compaction(self, item: Json, where: str) -> None:
        message = as_message(item)
        if message is None:
            raise InvalidRequest(
                "This compaction was not made here: only who made it can read it.", param=f"{where}.encrypted_content"
            )
        self.message(message, where)

    def picture(self, item: Json, where: str) -> None:
        image = as_image(item)
        if image is None:
            self._lost.add("input.image_generation_call")
        else:
            self._answer().show(image)

    def _answer(self) -> _Answer:
        return self._open or self._begin(None)

    def _begin(self, thoughts: Thoughts | None) -> _Answer:
        self._open = _Answer(thoughts)
        self._all.append(self._open)
        return self._open


_ADD: Mapping[str, Callable[[_History, Json, str], None]] = {
    "message": _History.message,
    "reasoning": _History.reasoning,
    "function_call": _History.function_call,
    "function_call_output": _History.function_call_output,
    "compaction": _History.compaction,
    "image_generation_call": _History.picture,
}


def _length(content: Any) -> int:
    parts = content if isinstance(content, list) else [{"text": content}]
    return sum(len(part.get("text") or "") for part in parts)
