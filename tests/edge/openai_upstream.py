"""An upstream that speaks OpenAI's wire over real sockets, and the gateway's server in front of it, for SDK tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.edge.running import Running, running


class Handler(BaseHTTPRequestHandler):
    """What upstreams have in common; `upstream` is the test's own record of what it was sent."""

    protocol_version = "HTTP/1.1"
    upstream: Any

    def answer(self, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Says nothing: the tests' output is for the tests."""


@contextmanager
def listening(handler: type[Handler], upstream: Any) -> Iterator[None]:
    """`handler` at a port of this machine; its URL stands in `upstream.url`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    upstream.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    handler.upstream = upstream
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def in_front_of(upstream: Any, state: Path) -> Iterator[Running]:
    """`make run`'s server, with this upstream as OpenAI."""
    there = {"OPENAI_API_KEY": "sk-upstream", "OPENAI_BASE_URL": upstream.url, "ORRERY_ALLOW_UNPRICED_MODELS": "true"}
    with running(state, there) as server:
        yield server
