"""What a user says to calls that waited for approval.

Source: OpenAI's API document 2.3.0 (`mcp_approval_request`, `mcp_approval_response`), read 2026-11-21.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.wire.response_rewriting import Calls


@dataclass(frozen=True, slots=True)
class Decision:
    """The user's word on one call. `call` is the `function_call` item to run, where `approved`.

    `request` says by `server_label` and `name` which tool is meant. `call` has the request's id as its
    `approval_request_id`, and so must the item that shows what came of it.
    """

    request: Json = field(repr=False)
    call: Json = field(repr=False)
    approved: bool
    reason: str = ""


def decisions(context_items: Sequence[Json], own_items: Sequence[Json]) -> list[Decision]:
    """What a request decides; calls that have run already are left out.

    Raises `InvalidRequest` for an answer to no request.
    """
    calls = Calls([*context_items, *own_items])
    found: list[Decision] = []
    for answer in own_items:
        if answer["type"] != "mcp_approval_response":
            continue
        id = answer["approval_request_id"]
        request = calls.requests.get(id)
        if request is None:
            raise InvalidRequest(f"No approval request found with id '{id[:80]}'.", param="input")
        if not calls.has_run(request):
            call = {**calls.of(request), "approval_request_id": id}
            found.append(Decision(request, call, answer["approve"], answer.get("reason") or ""))
    return found
