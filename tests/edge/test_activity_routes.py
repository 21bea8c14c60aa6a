"""Runs, sessions, threads and identities over HTTP: what was tracked, page by page, and nobody else's business."""

import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from orrery.core.records import Step
from orrery.core.types import Principal
from orrery.edge.activity_routes import ROUTES
from orrery.edge.activity_shown import graph, instant
from orrery.edge.embedded.engine import Engine
from orrery.edge.extras import TableExtras
from orrery.edge.families import family, manage
from orrery.flow.gateway import Gateway
from orrery.stores.definition import DEFINITION
from orrery.stores.steps import StepStore
from orrery.stores.table import Table
from tests.fakes import FakeKeys, FakeTransport, Room, completion

SEES = frozenset({"activity"})
TENANTS = {
    "alice": Principal("alicealice", "org-alice", "main", "alice", SEES),
    "bob": Principal("bobbobbobb", "org-bob", "main", "bob", SEES),
    "app": Principal("appappapps", "org-alice", "main", "app"),
    "other-scope": Principal("scopescope", "org-alice", "main", "app", frozenset({"providers", "prompts", "Activity"})),
}
PLACES = {"run": "/v1/runs", "session": "/v1/sessions", "thread": "/v2/threads", "identity": "/v2/identities"}
WITH_STEPS = [PLACES[kind] for kind in ("run", "session", "thread")]
HELLO = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
BEGAN = int(time.time()) * 1000 - 60_000

_numbers = itertools.count()


async def no_peppers() -> dict[int, bytes]:
    raise AssertionError("nothing here is sealed")


@dataclass
class House:
    """The functions that look after what was tracked, and that make it, behind one table."""

    room: Room
    gateway: Gateway
    steps: StepStore

    async def get(self, path: str, token: str | None = "alice", **asked: Any) -> httpx.Response:
        return await self._send(manage(lambda: self.gateway), "GET", path, token, params=asked)

    async def json(self, path: str, **asked: Any) -> Any:
        answer = await self.get(path, **asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def chat(self, token: str = "alice", headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        self.room.transport.replies.append(completion())
        app = family("chat", lambda: self.gateway)
        return await self._send(app, "POST", "/v1/chat/completions", token, json=HELLO | body, headers=headers or {})

    async def leave(self, number: int = 0, organization: str = "org-alice", **more: Any) -> None:
        labels = {"run": "l", "session": "l", "thread": "l", "identity": "l"}
        facts: dict[str, Any] = {
            "request_id": f"r{number}",
            "organization": organization,
            "started_ms": BEGAN + number * 1000,
            "duration_ms": 250,
            "operation": "chat",
            "provider": "openai",
            "model": "gpt-5",
            "status": 200,
            "cost_nano": 1_500,
            "input_tokens": 7,
            "output_tokens": 5,
            "key_id": "k",
            "workflow": "main",
        }
        await self.steps.add(Step(**facts | labels | more))

    async def _send(self, app: Any, method: str, path: str, token: str | None, **more: Any) -> httpx.Response:
        headers = more.pop("headers", {}) | ({} if token is None else {"authorization": f"Bearer {token}"})
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
            return await http.request(method, path, headers=headers, **more)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(Engine(tmp_path_factory.mktemp("state") / "journal")) as engine:
        yield engine


@pytest.fixture
async def at(engine: Engine) -> AsyncIterator[House]:
    name = f"table{next(_numbers)}"
    engine.run("CreateTable", DEFINITION | {"TableName": name})
    table = Table(engine.call, name)
    room = Room(keys=FakeKeys(TENANTS), transport=FakeTransport(), extras=TableExtras(table, peppers=no_peppers))
    yield House(room, replace(room.gateway(), now=time.time), StepStore(table))


async def test_requests_with_labels_are_found_under_each(at: House) -> None:
    headers = {"x-orbitrage-run-id": "run 1", "x-orbitrage-session-id": "s", "x-orq-metadata-team": "blue"}
    body = {"identity": {"id": "i", "display_name": "Jane", "tags": ["vip"]}, "thread": {"id": "t", "tags": ["x"]}}
    answer = await at.chat(headers=headers, name="n", **body)
    cost = answer.headers["x-orrery-cost-usd"]
    run = await at.json("/v1/runs/run%201")
    assert (run["id"], run["object"], run["requests"], run["cost_usd"]) == ("run 1", "run", 1, cost)
    assert (run["input_tokens"], run["output_tokens"], run["failures"], run["has_more"]) == (10, 5, 0, False)
    (step,) = run["steps"]
    assert step["request_id"] == answer.headers["x-request-id"]
    assert (step["name"], step["metadata"], step["cost_usd"]) == ("n", {"team": "blue"}, cost)
    assert (step["run"], step["session"], step["thread"], step["identity"]) == ("run 1", "s", "t", "i")
    assert "transcript" not in step
    thread = await at.json("/v2/threads/t")
    assert (thread["tags"], thread["steps"]) == (["x"], [step])
    assert (await at.json("/v1/sessions/s"))["steps"] == [step]
    identity = await at.json("/v2/identities/i")
    assert (identity["display_name"], identity["tags"], identity["external_id"]) == ("Jane", ["vip"], "i")
    assert (identity["email"], identity["metadata"], identity["cost_usd"]) == (None, {}, cost)
    assert "steps" not in identity


async def test_the_header_counts_for_an_identity_and_changes_nothing_of_it(at: House) -> None:
    await at.chat(identity={"id": "i", "display_name": "Jane"})
    await at.chat(headers={"X-ORQ-IDENTITY-ID": "i"})
    await at.chat(headers={"X-ORQ-IDENTITY-ID": "other"}, identity={"id": "i", "email": "j@x.example"})
    (found,) = (await at.json("/v2/identities"))["data"]
    assert (found["id"], found["requests"]) == ("i", 3)
    assert (found["display_name"], found["email"]) == ("Jane", "j@x.example")


async def test_all_that_is_known_of_an_identity_is_shown(at: House) -> None:
    known = {"display_name": "Jane", "email": "j@x.example", "logo_url": "https://x.example/j.png", "tags": ["vip"]}
    await at.chat(identity={"id": "i", "metadata": [{"plan": 1.5}], **known})
    found = await at.json("/v2/identities/i")
    assert {name: found[name] for name in known} == known
    assert (found["avatar_url"], found["metadata"]) == ("https://x.example/j.png", [{"plan": 1.5}])


async def test_a_trace_is_a_run_with_a_parent(at: House) -> None:
    trace, span = "a" * 32, "b" * 16
    answer = await at.chat(headers={"traceparent": f"00-{trace}-{span}-01"})
    run = await at.json(f"/v1/runs/{trace}")
    assert run["steps"][0]["parent"] == span
    assert run["graph"] == {span: [answer.headers["x-request-id"]]}


async def test_a_run_shows_who_called_whom(at: House) -> None:
    run = {"x-orbitrage-run-id": "r"}
    root = (await at.chat(headers={**run, "x-orbitrage-step-index": "0"})).headers["x-request-id"]
    bare = root.removeprefix("req_")
    children = [
        (await at.chat(headers={**run, "x-orbitrage-parent-request-id": parent})).headers["x-request-id"]
        for parent in (root, bare, "planner")
    ]
    found = await at.json("/v1/runs/r")
    assert found["graph"] == {root: children[:2], "planner": children[2:]}
    assert [(step["step"], step["parent"]) for step in found["steps"]] == [
        (0, None),
        (None, root),
        (None, bare),
        (None, "planner"),
    ]
    assert found["requests"] == 4


def test_a_graph_may_go_round_in_circles() -> None:
    steps = [{"request_id": "req_a", "parent": "req_b"}, {"request_id": "req_b", "parent": "a"}]
    assert graph(steps) == {"req_b": ["req_a"], "req_a": ["req_b"]}
    assert graph([{"request_id": "req_a", "parent": "req_a"}]) == {"req_a": ["req_a"]}
    assert graph([]) == graph([{"request_id": "req_a", "parent": None}]) == {}


async def test_sums_and_instants_are_exact(at: House) -> None:
    await at.leave(0, step=0, customer="c", tenant="t", end_user="e", user="u", cached=True)
    await at.leave(2, status=500, duration_ms=1_234)
    found = await at.json("/v1/runs/l")
    shared = {name: value for name, value in found.items() if name not in ("steps", "graph", "has_more")}
    assert shared == {
        "_id": "l",
        "id": "l",
        "object": "run",
        "created": instant(BEGAN),
        "updated": instant(BEGAN + 3_234),
        "requests": 2,
        "failures": 1,
        "input_tokens": 14,
        "output_tokens": 10,
        "cost_usd": "0.000003",
        "cost_nano": 3_000,
        "latency_ms": 1_484,
        "elapsed_ms": 3_234,
    }
    assert found["steps"][0] == {
        "id": f"step_{BEGAN}_r0",
        "object": "step",
        "request_id": "req_r0",
        "parent": None,
        "step": 0,
        "started": instant(BEGAN),
        "latency_ms": 250,
        "status": 200,
        "operation": "chat",
        "provider": "openai",
        "model": "gpt-5",
        "cached": True,
        "response_id": None,
        "input_tokens": 7,
        "output_tokens": 5,
        "cost_usd": "0.0000015",
        "cost_nano": 1_500,
        "name": None,
        "run": "l",
        "session": "l",
        "thread": "l",
        "identity": "l",
        "end_user": "e",
        "customer": "c",
        "tenant": "t",
        "workflow": "main",
        "user": "u",
        "key_id": "k",
        "metadata": {},
    }
    assert instant(1_800_000_000_007) == "2027-01-15T08:00:00.007Z"


async def test_steps_that_were_noted_out_of_order_do_not_end_before_they_began(at: House) -> None:
    await at.leave(5)
    await at.leave(1)
    assert (await at.json("/v1/runs/l"))["elapsed_ms"] == 0


async def test_transcripts_are_shown_with_their_thread(at: House) -> None:
    await at.leave(0, transcript=b'{"messages": [], "choices": [{"index": 0}]}')
    await at.leave(1, transcript=b" " * 2_200_000)
    first, second = (await at.json("/v2/threads/l"))["steps"]
    assert first["transcript"] == {"messages": [], "choices": [{"index": 0}]}
    assert ("transcript_omitted" in first, second["transcript_omitted"], "transcript" in second) == (False, True, False)
    assert not any("transcript" in name for step in (await at.json("/v1/runs/l"))["steps"] for name in step)


@pytest.mark.parametrize("path", PLACES.values())
async def test_lists_are_paged_by_ids(at: House, path: str) -> None:
    labels = [f"a/b #{number}?&=+é" for number in range(5)]
    for number, label in enumerate(labels):
        await at.leave(number, run=label, session=label, thread=label, identity=label)
    newest = labels[::-1]

    async def listed(**asked: Any) -> tuple[list[str], bool]:
        page = await at.json(path, **asked)
        assert page["object"] == "list"
        return [each["id"] for each in page["data"]], page["has_more"]

    assert await listed() == (newest, False)
    assert await listed(limit=200) == (newest, False)
    assert await listed(limit=2) == (newest[:2], True)
    assert await listed(limit=2, starting_after=newest[1]) == (newest[2:4], True)
    assert await listed(limit=2, starting_after=newest[3]) == (newest[4:], False)
    assert await listed(limit=2, ending_before=newest[3]) == (newest[1:3], True)
    assert await listed(limit=2, ending_before=newest[2]) == (newest[:2], False)


@pytest.mark.parametrize("path", WITH_STEPS)
async def test_steps_are_paged_by_their_ids(at: House, path: str) -> None:
    for number in range(4):
        await at.leave(number, parent="p")
    page = await at.json(f"{path}/l", limit=3)
    assert ([step["request_id"] for step in page["steps"]], page["has_more"]) == (["req_r0", "req_r1", "req_r2"], True)
    assert page["graph"] == {"p": ["req_r0", "req_r1", "req_r2"]}
    rest = await at.json(f"{path}/l", limit=3, starting_after=page["steps"][-1]["id"])
    assert ([step["request_id"] for step in rest["steps"]], rest["has_more"]) == (["req_r3"], False)
    assert rest["requests"] == 4
    back = await at.json(f"{path}/l", limit=2, ending_before=rest["steps"][0]["id"])
    assert ([step["request_id"] for step in back["steps"]], back["has_more"]) == (["req_r1", "req_r2"], True)


@pytest.mark.parametrize("path", [place for _, place, _ in ROUTES])
@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "1" * 5000}, "limit"),
        ({"starting_after": "nothing"}, "starting_after"),
        ({"ending_before": "nothing"}, "ending_before"),
        ({"starting_after": "l", "ending_before": "l"}, "ending_before"),
    ],
)
async def test_what_is_no_page_is_refused(at: House, path: str, asked: dict[str, str], param: str) -> None:
    await at.leave()
    if path == "/v2/identities/{id:path}" and param != "limit" and len(asked) == 1:
        return  # an identity has nothing to page through
    answer = await at.get(path.replace("{id:path}", "l"), **asked)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


STRANGE = ["a/b", "/a", "a/", "a//b", ".", "..", "../runs", "a%2Fb", "%", "é", "a b", "a?b", "a#b", "x" * 256, "steps"]


@pytest.mark.parametrize("label", STRANGE)
async def test_any_label_can_stand_in_a_url(at: House, label: str) -> None:
    await at.leave(run=label, session=label, thread=label, identity=label)
    for path in PLACES.values():
        escaped = quote(label, safe="").replace(".", "%2E")
        found = await at.json(f"{path}/{escaped}")
        assert (found["id"], found["requests"]) == (label, 1)


async def test_a_slash_may_stand_as_it_is(at: House) -> None:
    await at.leave(thread="a/b/c")
    assert (await at.json("/v2/threads/a/b/c"))["id"] == "a/b/c"


@pytest.mark.parametrize("path", PLACES.values())
@pytest.mark.parametrize("label", ["nothing", "", "l ", "L", "x" * 5000, "%00", "%FF", "HEAD", "../l", "l%23l"])
async def test_what_is_not_there_is_404(at: House, path: str, label: str) -> None:
    await at.leave()
    answer = await at.get(f"{path}/{label}")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")


@pytest.mark.parametrize("path", [place for _, place, _ in ROUTES])
async def test_only_a_key_with_the_scope_may(at: House, path: str) -> None:
    await at.leave()
    where = path.replace("{id:path}", "l")
    for token in ("app", "other-scope"):
        answer = await at.get(where, token)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")
    for nobody in (None, "nobody"):
        assert (await at.get(where, nobody)).status_code == 401
    at.gateway.keys.fresh = False  # type: ignore[attr-defined]
    assert (await at.get(where)).status_code == 200
    at.gateway.keys.revoked.add("alicealice")  # type: ignore[attr-defined]
    assert (await at.get(where)).status_code == 401


@pytest.mark.parametrize("path", PLACES.values())
async def test_what_is_anothers_is_exactly_like_what_is_not_there(at: House, path: str) -> None:
    mine = {"run": "theirs", "session": "theirs", "thread": "theirs", "identity": "theirs"}
    await at.leave(organization="org-bob", transcript=b'"canary"', identity_profile={"email": "canary"}, **mine)
    foreign, missing = await at.get(f"{path}/theirs"), await at.get(f"{path}/nobody")
    assert (foreign.status_code, foreign.text.replace("theirs", "nobody")) == (404, missing.text)
    assert foreign.headers.keys() == missing.headers.keys()
    assert (await at.json(path))["data"] == []
    for cursor in ("starting_after", "ending_before"):
        foreign, missing = await at.get(path, **{cursor: "theirs"}), await at.get(path, **{cursor: "nobody"})
        assert (foreign.status_code, foreign.text) == (400, missing.text)
    assert (await at.get(f"{path}/theirs", "bob")).status_code == 200


@pytest.mark.parametrize("path", PLACES.values())
async def test_the_same_label_of_two_is_two(at: House, path: str) -> None:
    for number, organization in ((0, "org-alice"), (1, "org-bob"), (2, "org-bob")):
        await at.leave(number, organization, identity_profile={"email": organization})
    for token, requests in (("alice", 1), ("bob", 2)):
        (found,) = (await at.get(path, token)).json()["data"]
        assert found["requests"] == requests
        one = (await at.get(f"{path}/l", token)).json()
        assert one["requests"] == len(one.get("steps", range(requests))) == requests
        assert found.get("email", f"org-{token}") == f"org-{token}"


@pytest.mark.parametrize("path", WITH_STEPS)
async def test_a_steps_cursor_of_another_is_a_place_and_nothing_else(at: House, path: str) -> None:
    await at.leave(1, "org-bob")
    await at.leave(2)
    theirs = (await at.get(f"{path}/l", "bob")).json()["steps"][0]["id"]
    page = await at.json(f"{path}/l", starting_after=theirs)
    assert [step["request_id"] for step in page["steps"]] == ["req_r2"]
    assert (await at.json(f"{path}/l", ending_before=theirs))["steps"] == []


async def test_a_gateway_without_a_store_says_so(at: House) -> None:
    at.gateway = replace(at.gateway, extras=None)
    for _, path, _ in ROUTES:
        answer = await at.get(path.replace("{id:path}", "l"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (501, "not_implemented")


def test_every_route_takes_a_scope_and_reads_alone() -> None:
    assert {(method, path) for method, path, _ in ROUTES} == {
        ("GET", place) for path in PLACES.values() for place in (path, f"{path}/{{id:path}}")
    }
