"""`POST /responses/compact`: what was said so far, in few words, as the input of what comes next.

A model writes the summary, in a turn like any other; the item that holds it is sealed as ours, and every provider that
gets it later reads its text. Source: Open Responses, "Compaction", read 2026-11-21.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import orjson

from orrery.core.errors import UpstreamError
from orrery.core.types import Json
from orrery.flow.gateway import Gateway
from orrery.flow.responding.asked import Asked
from orrery.flow.responding.course import Course
from orrery.flow.responding.handing import answer_of
from orrery.flow.responding.toolset import Toolset
from orrery.flow.serve import Answer
from orrery.wire.compaction import compacted as compaction
from orrery.wire.response_items import new_id

TASK = (
    "Summarise the conversation so far for the assistant that will continue it: goals, facts, decisions, names, "
    "numbers and results of tools that still matter, and what is left to do. Answer with the summary alone."
)
"""What the model is asked for, after the conversation."""


async def compacted(asked: Asked, gateway: Gateway) -> Answer:
    """The compaction. Raises `GatewayError`."""
    task: Json = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": TASK}]}
    body = {name: value for name, value in asked.call.body.items() if name in ("model", "instructions", "input")}
    call = replace(asked.call, body=body, stream=False)
    private = None if asked.private is None else [*asked.private, task]
    asked = replace(asked, call=call, input=[*asked.input, task], private=private, tools=Toolset())
    answer = answer_of(await Course(asked, gateway).begin())
    return replace(answer, batches=_as_compaction(answer.batches))


async def _as_compaction(batches: AsyncGenerator[Sequence[bytes]]) -> AsyncGenerator[Sequence[bytes]]:
    try:
        async for batch in batches:
            yield [orjson.dumps(compaction_of(orjson.loads(payload))) for payload in batch]
    finally:
        await batches.aclose()


def compaction_of(resource: Json) -> Json:
    """A response whose message is the summary, as `response.compaction`.

    Raises `UpstreamError` where there is none: an empty one would be all that is left of the conversation.
    """
    texts = [
        str(part.get("text", ""))
        for item in resource["output"]
        if item.get("type") == "message"
        for part in item.get("content") or ()
    ]
    summary = "".join(texts)
    if not summary.strip():
        raise UpstreamError((resource["error"] or {}).get("message") or "the model gave no summary of the conversation")
    return {
        "id": resource["id"],
        "object": "response.compaction",
        "created_at": resource["created_at"],
        "output": [compaction(summary, new_id("compaction"))],
        "usage": resource["usage"],
    }
