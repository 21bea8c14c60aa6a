"""The OpenAI SDK with keys of its user's own: `extra_body={"api_key": …}`, over uvicorn and a socket."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import openai
import pytest
import uvicorn
from openai import OpenAI

from orrery.edge.families import family
from tests.edge.owning import Upstream
from tests.fakes import DONE, Room, chunk, completion, json_reply, stream

KEY = "canary-0123456789abcdef"
HELLO = [{"role": "user", "content": "hi"}]


@contextmanager
def serving(upstream: Upstream, outside: Upstream) -> Iterator[OpenAI]:
    room = Room(transport=upstream, outside=outside)
    gateway = room.gateway()
    listener = socket.create_server(("127.0.0.1", 0))
    app = family("chat", lambda: gateway)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="none", log_level="error"))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        with OpenAI(base_url=url, api_key="good", max_retries=0) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def ask(client: OpenAI, **extra: str):
    create = client.chat.completions.with_raw_response.create
    return create(model="openai/gpt-4o-mini", messages=HELLO, extra_body=extra)


def test_a_call_with_the_users_own_key_is_answered_and_costs_nothing():
    upstream = Upstream(lambda request: completion())
    with serving(upstream, Upstream()) as client:
        raw = ask(client, api_key=KEY)
    assert raw.parse().choices[0].message.content == "hello"
    assert (raw.headers["x-orbitrage-byok"], raw.headers["x-orrery-cost-usd"]) == ("openai", "0")
    assert upstream.holding(KEY) == ["https://api.openai.com/v1/chat/completions"]
    assert KEY not in upstream.open_text()


def test_it_streams():
    upstream = Upstream(lambda request: stream(chunk({"content": "hello"}), chunk({}, "stop"), DONE))
    with serving(upstream, Upstream()) as client:
        extra = {"api_key": KEY}
        chunks = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True, extra_body=extra)
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == "hello"
    assert upstream.holding(KEY)


def test_a_bad_key_does_not_look_like_a_bad_gateway_key():
    upstream = Upstream(lambda request: json_reply({"error": {"message": f"Incorrect API key: {KEY}"}}, 401))
    with serving(upstream, Upstream()) as client, pytest.raises(openai.UnprocessableEntityError) as caught:
        ask(client, api_key=KEY)
    assert caught.value.code == "provider_credential_invalid"
    assert caught.value.response.headers["x-orbitrage-byok-reason"] == "applied"
    assert KEY not in str(caught.value)


def test_an_address_of_the_users_own_goes_with_the_key():
    outside = Upstream(lambda request: completion())
    with serving(Upstream(), outside) as client:
        ask(client, api_key=KEY, base_url="https://llm.caller.example/v1")
        with pytest.raises(openai.BadRequestError):
            ask(client, base_url="https://llm.caller.example/v1")
    assert outside.holding(KEY) == ["https://llm.caller.example/v1/chat/completions"]
