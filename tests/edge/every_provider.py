"""Every provider on one loopback server, each under a path of its own: answers from the provider's cases."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.providers.cases import Case, stream_of

STREAM_TYPE = {"bedrock": "application/vnd.amazon.eventstream"}
"""What a stream's content type is; server-sent events elsewhere."""


@dataclass
class Upstreams:
    """Where they are, and the head of the last request for each: its path, and headers in lower case."""

    url: str
    seen: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstreams: Upstreams

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        provider, _, path = self.path.removeprefix("/").partition("/")
        if provider == "token":
            self._answer(b'{"access_token": "minted", "expires_in": 3600}', "application/json")
            return
        self.upstreams.seen[provider] = path, {name.lower(): value for name, value in self.headers.items()}
        case = Case(provider, case_for(body))
        if "stream" in path.lower() or json.loads(body).get("stream") is True:
            self._answer(stream_of(case), STREAM_TYPE.get(provider, "text/event-stream"))
        else:
            self._answer(case.bytes_of("reply.json"), "application/json")

    def _answer(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Says nothing: the tests' output is for the tests."""


def case_for(body: bytes) -> str:
    """The case that answers a request: by what it asks for, in whichever dialect."""
    asked = body.lower()
    if b'"tools"' in asked or b'"toolconfig"' in asked:
        return "tool_call"
    return "structured" if b"schema" in asked else "text"


@contextmanager
def upstreams() -> Iterator[Upstreams]:
    """The server, until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.RequestHandlerClass.upstreams = Upstreams(f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield _Handler.upstreams
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
