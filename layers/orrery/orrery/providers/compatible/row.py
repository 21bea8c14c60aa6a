"""What can be particular about a provider that speaks OpenAI's chat wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from orrery.core.types import Json, Operation

CHAT_ONLY = frozenset({Operation.CHAT})
CHAT_AND_EMBEDDINGS = CHAT_ONLY | {Operation.EMBEDDINGS}
HEARING = frozenset({Operation.TRANSCRIPTIONS, Operation.TRANSLATIONS})

NOT_OPENAI = frozenset({"cache_control", "thinking", "top_k"})
"""Seed 003's parameters that OpenAI's wire does not have; rows of servers that take one leave it out of `drop`."""

MARKS = frozenset({"cache_control", "prompt_cache_breakpoint"})
"""Where a prompt's cached part ends: marks on content parts and tools. Anthropic's way, and OpenAI's."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Every level of `reasoning_effort`, from the lowest."""

AS_GIVEN: Literal["*"] = "*"
IN_TAGS: Literal["<think>"] = "<think>"
type Replay = Literal["", "reasoning", "reasoning_content", "<think>", "*"]
"""How an earlier message's reasoning goes back: not at all, under this name, in tags before the text, or untouched."""


class Controls(NamedTuple):
    """How a provider is told whether and how much to think. What it documents no way to say is dropped, and named.

    `on`, `off`, `adaptive`: the parameters that say so. `budget`: the dotted name of the one that bounds thinking, in
    tokens. `efforts`: the levels that it takes, in the order of `EFFORTS`; another becomes the next lower one, or the
    lowest there is. `either`: an effort is refused beside `on` or a budget.
    """

    on: Json | None = None
    off: Json | None = None
    adaptive: Json | None = None
    budget: str = ""
    efforts: tuple[str, ...] = ()
    either: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What is particular about a provider. Every fact has its `source` (URL or title) and the day it was `checked`.

    The request. `drop`: parameters it refuses, removed and named to the caller. `rename`: parameters it knows by
    another name. `stream_usage` False: it refuses `stream_options`, and sends usage unasked. `controls`: see there;
    None: both parameters are ordinary ones. `replay`: what it documents to take back, `replay_with_calls`: and insists
    on wherever tools were called, be it empty. `marks`: the marks that it takes on content parts and tools.
    `by_content`: kinds of content parts that it takes with their content only, not by URL.

    The answer. `reasoning_apart`: when it counts reasoning beside `completion_tokens`, not within: always, or where the
    one exceeds the other. `finish_reasons`, `tiers`: its own words for how an answer ended, and for service tiers.
    `failures`: words that say that it failed, with the status that fits. `thinks_in_tags`: answers may begin with
    `<think>`. `details`: the field that holds reasoning piece by piece, with signatures: they are sealed for it alone,
    and go back there.

    `serves`: the operations that it has on OpenAI's wire; what is particular about each stands beside its adapter.
    """

    name: str
    base_url: str
    source: str
    checked: str
    drop: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict)
    needs_key: bool = True
    stream_usage: bool = True
    controls: Controls | None = None
    replay: Replay = ""
    replay_with_calls: bool = False
    marks: frozenset[str] = frozenset({"prompt_cache_breakpoint"})
    by_content: frozenset[str] = frozenset()
    reasoning_apart: Literal["never", "always", "where larger"] = "never"
    finish_reasons: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    tiers: Mapping[str, str] = field(default_factory=dict)
    thinks_in_tags: bool = False
    details: Literal["", "reasoning_details", "content"] = ""
    serves: frozenset[Operation] = CHAT_ONLY
