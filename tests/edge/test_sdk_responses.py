"""Responses by the OpenAI SDK's own methods, against the server of `make run`; all that passes the wire is judged."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from openai.types.responses import Response
from pydantic import BaseModel

from tests.edge.responses_judge import Recorder, async_judged, events_of, judge_all, judged
from tests.edge.running import Running, running
from tests.edge.test_sdk_families import png
from tests.flow import test_seed_responses as seed

MODEL = "sandbox/echo"
HELLO = "Hello, planets, hello moons"
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
INVALID, PREVIOUS = "invalid_request_body", "previous_response_id"
CALL = 'call get_weather {"city": "Oslo"}'


class Moon(BaseModel):
    name: str
    craters: int


class Planet(BaseModel):
    name: str
    moons: list[Moon]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("state")) as server:
        yield server


@pytest.fixture
def client(server: Running) -> Iterator[OpenAI]:
    with judged(server) as client:
        yield client


def plain(response: Response) -> Any:
    """What was said, without what the SDK's parser adds."""
    told = response.model_dump(exclude={"output": {"__all__": {"parsed_arguments"}}})
    for item in told["output"]:
        for part in item.get("content") or ():
            part.pop("parsed", None)
    return told


def test_a_whole_answer(client):
    told = client.responses.create(model=MODEL, input=HELLO, instructions="Echo.", metadata={"topic": "planets"})
    assert (told.status, told.output_text, told.model) == ("completed", HELLO, MODEL)
    assert (told.instructions, told.metadata) == ("Echo.", {"topic": "planets"})
    assert told.usage.total_tokens == told.usage.input_tokens + told.usage.output_tokens > 0
    assert told.completed_at >= told.created_at


def test_a_streamed_answer_comes_in_pieces_that_add_up(client):
    events = list(client.responses.create(model=MODEL, input=HELLO, stream=True))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 3 and "".join(deltas) == events[-1].response.output_text == HELLO
    assert plain(events[-1].response) == plain(client.responses.retrieve(events[-1].response.id))


@pytest.mark.parametrize("said", [HELLO, CALL, f"think of Norway\n{CALL}\n{CALL}"])
def test_the_stream_helper_comes_to_what_is_retrieved(client, said):
    with client.responses.stream(model=MODEL, input=said, tools=[WEATHER]) as stream:
        snapshots = {e.output_index: e.snapshot for e in stream if e.type.endswith(("text.delta", "arguments.delta"))}
        final = stream.get_final_response()
    assert plain(final) == plain(client.responses.retrieve(final.id))
    last = [item.arguments if item.type == "function_call" else item.content[0].text for item in final.output]
    assert list(snapshots.values()) == [text for item, text in zip(final.output, last, strict=True) if is_told(item)]


def is_told(item: Any) -> bool:
    """Whether its text is streamed: reasoning in the clear is not."""
    return item.type != "reasoning"


def test_structured_output_parses(client):
    told = client.responses.parse(model=MODEL, input=HELLO, text_format=Planet)
    assert isinstance(told.output_parsed, Planet)
    assert told.text.format.type == "json_schema"
    assert told.text.format.schema_["properties"].keys() == {"name", "moons"}


def test_structured_output_parses_from_a_stream(client):
    with client.responses.stream(model=MODEL, input=HELLO, text_format=Planet) as stream:
        done = [event.parsed for event in stream if event.type == "response.output_text.done"]
        final = stream.get_final_response()
    assert [type(found) for found in done] == [Planet]
    assert final.output_parsed == done[0]


def test_json_without_a_schema(client):
    told = client.responses.create(
        model=MODEL, input=HELLO, text={"format": {"type": "json_object"}, "verbosity": "low"}
    )
    assert json.loads(told.output_text) == {"echo": HELLO}
    assert told.text.verbosity == "low"


def test_arguments_of_a_function_parse(client):
    tool = openai.pydantic_function_tool(Moon)
    told = client.responses.parse(model=MODEL, input='call Moon {"name": "Io", "craters": 7}', tools=[tool])
    assert told.output[0].parsed_arguments == Moon(name="Io", craters=7)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_function_is_called_and_answered(client, streamed):
    def ask(**body: Any) -> Response:
        found = client.responses.create(model=MODEL, tools=[WEATHER], stream=streamed, **body)
        return list(found)[-1].response if streamed else found

    first = ask(input=CALL)
    call = first.output[0]
    assert (first.status, call.type, call.name, call.status) == (
        "completed",
        "function_call",
        "get_weather",
        "completed",
    )
    assert json.loads(call.arguments) == {"city": "Oslo"}
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    again = ask(input=[output], previous_response_id=first.id)
    assert (again.output_text, again.previous_response_id) == ("get_weather said: rain", first.id)
    whole = [{"role": "user", "content": CALL}, *(item.to_dict() for item in first.output), output]
    assert ask(input=whole, store=False).output_text == "get_weather said: rain"


def test_several_functions_are_called_at_once_or_one_by_one(client):
    said = f'{CALL}\ncall get_weather {{"city": "Rome"}}'
    both = client.responses.create(model=MODEL, input=said, tools=[WEATHER])
    assert [json.loads(call.arguments)["city"] for call in both.output] == ["Oslo", "Rome"]
    assert len({call.call_id for call in both.output}) == len({call.id for call in both.output}) == 2
    one = client.responses.create(model=MODEL, input=said, tools=[WEATHER], parallel_tool_calls=False)
    assert len(one.output) == 1


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("auto", []),
        ("required", ["get_weather"]),
        ({"type": "function", "name": "get_time"}, ["get_time"]),
        (
            allowed := {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "get_time"}],
            },
            ["get_time"],
        ),
        (allowed | {"mode": "auto"}, []),
    ],
)
def test_the_choice_of_a_tool_is_kept_to(client, choice, called):
    tools = [WEATHER, WEATHER | {"name": "get_time", "parameters": {"type": "object", "properties": {}}}]
    told = client.responses.create(model=MODEL, input="Hello", tools=tools, tool_choice=choice)
    assert [item.name for item in told.output if item.type == "function_call"] == called


@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_hosted_and_what_is_the_clients_in_one_turn(client, streamed):
    tools = [WEATHER, {"type": "orq:current_date"}]

    def ask(**body: Any) -> Response:
        found = client.responses.create(model=MODEL, tools=tools, stream=streamed, **body)
        return list(found)[-1].response if streamed else found

    said = f'{CALL}\ncall current_date {{"timezone": "CET"}}'
    first = ask(input=said)
    assert [item.type for item in first.output] == ["function_call", "function_call", "orq:current_date"]
    output = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": "rain"}
    kept = ask(input=[output], previous_response_id=first.id)
    items = [json.loads(item.to_json()) for item in first.output]
    again = ask(input=[{"role": "user", "content": said}, *items, output], store=False)
    for told in (kept, again):
        lines = told.output_text.splitlines()
        assert sorted(line.partition(" said: ")[0] for line in lines) == ["current_date", "get_weather"]
        assert "get_weather said: rain" in lines


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
def test_what_is_hosted_runs_and_is_shown(client):  # the SDK's helper warns of tools that it does not know
    asked = {"model": MODEL, "input": "What is the current CET time?", "tools": [{"type": "orq:current_date"}]}
    whole = client.responses.create(**asked)
    assert [item.type for item in whole.output] == ["function_call", "orq:current_date", "message"]
    with client.responses.stream(**asked) as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    assert [item.type for item in final.output] == ["function_call", "orq:current_date", "message"]
    assert final.output_text.startswith("current_date said: ")


@pytest.mark.parametrize("streamed", [False, True])
def test_a_bound_that_is_reached_is_an_incomplete_response(client, streamed):
    found = client.responses.create(model=MODEL, input="one " * 40, max_output_tokens=16, stream=streamed)
    told = list(found)[-1].response if streamed else found
    assert (told.status, told.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (told.output[0].status, told.usage.output_tokens) == ("incomplete", 16)


def test_pictures_and_files_go_along(client):
    picture = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    document = f"data:application/pdf;base64,{base64.b64encode(b'%PDF-1.4 nothing').decode()}"
    content = [
        {"type": "input_text", "text": HELLO},
        {"type": "input_image", "image_url": picture, "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": document},
    ]
    told = client.responses.create(model=MODEL, input=[{"role": "user", "content": content}])
    assert told.output_text == HELLO
    (kept,) = client.responses.input_items.list(told.id)
    assert [part.type for part in kept.content] == ["input_text", "input_image", "input_file"]
    assert (kept.content[1].image_url, kept.content[2].file_data) == (picture, document)


def test_headers_name_the_request_and_what_served_it(client):
    raw = client.responses.with_raw_response.create(model=MODEL, input=HELLO)
    assert raw.headers["x-request-id"] == raw.parse()._request_id
    assert (raw.headers["x-orrery-provider"], raw.headers["x-orrery-model"]) == ("sandbox", "echo")
    assert len(raw.headers["x-orq-trace-id"]) == 32
    with client.responses.with_streaming_response.create(model=MODEL, input=HELLO, stream=True) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["x-request-id"] != raw.headers["x-request-id"]
        assert [event.type for event in stream.parse()][-1] == "response.completed"


@pytest.mark.parametrize(
    ("body", "kind", "param", "code"),
    [
        ({"temperature": 9}, openai.BadRequestError, "temperature", INVALID),
        ({"input": openai.omit}, openai.BadRequestError, "input", INVALID),
        ({"input": [{"type": "message", "role": "user"}]}, openai.BadRequestError, "input[0].content", INVALID),
        ({"tool_choice": {"type": "function", "name": "none"}}, openai.BadRequestError, "tool_choice.name", INVALID),
        ({"background": True, "store": False}, openai.BadRequestError, "background", INVALID),
        ({"model": "sandbox/no-such-model"}, openai.NotFoundError, "model", "model_not_found"),
        ({"model": "agent/nobody"}, openai.NotFoundError, None, "agent_not_found"),
        ({"previous_response_id": "resp_gone"}, openai.NotFoundError, PREVIOUS, "previous_response_not_found"),
        ({"conversation": "conv_gone"}, openai.NotFoundError, None, "not_found"),
        ({"metadata": {"sandbox_status": "503"}}, openai.InternalServerError, None, "sandbox_failure"),
        ({"metadata": {"sandbox_status": "429"}}, openai.RateLimitError, None, "sandbox_failure"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_errors_are_the_sdks_own(client, body, kind, param, code, streamed):
    with pytest.raises(kind) as caught:
        client.responses.create(**{"model": MODEL, "input": HELLO, "stream": streamed} | body)
    assert caught.value.request_id.startswith("req_")
    assert (caught.value.param, caught.value.code) == (param, code)


def test_who_has_no_key_is_told_so(server):
    with judged(server, api_key="orb_0000000000_" + "0" * 38) as client:
        with pytest.raises(openai.AuthenticationError):
            client.responses.create(model=MODEL, input=HELLO)
        with pytest.raises(openai.AuthenticationError):
            client.responses.retrieve("resp_1")


def test_a_stream_that_is_cut_has_failed_and_says_so(client):
    told = []
    with pytest.raises(openai.APIError, match="broke off"):
        for event in client.responses.create(
            model=MODEL, input=HELLO, stream=True, metadata={"sandbox_cut_after": "3"}
        ):
            told.append(event)
    kept = client.responses.retrieve(told[0].response.id)
    assert (kept.status, kept.error.message) == ("failed", "127.0.0.1 broke off in the middle of its answer")
    assert HELLO.startswith(kept.output_text) and kept.output_text
    assert kept.usage.output_tokens > 0, "what it said is charged, and told"


def test_coroutines_create_stream_and_parse_side_by_side(server):
    async def main() -> list[Any]:
        async with async_judged(server) as client:

            async def whole(text: str) -> str:
                return (await client.responses.create(model=MODEL, input=text)).output_text

            async def streamed(text: str) -> str:
                stream = await client.responses.create(model=MODEL, input=text, stream=True)
                return [event async for event in stream][-1].response.output_text

            async def helped(text: str) -> str:
                async with client.responses.stream(model=MODEL, input=text) as stream:
                    async for _ in stream:
                        pass
                    return (await stream.get_final_response()).output_text

            async def parsed(text: str) -> str:
                told = await client.responses.parse(model=MODEL, input=text, text_format=Planet)
                return text if isinstance(told.output_parsed, Planet) else ""

            ways = (whole, streamed, helped, parsed)
            return await asyncio.gather(*(way(f"number {n} of {way.__name__}") for n in range(4) for way in ways))

    names = ("whole", "streamed", "helped", "parsed")
    assert asyncio.run(main()) == [f"number {n} of {name}" for n in range(4) for name in names]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("body", [seed.MODEL, seed.AGENT], ids=["model", "agent"])
def test_the_seeds_bodies_are_answered_as_they_stand(server, client, body, streamed):
    """As curl posts them: the agent is made by its own endpoint, where it is not there yet."""
    origin = server.base_url.removesuffix("/v1")
    bearer = {"authorization": f"Bearer {server.api_key}", "content-type": "application/json"}
    made = httpx2.post(f"{origin}/v2/agents", json=seed.SUPPORT | {"model": MODEL}, headers=bearer)
    assert made.status_code in (201, 409)
    posted = body.replace("openai/gpt-4o", MODEL).replace('"stream": false', f'"stream": {json.dumps(streamed)}')
    answer = client._client.post(f"{origin}/v1/responses", content=posted, headers=bearer)
    told = events_of(answer.content)[-1]["response"] if streamed else answer.json()
    assert [item["type"] for item in told["output"]] == ["function_call", "orq:current_date", "message"]
    call, clock, message = told["output"]
    assert json.loads(call["arguments"]) == {"timezone": "CET"} == json.loads(clock["arguments"])
    assert json.loads(clock["output"])["utc_offset"] in ("+01:00", "+02:00")
    assert message["content"][0]["text"] == f"current_date said: {clock['output']}"
    assert told["variables"] == {"language": "hungarian"}
    (asked,) = client.responses.input_items.list(told["id"])
    assert asked.content[0].text == "What is the current CET time? Answer in hungarian"
    assert told["id"] in httpx2.get(f"{origin}/v2/threads/thread-001", headers=bearer).text


SPOILED: dict[str, tuple[bytes, bytes]] = {
    "no end": (b"data: [DONE]\n\n", b""),
    "carriage returns": (b"\n", b"\r\n"),
    "no blank line": (b"\n\nevent: response.in_progress", b"\nevent: response.in_progress"),
    "an id of the transport's": (b"event: response.created", b"id: 1\nevent: response.created"),
    "an event without data": (b"event: response.created", b"event: ping\n\nevent: response.created"),
    "a name that is not the type": (b"event: response.completed", b"event: response.done"),
    "an event that nobody knows": (b"response.in_progress", b"response.at_it"),
    "a gap": (b'"sequence_number":5', b'"sequence_number":6'),
    "a delta that is none of the sum": (b'"delta":"Hello,"', b'"delta":"Hallo,"'),
    "a delta without logprobs": (b'"delta":"Hello,","logprobs":[]', b'"delta":"Hello,"'),
    "padding": (b'"delta":"Hello,"', b'"delta":"Hello,","obfuscation":"x"'),
    "an index too far": (b'"content_index":0', b'"content_index":1'),
    "a number as a text": (b'"top_logprobs":0', b'"top_logprobs":"0"'),
    "a field that is missing": (b'"background":false,', b""),
    "null where nothing must be": (b'"annotations":[]', b'"annotations":[],"logprobs":null'),
    "a state of another event": (b'"status":"in_progress","background"', b'"status":"completed","background"'),
    "text before its beginning": (b'"role":"assistant","content":[]', b'"role":"assistant","content":[{}]'),
    "a last item of another name": (b'"output":[{"id":"', b'"output":[{"id":"_'),
}


def test_the_judge_finds_what_is_spoiled(server):
    seen: list[Any] = []
    with httpx2.Client(transport=Recorder(seen), base_url=server.base_url) as there:
        bearer = {"authorization": f"Bearer {server.api_key}"}
        there.post("/responses", json={"model": MODEL, "input": HELLO, "stream": True}, headers=bearer)
    (exchange,) = seen
    judge_all(seen)
    good = exchange.body
    for name, (old, new) in SPOILED.items():
        exchange.body = good.replace(old, new)
        assert exchange.body != good, name
        with pytest.raises((AssertionError, ValueError, KeyError)):
            judge_all(seen)
            print(f"not found: {name}")


@pytest.mark.parametrize("mount", ["/v3/router", "/v2/router", "/v2/gateway"])
def test_every_mount_has_responses(server, mount):
    url = server.base_url.removesuffix("/v1") + mount
    with OpenAI(base_url=url, api_key=server.api_key, max_retries=0) as client:
        told = client.responses.create(model=MODEL, input=HELLO)
        assert client.responses.retrieve(told.id).output_text == HELLO
