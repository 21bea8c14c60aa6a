"""Videos that were made with a caller's own key are looked at with that organization's key, or not at all."""

from dataclasses import replace
from typing import Any

import pytest

from orrery.core.credentials import Credentials
from orrery.edge.families import family
from tests.edge.asgi import Heard, request
from tests.edge.test_videos import JOB, SEALS
from tests.fakes import FakeTransport, Room, json_reply
from tests.flow.owning import CANARY, FakeOwn

ASKED = {"model": "openai/sora-2", "prompt": "a moon"}
QUEUED = {**JOB, "status": "queued", "progress": 0, "created_at": 1, "seconds": "4", "size": "720x1280"}


async def ask(room: Room, path: str, body: Any = b"", method: str = "POST") -> Heard:
    gateway = replace(room.gateway(), seals=SEALS)
    return await request(family("images", lambda: gateway), body, path=path, method=method)


def room(**stored: Any) -> Room:
    own = FakeOwn({"openai": Credentials(CANARY)}, **stored)
    return Room(transport=FakeTransport(json_reply(QUEUED), json_reply(JOB)), own=own)


async def made(whose: Room, **given: Any) -> str:
    heard = await ask(whose, "/v1/videos", ASKED | given)
    assert heard.status == 200, heard.body
    assert heard.headers["x-orbitrage-byok"] == "openai"
    return str(heard.json()["id"])


async def test_a_job_is_looked_at_with_the_key_that_is_stored() -> None:
    whose = room()
    assert (await ask(whose, f"/v1/videos/{await made(whose)}", method="GET")).status == 200
    assert [r.headers["authorization"] for r in whose.transport.requests] == [f"Bearer {CANARY}"] * 2


@pytest.mark.parametrize("stored", [{"off": {"openai"}}, {"organization": "org-other"}])
async def test_a_job_of_a_key_that_is_not_stored_is_never_looked_at_with_the_operators(stored: Any) -> None:
    whose = room(**stored)
    name = await made(whose, api_key="sk-of-this-request")
    heard = await ask(whose, f"/v1/videos/{name}", method="GET")
    assert (heard.status, heard.json()["error"]["code"]) == (422, "provider_credential_invalid")
    assert len(whose.transport.requests) == 1
