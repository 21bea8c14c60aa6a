"""Outcomes as bytes: streams, whole answers, errors before and after the start, callers who leave or read slowly."""

import asyncio

import orjson
import pytest

from orrery.edge.families import family
from orrery.flow.gateway import Policy
from tests.edge.asgi import request
from tests.fakes import DONE, FakeTransport, Room, chunk, completion, cut, in_virtual_time, json_reply, stream

ASKED = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
STREAMED = ASKED | {"stream": True}


def app_of(room: Room):
    gateway = room.gateway()
    return family("chat", lambda: gateway)


async def test_a_stream_ends_with_done_and_is_settled_before_the_response_is_closed():
    room = Room(transport=FakeTransport(stream(chunk({"content": "a"}), chunk({}, "stop"), DONE)))
    settled_at_end = []

    async def watch(message):
        if message["type"] == "http.response.body" and not message.get("more_body"):
            settled_at_end.append("r" if room.ledger.settled else "")

    heard = await request(app_of(room), STREAMED, send=watch)
    assert heard.events()[-1] == b"[DONE]"
    assert heard.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert settled_at_end == ["r"]


async def test_a_whole_answer_has_its_length_and_its_cost():
    heard = await request(app_of(Room(transport=FakeTransport(completion()))), ASKED)
    assert int(heard.headers["content-length"]) == len(heard.body)
    assert heard.json()["choices"][0]["message"]["content"] == "hello"
    assert heard.headers["x-orrery-cost-usd"] == "0.0000045"


async def test_an_error_before_the_first_frame_is_a_plain_status():
    room = Room(
        transport=FakeTransport(
            json_reply({"error": {"message": "slow down", "type": "x"}}, 429, **{"retry-after": "3"})
        )
    )
    heard = await request(app_of(room), STREAMED)
    assert (heard.status, heard.headers["retry-after"]) == (429, "3")
    assert heard.json()["error"]["message"] == "slow down"
    assert heard.ended


async def test_an_error_after_the_first_frame_is_an_event_and_there_is_no_done():
    room = Room(transport=FakeTransport(stream(chunk({"content": "a"}), cut())))
    heard = await request(app_of(room), STREAMED)
    events = heard.events()
    assert heard.status == 200
    assert orjson.loads(events[-1])["error"]["code"] == "provider_truncated"
    assert b"[DONE]" not in heard.body
    assert heard.ended


async def test_model_text_that_looks_like_an_event_stays_text():
    evil = '\n\ndata: [DONE]\n\nevent: x\rdata: {"error": 1}'
    room = Room(transport=FakeTransport(stream(chunk({"content": evil}), chunk({}, "stop"), DONE)))
    events = (await request(app_of(room), STREAMED)).events()
    assert orjson.loads(events[0])["choices"][0]["delta"]["content"] == evil
    assert events[-1] == b"[DONE]"
    assert len(events) == 3


@pytest.mark.parametrize(
    "spaced",
    [
        b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"x"}}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{}}]}\r\n\r\n',
    ],
)
async def test_upstream_line_ends_never_reach_the_caller(spaced):
    room = Room(transport=FakeTransport(stream(spaced, chunk({}, "stop"), DONE)))
    heard = await request(app_of(room), STREAMED)
    assert b"\r" not in heard.body
    assert all(b"\n" not in event for event in heard.events())


async def test_a_caller_who_leaves_ends_the_upstream_call_and_pays_for_what_came():
    leave, waiting = asyncio.Event(), asyncio.Event()

    async def hang():
        waiting.set()
        await asyncio.Event().wait()

    room = Room(transport=FakeTransport(stream(chunk({"content": "x" * 40}), hang)))
    asking = asyncio.ensure_future(request(app_of(room), STREAMED, leave=leave))
    await waiting.wait()
    leave.set()
    await asking
    assert room.transport.open == 0
    assert [x.outcome for x in room.logged] == ["abandoned"]
    assert next(iter(room.ledger.settled.values())).evidence == "counted"


async def test_a_caller_who_leaves_before_the_first_frame_ends_the_call_too():
    leave, waiting = asyncio.Event(), asyncio.Event()

    async def hang():
        waiting.set()
        await asyncio.Event().wait()

    room = Room(transport=FakeTransport(hang))
    asking = asyncio.ensure_future(request(app_of(room), ASKED, leave=leave))
    await waiting.wait()
    leave.set()
    await asking
    assert room.ledger.holds == {}
    assert [x.outcome for x in room.logged] == ["abandoned"]


def test_a_silent_stream_gets_comments_which_clients_skip():
    async def quiet():
        await asyncio.sleep(50)

    async def main():
        room = Room(transport=FakeTransport(stream(chunk({"content": "a"}), quiet, chunk({}, "stop"), DONE)))
        heard = await request(app_of(room), STREAMED)
        assert heard.body.count(b": ping\n\n") == 3
        assert heard.events()[-1] == b"[DONE]"

    in_virtual_time(main)


def test_a_caller_who_reads_for_ever_too_slowly_is_let_go():
    async def main():
        room = Room(transport=FakeTransport(stream(chunk({"content": "a"}), DONE)), policy=Policy(deadline_s=30))

        async def stuck(message):
            if message.get("body"):
                await asyncio.sleep(10_000)

        with pytest.raises(asyncio.CancelledError):
            await request(app_of(room), STREAMED, send=stuck)
        assert room.ledger.holds == {}
        assert [x.outcome for x in room.logged] == ["abandoned"]
        assert next(iter(room.ledger.settled.values())).evidence == "counted"

    in_virtual_time(main)


async def test_a_bug_of_ours_is_a_500_without_its_text(capfd):
    class Broken(FakeTransport):
        def send(self, request, timeout_s):
            raise RuntimeError("canary: the prompt")

    heard = await request(app_of(Room(transport=Broken())), ASKED)
    assert heard.status == 500
    assert heard.json()["error"]["code"] == "internal_error"
    said = capfd.readouterr()
    assert "RuntimeError" in said.err
    assert "canary" not in said.err + said.out + heard.body.decode()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_request_body"),
        (b"[]", 400, "invalid_request_body"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, 400, "invalid_request_body"),
        (b'{"model":"x"}', 400, "invalid_request_body"),
        (b'{"model":"' + b"x" * 3000 + b'"}', 413, "request_too_large"),
    ],
)
async def test_bad_bodies_are_refused_in_openais_shape(body, status, code):
    heard = await request(app_of(Room(policy=Policy(max_body_bytes=2048))), body)
    assert heard.status == status
    assert set(heard.json()["error"]) == {"message", "type", "param", "code"}
    assert heard.json()["error"]["code"] == code


async def test_a_compressed_body_is_415():
    heard = await request(app_of(Room()), b"x", extra=((b"content-encoding", b"gzip"),))
    assert heard.status == 415


@pytest.mark.parametrize("token", [None, "", "bad", "orb_short"])
async def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(token):
    heard = await request(app_of(Room()), ASKED, token=token)
    assert heard.status == 401
    assert heard.json() == {"error": {"message": "Invalid or missing API key", "type": "invalid_request_error"}}


async def test_a_key_is_judged_before_the_body():
    assert (await request(app_of(Room()), b"{", token="bad")).status == 401


async def test_strict_comes_from_its_header():
    heard = await request(app_of(Room()), ASKED | {"top_k": 3}, extra=((b"x-orrery-strict", b"true"),))
    assert (heard.status, heard.json()["error"]["param"]) == (400, "top_k")


async def test_a_callers_words_write_no_headers():
    room = Room(transport=FakeTransport(completion()), policy=Policy(allow_unpriced=True))
    heard = await request(app_of(room), ASKED | {"model": "openai/x\r\nset-cookie: a=b\x00ü"})
    assert heard.headers["x-orrery-model"] == "x??set-cookie: a=b??"


async def test_unknown_routes_and_methods_answer_in_openais_shape():
    app = app_of(Room())
    assert (await request(app, path="/v1/assistants")).json()["error"]["code"] == "unknown_url"
    heard = await request(app, method="GET")
    assert (heard.status, heard.json()["error"]["code"]) == (405, "method_not_allowed")


async def test_a_slow_caller_holds_the_upstream_back_and_loses_nothing():
    parts = [chunk({"content": f"{n} "}) for n in range(50)]
    room = Room(transport=FakeTransport(stream(*parts, chunk({}, "stop"), DONE)))

    async def slowly(message):
        for _ in range(5):
            await asyncio.sleep(0)

    events = (await request(app_of(room), STREAMED, send=slowly)).events()
    text = "".join(orjson.loads(event)["choices"][0]["delta"].get("content", "") for event in events[:-1])
    assert text == "".join(f"{n} " for n in range(50))


async def test_every_answer_carries_the_requests_ids():
    ok = await request(app_of(Room(transport=FakeTransport(completion()))), ASKED)
    bad = await request(app_of(Room()), b"{")
    for heard in (ok, bad):
        assert heard.headers["x-request-id"].startswith("req_")
        assert len(heard.headers["x-orq-trace-id"]) == 32
        assert heard.headers["x-orbitrage-overhead-ms"].isdigit()
