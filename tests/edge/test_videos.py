"""`GET /videos/{id}` and its content, message by message."""

from dataclasses import replace
from typing import Any

import pytest

from orrery.core.errors import Truncated
from orrery.edge.families import MOUNTS, family
from orrery.edge.seals import PepperSeals
from orrery.flow.gateway import Policy
from tests.edge.asgi import Heard, request
from tests.fakes import ALICE, FakeReply, FakeTransport, Room, json_reply

JOB = {"id": "video_1", "object": "video", "status": "completed", "model": "sora-2"}


async def read() -> dict[int, bytes]:
    return {1: b"a pepper of sixteen bytes"}


SEALS = PepperSeals(read)


async def name_of(provider: str = "openai", id: str = "video_1") -> str:
    return "video_" + await SEALS.seal(ALICE.organization, f'["{provider}","sora-2","{id}"]')


async def got(room: Room, path: str, **more: Any) -> Heard:
    gateway = replace(room.gateway(), seals=SEALS)
    return await request(family("images", lambda: gateway), path=path, method="GET", **more)


def room(*replies: Any) -> Room:
    return Room(transport=FakeTransport(*replies), policy=Policy(allow_unpriced=True))


@pytest.mark.parametrize("mount", MOUNTS)
async def test_a_job_is_shown_under_its_own_name_on_every_mount(mount):
    name = await name_of()
    heard = await got(room(json_reply(JOB)), f"{mount}/videos/{name}")
    assert (heard.status, heard.json()) == (200, {**JOB, "id": name})
    assert heard.headers["x-request-id"].startswith("req_") and heard.ended


async def test_a_file_comes_as_its_pieces_come():
    reply = FakeReply(200, {"content-type": "video/mp4", "content-length": "6"}, [b"abc", b"def"])
    heard = await got(room(reply), f"/v1/videos/{await name_of()}/content")
    assert heard.steps == [b"abc", b"def"] and heard.ended
    assert (heard.headers["content-type"], heard.headers["content-length"]) == ("video/mp4", "6")


async def test_a_file_that_breaks_off_never_looks_whole():
    reply = FakeReply(200, {"content-type": "video/mp4"}, [b"abc", Truncated("cut")])
    asked = room(reply)
    heard = await got(asked, f"/v1/videos/{await name_of()}/content")
    assert heard.steps == [b"abc"] and not heard.ended
    assert asked.logged[0].status == 502


@pytest.mark.parametrize(("token", "path", "status"), [(None, "", 401), ("bad", "", 401), ("good", "x", 404)])
async def test_who_may_not_see_it_hears_why(token, path, status):
    asked = room()
    heard = await got(asked, f"/v1/videos/{await name_of()}{path}", token=token)
    assert heard.status == status and "error" in heard.json() and not asked.transport.requests


async def test_a_revoked_key_opens_nothing():
    asked = room()
    asked.keys.fresh = False
    asked.keys.revoked = {ALICE.key_id}
    assert (await got(asked, f"/v1/videos/{await name_of()}")).status == 401


async def test_a_provider_without_videos_has_none():
    assert (await got(room(), f"/v1/videos/{await name_of('groq')}")).status == 404


async def test_what_is_no_job_is_the_providers_fault():
    assert (await got(room(json_reply([1])), f"/v1/videos/{await name_of()}")).status == 502


async def test_an_id_is_one_step_of_a_path_whatever_is_in_it():
    asked = room(json_reply(JOB))
    await got(asked, f"/v1/videos/{await name_of(id='../files?x=1')}")
    assert asked.transport.requests[0].url == "https://api.openai.com/v1/videos/..%2Ffiles%3Fx%3D1"
