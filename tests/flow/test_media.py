"""The bytes of URLs, in calls to models that cannot read URLs themselves."""

from copy import deepcopy
from dataclasses import replace

import orjson
import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Fetched, Operation
from tests.fakes import FakeWeb, completion
from tests.flow.asking import ask, refused
from tests.flow.needing import (
    NEEDY,
    PAPER,
    PAPER_DATA,
    PDF,
    PICTURE,
    PICTURE_DATA,
    file,
    image,
    room,
    sent,
    unavailable,
    user,
)


async def test_a_picture_goes_to_the_model_as_its_bytes():
    found = room()
    part = image(detail="low") | {"made_up": 1}
    await ask(found, **NEEDY, messages=user({"type": "text", "text": "What?"}, part))
    (message,) = sent(found)
    assert message["content"][0]["text"] == "What?"
    assert message["content"][1] == part | {"image_url": {"url": PICTURE_DATA, "detail": "low"}}
    assert found.web.read == [PICTURE]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"uri": PAPER}, {"file_data": PAPER_DATA, "filename": "paper.pdf"}),
        ({"file_data": PAPER}, {"file_data": PAPER_DATA, "filename": "paper.pdf"}),
        ({"uri": PAPER, "filename": "mine.pdf"}, {"file_data": PAPER_DATA, "filename": "mine.pdf"}),
        ({"uri": PAPER, "mimeType": "a/b"}, {"file_data": PAPER_DATA, "filename": "paper.pdf"}),
        ({"uri": PICTURE, "file_data": PAPER}, {"file_data": PAPER_DATA, "filename": "paper.pdf"}),
        ({"uri": PAPER, "file_data": PICTURE_DATA}, {"file_data": PICTURE_DATA}),
        ({"file_id": "file-1"}, None),
    ],
)
async def test_a_file_goes_to_the_model_as_its_bytes_under_its_name(held, expected):
    found = room()
    await ask(found, **NEEDY, messages=user(file(**held)))
    assert sent(found)[0]["content"][0]["file"] == (expected or held)
    assert found.web.read == ([PAPER] if expected and expected["file_data"] == PAPER_DATA else [])


async def test_an_allowed_bucket_is_left_to_the_provider():
    found = room(media_buckets=frozenset({"gs://bucket"}))
    await ask(found, **NEEDY, messages=user(file(uri="gs://bucket/paper.pdf")))
    assert sent(found)[0]["content"][0]["file"] == {"uri": "gs://bucket/paper.pdf"} and found.web.read == []


async def test_a_file_behind_a_bare_host_has_no_name():
    found = room(web=FakeWeb({"https://files.example/": Fetched("", PDF)}))
    await ask(found, **NEEDY, messages=user(file(uri="https://files.example/")))
    assert sent(found)[0]["content"][0]["file"] == {"file_data": PAPER_DATA}


async def test_pictures_in_the_answers_of_tools_are_read_too():
    found = room()
    called = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    told = {"role": "tool", "tool_call_id": "c", "content": [image()]}
    await ask(found, **NEEDY, messages=[{"role": "assistant", "content": None, "tool_calls": [called]}, told])
    assert sent(found)[1]["content"][0]["image_url"]["url"] == PICTURE_DATA


async def test_the_adapter_is_asked_for_each_url_and_others_go_as_they_are():
    asked = []
    found = room(needs=lambda kind, url: bool(asked.append((kind, url))) or kind == "file")
    parts = user(image(), image(PICTURE_DATA), file(uri=PAPER), file(file_data=PAPER_DATA))
    await ask(found, **NEEDY, messages=parts)
    assert asked == [("image_url", PICTURE), ("file", PAPER)]
    assert [part["type"] for part in sent(found)[0]["content"]] == ["image_url", "image_url", "file", "file"]
    assert sent(found)[0]["content"][0]["image_url"]["url"] == PICTURE
    assert found.web.read == [PAPER]


async def test_nothing_is_read_for_a_model_that_reads_urls_itself():
    for model, needs in (("openai/gpt-4o-mini", lambda kind, url: True), (NEEDY["model"], lambda kind, url: False)):
        found = room(needs=needs)
        await ask(found, model=model, messages=user(image()))
        assert (found.web.read, sent(found)[0]["content"][0]["image_url"]["url"]) == ([], PICTURE)


async def test_the_callers_own_mapping_keeps_its_urls():
    found = room()
    body = user(image(), file(uri=PAPER))
    before = deepcopy(body)
    await ask(found, **NEEDY, messages=body)
    call = found.logged[0].plan.call
    assert (body, call.body["messages"]) == (before, before)


async def test_a_url_is_read_once_across_places_retries_and_fallbacks():
    found = room(unavailable(), unavailable(), unavailable(), completion())
    await ask(
        found,
        **NEEDY,
        messages=user(image(), image(), file(uri=PICTURE)),
        retry={"count": 2, "on_codes": [503]},
        fallbacks=[{"model": "needy/gpt-4o"}],
    )
    assert found.web.read == [PICTURE]
    assert len(found.transport.requests) == 4
    assert all(PICTURE_DATA in request.body.decode() for request in found.transport.requests)
    assert not any(b"https" in request.body for request in found.transport.requests)


async def test_a_fallback_that_reads_urls_itself_gets_the_url():
    found = room(unavailable(), completion())
    await ask(found, **NEEDY, messages=user(image()), fallbacks=[{"model": "openai/gpt-4o-mini"}])
    urls = [sent(found, number)[0]["content"][0]["image_url"]["url"] for number in (0, 1)]
    assert (urls, found.web.read) == ([PICTURE_DATA, PICTURE], [PICTURE])


async def test_what_was_read_shows_in_no_repr():
    found = room(web=FakeWeb({PICTURE: Fetched("image/png", b"canary")}))
    await ask(found, **NEEDY, messages=user(image()))
    assert found.logged[0].fetched[PICTURE].data == b"canary"
    assert "canary" not in repr(found.logged[0])


# ---- refusals


@pytest.mark.parametrize(
    ("part", "code", "path"),
    [
        (image("https://a.example/none"), "invalid_image_url", "messages[0].content[1].image_url.url"),
        (file(uri="https://a.example/none"), "invalid_file_url", "messages[0].content[1].file.uri"),
        (file(file_data="https://a.example/none"), "invalid_file_url", "messages[0].content[1].file.file_data"),
    ],
)
async def test_a_url_that_cannot_be_read_is_the_callers_fault_and_named(part, code, path):
    found = room(completion())
    err = await refused(found, **NEEDY, messages=user(image(), part), fallbacks=[{"model": "openai/gpt-4o"}])
    assert isinstance(err, InvalidRequest)
    assert (err.status, err.code, err.param, err.message) == (400, code, path, "nothing there")
    assert found.transport.requests == []
    assert (found.ledger.holds, found.logged[0].receipt.cost_nano) == ({}, 0)


async def test_of_several_places_the_first_is_named():
    nowhere = "https://a.example/none"
    err = await refused(room(), **NEEDY, messages=user(image(), image(nowhere), file(uri=nowhere)))
    assert err.param == "messages[0].content[1].image_url.url"


@pytest.mark.parametrize(("part", "code"), [(image(), "invalid_image_url"), (file(uri=PICTURE), "invalid_file_url")])
async def test_a_url_with_nothing_behind_it_is_refused(part, code):
    err = await refused(room(web=FakeWeb({PICTURE: Fetched("image/png", b"")})), **NEEDY, messages=user(part))
    assert (err.status, err.code, err.message) == (400, code, "There is nothing behind this URL.")


async def test_nothing_is_read_for_a_request_that_is_refused_anyway():
    found = room()
    err = await refused(found, **NEEDY, messages=user(image()), top_k=5, strict=True)
    assert (err.status, err.param, found.web.read) == (400, "top_k", [])
    await ask(found, **NEEDY, messages=user(image()), strict=True)
    assert found.web.read == [PICTURE]


async def test_a_dialect_that_wants_a_picture_is_not_judged_without_one():
    found = room()
    chat = found.accounts.needy.adapters[Operation.CHAT]

    def encode(call, target):
        if b"image_url" not in orjson.dumps(call.body):
            raise InvalidRequest("a picture, please")
        return chat.encode(call, target)

    adapters = {Operation.CHAT: replace(chat, encode=encode)}
    found.accounts.needy = replace(found.accounts.needy, adapters=adapters)
    await ask(found, **NEEDY, messages=user(image()), strict=True)
    assert found.web.read == [PICTURE]
