"""Items of conversations in short, and what a model is told of them."""

from typing import Any

from orrery.wire.response_history import turn_input
from tests.wire.response_items import Item


def message(text: str, role: str = "user") -> Item:
    return {"type": "message", "id": f"msg_{text}", "role": role, "content": text}


def call(id: str, name: str = "f", arguments: str = "{}", **more: Any) -> Item:
    return {"type": "function_call", "id": f"fc_{id}", "call_id": id, "name": name, "arguments": arguments, **more}


def output(id: str, text: str = "1") -> Item:
    return {"type": "function_call_output", "id": f"fco_{id}", "call_id": id, "output": text}


def ours(id: str, text: str = "now", **more: Any) -> Item:
    head = {"type": "orq:current_date", "id": f"orq_{id}", "status": "completed", "call_id": id}
    return {**head, "name": "f", "arguments": "{}", "output": text, **more}


def request(id: str, name: str = "f", **more: Any) -> Item:
    return {"type": "mcp_approval_request", "id": id, "server_label": "s", "name": name, "arguments": "{}", **more}


def answer(id: str, approve: bool, reason: str | None = None) -> Item:
    return {
        "type": "mcp_approval_response",
        "id": f"mcpa_{id}",
        "approval_request_id": id,
        "approve": approve,
        "reason": reason,
    }


def turn(*own: Item, before: tuple[Item, ...] = (), resolved: dict[str, Item] | None = None) -> list[Item]:
    return turn_input(before, own, resolved=resolved or {})


def told(*own: Item, before: tuple[Item, ...] = ()) -> list[str]:
    """The turn in short: `f(a)` a call, `a=1` its output, else the text."""
    return [_short(item) for item in turn(*own, before=before)]


def _short(item: Item) -> str:
    if item["type"] == "function_call":
        return f"{item['name']}({item['call_id']})"
    if item["type"] == "function_call_output":
        return f"{item['call_id']}={item['output']}"
    return str(item.get("content") or item["type"])


HI, MORE = message("hi"), message("more")
SAID = message("said", "assistant")
