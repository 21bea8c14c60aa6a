"""Routes of OpenAI's that this gateway does not serve, and what each answer says instead of a bare 404."""

from orrery.core.errors import NotFound
from orrery.edge.replying import respond_error
from orrery.edge.web import Request, Response

INLINE = "send the content in the request itself, or POST /v1/uploads/presign for a URL that requests may name"
PROVIDER = "call your provider for it"

WHY = {
    "files": INLINE,
    "uploads": INLINE,
    "batches": "send the requests one by one",
    "vector_stores": PROVIDER,
    "assistants": "POST /v1/chat/completions with the conversation and the tools",
    "threads": "POST /v1/chat/completions with the conversation",
    "containers": PROVIDER,
    "evals": PROVIDER,
    "fine_tuning": PROVIDER,
    "realtime": "this gateway speaks HTTP, not WebSockets",
}
"""The first step of a path under a mount, and the way out."""


async def refuse(request: Request) -> Response:
    """404 with the reason: objects that live at one provider have no place in a gateway that speaks to all."""
    rest = str(request.path_params.get("rest", ""))
    kind = rest.partition("/")[0]
    if kind not in WHY:
        unknown = f"Unknown request URL: {request.method} {request.url.path[:200]}"
        return respond_error(request, NotFound(unknown, code="unknown_url"))
    told = f"This gateway keeps no {kind.replace('_', ' ')}: they live at one provider, and it serves many. Instead"
    return respond_error(request, NotFound(f"{told}, {WHY[kind]}.", code="not_served"))
