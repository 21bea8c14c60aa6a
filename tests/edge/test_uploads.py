"""Asking for a place, filling it, naming it: through the whole gateway, on a laptop."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from orrery.core.types import Principal
from orrery.edge import families
from orrery.edge.uploads_local import KEPT_S, LocalUploads
from tests import fakes
from tests.edge.asgi import Heard, request

ORIGIN = "http://127.0.0.1:8080"
PNG = b"\x89PNG\r\n\x1a\n and so on"
BOB = Principal(key_id="bobbobbobb", organization="org-bob", workflow="main", user="bob")


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(tmp_path: Path, clock: Clock) -> fakes.Room:
    room = fakes.Room(keys=fakes.FakeKeys({"good": fakes.ALICE, "bob": BOB}))
    room.uploads = LocalUploads(tmp_path, ORIGIN, most_bytes=1000, clock=clock)
    return room


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def presign(room: fakes.Room, body: Any, **more: Any) -> Heard:
    return await request(families.manage(room.gateway), body, path="/v1/uploads/presign", **more)


async def put(room: fakes.Room, told: Any, data: bytes, **headers: str) -> Heard:
    parts = urlsplit(told["upload_url"])
    sent = told["headers"] | headers
    extra = tuple((name.encode(), value.encode()) for name, value in sent.items())
    scoped = with_query(room.uploads, parts.query)
    return await request(scoped, data, path=parts.path, method="PUT", token=None, extra=extra)


def with_query(app: Any, query: str) -> Any:
    async def asked(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "query_string": query.encode()}, receive, send)

    return asked


async def placed(room: fakes.Room, data: bytes = PNG) -> str:
    told = (await presign(room, {"content_type": "image/png", "bytes": len(data)})).json()
    assert (await put(room, told, data)).status == 200
    return str(told["url"])


def seeing(url: str) -> dict[str, Any]:
    content = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": url}}]
    return {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": content}]}


async def ask(room: fakes.Room, url: str, **more: Any) -> Heard:
    return await request(families.family("chat", room.gateway), seeing(url), **more)


async def test_a_place_says_how_it_wants_to_be_filled(room: fakes.Room, clock: Clock) -> None:
    heard = await presign(room, {"content_type": "audio/wav; codecs=1", "bytes": 5})
    told = heard.json()
    assert heard.status == 200 and heard.headers["x-request-id"].startswith("req_")
    assert told["method"] == "PUT" and told["headers"] == {"content-type": "audio/wav", "content-length": "5"}
    assert told["url"].startswith(f"{ORIGIN}/uploads/org-alice/") and told["expires_at"] > clock.now


async def test_a_file_that_was_put_reaches_the_provider_and_is_gone_after_use(room: fakes.Room, tmp_path: Path) -> None:
    url = await placed(room)
    room.transport.replies = [fakes.completion()]
    assert (await ask(room, url)).status == 200
    sent = room.transport.body()["messages"][0]["content"][1]["image_url"]["url"]
    assert sent.startswith("data:image/png;base64,")
    assert not files_in(tmp_path)


async def test_after_a_failure_it_stays_for_the_next_try(room: fakes.Room) -> None:
    url = await placed(room)
    room.transport.replies = [fakes.json_reply({"error": {"message": "no"}}, 500), fakes.completion()]
    assert (await ask(room, url)).status == 500
    assert (await ask(room, url)).status == 200
    assert (await ask(room, url)).status == 400


async def test_nobody_else_can_name_it(room: fakes.Room) -> None:
    url = await placed(room)
    foreign, unknown = await ask(room, url, token="bob"), await ask(room, url.replace(url[-10:], "x" * 6 + ".png"))
    assert foreign.status == 400 and "nothing behind" in foreign.json()["error"]["message"]
    assert {**foreign.json()["error"]} == {**unknown.json()["error"]}
    assert room.transport.requests == []


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"content_type": "image/png"}, 400, "bytes"),
        ({"bytes": 4}, 400, "content_type"),
        ({"content_type": "text/html", "bytes": 4}, 400, "content_type"),
        ({"content_type": "image/png", "bytes": 0}, 400, "bytes"),
        ({"content_type": "image/png", "bytes": "4"}, 400, "bytes"),
        ({"content_type": "image/png", "bytes": 1001}, 413, "bytes"),
        (b"{", 400, None),
        (b"x" * 5000, 413, None),
    ],
)
async def test_what_is_no_file_gets_no_place(room: fakes.Room, body: Any, status: int, param: str | None) -> None:
    heard = await presign(room, body)
    assert (heard.status, heard.json()["error"]["param"]) == (status, param)


async def test_a_place_is_for_those_with_a_key(room: fakes.Room) -> None:
    assert (await presign(room, {"content_type": "image/png", "bytes": 4}, token="none")).status == 401


async def test_without_a_bucket_there_is_no_place(room: fakes.Room) -> None:
    room.uploads = None
    heard = await presign(room, {"content_type": "image/png", "bytes": 4})
    assert heard.status == 501 and "ORRERY_UPLOADS_BUCKET" in heard.json()["error"]["message"]


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b"12345", {}),
        (b"123", {}),
        (b"12345", {"content-length": "5"}),
        (b"1234", {"content-type": "text/html"}),
    ],
)
async def test_another_file_than_the_announced_one_is_not_kept(
    room: fakes.Room, tmp_path: Path, data: bytes, headers: dict[str, str]
) -> None:
    told = (await presign(room, {"content_type": "image/png", "bytes": 4})).json()
    assert (await put(room, told, data, **headers)).status == 400
    assert not files_in(tmp_path)


async def test_a_place_waits_a_quarter_of_an_hour_and_a_file_a_day(
    room: fakes.Room, clock: Clock, tmp_path: Path
) -> None:
    told = (await presign(room, {"content_type": "image/png", "bytes": 4})).json()
    clock.now += 15 * 60 + 1
    assert (await put(room, told, b"1234")).status == 400
    await placed(room)
    (kept,) = files_in(tmp_path)
    clock.now = kept.stat().st_mtime + KEPT_S + 1
    await presign(room, {"content_type": "image/png", "bytes": 4})
    assert not kept.exists()


@pytest.mark.parametrize("path", ["files", "files/file-1/content", "batches", "vector_stores/x", "assistants", "evals"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_objects_that_live_at_one_provider_are_a_404_that_says_why(
    room: fakes.Room, path: str, method: str
) -> None:
    heard = await request(families.manage(room.gateway), path=f"/v3/router/{path}", method=method)
    error = heard.json()["error"]
    assert heard.status == 404 and error["code"] == "not_served" and "Instead" in error["message"]


async def test_a_route_that_nobody_knows_is_unknown(room: fakes.Room) -> None:
    heard = await request(families.manage(room.gateway), path="/v1/nonsense", method="GET")
    assert (heard.status, heard.json()["error"]["code"]) == (404, "unknown_url")


async def test_a_body_that_is_too_large_is_told_the_way_out(room: fakes.Room) -> None:
    app = families.family("chat", room.gateway)
    heard = await request(app, b"x" * (room.policy.max_body_bytes + 1))
    assert heard.status == 413 and "/v1/uploads/presign" in heard.json()["error"]["message"]
