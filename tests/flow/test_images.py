"""Pictures and videos on their way through the flow: what is held, sent, answered and charged."""

import base64
import io
from dataclasses import replace
from typing import Any

import orjson
import pytest
from PIL import Image

from orrery.core.dialect import Adapter, Encoded, Frame
from orrery.core.errors import GatewayError, InvalidRequest, NotFound, Unauthenticated, UnknownModel
from orrery.core.exchange import Exchange, Receipt
from orrery.core.types import Call, Fetched, Plan, Price, Principal, Rates
from orrery.edge.seals import PepperSeals
from orrery.flow.gateway import Gateway, Policy
from orrery.flow.jobs import asked
from orrery.flow.links import with_links
from orrery.flow.serve import serve
from orrery.stores.model_rows import OwnModel
from orrery.wire.images import read_edit, read_generation
from orrery.wire.posted import Posted
from orrery.wire.videos import read_video
from tests.fakes import FakeKeys, FakeModels, FakeReply, FakeTransport, Room, json_reply, stream
from tests.flow.asking import arrive

MALLORY = Principal(key_id="mallory", organization="org-mallory", workflow="main", user="mallory")


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG")
    return out.getvalue()


B64 = base64.b64encode(png()).decode()
USAGE = {"input_tokens": 50, "output_tokens": 40, "total_tokens": 90, "input_tokens_details": {"image_tokens": 40}}
OPEN = Policy(allow_unpriced=True)


def peppers(*values: bytes) -> Any:
    async def read() -> dict[int, bytes]:
        return dict(enumerate(values, 1))

    return read


SEALS = PepperSeals(peppers(b"a pepper of 16 bytes or more"))


async def told(call: Call, gateway: Gateway) -> list[Any]:
    answer = await serve("good", lambda _: replace(call, received_at=7), await arrive(), gateway)
    try:
        return [orjson.loads(payload) async for batch in answer.batches for payload in batch]
    finally:
        await answer.batches.aclose()
        await answer.close()


def generation(model: str, **body: Any) -> Call:
    return read_generation(Posted(orjson.dumps({"model": model, "prompt": "A cat", **body})))


def video(**body: Any) -> Call:
    return read_video(Posted(orjson.dumps({"model": "openai/sora-2", "prompt": "A cat", **body})))


def priced(price: Price) -> FakeModels:
    return FakeModels([OwnModel("stability", "core", price=price)])


async def test_a_picture_costs_what_its_price_says():
    price = Price(Rates(0, 0), units={"image": 10, "image/standard/1536x1024": 30_000_000_000})
    replies = [json_reply({"image": B64, "finish_reason": "SUCCESS"}) for _ in range(2)]
    room = Room(transport=FakeTransport(*replies), models=priced(price))
    await told(generation("stability/core", n=2, size="1536x1024"), room.gateway())
    assert room.logged[0].held_nano == room.ledger.settled["r1"].cost_nano == 60_000_000


@pytest.mark.parametrize("price", [Price(Rates(1, 1)), Price(Rates(0, 0), units={"page": 1})])
async def test_a_price_of_something_else_pays_for_no_picture(price):
    room = Room(models=priced(price))
    with pytest.raises(UnknownModel):
        await told(generation("stability/core"), room.gateway())


async def test_tokens_of_pictures_are_charged_as_the_provider_tells():
    body = {"created": 1, "data": [{"b64_json": B64}], "usage": USAGE}
    room = Room(transport=FakeTransport(json_reply(body)), policy=OPEN)
    (answer,) = await told(generation("openai/gpt-image-2"), room.gateway())
    assert answer["usage"] == USAGE
    usage = room.ledger.settled["r1"].usage
    assert (usage.prompt, usage.image_input, usage.image_output) == (50, 40, 40)
    assert room.ledger.settled["r1"].evidence == "provider"


async def test_pictures_that_nobody_counts_in_tokens_are_counted_here():
    replies = [json_reply({"image": B64, "finish_reason": "SUCCESS"}) for _ in range(3)]
    room = Room(transport=FakeTransport(*replies), policy=OPEN)
    (answer,) = await told(generation("stability/stable-image-core", n=3), room.gateway())
    assert len(answer["data"]) == 3 and len(room.transport.requests) == 3
    receipt = room.ledger.settled["r1"]
    assert (receipt.usage.units, receipt.evidence) == ({"image/standard/1024x1024": 3}, "counted")


async def test_who_draws_whole_pictures_only_answers_a_stream_with_its_end():
    reply = json_reply({"data": [{"b64_json": B64}, {"b64_json": B64}]})
    room = Room(transport=FakeTransport(reply), policy=OPEN)
    events = await told(generation("xai/grok-imagine-image", n=2, stream=True, size="1024x1024"), room.gateway())
    assert [event["type"] for event in events] == ["image_generation.completed"] * 2
    assert room.transport.body()["response_format"] == "b64_json"
    assert room.transport.requests[0].headers["accept"] == "application/json"
    assert room.ledger.settled["r1"].usage.units == {"image/standard/1024x1024": 2}


async def test_several_calls_for_one_picture_each_are_one_stream():
    replies = [json_reply({"image": B64, "finish_reason": "SUCCESS"}) for _ in range(2)]
    room = Room(transport=FakeTransport(*replies), policy=OPEN)
    events = await told(generation("stability/ultra", n=2, stream=True), room.gateway())
    assert [event["b64_json"] for event in events] == [B64, B64]


async def test_partial_pictures_pass_as_they_come():
    partial = b'{"type":"image_generation.partial_image","b64_json":"AA","partial_image_index":0}'
    done = orjson.dumps({"type": "image_generation.completed", "b64_json": B64, "usage": USAGE})
    reply = stream(b"data: %b\n\n" % partial, b"event: x\ndata: %b\n\n" % done)
    room = Room(transport=FakeTransport(reply), policy=OPEN)
    events = await told(generation("openai/gpt-image-2", stream=True, partial_images=1), room.gateway())
    assert [event["type"].rpartition(".")[2] for event in events] == ["partial_image", "completed"]
    assert room.ledger.settled["r1"].usage.completion == 40


async def test_a_stream_that_breaks_off_costs_what_was_held():
    partial = b'data: {"type":"image_generation.partial_image","b64_json":"AA","partial_image_index":0}\n\n'
    room = Room(transport=FakeTransport(stream(partial)), policy=OPEN)
    with pytest.raises(GatewayError):
        await told(generation("openai/gpt-image-2", stream=True, quality="low", size="1024x1024"), room.gateway())
    receipt = room.ledger.settled["r1"]
    assert receipt.evidence == "counted" and receipt.usage.image_output == 196


async def test_an_edit_by_url_sends_the_files():
    url = "https://files.test/a.png"
    room = Room(transport=FakeTransport(json_reply({"created": 1, "data": [{"b64_json": B64}]})), policy=OPEN)
    room.web.pages = {url: Fetched("text/plain", png())}
    body = {"model": "openai/gpt-image-2", "prompt": "x", "images": [{"image_url": url}, {"image_url": url}]}
    await told(read_edit(Posted(orjson.dumps({**body, "mask": {"image_url": url}}))), room.gateway())
    pieces = room.transport.requests[0].body
    sent = pieces if isinstance(pieces, bytes) else b"".join(pieces)
    assert sent.count(b'name="image[]"; filename="image.png"') == 2 and sent.count(png()) == 3
    assert b"content-type: image/png" in sent and b"images" not in sent


async def test_the_urls_of_pictures_are_gone_where_their_files_are():
    room = Room()
    room.web.pages = {"https://a.test/a.png": Fetched("image/png", png())}
    body = {"model": "m", "prompt": "x", "images": [{"image_url": "https://a.test/a.png", "detail": "low"}]}
    call = read_edit(Posted(orjson.dumps(body)))
    exchange = Exchange(await arrive(), MALLORY, Plan(call, ()))
    adapter = Adapter(lambda c, t: "", lambda c, t: Encoded({}), lambda b, c: Frame(None))
    found = await with_links(call, adapter, exchange, room.gateway())
    assert found.body == {**body, "images": [{"detail": "low"}]} and len(found.files) == 1


async def test_what_a_url_brings_is_judged_before_it_is_sent():
    url = "https://files.test/a.png"
    room = Room(transport=FakeTransport(), policy=OPEN)
    room.web.pages = {url: Fetched("image/png", b"<html>no picture</html>")}
    body = {"model": "openai/gpt-image-2", "prompt": "x", "images": [{"image_url": url}]}
    with pytest.raises(InvalidRequest) as caught:
        await told(read_edit(Posted(orjson.dumps(body))), room.gateway())
    assert caught.value.code == "invalid_image_file" and not room.transport.requests


JOB = {"id": "video_123", "object": "video", "status": "queued", "seconds": "8", "size": "1280x720"}


def with_seals(room: Room) -> Gateway:
    return replace(room.gateway(), seals=SEALS)


async def fetched(token: str, name: str, part: str, gateway: Gateway) -> bytes:
    async with asked(token, name, part, await arrive(), gateway) as (_, reply):
        return b"".join([chunk async for chunk in reply.chunks()])


async def accepted(room: Room) -> str:
    (job,) = await told(video(seconds="8", size="1280x720"), with_seals(room))
    return str(job["id"])


async def test_a_video_is_paid_for_when_its_job_is_accepted():
    room = Room(transport=FakeTransport(json_reply(JOB)), policy=OPEN)
    name = await accepted(room)
    assert name.startswith("video_") and name != JOB["id"]
    assert room.ledger.settled["r1"].usage.units == {"video_ms/1280x720": 8_000}


async def test_a_job_is_found_again_by_its_name_with_the_operators_key():
    room = Room(
        transport=FakeTransport(json_reply(JOB), json_reply(JOB), FakeReply(200, {}, [b"mp4", b"4pm"])), policy=OPEN
    )
    name = await accepted(room)
    assert orjson.loads(await fetched("good", name, "", with_seals(room)))["id"] == "video_123"
    assert await fetched("good", name, "/content", with_seals(room)) == b"mp44pm"
    found = room.transport.requests[2]
    assert (found.method, found.url) == ("GET", "https://api.openai.com/v1/videos/video_123/content")
    assert found.headers["authorization"] == "Bearer key-of-openai"
    receipt = room.logged[-1].receipt
    assert receipt == Receipt(0, receipt.usage, "none", "openai", "sora-2") and room.ledger.said.count("hold") == 1  # type: ignore[union-attr]


async def test_another_organization_cannot_use_the_name():
    room = Room(transport=FakeTransport(json_reply(JOB)), policy=OPEN)
    name = await accepted(room)
    room.keys = FakeKeys({"mallory": MALLORY})
    with pytest.raises(NotFound):
        await fetched("mallory", name, "", with_seals(room))
    with pytest.raises(Unauthenticated):
        await fetched("good", name, "", with_seals(room))
    assert len(room.transport.requests) == 1 and len(room.refusals) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda n: n[:-1],
        lambda n: n.removeprefix("video_"),
        lambda n: n + "A",
        lambda n: "video_123",
        lambda n: n[:8] + "é",
    ],
)
async def test_a_name_that_was_altered_or_made_up_names_nothing(change):
    room = Room(transport=FakeTransport(json_reply(JOB)), policy=OPEN)
    name = change(await accepted(room))
    with pytest.raises(NotFound):
        await fetched("good", name, "", with_seals(room))
    assert len(room.transport.requests) == 1


async def test_a_provider_that_lost_the_job_says_so_itself():
    lost = json_reply({"error": {"message": "Video not found", "type": "invalid_request_error"}}, 404)
    room = Room(transport=FakeTransport(json_reply(JOB), lost), policy=OPEN)
    name = await accepted(room)
    with pytest.raises(GatewayError) as caught:
        await fetched("good", name, "", with_seals(room))
    assert caught.value.status == 404 and room.logged[-1].status == 404


async def test_names_outlive_a_change_of_peppers():
    old, both = (
        PepperSeals(peppers(b"the first pepper")),
        PepperSeals(peppers(b"the first pepper", b"the second pepper")),
    )
    name = await old.seal("org", "text")
    assert await both.open("org", name) == "text"
    assert await old.open("org", await both.seal("org", "text")) is None
    assert await both.open("or", name) is None and await both.open("org", "x" * 5_000) is None
