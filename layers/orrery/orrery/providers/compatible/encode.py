"""A chat request as the body that goes upstream: the caller's own mapping, changed only where a row says so."""

from orrery.core.dialect import Encoded
from orrery.core.types import Call, Json, Target
from orrery.providers.compatible.controls import controlled
from orrery.providers.compatible.history import message_of
from orrery.providers.compatible.marks import unmarked_message, unmarked_tool
from orrery.providers.compatible.row import Row
from orrery.providers.lost import Lost


def encode_chat(call: Call, target: Target, row: Row) -> Encoded:
    """The body under the target's model name; usage is always asked of a stream.

    Raises `InvalidRequest` for a URL in a content part that the provider takes by content only.
    """
    given, lost = call.body, Lost()
    for name in given:
        if name in row.drop and given[name] is not None:
            lost.add(name)
    body: Json = {name: value for name, value in given.items() if name not in row.drop and name not in row.rename}
    for ours, theirs in row.rename.items():
        if given.get(ours) is not None:
            body[theirs] = given[ours]
    if row.controls is not None:
        body = controlled(body, row.controls, lost)
    if body.get("messages"):
        body["messages"] = [
            unmarked_message(message_of(message, row, lost), f"messages[{number}]", row, lost)
            for number, message in enumerate(body["messages"])
        ]
    if body.get("tools"):
        body["tools"] = [unmarked_tool(tool, row, lost) for tool in body["tools"]]
    body["model"] = target.model
    if not row.stream_usage:
        body.pop("stream_options", None)  # no loss to the caller: the usage that it asked for comes unasked
    elif call.stream:
        body["stream_options"] = {**(given.get("stream_options") or {}), "include_usage": True}
    return Encoded(body, lost.names())
