"""Agents, stored tools and memory stores over a real table, for requests through the flow."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from orrery.core.types import Json, Principal
from orrery.edge.reach import Reach
from orrery.edge.vault import LocalVault
from orrery.flow.responding.background import worked
from orrery.stores.table import Table
from orrery.wire.agent_documents import read_agent, read_agent_change
from orrery.wire.memory_documents import read_store
from orrery.wire.tool_documents import read_tool
from tests.fakes import ALICE, FakeReply, FakeTransport, Room, completion, json_reply
from tests.flow.asking import Told
from tests.flow.responding import CHAT, Extras, FakeTool, final, respond

ORG = ALICE.organization
BOB = Principal(key_id="bobbobbobb", organization="org-bob", workflow="main", user="bob")
EMBEDDER = "openai/text-embedding-3-small"


@dataclass
class House:
    """A gateway with agents. `outside` answers what tools send."""

    room: Room
    table: Table
    outside: FakeTransport

    @property
    def extras(self) -> Extras:
        found: Extras = self.room.extras
        return found

    def upstream(self, *replies: Any) -> None:
        self.room.transport.replies += replies

    async def agent(self, key: str = "support", organization: str = ORG, **more: Any) -> None:
        """An agent; `more` are fields of its document, those of its settings among them."""
        await self.extras.agent_registry.create(organization, *read_agent({"key": key, **agent(**more)}))

    async def change(self, key: str, increment: Any = "patch", **change: Any) -> None:
        patch = read_agent_change(key, change)
        await self.extras.agent_registry.change(ORG, key, patch.apply, increment=increment)

    async def tool(self, key: str, organization: str = ORG, **document: Any) -> None:
        made = {"key": key, "path": "Default", "description": f"What {key} does.", **document}
        await self.extras.tool_registry.create(organization, *read_tool(made))

    async def memory_store(self, key: str = "customers", organization: str = ORG) -> None:
        made = {"key": key, "path": "Default", "description": "What we know.", "embedding_config": {"model": EMBEDDER}}
        await self.extras.memory_stores.create(organization, *read_store(made))

    async def told(self, text: Any = "hi", /, *, agent: str = "support", **more: Any) -> Told:
        """The answer of a request of the agent."""
        id, token = more.pop("id", "r1"), more.pop("token", "good")
        return await respond(self.room, {"model": f"agent/{agent}", "input": text, **more}, id=id, token=token)

    async def ask(self, text: Any = "hi", /, **more: Any) -> Json:
        """The resource that it ended with."""
        return final(await self.told(text, **more))

    async def work(self, number: int = 0) -> bool:
        """Works on what is queued."""
        deadline = asyncio.get_running_loop().time() + 600
        return await worked(self.extras.sent.sent[number], "worker", deadline, self.room.gateway())

    def asked(self, number: int = -1) -> Json:
        """The body that a provider got."""
        return self.room.transport.body(number)

    def system(self, number: int = -1) -> str:
        """What a provider was told before the conversation."""
        return "\n".join(m["content"] for m in self.asked(number)["messages"] if m["role"] == "system")

    async def dump_rows(self) -> str:
        """All that the table has."""
        return repr((await self.table.run("Scan", {}))["Items"])

    async def dump(self) -> str:
        """All that the table has, and all that was logged and refused."""
        logged = [vars_of(each) for each in self.room.logged]
        return repr((await self.dump_rows(), logged, self.room.refusals))


def vars_of(exchange: Any) -> Any:
    """What a log line is made of."""
    return replace(exchange, plan=replace(exchange.plan, call=replace(exchange.plan.call, private=None)))


def agent(**more: Any) -> Json:
    """A document; fields of settings may stand beside the others."""
    named = ("max_iterations", "max_execution_time", "max_cost", "tool_approval_required", "tools")
    settings = {name: more.pop(name) for name in named if name in more}
    plain = {"role": "Support", "description": "Helps.", "instructions": "Be kind.", "path": "Default", "model": CHAT}
    return {**plain, "settings": settings, **more}


def agent_house(table: Table, *replies: Any, tools: tuple[FakeTool, ...] = (), keys: Path | None = None) -> House:
    """`replies` are the upstream's. `keys` is where a vault may keep its key."""
    room = Room(extras=Extras(table, **{tool.name: tool for tool in tools}))
    room.keys.known["bob"] = BOB
    room.transport.replies = list(replies)
    outside = FakeTransport()
    old: Reach = room.extras._reached
    vault = LocalVault(keys / "key") if keys else old.vault
    room.extras._reached = replace(old, outside=outside, vault=vault)
    return House(room, table, outside)


def calling(*wanted: tuple[str, Any], text: str | None = None) -> FakeReply:
    """A whole chat answer that calls functions: (name, arguments)."""
    tool_calls = [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": orjson.dumps(arguments).decode()}}
        for n, (name, arguments) in enumerate(wanted)
    ]
    message = {"role": "assistant", "content": text, "refusal": None, "tool_calls": tool_calls}
    return completion(choices=[{"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}])


def vectors(*rows: list[float]) -> FakeReply:
    """What an embedder says."""
    data = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)]
    usage = {"prompt_tokens": 7, "total_tokens": 7}
    return json_reply({"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage})
