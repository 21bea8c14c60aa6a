"""Tools that run inside the gateway: what a model is told of them, how they run, and what a caller sees of that."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from orrery.core.types import Json


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool gave. `output` is what the model hears, text or JSON in text; errors too, in words that help it.

    `failed`: it is an error's text. `detail` are further fields of the item that shows the call (`sources`, `results`).
    """

    output: str = field(repr=False)
    failed: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict, repr=False)


type Ask = Callable[[Json], Awaitable[Json]]
"""Asks a model within this request: a body of `POST /responses` without state; gives the finished resource.

Its cost counts towards the request's bounds, its key, budgets and credit are the request's own. Raises `GatewayError`.
"""

type Embed = Callable[[str, Sequence[str]], Awaitable[Sequence[Sequence[float]]]]
"""Vectors of texts by a model (`provider/model`), charged like any request. Raises `GatewayError`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What surrounds a running tool. `timeout_s` is all the time that one call has; whoever runs it enforces it, too.

    `variables` are the request's, those named in `secrets` in full: tools may use them where their definition says
    `{{name}}`, and tell nobody. `transcript` is the conversation so far. `now` is epoch seconds. `entity` scopes
    memories ("": none).
    """

    organization: str
    timeout_s: float
    now: float
    ask: Ask = field(repr=False)
    embed: Embed = field(repr=False)
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: frozenset[str] = frozenset()
    transcript: Sequence[Json] = field(default=(), repr=False)
    entity: str = ""
    depth: int = 0


class HostedTool(Protocol):
    """One tool, ready to be called.

    `function` is `{"type": "function", "name", "description", "parameters", "strict"}`: what models are told.
    `type` is what its caller named it by (`orq:current_date`, `web_search`, `mcp`). `hidden`: its calls are not shown
    as function calls; the item of `shown` stands for both. `approval`: a call waits for the caller's word.
    """

    @property
    def type(self) -> str: ...

    @property
    def function(self) -> Json: ...

    @property
    def hidden(self) -> bool: ...

    @property
    def approval(self) -> bool: ...

    async def run(self, arguments: Json, setting: Setting) -> Outcome:
        """Runs once. Raises `GatewayError` only where the whole response must fail; else a failed `Outcome`."""
        ...

    def shown(self, call: Json, outcome: Outcome) -> Json:
        """The output item of a call that has run (`call`: its `function_call` item): with a `status`, without `id`."""
        ...

    def asked(self, call: Json) -> Json:
        """The output item that asks for approval of a call; called only where `approval`."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """What one tool of a request turned out to be.

    `tools` run here. `functions` are function tools whose calls the client answers. `items` are output items that tell
    of the opening itself (`mcp_list_tools`), without an id.
    """

    tools: Sequence[HostedTool] = ()
    functions: Sequence[Json] = ()
    items: Sequence[Json] = ()


class Toolbox(Protocol):
    """Makes tools of what requests name."""

    async def open(self, spec: Json, setting: Setting) -> Opened:
        """`spec` is an entry of `tools` that is no function. Raises `InvalidRequest` where it cannot be had here."""
        ...
