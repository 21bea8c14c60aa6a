"""What headers ask for, over HTTP: labels, idempotency keys, prompts, and a user that nobody vouches for."""

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import orjson
import pytest

from orrery.core.records import Prompt
from orrery.edge.families import family
from orrery.edge.web import FastAPI
from orrery.flow.gateway import Policy
from tests.edge.asgi import Heard, request
from tests.fakes import FakeTransport, Room, completion
from tests.flow.remembering import FakeExtras

NOW = 1_800_000_000
KEYS = (b"the old key of the edge", b"the new key of the edge")
BODY = orjson.dumps({"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]})


class OnePrompt:
    async def published(self, organization: str, prompt: str) -> Prompt | None:
        if prompt != "greeting":
            return None
        return Prompt("greeting", 2, [{"role": "user", "content": "Good evening"}], "openai/gpt-4o")


def room(*replies: Any) -> Room:
    extras = FakeExtras()
    extras.prompts = OnePrompt()
    return Room(transport=FakeTransport(*replies), extras=extras, policy=Policy(edge_keys=KEYS))


def app(at: Room) -> FastAPI:
    return family("chat", lambda: replace(at.gateway(), now=lambda: float(NOW)))


async def post(at: Room, body: bytes = BODY, **headers: str) -> Heard:
    named = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return await request(app(at), body, extra=named)


async def test_labels_become_a_step():
    at = room(completion())
    heard = await post(at, x_orbitrage_run_id="r", x_orbitrage_step_index="3", x_orq_metadata_page="home")
    assert heard.status == 200
    (step,) = at.extras.steps.added
    assert (step.run, step.step, step.metadata) == ("r", 3, {"page": "home"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("x_orbitrage_step_index", "-1"), ("x_orbitrage_run_id", "x" * 257), ("x_orbitrage_session_id", "\x01")],
)
async def test_a_label_that_is_none_is_refused_by_its_header(name: str, value: str):
    at = room()
    heard = await post(at, **{name: value})
    assert (heard.status, heard.json()["error"]["param"]) == (400, name.replace("_", "-"))


async def test_an_identity_of_a_header_is_a_label_and_one_of_the_body_comes_first():
    at = room(completion(), completion())
    await post(at, x_orq_identity_id="from-header")
    body = orjson.dumps({**orjson.loads(BODY), "identity": {"id": "from-body", "email": "a@b.c"}})
    await post(at, body, x_orq_identity_id="from-header")
    told = [(step.identity, step.identity_profile) for step in at.extras.steps.added]
    assert told == [("from-header", None), ("from-body", {"email": "a@b.c"})]


async def test_a_prompt_of_a_header_takes_the_place_of_the_messages_even_where_there_are_none():
    at = room(completion(), completion())
    for body in (BODY, b"{}"):
        heard = await post(at, body, x_orbitrage_prompt_id="greeting")
        assert (heard.status, heard.headers["x-orq-prompt"]) == (200, "greeting@2")
        sent = at.transport.body()
        assert (sent["model"], sent["messages"]) == ("gpt-4o", [{"role": "user", "content": "Good evening"}])
    heard = await post(at, x_orbitrage_prompt_id="nobody")
    assert (heard.status, heard.json()["error"]["code"]) == (404, "prompt_not_found")


async def test_an_idempotency_key_answers_once():
    at = room(completion())
    first, second = [await post(at, idempotency_key="k") for _ in range(2)]
    assert first.body == second.body and len(at.transport.requests) == 1
    assert second.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("key", ["x" * 256, "é"])
async def test_a_key_that_is_too_long_or_not_visible_is_refused(key: str):
    heard = await post(room(), idempotency_key=key)
    assert (heard.status, heard.json()["error"]["param"]) == (400, "Idempotency-Key")


def proof(key: bytes = KEYS[0], **more: Any) -> dict[str, str]:
    told = {"user": "vera", "at": NOW, "path": "/v1/chat/completions", "organization": "org-alice", "body": BODY} | more
    digest = hashlib.sha256(told["body"]).hexdigest()
    lines = ["v1", str(told["at"]), "POST", told["path"], told["user"], told["organization"], digest]
    return {
        "x_orbitrage_user_id": told.get("claims", told["user"]),
        "x_orbitrage_timestamp": str(told["at"]),
        "x_orbitrage_signature": hmac.new(key, "\n".join(lines).encode(), "sha256").hexdigest(),
    }


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("skew", [-300, 0, 300])
async def test_a_user_that_the_edge_vouches_for_is_the_user(key: bytes, skew: int):
    at = room(completion())
    assert (await post(at, **proof(key, at=NOW + skew), x_orbitrage_run_id="r")).status == 200
    assert at.extras.steps.added[0].user == "vera"


FORGED: list[dict[str, Any]] = [
    {"at": NOW - 301},
    {"at": NOW + 301},
    {"key": b"another key of an edge"},
    {"claims": "root"},
    {"path": "/v1/completions"},
    {"organization": "org-bob"},
    {"body": BODY + b" "},
]


@pytest.mark.parametrize("forged", FORGED, ids=[next(iter(each)) for each in FORGED])
async def test_every_other_one_is_a_forgery_and_all_are_told_the_same(forged: dict[str, Any]):
    at = room()
    heard = await post(at, **proof(**forged))
    assert heard.status == 403
    assert heard.json()["error"] == {
        "message": "x-orbitrage-user-id is reserved",
        "type": "invalid_request_error",
        "param": None,
        "code": "forbidden_header",
    }
    assert at.transport.requests == []


async def test_without_a_signature_or_without_keys_it_is_a_forgery_too():
    at = room()
    assert (await post(at, x_orbitrage_user_id="vera")).status == 403
    at.policy = Policy()
    assert (await post(at, **proof())).status == 403
