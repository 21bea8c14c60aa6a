"""The endpoint families as ASGI apps: one function each on Lambda, all of them together on a laptop."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, unquote

from orrery.core.credentials import Credentials
from orrery.core.errors import GatewayError, InvalidRequest, NotFound
from orrery.core.types import Call, Principal
from orrery.edge.answering import Answering
from orrery.edge.arrive import header
from orrery.edge.labels import PROMPT_ID, labelled
from orrery.edge.web import FastAPI, HTTPException, Request, Response
from orrery.flow.gateway import Gateway
from orrery.wire.posted import Posted

MOUNTS = ("/v1", "/v3/router", "/v2/router", "/v2/gateway")
"""One set of handlers, reached as each of the three gateways that we stand in for is reached."""

READERS: Mapping[str, Mapping[str, str]] = {
    "chat": {
        "/chat/completions": "orrery.wire.chat:read_chat_completion",
        "/completions": "orrery.wire.completions:read_completion",
    },
    "embeddings": {
        "/embeddings": "orrery.wire.embeddings:read_embeddings",
        "/rerank": "orrery.wire.rerank:read_rerank",
        "/moderations": "orrery.wire.moderations:read_moderation",
        "/ocr": "orrery.wire.ocr:read_ocr",
    },
    "images": {
        "/images/generations": "orrery.wire.images:read_generation",
        "/images/edits": "orrery.wire.images:read_edit",
        "/images/variations": "orrery.wire.images:read_variation",
        "/videos/generations": "orrery.wire.videos:read_video",
        "/videos": "orrery.wire.videos:read_video",
    },
    "responses": {
        "/responses": "orrery.wire.responses:read_response",
        "/responses/compact": "orrery.wire.responses:read_compaction",
    },
    "audio": {
        "/audio/speech": "orrery.wire.speech:read_speech",
        "/speech": "orrery.wire.speech:read_speech",
        "/audio/transcriptions": "orrery.wire.transcriptions:read_transcription",
        "/audio/translations": "orrery.wire.transcriptions:read_translation",
    },
}
"""What each function answers to POST, and which function of `wire` turns what was posted into a call."""

ROOTS = {"/rerank": "/v2/rerank"}
"""Where clients post that know no mount: Cohere's, whose base URL is the root."""

ACCOUNT = "/v1"
"""Where callers look after their own account: here only, as the gateways that have it do."""

ELSEWHERE = "/v2"
"""Where prompts, agents, tools, memories, threads and identities stand, as Orq has them."""

ANY = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

type Endpoint = Callable[[Request, Gateway], Awaitable[Response]]
KEPT: Mapping[str, Sequence[str]] = {
    "responses": ("orrery.edge.response_routes:ROUTES", "orrery.edge.conversation_routes:ROUTES"),
}
"""Where the routes of what a function keeps stand: `(method, path, endpoint)`, under every mount."""

OLDER: Mapping[str, str] = {"responses": "orrery.edge.agent_responses:ROUTES"}
"""Where the routes of a function stand that are under no mount: `(method, whole path, endpoint)`."""

GETS: Mapping[str, Mapping[str, str]] = {
    "images": {
        "/videos/{id}": "orrery.edge.videos:retrieve_video",
        "/videos/{id}/content": "orrery.edge.videos:download_video",
    },
}
"""What each function answers to GET, and with which function."""

type MakeGateway = Callable[[], Gateway]
type Read = Callable[[Posted], Call]


def family(name: str, gateway: MakeGateway | None = None) -> FastAPI:
    """The app of a function that posts calls to providers: one of `READERS`."""
    import orrery.edge.http  # noqa: F401 - while the function starts, not while its first caller waits

    app, room = _app(gateway)
    for path, place in READERS[name].items():
        module, _, reader = place.partition(":")
        endpoint = _answering(getattr(import_module(module), reader), room)
        for mount in MOUNTS:
            # A plain route: the body is judged by `wire`, so FastAPI's own reading of it would be work done twice.
            app.add_route(f"{mount}{path}", endpoint, methods=["POST"])
        if path in ROOTS:
            app.add_route(ROOTS[path], endpoint, methods=["POST"])
    for path, place in GETS.get(name, {}).items():
        module, _, handler = place.partition(":")
        endpoint = _served(getattr(import_module(module), handler), room)
        for mount in MOUNTS:
            app.add_route(f"{mount}{path}", endpoint, methods=["GET"])
    for place in KEPT.get(name, ()):
        module, _, routes = place.partition(":")
        for method, path, work in getattr(import_module(module), routes):
            for mount in MOUNTS:
                app.add_route(f"{mount}{path}", _served(work, room), methods=[method])
    if name in OLDER:
        module, _, routes = OLDER[name].partition(":")
        for method, path, work in getattr(import_module(module), routes):
            app.add_route(path, _served(work, room), methods=[method])
    return app


def _served(endpoint: Endpoint, room: MakeGateway) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        return await endpoint(request, room())

    return answer


def _answering(read: Read, room: MakeGateway) -> Callable[[Request], Any]:
    def read_call(raw: bytes, scope: Mapping[str, Any], principal: Principal) -> Call:
        import time

        call = replace(read(posted_in(raw, scope)), received_at=int(time.time()))
        if call.options.credentials is not None:
            _refuse_address(call.options.credentials)
        if call.options.responding is not None and call.options.responding.background:
            responding = replace(call.options.responding, posted=raw)
            call = replace(call, options=replace(call.options, responding=responding))
        return labelled(call, principal, raw, scope, room())

    async def answer(request: Request) -> Response:
        return Answering(read_call, room())

    return answer


def _refuse_address(credentials: Credentials) -> None:
    """Says so before any planning where a caller's own address cannot be called; calling it is judged again."""
    if credentials.base_url:
        from orrery.edge.outside import checked

        checked(credentials.base_url)


def posted_in(raw: bytes, scope: Mapping[str, Any]) -> Posted:
    """A request's bytes, and what its head says of them."""
    headers = scope["headers"]
    return Posted(
        raw,
        content_type=header(headers, b"content-type").decode("latin-1"),
        query=dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"))),
        strict=header(headers, b"x-orrery-strict").strip().lower() == b"true",
        has_prompt=bool(header(headers, PROMPT_ID).strip()),
    )


def models(gateway: MakeGateway | None = None) -> FastAPI:
    """`GET /models` and `GET /models/{id}`; an id holds a slash, raw or as %2F."""
    from orrery.edge.listing import list_models, retrieve_model

    app, room = _app(gateway)

    async def list_all(request: Request) -> Response:
        return await list_models(request, room())

    async def retrieve(request: Request) -> Response:
        return await retrieve_model(request, unquote(request.path_params["model"]), room())

    for mount in MOUNTS:
        app.add_route(f"{mount}/models", list_all, methods=["GET"])
        app.add_route(f"{mount}/models/{{model:path}}", retrieve, methods=["GET"])
    return app


def manage(gateway: MakeGateway | None = None) -> FastAPI:
    """What is about callers themselves, and an answer to every route under a mount that nobody else serves."""
    from orrery.edge import account_routes, activity_routes, agent_routes, memory_routes, prompt_routes, unserved
    from orrery.edge import tool_routes as tools
    from orrery.edge.uploads import presign_upload

    app, room = _app(gateway)
    routes = ((method, f"{ACCOUNT}{path}", endpoint) for method, path, endpoint in account_routes.ROUTES)
    kept = (*prompt_routes.ROUTES, *activity_routes.ROUTES, *agent_routes.ROUTES, *tools.ROUTES, *memory_routes.ROUTES)
    for method, path, endpoint in (*routes, *kept):
        app.add_route(path, _served(endpoint, room), methods=[method])
    for mount in MOUNTS:
        app.add_route(f"{mount}/uploads/presign", _served(presign_upload, room), methods=["POST"])
    for mount in (*MOUNTS, ELSEWHERE):
        app.add_route(mount + "/{rest:path}", unserved.refuse, methods=ANY)
    return app


def _app(gateway: MakeGateway | None) -> tuple[FastAPI, MakeGateway]:
    """An app without docs routes, whose errors are in OpenAI's shape."""
    if gateway is None:
        from orrery.edge.wiring import current

        gateway = current
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_exception_handler(HTTPException, _no_route)
    return app, gateway


async def _no_route(request: Request, err: Exception) -> Response:
    """404 and 405 as OpenAI says them."""
    from orrery.edge.replying import respond_error

    method, path = request.method, request.url.path[:200]
    wrong_method = isinstance(err, HTTPException) and err.status_code == 405
    refusal: GatewayError = (
        InvalidRequest(f"Not allowed: {method} on this route", code="method_not_allowed")
        if wrong_method
        else NotFound(f"Unknown request URL: {method} {path}", code="unknown_url")
    )
    if wrong_method:
        refusal.status = 405
    return respond_error(request, refusal)
