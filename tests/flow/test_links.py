"""Files behind URLs in a body: as uploads, or where the URLs stand, or left alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orrery import providers
from orrery.core.dialect import Adapter
from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.exchange import Arrival, Exchange
from orrery.core.types import Call, Fetched, Link, Operation, Plan
from orrery.flow.gateway import Policy
from orrery.flow.links import with_links
from tests import fakes

WAV = Fetched("audio/wav", b"RIFF....WAVE")
URL = "https://files.test/talk.wav"


def adapter(needs: Callable[[str, str], bool] | None = None) -> Adapter:
    found = providers.get("openai")
    assert found is not None
    return replace(found.adapters[Operation.CHAT], needs_bytes=needs)


def call(body: dict[str, Any], *links: Link) -> Call:
    return Call(Operation.TRANSCRIPTIONS, "m", body, links=links)


async def linked(room: fakes.Room, asked: Call, needs: Callable[[str, str], bool] | None = None) -> Call:
    exchange = Exchange(Arrival("id", "t", 0.0, 1e12), fakes.ALICE, Plan(asked, ()))
    return await with_links(asked, adapter(needs), exchange, room.gateway())


@pytest.fixture
def room() -> fakes.Room:
    room = fakes.Room()
    room.web.pages = {URL: WAV}
    return room


async def test_a_link_to_an_upload_becomes_a_file_and_its_field_goes(room: fakes.Room) -> None:
    asked = call({"url": URL, "model": "m"}, Link(("url",), URL, "file"))
    found = await linked(room, asked)
    (file,) = found.files
    assert (file.field_name, file.name, file.media_type, file.data) == ("file", "file.wav", "audio/wav", WAV.data)
    assert found.body == {"model": "m"} and found.links == () and asked.body["url"] == URL


async def test_a_data_url_is_a_file_without_any_reading(room: fakes.Room) -> None:
    url = "data:audio/mpeg;base64,SUQz"
    (file,) = (await linked(room, call({"url": url}, Link(("url",), url, "file")))).files
    assert (file.media_type, file.data, room.web.read) == ("audio/mpeg", b"ID3", [])


@pytest.mark.parametrize("url", ["file:///etc/passwd", "talk.wav", "data:audio/wav;base64,%%%", "ftp://x/y"])
async def test_what_is_no_web_address_is_refused_where_it_stands(room: fakes.Room, url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await linked(room, call({"a": {"url": url}}, Link(("a", "url"), url, "file")))
    assert (caught.value.param, caught.value.code, room.web.read) == ("a.url", "invalid_file_url", [])


async def test_what_cannot_be_read_is_said_where_it_stands(room: fakes.Room) -> None:
    room.web.pages = {URL: Fetched("", b"")}
    for url in (URL, "https://files.test/none"):
        with pytest.raises(InvalidRequest) as caught:
            await linked(room, call({"images": [{"url": url}]}, Link(("images", 0, "url"), url, "image")))
        assert caught.value.param == "images[0].url"


async def test_a_link_in_place_is_read_only_where_the_provider_cannot(room: fakes.Room) -> None:
    asked = call({"document": {"document_url": URL, "x": 1}}, Link(("document", "document_url"), URL))
    assert (await linked(room, asked)).body is asked.body
    needed = await linked(room, asked, lambda kind, url: kind == "document_url")
    assert needed.body["document"]["document_url"].startswith("data:audio/wav;base64,")
    assert needed.body["document"]["x"] == 1 and asked.body["document"]["document_url"] == URL


async def test_one_url_in_many_places_is_read_once_and_counted_as_often_as_it_stands() -> None:
    room = fakes.Room(policy=Policy(max_media_bytes=30))
    room.web.pages = {URL: WAV}
    links = [Link(("images", number, "url"), URL, "image") for number in range(3)]
    body = {"images": [{"url": URL}] * 3}
    assert len((await linked(room, call(body, *links[:2]))).files) == 2
    assert room.web.read == [URL]
    with pytest.raises(TooLarge):
        await linked(room, call(body, *links))


async def test_at_most_sixteen_different_ones(room: fakes.Room) -> None:
    urls = [f"https://files.test/{number}" for number in range(17)]
    room.web.pages = dict.fromkeys(urls, WAV)
    links = [Link((f"u{number}",), url, "image") for number, url in enumerate(urls)]
    body = {f"u{number}": url for number, url in enumerate(urls)}
    assert len((await linked(room, call(body, *links[:16]))).files) == 16
    with pytest.raises(InvalidRequest) as caught:
        await linked(room, call(body, *links))
    assert caught.value.param == "u16"


@pytest.mark.parametrize("path", ["/a/..%2fb.w/v", "/x.toolong", "/x.w;v", "/", "/x.ä"])
async def test_a_suffix_is_a_short_word_or_none(room: fakes.Room, path: str) -> None:
    url = f"https://files.test{path}"
    room.web.pages = {url: WAV}
    (file,) = (await linked(room, call({"url": url}, Link(("url",), url, "file")))).files
    assert file.name == "file.bin"
