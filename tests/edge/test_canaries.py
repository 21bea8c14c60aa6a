"""No credential leaves by any way but the one header that it is for: every family, each field, refused or answered."""

import copy
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from orrery.core.dialect import UpstreamRequest
from orrery.edge import log
from orrery.edge.embedded.engine import Engine
from orrery.edge.families import READERS
from tests.edge.owning import House, form, house
from tests.fakes import completion, json_reply

CANARY = "canary-0123456789abcdefwxyz"
POOLED = "key-of-"
SENTINEL = "sentinel.example"

BODIES: dict[str, Any] = {
    "/chat/completions": {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]},
    "/responses": {"model": "openai/gpt-4o-mini", "input": [{"role": "user", "content": "hi"}]},
    "/responses/compact": {"model": "openai/gpt-4o-mini", "input": [{"role": "user", "content": "hi"}]},
    "/completions": {"model": "openai/gpt-3.5-turbo-instruct", "prompt": "hi"},
    "/embeddings": {"model": "openai/text-embedding-3-small", "input": "hi"},
    "/rerank": {"model": "cohere/rerank-v3.5", "query": "q", "documents": ["a", "b"]},
    "/moderations": {"model": "openai/omni-moderation-latest", "input": "hi"},
    "/ocr": {
        "model": "mistral/mistral-ocr-latest",
        "document": {"type": "document_url", "document_url": "https://x.example/a.pdf"},
    },
    "/images/generations": {"model": "openai/gpt-image-1", "prompt": "a moon"},
    "/images/edits": {"model": "openai/gpt-image-1", "prompt": "a moon"},
    "/images/variations": {"model": "openai/dall-e-2"},
    "/videos/generations": {"model": "openai/sora-2", "prompt": "a moon"},
    "/videos": {"model": "openai/sora-2", "prompt": "a moon"},
    "/audio/speech": {"model": "openai/gpt-4o-mini-tts", "input": "hi", "voice": "alloy"},
    "/speech": {"model": "openai/gpt-4o-mini-tts", "input": "hi", "voice": "alloy"},
    "/audio/transcriptions": {"model": "openai/gpt-4o-transcribe"},
    "/audio/translations": {"model": "openai/whisper-1"},
}
FORMS = {
    "/images/edits": "image",
    "/images/variations": "image",
    "/audio/transcriptions": "file",
    "/audio/translations": "file",
}
"""Paths whose bodies need a file, and its field."""

HOME = {"cohere": "api.cohere.com", "mistral": "api.mistral.ai", "openai": "api.openai.com"}
PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
FILES = {"image": PNG, "file": b"RIFF\x24\x00\x00\x00WAVEfmt "}

PLACES: list[dict[str, Any]] = [
    {"api_key": CANARY},
    {"orq": {"api_key": CANARY}},
    {"api_key": CANARY, "base_url": "https://caller.example/v1"},
    {"aws_access_key_id": CANARY, "aws_secret_access_key": CANARY, "aws_session_token": CANARY},
    {"api_key": CANARY + "\n"},
    {"api_key": [CANARY]},
    {"api_key": '{"canary": "' + CANARY},
    {"aws_access_key_id": CANARY},
]


def echoing(request: UpstreamRequest) -> Any:
    """The worst provider: refuses, and repeats all that it was told."""
    return json_reply({"error": {"message": f"bad {dict(request.headers)}", "code": CANARY, "param": CANARY}}, 401)


def agreeable(request: UpstreamRequest) -> Any:
    return completion()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(Engine(tmp_path_factory.mktemp("state") / "journal")) as engine:
        yield engine


@pytest.fixture(params=[echoing, agreeable])
async def at(request: pytest.FixtureRequest, tmp_path: Path, engine: Engine) -> AsyncIterator[House]:
    async with house(tmp_path, request.param, engine) as found:
        yield found


def posted(path: str, more: dict[str, Any]) -> tuple[Any, tuple[tuple[bytes, bytes], ...]]:
    """A body as its endpoint wants it, JSON or form, with these fields beside its own."""
    body = {**BODIES[path], **more}
    if path not in FORMS:
        return body, ()
    import orjson

    fields = {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in body.items()}
    return form(fields, FILES[FORMS[path]], FORMS[path])


def everything_but_headers_upstream(at: House, heard: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """Every sink there is: what the caller got, logs in both formats, reprs, the table, what upstreams read."""
    writers = [log.text_writer(), log.powertools_writer("test")]
    for exchange in at.logged:
        for write in writers:
            write("exchange", log.exchange_line(exchange, 0.0))
    printed = capsys.readouterr()
    upstream = at.pool.open_text() + at.outside.open_text()
    return f"{heard.headers}{heard.body!r}{printed.out}{printed.err}{at.logged!r}{at.dump()}{upstream}"


def test_every_path_is_here() -> None:
    assert {path for readers in READERS.values() for path in readers} == set(BODIES)


@pytest.mark.parametrize("path", BODIES)
async def test_a_key_of_the_request_is_in_no_sink(at: House, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    for more in PLACES:
        body, extra = posted(path, more)
        heard = await at("POST", path, body, extra=extra)
        assert CANARY not in everything_but_headers_upstream(at, heard, capsys), more
    hosts = {urlsplit(url).hostname for url in at.pool.holding(CANARY)}
    assert hosts <= {HOME[BODIES[path]["model"].partition("/")[0]]}
    assert {urlsplit(url).hostname for url in at.outside.holding(CANARY)} <= {"caller.example"}


@pytest.mark.parametrize("path", BODIES)
async def test_a_stored_key_is_in_no_sink(at: House, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    provider = BODIES[path]["model"].partition("/")[0]
    await at("PUT", f"/account/providers/{provider}", {"api_key": CANARY})
    for token in ("alice", "app", "bob"):
        body, extra = posted(path, {})
        heard = await at("POST", path, body, token, extra=extra)
        assert CANARY not in everything_but_headers_upstream(at, heard, capsys)
        whose = "pooled" if token == "bob" else provider
        assert heard.headers.get("x-orbitrage-byok", whose) == whose
    assert {urlsplit(url).hostname for url in at.pool.holding(CANARY)} <= {HOME[provider]}
    assert len(at.pool.holding(CANARY)) in (0, 2)  # alice and her organization's app, never bob


async def test_a_stored_key_is_used_by_every_family(tmp_path: Path, engine: Engine) -> None:
    """Or the tests above would prove nothing."""
    async with house(tmp_path, echoing, engine) as at:
        used = {}
        for provider in HOME:
            await at("PUT", f"/account/providers/{provider}", {"api_key": CANARY})
        for path in BODIES:
            before = len(at.pool.holding(CANARY))
            body, extra = posted(path, {})
            await at("POST", path, body, extra=extra)
            used[path] = len(at.pool.holding(CANARY)) > before
        assert [path for path, was in used.items() if not was] == []


def with_addresses(body: Any) -> Iterator[Any]:
    """The body with an address of the caller's at each place where a field can be."""
    places = [()]
    for name, value in body.items():
        if isinstance(value, dict):
            places.append((name,))
        if isinstance(value, list) and value and isinstance(value[0], dict):
            places.append((name, 0))
    for place in [*places, ("metadata",), ("extra_body",), ("orq",), ("litellm_params",)]:
        for name in ("base_url", "api_base"):
            changed = copy.deepcopy(body)
            holder = changed
            for step in place:
                holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]
            holder[name] = f"https://{SENTINEL}/v1"
            yield changed


@pytest.mark.parametrize("path", [path for path in BODIES if path not in FORMS])
async def test_a_callers_address_never_gets_a_key_of_ours(tmp_path: Path, engine: Engine, path: str) -> None:
    async with house(tmp_path, agreeable, engine) as at:
        await at("PUT", f"/account/providers/{BODIES[path]['model'].partition('/')[0]}", {"api_key": CANARY})
        for body in with_addresses(BODIES[path]):
            for token in ("alice", "bob"):
                await at("POST", path, body, token)
        assert at.outside.requests == []
        assert not any(SENTINEL in request.url for request in at.pool.requests)


async def test_a_callers_address_gets_the_callers_key_and_nothing_else(tmp_path: Path, engine: Engine) -> None:
    async with house(tmp_path, agreeable, engine) as at:
        await at("PUT", "/account/providers/openai", {"api_key": "stored-key-0123456789"})
        for path in BODIES:
            given = {"api_key": CANARY, "base_url": f"https://{SENTINEL}/v1"}
            body, extra = posted(path, given)
            await at("POST", path, body, extra=extra)
        assert at.outside.holding("stored-key") == at.outside.holding(POOLED) == []
        assert {urlsplit(request.url).hostname for request in at.outside.requests} == {SENTINEL}


async def test_metadata_that_is_called_like_a_key_is_the_callers_own(tmp_path: Path, engine: Engine) -> None:
    async with house(tmp_path, agreeable, engine) as at:
        heard = await at("POST", "/chat/completions", {**BODIES["/chat/completions"], "metadata": {"api_key": "mine"}})
        assert heard.headers["x-orbitrage-byok"] == "pooled"
        assert '"metadata":{"api_key":"mine"}' in at.pool.open_text()


async def test_an_address_that_leads_inside_is_400_before_anyone_is_called(tmp_path: Path, engine: Engine) -> None:
    async with house(tmp_path, agreeable, engine) as at:
        for url in (
            "http://169.254.169.254/",
            "https://u:p@x.example",
            "https://x.example:9001/",
            "file:///etc/passwd",
        ):
            heard = await at(
                "POST", "/chat/completions", {**BODIES["/chat/completions"], "api_key": CANARY, "base_url": url}
            )
            assert (heard.status, heard.json()["error"]["param"]) == (400, "base_url")
        assert at.outside.requests == at.pool.requests == []
