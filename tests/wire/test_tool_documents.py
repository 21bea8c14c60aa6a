"""Stored tools as they are posted."""

from typing import Any

import pytest

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.types import Json
from orrery.wire.tool_documents import origin_of, read_tool, read_tool_change, secrets_of, with_secrets

SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}
SHARED: Json = {"key": "t", "path": "Default", "description": "d"}
FUNCTION: Json = {"type": "function", "function": {"name": "add", "description": "", "parameters": SCHEMA}}
JSON_SCHEMA: Json = {"type": "json_schema", "json_schema": {"name": "add", "description": "d", "schema": SCHEMA}}
CODE: Json = {"type": "code", "code_tool": {"language": "python", "code": "print(1)", "parameters": SCHEMA}}
MCP: Json = {"type": "mcp", "mcp": {"server_url": "https://m.test/mcp", "connection_type": "http"}}
BLUEPRINT: Json = {
    "url": "https://a.test/{{city}}",
    "method": "POST",
    "headers": {"A": "x", "B": {"value": "y"}, "C": {"value": "z", "encrypted": True}},
    "body": {"q": "{{q}}"},
    "timeout": 60,
}
ARGUMENTS: Json = {
    "city": {"type": "string", "description": "Where."},
    "q": {"type": "number", "description": "How many.", "send_to_model": False, "default_value": 1.5},
    "b": {"type": "boolean", "description": "", "default_value": True},
}
HTTP: Json = {"type": "http", "http": {"blueprint": BLUEPRINT, "arguments": ARGUMENTS}}
ALL = [FUNCTION, JSON_SCHEMA, CODE, MCP, HTTP]


def read(kind: Json, **more: Any) -> Json:
    return read_tool({**SHARED, **kind, **more})[1]


def http(**blueprint: Any) -> Json:
    return {"type": "http", "http": {"blueprint": {**BLUEPRINT, **blueprint}}}


def mcp(**more: Any) -> Json:
    return {"type": "mcp", "mcp": {**MCP["mcp"], **more}}


@pytest.mark.parametrize("kind", ALL)
def test_every_type_is_kept_as_it_came(kind: Json) -> None:
    posted = {**SHARED, **kind, "display_name": "T", "status": "draft"}
    key, document = read_tool(posted)
    assert key == "t"
    assert {"key": key, **document} == posted


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({**SHARED}, "type"),
        ({**SHARED, "type": "shell"}, "type"),
        *(
            ({**SHARED, "type": kind}, field)
            for kind, field in [("http", "http"), ("code", "code_tool"), ("mcp", "mcp")]
        ),
        ({**SHARED, **FUNCTION, "key": "a.b"}, "key"),
        ({**SHARED, **FUNCTION, "key": "a" * 65}, "key"),
        ({**SHARED, **FUNCTION, "key": "1"}, "key"),
        ({**SHARED, **FUNCTION, "path": None}, "path"),
        ({**SHARED, **FUNCTION, "status": "off"}, "status"),
        ({**SHARED, **FUNCTION, "http": HTTP["http"]}, "http"),
        ({**SHARED, **FUNCTION, "secret": "x"}, "secret"),
        ({**SHARED, "type": "function", "function": {"name": "a b"}}, "function.name"),
        (
            {**SHARED, "type": "function", "function": {"name": "f", "parameters": {"type": "array"}}},
            "function.parameters.type",
        ),
        ({**SHARED, "type": "code", "code_tool": {"language": "ruby", "code": "x"}}, "code_tool.language"),
        ({**SHARED, "type": "code", "code_tool": {"language": "python", "code": ""}}, "code_tool.code"),
        ({**SHARED, "type": "json_schema", "json_schema": {"name": "x", "description": "d"}}, "json_schema.schema"),
        ({**SHARED, **http(url="http://a.test")}, "http.blueprint.url"),
        ({**SHARED, **http(url="{{host}}/x")}, "http.blueprint.url"),
        ({**SHARED, **http(url="https://a.test/\n")}, "http.blueprint.url"),
        ({**SHARED, **http(method="PATCH")}, "http.blueprint.method"),
        ({**SHARED, **http(timeout=0)}, "http.blueprint.timeout"),
        ({**SHARED, **http(timeout=601)}, "http.blueprint.timeout"),
        ({**SHARED, **http(headers={"a b": "x"})}, "http.blueprint.headers"),
        ({**SHARED, **http(headers={"A": "x\r\nB: y"})}, "http.blueprint.headers"),
        ({**SHARED, **http(headers={"A": "é"})}, "http.blueprint.headers"),
        ({**SHARED, **http(headers={"A": {"value": "x" * 4001, "encrypted": True}})}, "http.blueprint.headers"),
        ({**SHARED, **http(headers={"A": {"value": "x", "encrypted": "yes"}})}, "http.blueprint.headers"),
        ({**SHARED, **http(headers={"A": {"encrypted": True}})}, "http.blueprint.headers"),
        ({**SHARED, **http(headers={"A": 7})}, "http.blueprint.headers"),
        ({**SHARED, **http(headers={"A": "x", "a": "y"})}, "http.blueprint.headers"),
        ({**SHARED, **http(headers={f"A{n}": "x" for n in range(65)})}, "http.blueprint.headers"),
        ({**SHARED, **http(url="https://{{host}}/x")}, "http.blueprint.headers.C"),
        ({**SHARED, **mcp(server_url="ftp://m.test")}, "mcp.server_url"),
        ({**SHARED, **mcp(connection_type="sse")}, "mcp.connection_type"),
        ({**SHARED, **mcp(connection_type="stdio")}, "mcp.connection_type"),
        ({**SHARED, **mcp(headers={"A": {"value": "x\n"}})}, "mcp.headers"),
    ],
)
def test_what_is_wrong_is_named(body: Json, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_tool(body)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ({"a": 7}, "http.arguments.a"),
        ({"a": {"type": "string"}}, "http.arguments.a.description"),
        ({"a": {"type": "object", "description": ""}}, "http.arguments.a.type"),
        ({"a": {"type": "string", "description": "", "default_value": 1}}, "http.arguments.a.default_value"),
        ({"a": {"type": "number", "description": "", "default_value": True}}, "http.arguments.a.default_value"),
        ({"a": {"type": "boolean", "description": "", "default_value": 0}}, "http.arguments.a.default_value"),
        ({"a b": {"type": "string", "description": ""}}, "http.arguments"),
        ({f"a{n}": {"type": "string", "description": ""} for n in range(65)}, "http.arguments"),
    ],
)
def test_a_wrong_argument_is_named(arguments: Json, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read({"type": "http", "http": {"blueprint": BLUEPRINT, "arguments": arguments}})
    assert refused.value.param == param


def test_a_placeholder_for_a_host_is_fine_where_nothing_is_secret() -> None:
    assert origin_of(read(http(url="https://{{host}}/x", headers={"A": "x"}))) == "https://{{host}}"


def test_secrets_are_found_and_put_back() -> None:
    document = read(HTTP)
    assert secrets_of(document) == {"C": "z"}
    hidden = with_secrets(document, {"C": "***"})
    assert secrets_of(hidden) == {"C": "***"}
    assert secrets_of(document) == {"C": "z"}
    assert with_secrets(hidden, {"C": "z"}) == document
    assert secrets_of(read(FUNCTION)) == {} and origin_of(read(FUNCTION)) == ""


def change(document: Json, **more: Any) -> Json:
    return read_tool_change("t", more)(document)


def test_a_change_is_laid_over_the_document() -> None:
    document = read(FUNCTION, display_name="T")
    assert change(document, description="new", display_name=None, key="t", type="function") == {
        **read(FUNCTION),
        "description": "new",
    }
    other = {"name": "sub"}
    assert change(document, function=other)["function"] == other


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"key": "other"}, "key"),
        ({"type": "http"}, "type"),
        ({"http": HTTP["http"]}, "http"),
        ({"function": None}, "function"),
        ({"description": None}, "description"),
    ],
)
def test_a_wrong_change_is_named(more: Json, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        change(read(FUNCTION), **more)
    assert refused.value.param == param


def test_a_tool_has_a_bounded_size() -> None:
    with pytest.raises(TooLarge):
        read({"type": "code", "code_tool": {"language": "python", "code": "x" * 310_000}})
