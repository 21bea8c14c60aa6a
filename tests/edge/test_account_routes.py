"""`/account/providers`: kept, shown but for the key itself, changed by who may, and nobody else's business."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from orrery.edge.account_routes import ROUTES
from orrery.edge.embedded.engine import Engine
from tests.edge.owning import House, house
from tests.fakes import completion

KEY = "canary-stored-0123456789-wxyz"
LIST, SETTINGS = "/account/providers", "/account/settings"
ASKED = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(Engine(tmp_path_factory.mktemp("state") / "journal")) as engine:
        yield engine


@pytest.fixture
async def at(tmp_path: Path, engine: Engine) -> AsyncIterator[House]:
    async with house(tmp_path, lambda request: completion(), engine) as found:
        yield found


async def put(at: House, name: str = "openai", token: str = "alice", **body: Any) -> Any:
    return await at("PUT", f"{LIST}/{name}", body, token)


async def test_a_key_is_stored_shown_and_forgotten(at: House) -> None:
    shown = (await at("PUT", LIST, {"provider": "openai", "api_key": KEY})).json()
    assert {name: shown[name] for name in ("provider", "enabled", "base_url", "last_four")} == {
        "provider": "openai",
        "enabled": True,
        "base_url": None,
        "last_four": "wxyz",
    }
    assert (await at("GET", f"{LIST}/openai")).json() == shown
    assert (await at("GET", LIST)).json() == {"object": "list", "data": [shown], "pooled_fallback": False}
    assert (await at("DELETE", f"{LIST}/openai")).json()["deleted"] is True
    assert (await at("GET", f"{LIST}/openai")).status == 404
    assert (await at("DELETE", f"{LIST}/openai")).status == 404


async def test_a_provider_goes_by_any_of_its_names(at: House) -> None:
    assert (await put(at, "gemini", api_key=KEY)).json()["provider"] == "google"
    assert (await at("GET", f"{LIST}/google-ai")).status == 200


async def test_a_stored_key_is_what_calls_are_made_with_until_it_is_switched_off(at: House) -> None:
    await put(at, api_key=KEY)
    heard = await at("POST", "/chat/completions", ASKED)
    assert (heard.headers["x-orbitrage-byok"], heard.headers["x-orbitrage-byok-reason"]) == ("openai", "applied")
    assert (await put(at, enabled=False)).json()["enabled"] is False
    heard = await at("POST", "/chat/completions", ASKED)
    assert (heard.headers["x-orbitrage-byok"], heard.headers["x-orbitrage-byok-reason"]) == ("pooled", "key-disabled")
    assert len(at.pool.holding(KEY)) == 1
    await put(at, enabled=True)
    await at("POST", "/chat/completions", ASKED)
    assert len(at.pool.holding(KEY)) == 2


async def test_an_address_is_stored_with_its_key_only(at: House) -> None:
    refused = await put(at, base_url="https://mallory.example/v1")
    assert (refused.status, refused.json()["error"]["param"]) == (400, "base_url")
    await put(at, api_key=KEY, base_url="https://mine.example/v1")
    refused = await put(at, base_url="https://mallory.example/v1", enabled=True)
    assert refused.status == 400
    assert (await at("GET", f"{LIST}/openai")).json()["base_url"] == "https://mine.example/v1"
    await at("POST", "/chat/completions", ASKED)
    assert at.outside.holding(KEY) == ["https://mine.example/v1/chat/completions"]
    assert at.pool.requests == []


@pytest.mark.parametrize(
    ("name", "body", "param"),
    [
        ("openai", {"api_key": KEY, "base_url": "http://169.254.169.254/v1"}, "base_url"),
        ("openai", {"api_key": KEY, "base_url": "https://x.example:9001/"}, "base_url"),
        ("azure", {"api_key": KEY}, "base_url"),
        ("ollama", {"api_key": KEY}, "base_url"),
        ("vertex", {"api_key": KEY}, "api_key"),
        ("openai", {"aws_access_key_id": KEY, "aws_secret_access_key": KEY}, "aws_access_key_id"),
        ("bedrock", {"aws_access_key_id": KEY}, "aws_secret_access_key"),
        ("openai", {"apikey": KEY}, "apikey"),
        ("openai", {}, "api_key"),
        ("openai", {"enabled": "no", "api_key": KEY}, "enabled"),
        ("openai", {"provider": "groq", "api_key": KEY}, "provider"),
        ("nowhere", {"api_key": KEY}, "provider"),
    ],
)
async def test_what_could_not_be_called_is_refused_and_not_quoted(at: House, name: str, body: Any, param: str) -> None:
    heard = await put(at, name, **body)
    assert (heard.status, heard.json()["error"]["param"]) == (400, param)
    assert KEY not in heard.body.decode()
    assert (await at("GET", LIST)).json()["data"] == []


async def test_switching_what_is_not_stored_is_404(at: House) -> None:
    assert (await put(at, enabled=False)).status == 404


async def test_the_choice_is_told_and_changed(at: House) -> None:
    none = {"object": "account.settings", "pooled_fallback": False, "keep_transcripts": False}
    assert (await at("GET", SETTINGS)).json() == none
    assert (await at("PUT", SETTINGS, {"pooled_fallback": True})).json() == {**none, "pooled_fallback": True}
    assert (await at("GET", LIST)).json()["pooled_fallback"] is True
    assert (await at("GET", SETTINGS, token="bob")).json()["pooled_fallback"] is False
    for wrong in ({}, {"pooled_fallback": "yes"}, {"pooled_fallback": True, "more": 1}, {"pooled_fallback": None}):
        assert (await at("PUT", SETTINGS, wrong)).status == 400


async def test_transcripts_are_kept_by_choice_and_each_choice_by_itself(at: House) -> None:
    chosen = (await at("PUT", SETTINGS, {"keep_transcripts": True})).json()
    assert (chosen["keep_transcripts"], chosen["pooled_fallback"]) == (True, False)
    assert (await at.own.find("org-alice")).keeps_transcripts
    chosen = (await at("PUT", SETTINGS, {"pooled_fallback": True, "keep_transcripts": None})).json()
    assert (chosen["keep_transcripts"], chosen["pooled_fallback"]) == (True, True)
    chosen = (await at("PUT", SETTINGS, {"keep_transcripts": False, "pooled_fallback": False})).json()
    assert (chosen["keep_transcripts"], chosen["pooled_fallback"]) == (False, False)
    assert not (await at.own.find("org-alice")).keeps_transcripts
    for wrong in ({"keep_transcripts": 1}, {"keep_transcripts": "true"}, {"keep_transcripts": None}):
        assert (await at("PUT", SETTINGS, wrong)).status == 400
    assert (await at("GET", SETTINGS, token="bob")).json()["keep_transcripts"] is False


def everything() -> list[tuple[str, str, Any]]:
    bodies = {("PUT", LIST): {"provider": "openai", "api_key": "k" * 30}, ("PUT", SETTINGS): {"pooled_fallback": True}}
    return [
        (method, path.replace("{provider}", "openai"), bodies.get((method, path), {"enabled": False}))
        for method, path, _ in ROUTES
    ]


@pytest.mark.parametrize(("method", "path", "body"), everything())
async def test_only_a_key_with_the_scope_may(at: House, method: str, path: str, body: Any) -> None:
    for token, status, code in [("app", 403, "insufficient_scope"), ("other-scope", 403, "insufficient_scope")]:
        heard = await at(method, path, body, token)
        assert (heard.status, heard.json()["error"]["code"]) == (status, code)
    assert (await at(method, path, body, None)).status == 401
    assert (await at(method, path, body, "nobody")).status == 401


@pytest.mark.parametrize(("method", "path", "body"), everything())
async def test_no_route_reaches_another_organizations_key(at: House, method: str, path: str, body: Any) -> None:
    await put(at, api_key=KEY)
    before = (await at("GET", LIST)).json()
    heard = await at(method, path, body, "bob")
    assert "wxyz" not in heard.body.decode()
    assert heard.status == (404 if path.endswith("openai") else 200)
    assert (await at("GET", LIST)).json() == before


async def test_a_revoked_key_may_nothing(at: House) -> None:
    at.gateway.keys.fresh = False  # type: ignore[attr-defined]
    at.gateway.keys.revoked.add("alicealice")  # type: ignore[attr-defined]
    assert (await at("GET", LIST)).status == 401


async def test_a_deployment_that_cannot_encrypt_says_so(at: House) -> None:
    from dataclasses import replace

    from tests.edge.asgi import request
    from tests.edge.owning import managing

    app = managing(replace(at.gateway, own=None))
    heard = await request(app, orjson.dumps({}), method="GET", path="/v1/account/providers", token="alice")
    assert (heard.status, heard.json()["error"]["code"]) == (501, "not_implemented")


async def test_a_key_too_large_to_be_one_is_refused(at: House) -> None:
    assert (await put(at, api_key="k" * 5_000)).status == 400
    assert (await put(at, api_key="k" * 40_000)).status == 413
