"""The bytes of URLs in a response's items, for providers that cannot read URLs themselves."""

from copy import deepcopy
from typing import Any

import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Fetched, Json
from orrery.flow.gateway import Policy
from tests.fakes import FakeTransport, FakeWeb, Room, json_reply
from tests.flow.needing import PAPER, PAPER_DATA, PDF, PICTURE, PICTURE_DATA, PNG
from tests.flow.turning import Needing, refused, take, turn
from tests.providers.native import message, resource

IMAGE = {"type": "input_image", "image_url": PICTURE, "detail": "low"}
FILE = {"type": "input_file", "file_url": PAPER}
VIDEO = {"type": "input_video", "video_url": PICTURE}
ALL = ("input_image", "input_file", "input_video")


def room(*kinds: str) -> Room:
    web = FakeWeb({PICTURE: Fetched("image/png", PNG), PAPER: Fetched("application/pdf", PDF)})
    return Room(
        transport=FakeTransport(json_reply(resource(message("Hello")))),
        accounts=Needing(*kinds),
        web=web,
        policy=Policy(allow_unpriced=True),
    )


def user(*parts: Json) -> Json:
    return {"role": "user", "content": list(parts)}


async def sent(found: Room, *items: Json) -> Any:
    await take(found, turn(*items, model="needy/gpt-4o-mini"))
    return found.transport.body()["input"]


@pytest.mark.parametrize(
    ("part", "becomes"),
    [
        (IMAGE, {**IMAGE, "image_url": PICTURE_DATA}),
        (FILE, {"type": "input_file", "filename": "paper.pdf", "file_data": PAPER_DATA}),
        ({**FILE, "filename": "mine.pdf"}, {"type": "input_file", "filename": "mine.pdf", "file_data": PAPER_DATA}),
        (
            {"type": "input_file", "file_data": PAPER},
            {"type": "input_file", "filename": "paper.pdf", "file_data": PAPER_DATA},
        ),
        (VIDEO, {**VIDEO, "video_url": PICTURE_DATA}),
        ({"type": "input_file", "file_id": "file-1"}, None),
        ({"type": "input_text", "text": PICTURE}, None),
        ({"type": "input_image", "image_url": PICTURE_DATA}, None),
        ({"type": "input_image", "image_url": None, "file_id": "file-1"}, None),
    ],
)
async def test_a_file_goes_as_its_bytes_where_they_are_needed(part, becomes):
    assert await sent(room(*ALL), user(part)) == [user(becomes or part)]


async def test_what_a_tool_gave_back_is_read_too():
    result = {"type": "function_call_output", "call_id": "c", "output": [IMAGE]}
    (_, found) = await sent(room("input_image"), user(FILE), result)
    assert found["output"] == [{**IMAGE, "image_url": PICTURE_DATA}]


async def test_each_url_is_read_once_and_only_where_it_is_needed():
    found = room("input_file")
    items = await sent(found, user(FILE, IMAGE), {"role": "assistant", "content": "ok"}, user(FILE))
    assert found.web.read == [PAPER]
    assert items[0]["content"][1] == IMAGE and items[2]["content"][0]["file_data"] == PAPER_DATA


async def test_the_caller_s_own_items_stay_whole():
    given = [user(IMAGE, FILE), {"role": "user", "content": "a"}]
    before = deepcopy(given)
    await sent(room(*ALL), *given)
    assert given == before


@pytest.mark.parametrize(
    ("item", "param", "code"),
    [
        (
            user({**IMAGE, "image_url": "https://a.example/gone.png"}),
            "input[1].content[0].image_url",
            "invalid_image_url",
        ),
        (user({**FILE, "file_url": "https://a.example/gone.pdf"}), "input[1].content[0].file_url", "invalid_file_url"),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{**IMAGE, "image_url": "https://a.example/x"}]},
            "input[1].output[0].image_url",
            "invalid_image_url",
        ),
    ],
)
async def test_a_url_that_cannot_be_read_is_pointed_at(item, param, code):
    call = turn({"role": "user", "content": "a"}, item, model="needy/gpt-4o-mini")
    err = await refused(room(*ALL), call)
    assert isinstance(err, InvalidRequest)
    assert (err.param, err.code) == (param, code)


@pytest.mark.parametrize("given", [[], ["a", None, 3], [{"role": "user", "content": [None, 3, {"type": ["x"]}]}]])
async def test_odd_items_are_left_to_the_provider(given):
    found = room(*ALL)
    await take(found, turn(*given, model="needy/gpt-4o-mini"))
    assert found.web.read == []
