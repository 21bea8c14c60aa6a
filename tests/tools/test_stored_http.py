"""Stored HTTP tools: what is sent, where it may go, and what never comes back."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.errors import GatewayError, InvalidRequest, NotFound, Unreachable
from orrery.edge.http import HttpTransport
from orrery.edge.outside import PublicPool
from orrery.tools.blueprints import Unfit, read_blueprint
from tests.fakes import FakeReply, FakeTransport
from tests.tools.outfits import CALL, Endless, FakeStored, Workshop, never, reply, texts

SECRET = "canary/s3cret+key"
SPEC = {"type": "orq:http", "tool_id": "weather"}
BLUEPRINT = {
    "url": "https://api.weather.test/v1/{{city}}/days?unit={{unit}}&key=public",
    "method": "POST",
    "headers": {"Authorization": {"value": f"Bearer {SECRET}", "encrypted": True}, "X-Trace": "{{trace}}"},
    "body": {"days": "{{days}}", "note": "for {{city}}", "deep": [{"on": "{{verbose}}"}], "n": 1},
}
ARGUMENTS = {
    "city": {"type": "string", "description": "Which city."},
    "days": {"type": "number", "description": "How many.", "default_value": 3},
    "verbose": {"type": "boolean", "description": "More.", "default_value": False},
    "unit": {"type": "string", "description": "C or F.", "send_to_model": False, "default_value": "C"},
    "trace": {"type": "string", "description": "An id.", "send_to_model": False},
}


def body(blueprint: Any = None, arguments: Any = None) -> Any:
    http = {"blueprint": {**BLUEPRINT, **(blueprint or {})}, "arguments": ARGUMENTS if arguments is None else arguments}
    return {"type": "http", "key": "weather", "description": "Tells the weather.", "http": http}


def workshop(*replies: Any, blueprint: Any = None, arguments: Any = None, **variables: Any) -> Workshop:
    room = Workshop(
        transport=FakeTransport(*(replies or (reply('{"ok":1}'),))),
        stored=FakeStored({"weather": body(blueprint, arguments)}),
    )
    return room.given(variables=variables)


async def sent(room: Workshop, arguments: Any) -> Any:
    outcome = await room.run(SPEC, arguments)
    assert not outcome.failed, outcome.output
    return room.transport.requests[-1]


async def test_the_model_is_told_only_what_is_meant_for_it() -> None:
    told = (await workshop().tool(SPEC)).function
    assert told["name"] == "weather" and told["description"] == "Tells the weather."
    assert set(told["parameters"]["properties"]) == {"city", "days", "verbose"}
    assert told["parameters"]["required"] == ["city"]
    assert told["parameters"]["properties"]["days"] == {"type": "number", "description": "How many."}


async def test_a_request_is_filled_in_and_sent() -> None:
    request = await sent(workshop(), {"city": "São Paulo/x?y#z", "days": 2.5, "verbose": True})
    assert request.url == "https://api.weather.test/v1/S%C3%A3o%20Paulo%2Fx%3Fy%23z/days?unit=C&key=public"
    assert request.method == "POST" and request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["content-type"] == "application/json" and request.headers["x-trace"] == ""
    assert orjson.loads(request.body) == {
        "days": 2.5,
        "note": "for São Paulo/x?y#z",
        "deep": [{"on": True}],
        "n": 1,
    }


async def test_the_answer_is_told_with_its_status() -> None:
    outcome = await workshop().run(SPEC, {"city": "Ulm"})
    assert outcome.output == 'HTTP status 200.\n\n{"ok":1}' and not outcome.failed


@pytest.mark.parametrize(("status", "note"), [(404, ""), (500, ""), (302, "Redirects are not followed.")])
async def test_another_status_is_a_failed_call_with_its_answer(status: int, note: str) -> None:
    room = workshop(reply("gone", status, "text/plain", location="http://169.254.169.254/"))
    outcome = await room.run(SPEC, {"city": "Ulm"})
    assert outcome.failed and f"HTTP status {status}." in outcome.output and "gone" in outcome.output
    assert note in outcome.output and len(room.transport.requests) == 1


async def test_variables_fill_what_the_model_is_not_told_of() -> None:
    arguments = {**ARGUMENTS, "unit": {**ARGUMENTS["unit"], "type": "string"}}
    room = workshop(blueprint={"url": "https://api.weather.test/{{city}}"}, arguments=arguments, unit="F", trace="t-1")
    request = await sent(room, {"city": "Ulm", "unit": "K", "trace": "forged", "elsewhere": 1})
    assert request.headers["x-trace"] == "t-1" and "forged" not in texts([request.headers, request.body])


async def test_defaults_fill_what_the_model_leaves_out_or_says_wrongly() -> None:
    for said in ({}, {"days": "many", "verbose": "yes"}, {"days": True, "verbose": 1}, {"days": [1], "verbose": None}):
        request = await sent(workshop(), {"city": "Ulm", **said})
        read = orjson.loads(request.body)
        assert (read["days"], read["deep"]) == (3, [{"on": False}])


@pytest.mark.parametrize("city", [None, ["a"], {"a": 1}, True])
async def test_what_is_no_text_is_left_blank(city: Any) -> None:
    assert (await sent(workshop(), {"city": city})).url.startswith("https://api.weather.test/v1//days")


async def test_a_number_fits_where_words_are_wanted() -> None:
    assert (await sent(workshop(), {"city": 7})).url.startswith("https://api.weather.test/v1/7/days")


async def test_a_value_is_not_read_again_as_a_template() -> None:
    room = workshop(blueprint={"url": "https://api.weather.test/{{city}}"}, token=SECRET)
    request = await sent(room, {"city": "{{token}}"})
    assert SECRET not in request.url and SECRET.encode() not in request.body and b"{{token}}" in request.body


@pytest.mark.parametrize("city", [".", ".."])
async def test_a_value_is_no_step_upwards(city: str) -> None:
    room = workshop()
    outcome = await room.run(SPEC, {"city": city})
    assert outcome.failed and not room.transport.requests


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "é", "a\x7f", "x" * 9000])
async def test_a_value_is_no_other_header(value: str) -> None:
    arguments = {"trace": {"type": "string", "description": ""}}
    room = workshop(blueprint={"url": "https://api.weather.test/"}, arguments=arguments)
    outcome = await room.run(SPEC, {"trace": value})
    assert outcome.failed and not room.transport.requests and value not in outcome.output


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_no_value_changes_where_a_request_goes(first: str, second: str) -> None:
    blueprint = read_blueprint({"url": "https://h.test:443/a/{{x}}/b{{x}}?q={{y}}&r=1", "method": "GET"})
    try:
        url = blueprint.request({"x": first, "y": second}).url
    except (Unfit, UnicodeEncodeError):
        return
    assert url.startswith("https://h.test:443/a/") and url.isascii() and url.isprintable()
    assert (url.count("/"), url.count("?"), url.count("&"), url.count("#")) == (5, 1, 1, 0)
    assert ".." not in url.partition("?")[0].split("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.weather.test/",
        "https://{{city}}/",
        "https://{{city}}.weather.test/",
        "https://api.weather.test{{city}}/",
        "https://user:pass@api.weather.test/",
        "https://api.weather.test\\@evil.test/",
        "https:///x",
        "//api.weather.test/",
        "{{url}}",
        "https://api.weather.test/a b",
        "https://api.weather.test/\r\nx",
        "https://api.weather.test/é",
        "ftp://api.weather.test/",
        7,
        None,
    ],
)
async def test_a_url_that_is_not_its_own_is_refused(url: Any) -> None:
    with pytest.raises(InvalidRequest):
        await workshop(blueprint={"url": url}).opened(SPEC)


@pytest.mark.parametrize(
    "header",
    ["Host", "Content-Length", "transfer-encoding", "Connection", "Proxy-Authorization", "a b", "x\r\ny", "é", ""],
)
async def test_a_header_that_frames_the_message_is_refused(header: str) -> None:
    with pytest.raises(InvalidRequest):
        await workshop(blueprint={"headers": {header: "x"}}).opened(SPEC)


@pytest.mark.parametrize(
    ("blueprint", "arguments"),
    [
        ({"method": "TRACE"}, None),
        ({"method": "get"}, None),
        ({"headers": {"x": 7}}, None),
        ({}, {"a": {"type": "object"}}),
        ({}, {"a": "string"}),
    ],
)
async def test_what_cannot_be_sent_is_refused(blueprint: Any, arguments: Any) -> None:
    with pytest.raises(InvalidRequest):
        await workshop(blueprint=blueprint, arguments=arguments).opened(SPEC)


@pytest.mark.parametrize(
    "url", ["https://h.test/?k={{token}}", "https://h.test/{{token}}", "https://h.test/?k={{token.a}}"]
)
async def test_a_secret_does_not_stand_in_a_url(url: str) -> None:
    room = workshop(blueprint={"url": url}, arguments={}, token=SECRET)
    with pytest.raises(InvalidRequest) as err:
        await room.opened(SPEC)
    assert SECRET not in str(err.value) and "token" in err.value.message


async def test_a_secret_reaches_the_tool_and_nothing_else() -> None:
    echoed = orjson.dumps(
        {"headers": {"auth": f"Bearer {SECRET}"}, "token": 'tok-"é"-secret', "url": "canary%2Fs3cret%2Bkey"}
    )
    blueprint = {
        "url": "https://h.test/",
        "headers": {**BLUEPRINT["headers"], "X-Token": "ok"},
        "body": {"t": "{{token}}"},
    }
    room = workshop(reply(echoed), blueprint=blueprint, arguments={}, token={"inner": ['tok-"é"-secret']})
    tool = await room.tool(SPEC)
    outcome = await tool.run({}, room.setting)
    shown = tool.shown(CALL, outcome)
    assert b"\xc3\xa9" in room.transport.requests[0].body
    seen = texts([tool, outcome, shown, room.setting, room.transport.requests[0]]) + outcome.output
    assert not any(form in seen for form in (SECRET, 'tok-"é"-secret', "\\xe9", "é", "canary%2Fs3cret"))
    assert outcome.output.count("***") == 3


@pytest.mark.parametrize(
    "failure",
    [Unreachable("h.test closed the connection"), GatewayError(f"bad {SECRET}"), ValueError(f"illegal {SECRET}")],
)
async def test_a_request_that_fails_is_a_failed_call(failure: Any) -> None:
    room = workshop(failure)
    outcome = await room.run(SPEC, {"city": "Ulm"})
    assert outcome.failed and SECRET not in outcome.output


async def test_a_server_that_hangs_is_left() -> None:
    room = workshop(never).given(timeout_s=0.0, variables={})
    outcome = await room.run(SPEC, {"city": "Ulm"})
    assert outcome.failed and "whole answer" in outcome.output


@pytest.mark.parametrize(
    ("own", "given", "timeout_s"), [(2, None, 2), (None, None, 5), (60, 1, 1), (99, "x", 5), (0, True, 5)]
)
async def test_a_tool_has_its_own_time_within_the_requests(own: Any, given: Any, timeout_s: float) -> None:
    waits: list[float] = []

    class Watch(FakeTransport):
        def send(self, request: Any, timeout_s: float) -> Any:
            waits.append(timeout_s)
            return super().send(request, timeout_s)

    room = workshop(blueprint={"timeout": own})
    room.transport = Watch(reply("x"))
    await room.run({**SPEC, "timeout": given}, {"city": "Ulm"})
    assert waits == [timeout_s]


async def test_ten_megabytes_are_cut_while_they_are_read() -> None:
    endless = Endless()
    outcome = await workshop(endless).run(SPEC, {"city": "Ulm"})
    assert endless.sent < 40 and endless.closed and len(outcome.output) < 51_000
    assert "characters were left out" in outcome.output


async def test_what_is_no_text_is_told_as_its_size() -> None:
    room = workshop(reply(b"\x89PNG\0" + SECRET.encode(), media_type="image/png"))
    assert "(22 bytes of image/png, which are not shown)" in (await room.run(SPEC, {"city": "Ulm"})).output


async def test_an_answer_in_another_charset_is_read() -> None:
    room = workshop(reply("né".encode("cp1252"), media_type="text/html; charset=windows-1252"))
    assert (await room.run(SPEC, {"city": "Ulm"})).output.endswith("né")


async def test_an_answer_of_nothing_is_its_status() -> None:
    assert (await workshop(FakeReply(204)).run(SPEC, {"city": "Ulm"})).output == "HTTP status 204."


@pytest.mark.parametrize("spec", [{}, {"tool_id": 7}, {"tool_id": ""}, {"tool_id": "x" * 999}])
async def test_an_entry_without_a_tool_is_refused(spec: Any) -> None:
    with pytest.raises(InvalidRequest):
        await workshop().opened({"type": "orq:http", **spec})


async def test_a_tool_of_another_organization_is_not_found() -> None:
    with pytest.raises(NotFound):
        await workshop().given(organization="org-bob").opened(SPEC)


async def test_a_tool_of_another_type_is_refused() -> None:
    room = Workshop(stored=FakeStored({"weather": {"type": "code"}}))
    with pytest.raises(InvalidRequest, match="type 'code'"):
        await room.opened(SPEC)


async def resolve(host: str) -> list[str]:
    return ["169.254.169.254" if host == "rebind.test" else host]


def no_way_out() -> Any:
    raise AssertionError("a connection was made")


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "rebind.test",
        "127.0.0.1",
        "10.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "8.8.8.8:22",
        "metadata",
    ],
)
async def test_the_gateways_own_network_is_not_called(host: str) -> None:
    room = workshop(blueprint={"url": f"https://{host}/latest/meta-data/"})
    room.outside = HttpTransport(PublicPool(tls=no_way_out, lookup=resolve))
    outcome = await room.run(SPEC, {"city": "Ulm"})
    assert outcome.failed and "connection was made" not in outcome.output
