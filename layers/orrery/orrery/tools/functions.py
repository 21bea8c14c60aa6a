"""What tools of the gateway have in common: how a model is told of one, and the item that shows what it did."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.tools import Outcome, Setting
from orrery.core.types import Json

PARAM = "tools"
LABEL = "orq"
"""Where an approval request names an MCP server: these tools are at none."""

type Work = Callable[[Json, Setting], Awaitable[Outcome]]


def function(name: str, description: str, properties: Mapping[str, Json], required: Sequence[str] = ()) -> Json:
    """A function tool of a Responses body. Not strict: OpenAI's strict mode demands that every property be required."""
    parameters = {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": parameters,
        "strict": False,
    }


def text(description: str) -> Json:
    """The schema of an argument that is words."""
    return {"type": "string", "description": description}


@dataclass(frozen=True, slots=True)
class Tool:
    """`core.tools.HostedTool` whose item has the tool's own type (wire.md 1.A.9: `orq:<tool>` after the call).

    `work` is what it does; it may hold keys and secrets, so that it shows in no repr.
    """

    type: str
    function: Json
    work: Work = field(repr=False)
    hidden: bool = False
    approval: bool = False

    @property
    def server_label(self) -> str:
        """With `name`, what an approval finds its tool by."""
        return LABEL

    @property
    def name(self) -> str:
        return str(self.function["name"])

    async def run(self, arguments: Json, setting: Setting) -> Outcome:
        return await self.work(arguments, setting)

    def shown(self, call: Json, outcome: Outcome) -> Json:
        return {**outcome.detail, "type": self.type, **named(call), "output": outcome.output, "status": status(outcome)}

    def asked(self, call: Json) -> Json:
        """In OpenAI's form, the one that clients know (API document 2.3.0, read 2026-11-21)."""
        arguments = call.get("arguments") or "{}"
        return {"type": "mcp_approval_request", "server_label": LABEL, "name": self.name, "arguments": arguments}


def named(call: Json) -> Json:
    """What an item repeats of the call that it belongs to."""
    return {key: call.get(key, "") for key in ("call_id", "name", "arguments")}


def status(outcome: Outcome) -> str:
    return "failed" if outcome.failed else "completed"


def failed(words: str) -> Outcome:
    """What the model hears of a call that came to nothing."""
    return Outcome(f"Error: {words}", failed=True)


def refused(message: str) -> InvalidRequest:
    """A tool that cannot be had as its caller wrote it."""
    return InvalidRequest(message, param=PARAM)


def words(arguments: Json, name: str, most: int) -> str:
    """An argument that must be words, or "" where it is none. Models send anything."""
    found: Any = arguments.get(name)
    return found.strip()[:most] if isinstance(found, str) else ""
