"""The events of a response as those of the older way to ask an agent.

Each is `{type, timestamp, data}`. A part is one text of a message, or one thought. A tool's start is told when its call
is complete, where its name says that it runs here; else together with its end. One that was cancelled has failed.
Source: Orq's field tree of `POST /v2/agents/{key}/responses` (ResponseStreamingEvent), read 2026-11-21. We have no runs
of workflows: `workflowRunId` is the response's id.
"""

from collections.abc import Callable, Mapping

from orrery.core.types import Json
from orrery.wire import agent_answers as answers

OURS = "orq:"
NAMED_BY_ID = frozenset({"orq:http"})
"""Tools whose functions are called by the key of what is stored."""

FAILED_STATUS, CANCELLED_STATUS = 500, 499


class AgentEvents:
    """Turns events of one response into those. `status` is that of the error that ended it, where one is known."""

    def __init__(self, *, message_id: str, trace_id: str, span_id: str, now: Callable[[], float]) -> None:
        self._message_id = message_id
        self._telemetry = {"trace_id": trace_id, "span_id": span_id}
        self._now = now
        self._here: frozenset[str] = frozenset()
        self._started: set[str] = set()
        self.status = 0

    def feed(self, event: Json) -> list[Json]:
        """What an event is there; nothing for most."""
        make = _EVENTS.get(event["type"])
        return [self._event(type, data) for type, data in make(self, event)] if make else []

    def failed(self, message: str, status: int) -> Json:
        """The last event of one whose own end is never told."""
        return self._event("response.failed", {"error": message, "code": status})

    def _event(self, type: str, data: Json) -> Json:
        return {"type": type, "timestamp": answers.instant(self._now()), "data": data}

    def _created(self, event: Json) -> "Told":
        resource = event["response"]
        self._here = frozenset(name for tool in resource.get("tools") or () for name in _names(tool))
        data = {
            "responseId": resource["id"],
            "taskId": resource["id"],
            "model": resource["model"],
            "workflowRunId": resource["id"],
            "telemetry": self._telemetry,
        }
        return [("response.started", data | ({"userMessageId": self._message_id} if self._message_id else {}))]

    def _delta(self, event: Json) -> "Told":
        return [("part.delta", {"partId": _part_id(event), "delta": _part(event, event["delta"])})]

    def _done(self, event: Json) -> "Told":
        text = str(event.get("text") or event.get("refusal") or "")
        return [("part.done", {"partId": _part_id(event), "part": _part(event, text)})]

    def _item(self, event: Json) -> "Told":
        item = event["item"]
        kind, id = item["type"], answers.call_id(item)
        if kind == "mcp_approval_request":
            return [("tool.review.requested", {**_tool(item), "arguments": answers.arguments(item)} | WAITS)]
        if kind == "function_call":
            return self._begin(item) if item["name"] in self._here else []
        if not answers.has_run(item):
            return []
        review = [("tool.review.done", {**_short(item), "review": "approved"})] if _was_asked(item) else []
        begun = [] if id in self._started else self._begin(item)
        if item.get("status") == "failed":
            return [*review, *begun, ("tool.failed", {**_short(item), "error": answers.words(answers.ran(item))})]
        return [*review, *begun, ("tool.done", {**_short(item), "result": answers.ran(item)})]

    def _begin(self, item: Json) -> "Told":
        self._started.add(answers.call_id(item))
        return [("tool.started", {**_tool(item), "arguments": answers.arguments(item)})]

    def _ended(self, event: Json) -> "Told":
        resource = event["response"]
        if resource["status"] in ("failed", "cancelled"):
            usual = CANCELLED_STATUS if resource["status"] == "cancelled" else FAILED_STATUS
            error = answers.failure(resource)["error"]
            return [("response.failed", {"error": error, "code": self.status if self.status >= 400 else usual})]
        data = {
            "finishReason": answers.finish_reason(resource),
            "usage": answers.usage(resource),
            "pendingToolCalls": answers.pending(resource["output"]),
            "telemetry": self._telemetry,
        }
        return [("response.done", {name: value for name, value in data.items() if value is not None})]


type Told = list[tuple[str, Json]]

WAITS = {"requiresApproval": True}


def _names(tool: Json) -> list[str]:
    """What the function of a tool that runs here is called, as far as that can be told beforehand."""
    kind = tool["type"]
    if kind in NAMED_BY_ID:
        return [str(tool.get("tool_id"))]
    return [kind.removeprefix(OURS)] if kind.startswith(OURS) else []


def _part_id(event: Json) -> str:
    place = event.get("content_index", event.get("summary_index", 0))
    return f"{event['item_id']}_{place}"


def _part(event: Json, text: str) -> Json:
    if "reasoning" in event["type"]:
        return {"kind": "reasoning", "reasoning": text}
    return {"kind": "text", "text": text}


def _short(item: Json) -> Json:
    return {"toolId": answers.tool_name(item), "toolCallId": answers.call_id(item)}


def _tool(item: Json) -> Json:
    return {**_short(item), "toolName": answers.tool_name(item)}


def _was_asked(item: Json) -> bool:
    return bool(item.get("approval_request_id"))


_DELTAS = ("output_text", "refusal", "reasoning_summary_text", "reasoning_text", "reasoning")

_EVENTS: Mapping[str, Callable[[AgentEvents, Json], Told]] = {
    "response.created": AgentEvents._created,
    **{f"response.{name}.delta": AgentEvents._delta for name in _DELTAS},
    **{f"response.{name}.done": AgentEvents._done for name in _DELTAS},
    "response.output_item.done": AgentEvents._item,
    "response.completed": AgentEvents._ended,
    "response.incomplete": AgentEvents._ended,
    "response.failed": AgentEvents._ended,
}
