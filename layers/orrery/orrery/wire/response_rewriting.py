"""Items of tools that did not run at the client, as calls of functions and their outputs: those every dialect has.

An item of this gateway's own tools has the `call_id`, `name`, `arguments` and `output` of its call; the call itself
may stand before it. What tells nothing that a model could use (a list of a server's tools) is left out.
"""

import re
from collections import Counter
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
    told: list[Json] = []
    waiting: Counter[str] = Counter()  # calls whose outputs have not come yet
    for item in items:
        if id(item) in apart:
            continue
        for each in _rewritten(item, calls, waiting):
            told.append(each)
            if each["type"] == "function_call":
                waiting[each["call_id"]] += 1
            elif each["type"] == "function_call_output":
                waiting[each["call_id"]] -= 1
    return told, approved


class Calls:
    """What a list of items says of the calls in it, and of the approval that some of them need.

    Ids may come again, as some providers count from 0 each time: an output is that of the last call of its id.
    """

    def __init__(self, items: Iterable[Json]) -> None:
        self.requests: dict[str, Json] = {}
        self.replies: dict[str, Json] = {}
        self._open: dict[str, list[Json]] = {}
        self._unclaimed: dict[tuple[str, str], list[Json]] = {}
        self._meant: dict[str, Json] = {}
        self._answered: set[int] = set()
        self._outputs: set[str] = set()
        for item in items:
            self._note(item)

    def _note(self, item: Json) -> None:
        kind = item["type"]
        if kind == "function_call":
            self._open.setdefault(item["call_id"], []).append(item)
            self._unclaimed.setdefault((item["name"], item["arguments"]), []).append(item)
        elif kind == "mcp_approval_request":
            self.requests[item["id"]] = item
            self._meant[item["id"]] = self._find(item)
        elif kind == "mcp_approval_response":
            self.replies[item["approval_request_id"]] = item
        elif kind == "function_call_output" or kind in BY_PROVIDERS or is_extension(kind):
            self._outputs.update((call_id_of(item), str(item.get("approval_request_id"))))
            calls = self._open.get(call_id_of(item))
            if calls:
                self._answered.add(id(calls.pop()))

    def _find(self, request: Json) -> Json:
        """The call that is to be approved: it may stand before its request, as a call of a function."""
        candidates = self._unclaimed.get((request["name"], request["arguments"]), [])
        while candidates:
            call = candidates.pop()
            if id(call) not in self._answered:
                return call
        return function_call(call_id_of(request), request)

    def of(self, request: Json) -> Json:
        """The call that a request for approval is about, as a function's."""
        return self._meant[request["id"]]

    def has_run(self, request: Json) -> bool:
        """Whether something has come of that call: an item of its own, or one that names the request."""
        call = self.of(request)
        return id(call) in self._answered or request["id"] in self._outputs or request.get("call_id") in self._outputs

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


def _rewritten(item: Json, calls: Calls, waiting: Counter[str]) -> Sequence[Json]:
    kind = item["type"]
    if kind in UNTOLD:
        return ()
    if kind == "mcp_approval_request":
        return _requested(item, calls, waiting)
    if kind in BY_PROVIDERS or is_extension(kind):
        return _ran(item, waiting)
    return (item,)


def _ran(item: Json, waiting: Counter[str]) -> Sequence[Json]:
    call_id, output = call_id_of(item), _output(item)
    if not output and waiting[call_id] <= 0:
        return ()
    return _pair(call_id, item, output or NOTHING, waiting)


def _requested(item: Json, calls: Calls, waiting: Counter[str]) -> Sequence[Json]:
    """A call that waits for the user's word, or was denied."""
    reply = calls.replies.get(item["id"])
    if calls.has_run(item) or (reply and reply["approve"]):
        return ()
    output = f"{DENIED} {reply.get('reason') or ''}".strip() if reply else WAITING
    return _pair(calls.of(item)["call_id"], item, output, waiting)


def _pair(call_id: str, item: Json, output: str, waiting: Counter[str]) -> Sequence[Json]:
    """The output, and before it the call, where that does not stand there already."""
    heard = {"type": "function_call_output", "call_id": call_id, "output": output}
    return (heard,) if waiting[call_id] > 0 else (function_call(call_id, item), heard)


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
