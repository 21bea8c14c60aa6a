"""A tool whose calls wait for the caller's word, whatever it is: agents may want that of each of theirs."""

from dataclasses import dataclass

from orrery.core.tools import HostedTool, Outcome, Setting
from orrery.core.types import Json

LABEL = "orq"
"""Where an approval request names an MCP server, for tools that are at none."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`tool`, but that each call is asked about first. `server_label` and `name` are those of its approval requests."""

    tool: HostedTool
    server_label: str = LABEL
    approval: bool = True

    @property
    def type(self) -> str:
        return self.tool.type

    @property
    def function(self) -> Json:
        return self.tool.function

    @property
    def name(self) -> str:
        return str(self.tool.function["name"])

    @property
    def hidden(self) -> bool:
        """The request stands for the call: a client would take a function call for one of its own."""
        return True

    async def run(self, arguments: Json, setting: Setting) -> Outcome:
        return await self.tool.run(arguments, setting)

    def shown(self, call: Json, outcome: Outcome) -> Json:
        return self.tool.shown(call, outcome)

    def asked(self, call: Json) -> Json:
        """In OpenAI's form (API document 2.3.0, read 2026-11-21): the one that clients know."""
        arguments = call.get("arguments") or "{}"
        return {"type": "mcp_approval_request", "server_label": LABEL, "name": self.name, "arguments": arguments}
