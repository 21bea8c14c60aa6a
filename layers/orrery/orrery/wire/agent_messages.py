"""The older way to ask an agent, `POST /v2/agents/{key}/responses`: its messages of parts as a request for a response.

`task_id` continues what that response said: it is the id of one, and each answer's own `task_id` is the next one's; an
older id branches off there. `tool` messages bring results of calls that were pending. Where a call waited for a word,
its result is that word: `"approved"` or `"rejected"`, or `{"review", "reason"}`. `metadata` may hold anything: what is
no string is kept as JSON. `background` alone says whether the answer is waited for; `configuration.blocking` is taken
and changes nothing. `engine` counts where the request brings variables, `text` never stands against an agent's own.
Sources: Orq's field tree of that route and the models of its Python SDK (orq-ai/orq-python, AgentResponseRequest and
the parts; read 2026-11-21). The tree is silent on ids, approvals, and `blocking`.
"""

from collections.abc import Mapping
from dataclasses import replace
from mimetypes import guess_type
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json
from orrery.wire.agent_answers import words
from orrery.wire.body import dumps, read_json
from orrery.wire.option_shapes import FIELDS
from orrery.wire.posted import Posted
from orrery.wire.response_item_shapes import CALL_ID, LONGEST_FILE, TEXT
from orrery.wire.response_items import PREFIXES
from orrery.wire.responses import AGENT, read_response
from orrery.wire.shapes import (
    ANYTHING,
    BOOLEAN,
    FILLED,
    OBJECT,
    STRING,
    array,
    checking,
    number,
    one_of,
    record,
    rule,
    string,
    variants,
)

UNKNOWN = "application/octet-stream"
APPROVED: Mapping[str, bool] = {"approved": True, "rejected": False}
"""A word on a call that waits for one. Source: the tree's `ReviewOutcome`."""

_ASKED = f"{PREFIXES['mcp_approval_request']}_"
"""How ids of calls begin that wait for a word."""


def _one_source(file: dict[str, Any]) -> str | None:
    return None if (file.get("uri") is None) != (file.get("bytes") is None) else "either a 'uri' or 'bytes'"


_FILE = rule(
    _one_source, record({}, {"uri": FILLED, "bytes": string(LONGEST_FILE), "mimeType": STRING, "name": STRING})
)
_PART = variants(
    "kind",
    {
        "text": record({"text": TEXT}),
        "file": record({"file": _FILE}, {"metadata": OBJECT}),
        "tool_result": record({"tool_call_id": FILLED}, {"result": ANYTHING, "metadata": OBJECT}),
        "error": record({"error": TEXT}, {"code": number()}),
    },
)
_check = checking(
    record(
        {"message": record({"role": one_of("user", "tool"), "parts": array(_PART, at_least=1)}, {"messageId": STRING})},
        {
            **{name: FIELDS[name] for name in ("variables", "identity", "contact", "thread")},
            "task_id": FILLED,
            "memory": record({"entity_id": FILLED}),
            "metadata": OBJECT,
            "engine": one_of("text", "jinja", "mustache"),
            "configuration": record({}, {"blocking": BOOLEAN}),
            "background": BOOLEAN,
            "stream": BOOLEAN,
            "conversation": record({"_id": FILLED}),
        },
    )
)
_check_call_id = checking(CALL_ID)

SAME = ("variables", "identity", "contact", "thread", "memory", "background", "stream")
"""Fields that a request for a response has, too."""


def read_invocation(key: str, posted: Posted) -> Call:
    """The call that such a request makes of the agent `key`. Raises `InvalidRequest` for the first offence.

    What is put aside for a worker (`Responding.posted`) is the request for a response that it became.
    """
    body = read_json(posted.raw)
    _check(body)
    raw = dumps(as_response(key, body))
    call = read_response(replace(posted, raw=raw))
    responding = call.options.responding
    assert responding is not None
    return replace(call, options=replace(call.options, responding=replace(responding, posted=raw)))


def as_response(key: str, body: Json) -> Json:
    """The body of a request for a response that means the same. Raises `InvalidRequest`."""
    task, conversation = body.get("task_id"), body.get("conversation")
    if task and conversation:
        raise InvalidRequest(
            "'task_id' and 'conversation' cannot be used together: each says what came before.", param="task_id"
        )
    made: Json = {"model": f"{AGENT}{key}", "input": _items(body["message"]["parts"])}
    made |= {name: body[name] for name in SAME if body.get(name) is not None}
    if task:
        made["previous_response_id"] = task
    if conversation:
        made["conversation"] = conversation["_id"]
    if body.get("engine"):
        made["template_engine"] = body["engine"]
    if body.get("metadata"):
        made["metadata"] = {name: words(value) for name, value in body["metadata"].items()}
    return made


def _items(parts: list[Json]) -> list[Json]:
    """Results first, each by itself; then one message of all the rest."""
    results = [
        _result(part, f"message.parts[{place}]") for place, part in enumerate(parts) if part["kind"] == "tool_result"
    ]
    rest = [_content(part) for part in parts if part["kind"] != "tool_result"]
    return [*results, *([{"type": "message", "role": "user", "content": rest}] if rest else [])]


def _result(part: Json, path: str) -> Json:
    id, result = part["tool_call_id"], part.get("result")
    if id.startswith(_ASKED):
        return _decision(id, result, path)
    try:
        _check_call_id(id)
    except InvalidRequest as err:
        raise InvalidRequest(f"Invalid value for '{path}.tool_call_id': no call has such an id.", param=path) from err
    return {"type": "function_call_output", "call_id": id, "output": "" if result is None else words(result)}


def _decision(id: str, result: Any, path: str) -> Json:
    said = result if isinstance(result, dict) else {"review": result}
    word, reason = said.get("review"), said.get("reason")
    approve = APPROVED.get(word) if isinstance(word, str) else None
    if approve is None or not (reason is None or isinstance(reason, str)):
        raise InvalidRequest(
            f"Invalid value for '{path}.result': expected 'approved' or 'rejected', for this call waits for approval.",
            param=f"{path}.result",
        )
    told = {} if reason is None else {"reason": reason}
    return {"type": "mcp_approval_response", "approval_request_id": id, "approve": approve, **told}


def _content(part: Json) -> Json:
    if part["kind"] == "text":
        return {"type": "input_text", "text": part["text"]}
    if part["kind"] == "error":
        return {"type": "input_text", "text": f"Error: {part['error']}"}
    return _file(part["file"])


def _file(file: Json) -> Json:
    """Pictures as pictures, all else as files."""
    uri, name = file.get("uri"), file.get("name")
    kind = file.get("mimeType") or guess_type(name or uri or "")[0] or UNKNOWN
    url = uri or f"data:{kind};base64,{file['bytes']}"
    if kind.startswith("image/"):
        return {"type": "input_image", "image_url": url}
    told = {} if name is None else {"filename": name}
    return {"type": "input_file", "file_url" if uri else "file_data": url, **told}
