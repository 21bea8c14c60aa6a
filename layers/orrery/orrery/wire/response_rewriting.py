"""Items of tools that did not run at the client, as calls of functions and their outputs: those every dialect has.

An item of this gateway's own tools has the `call_id`, `name`, `arguments` and `output` of its call; the call itself
may stand before it. What tells nothing that a model could use (a list of a server's tools) is left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orrery.core.types import Json
from orrery.wire.body import dumps
from orrery.wire.response_item_shapes import is_extension

NOTHING = "Nothing came of this call."
WAITING = "This call has not run: it waits for the user's approval."
DENIED = "This call has not run: the user did not approve it."

UNTOLD = frozenset({"mcp_list_tools", "mcp_approval_response", "image_generation_call"})
"""Types that are left out. (A picture that was made is no text that a function could have given.)"""

BY_PROVIDERS: Mapping[str, str] = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_interpreter",
    "mcp_call": "mcp",
}
"""Types that providers have, too, and what the function is called where the item does not say."""

_OUTPUTS = ("output", "error", "results", "outputs")
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")


def rewritten(items: Sequence[Json]) -> tuple[list[Json], list[Json]]:
    """All items, in their order, those of hosted tools as functions; and calls that have been approved and not run yet.

    Those stand apart, as their outputs have yet to follow them.
    """
    calls = Calls(items)
    approved = [calls.of(request) for request in calls.approved()]
    apart = {id(call) for call in approved}
    return [each for item in items if id(item) not in apart for each in _rewritten(item, calls)], approved


class Calls:
    """What a list of items says of the calls in it, and of the approval that some of them need."""

    def __init__(self, items: Iterable[Json]) -> None:
        self.requests: dict[str, Json] = {}
        self.replies: dict[str, Json] = {}
        self._shown: dict[str, Json] = {}
        self._unclaimed: dict[tuple[str, str], list[str]] = {}
        self._answered: set[str] = set()
        self._ran: set[str] = set()
        self._meant: dict[str, str] = {}
        for item in items:
            self._note(item)

    def _note(self, item: Json) -> None:
        kind = item["type"]
        if kind == "function_call":
            self._shown[item["call_id"]] = item
            self._unclaimed.setdefault((item["name"], item["arguments"]), []).append(item["call_id"])
            self._answered.discard(item["call_id"])  # providers that count from 0 each time call twice by one id
        elif kind == "mcp_approval_request":
            self.requests[item["id"]] = item
            self._meant[item["id"]] = self._find(item)
        elif kind == "mcp_approval_response":
            self.replies[item["approval_request_id"]] = item
        elif kind == "function_call_output" or kind in BY_PROVIDERS or is_extension(kind):
            self._answered.add(call_id_of(item))
            self._ran.add(str(item.get("approval_request_id")))

    def _find(self, request: Json) -> str:
        """The `call_id` of what is to be approved: it may stand just before, as a call of a function."""
        if request.get("call_id"):
            return str(request["call_id"])
        candidates = self._unclaimed.get((request["name"], request["arguments"]), [])
        while candidates:
            call_id = candidates.pop()
            if call_id not in self._answered:
                return call_id
        return str(request["id"])

    def is_shown(self, call_id: str) -> bool:
        """Whether the function call stands there itself."""
        return call_id in self._shown

    def call_id(self, request: Json) -> str:
        """What names the call that a request for approval is about."""
        return self._meant[request["id"]]

    def of(self, request: Json) -> Json:
        """That call, as a function's."""
        id = self.call_id(request)
        return self._shown.get(id) or function_call(id, request)

    def has_run(self, request: Json) -> bool:
        return request["id"] in self._ran or self.call_id(request) in self._answered

    def approved(self) -> list[Json]:
        """The requests that have been approved, and nothing has come of them yet."""
        replies = self.replies
        return [
            request
            for id, request in self.requests.items()
            if id in replies and replies[id]["approve"] and not self.has_run(request)
        ]


def call_id_of(item: Json) -> str:
    """What names the call that an item tells of: providers' items have but their own id."""
    return str(item.get("call_id") or item["id"])


def _rewritten(item: Json, calls: Calls) -> Iterable[Json]:
    kind = item["type"]
    if kind in UNTOLD:
        return ()
    if kind == "mcp_approval_request":
        return _requested(item, calls)
    if kind in BY_PROVIDERS or is_extension(kind):
        return _ran(item, calls)
    return (item,)


def _ran(item: Json, calls: Calls) -> Iterable[Json]:
    call_id, output = call_id_of(item), _output(item)
    if not output and not calls.is_shown(call_id):
        return ()
    return _pair(call_id, item, output or NOTHING, calls)


def _requested(item: Json, calls: Calls) -> Iterable[Json]:
    """A call that waits for the user's word, or was denied."""
    reply = calls.replies.get(item["id"])
    if calls.has_run(item) or (reply and reply["approve"]):
        return ()
    output = f"{DENIED} {reply.get('reason') or ''}".strip() if reply else WAITING
    return _pair(calls.call_id(item), item, output, calls)


def _pair(call_id: str, item: Json, output: str, calls: Calls) -> Iterable[Json]:
    if not calls.is_shown(call_id):
        yield function_call(call_id, item)
    yield {"type": "function_call_output", "call_id": call_id, "output": output}


def function_call(call_id: str, item: Json) -> Json:
    """The call of a function that an item of a hosted tool tells of."""
    name, arguments = item.get("name"), item.get("arguments")
    if not name or not isinstance(name, str):
        name = BY_PROVIDERS.get(item["type"]) or item["type"]
    return {
        "type": "function_call",
        "call_id": call_id,
        "name": _UNFIT.sub("_", name)[:64],
        "arguments": arguments if isinstance(arguments, str) else _arguments(item),
    }


def _arguments(item: Json) -> str:
    """What a provider's own tool was asked, as far as its item says."""
    told = {name: item[name] for name in ("arguments", "action", "queries", "code") if item.get(name) is not None}
    return dumps(told.pop("arguments", told)).decode()


def _output(item: Mapping[str, Any]) -> str:
    """What the tool said, or why it did not; "" for nothing."""
    for name in _OUTPUTS:
        found = item.get(name)
        if found:
            return found if isinstance(found, str) else dumps(found).decode()
    return ""
