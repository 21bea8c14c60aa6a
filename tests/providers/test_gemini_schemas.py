"""JSON schemas as real servers write them, on their way to Gemini."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.providers.gemini.schemas import DEEPEST, ROUNDS, adapted
from tests.providers.test_google_judged import assert_lawful_schema
from tests.work import steps

CORPUS: dict[str, dict[str, Any]] = {
    # in the manner of the MCP reference servers and of common generators (zod, pydantic, typebox)
    "filesystem": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "edits": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "oldText": {"type": "string", "description": "Text to search for"},
                        "newText": {"type": "string"},
                    },
                    "required": ["oldText", "newText"],
                    "additionalProperties": False,
                },
            },
            "dryRun": {"type": "boolean", "default": False},
        },
        "required": ["path", "edits"],
        "additionalProperties": False,
    },
    "github": {
        "type": "object",
        "properties": {
            "owner": {"type": "string"},
            "perPage": {"type": "number", "minimum": 1, "maximum": 100},
            "direction": {"enum": ["asc", "desc"]},
            "since": {"type": "string", "format": "date-time"},
            "milestone": {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}], "default": None},
        },
        "required": ["owner"],
        "$schema": "http://json-schema.org/draft-07/schema#",
    },
    "zod_union": {
        "type": "object",
        "properties": {
            "target": {
                "oneOf": [
                    {
                        "type": "object",
                        "properties": {"kind": {"type": "string", "const": "id"}, "id": {"type": "string"}},
                        "required": ["kind", "id"],
                    },
                    {
                        "type": "object",
                        "properties": {"kind": {"type": "string", "const": "url"}, "url": {"type": "string"}},
                        "required": ["kind", "url"],
                    },
                ],
                "discriminator": {"propertyName": "kind"},
            }
        },
    },
    "pydantic_optional": {
        "$defs": {"Colour": {"enum": ["red", "blue"], "title": "Colour", "type": "string"}},
        "title": "Arguments",
        "type": "object",
        "properties": {
            "colour": {"anyOf": [{"$ref": "#/$defs/Colour"}, {"type": "null"}], "default": None},
            "sizes": {"items": {"type": "integer"}, "title": "Sizes", "type": "array"},
            "point": {
                "type": "array",
                "prefixItems": [{"type": "number"}, {"type": "number"}],
                "minItems": 2,
                "maxItems": 2,
            },
        },
        "required": ["sizes"],
    },
    "names_that_are_keywords": {
        "type": "object",
        "properties": {"type": {"type": "string"}, "$ref": {"type": "string"}, "required": {"type": "boolean"}},
        "required": ["type", "$ref"],
    },
    "free_form": {"type": "object", "additionalProperties": {"type": "string"}},
}

STRICT = {
    "pagination": {
        "type": "object",
        "properties": {"limit": {"type": "integer", "exclusiveMinimum": 0}, "q": {"type": "string", "minLength": 1}},
    },
    "composed": {
        "allOf": [{"$ref": "#/definitions/base"}, {"properties": {"b": {"type": "string", "format": "uri"}}}],
        "required": ["a", "b"],
        "definitions": {"base": {"type": "object", "properties": {"a": {"type": "string"}}}},
    },
    "one_or_the_other": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "tree": {
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}},
        "$defs": {
            "node": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}
        },
    },
    "impossible": {"type": "object", "properties": {"never": False}},
    "outside": {"type": "object", "properties": {"a": {"$ref": "https://example.com/schema.json"}}},
}


@pytest.mark.parametrize("name", CORPUS)
def test_common_schemas_lose_nothing(name: str) -> None:
    schema, loosened = adapted(CORPUS[name])
    assert_lawful_schema(schema)
    assert not loosened
    assert schema.get("properties", {}).keys() == CORPUS[name].get("properties", {}).keys()
    assert schema.get("required") == CORPUS[name].get("required")


@pytest.mark.parametrize("name", STRICT)
def test_what_cannot_be_demanded_is_noticed(name: str) -> None:
    schema, loosened = adapted(STRICT[name])
    assert_lawful_schema(schema)
    assert loosened


PIECES: list[tuple[Any, Any, bool]] = [
    ({"const": "a"}, {"type": "string", "enum": ["a"]}, False),
    ({"const": True}, {"type": "boolean"}, True),
    ({"enum": [1, 2, None]}, {"type": ["integer", "null"], "enum": [1, 2]}, False),
    ({"enum": ["a", 1]}, {"enum": ["a", 1]}, False),
    ({"type": "string", "nullable": True}, {"type": ["string", "null"]}, False),
    ({"type": "integer", "exclusiveMaximum": 9}, {"type": "integer", "maximum": 8}, False),
    ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0}, True),
    ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, {"type": "number", "minimum": 1}, True),
    ({"items": [{"type": "string"}]}, {"type": "array", "prefixItems": [{"type": "string"}]}, False),
    ({"type": "string", "format": "uuid"}, {"type": "string"}, True),
    ({"type": "integer", "format": "int64"}, {"type": "integer", "format": "int64"}, False),
    ({"additionalProperties": True}, {"additionalProperties": True}, False),
    ({"allOf": [{"type": "string"}, {"type": "number"}]}, {"type": "string"}, True),
    ({"allOf": [{"description": "a"}, {"description": "b"}]}, {"description": "a"}, False),
    ({"anyOf": [{"type": "string"}], "oneOf": [{"type": "null"}]}, {"anyOf": [{"type": "string"}]}, True),
    ({"$ref": "#"}, {}, True),
    ({"$ref": 5}, {}, True),
    (
        {"properties": [], "required": "a", "items": True, "enum": {}, "allOf": 1},
        {"items": {}, "type": "object"},
        False,
    ),
]


@pytest.mark.parametrize(("schema", "sent", "loosened"), PIECES)
def test_each_keyword_has_its_way(schema: Any, sent: Any, loosened: bool) -> None:
    assert adapted(schema) == (sent, loosened)


def test_a_reference_keeps_what_stands_beside_it() -> None:
    schema = {"properties": {"a": {"$ref": "#/$defs/b~1c", "description": "mine"}}, "$defs": {"b/c": {"type": "null"}}}
    assert adapted(schema)[0]["properties"]["a"] == {"type": "null", "description": "mine"}


def test_all_parts_of_a_whole_are_joined() -> None:
    parts = [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}, {"required": ["x", "y"]}]
    both = {"a": {"properties": {"x": {"type": "string"}}}, "b": {"properties": {"y": {}, "x": {"title": "X"}}}}
    assert adapted({"allOf": parts, "$defs": both}) == (
        {
            "type": "object",
            "properties": {"x": {"type": "string", "title": "X"}, "y": {}},
            "required": ["x", "y"],
        },
        False,
    )


def test_a_circle_is_walked_a_few_times() -> None:
    schema, _ = adapted({"$ref": "#/$defs/n", "$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}}}}})
    rounds = 0
    while "properties" in schema:
        schema, rounds = schema["properties"]["next"], rounds + 1
    assert rounds == ROUNDS


HOSTILE: list[dict[str, Any]] = [
    {"$ref": "#/$defs/0", "$defs": {str(i): {"items": {"$ref": f"#/$defs/{i + 1}"}} for i in range(3_000)}},
    {"$ref": "#/$defs/0", "$defs": {str(i): {"$ref": f"#/$defs/{i + 1}"} for i in range(30_000)}},
    {
        "$ref": "#/$defs/0",
        "$defs": {
            str(i): {"properties": {k: {"$ref": f"#/$defs/{i + 1}"} for k in "abcdefgh"}} for i in range(DEEPEST)
        },
    },
    {"allOf": [{"properties": {"a": {"minimum": 1}}}] * 30_000},
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_schemas_take_no_time_and_no_room(number: int) -> None:
    assert steps(lambda: adapted(HOSTILE[number])) < 3_000_000
    assert len(str(adapted(HOSTILE[number])[0])) < 1_000_000


def test_deep_schemas_break_nothing() -> None:
    schema: dict[str, Any] = {}
    for _ in range(900):
        schema = {"items": schema}
    assert adapted(schema)[1]


def test_the_callers_schema_is_not_changed() -> None:
    schema = {"allOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": {}, "b": {}}, "required": ["a"]}
    before = str(schema)
    assert adapted(schema)[0]["required"] == ["a", "b"]
    assert str(schema) == before


KEYWORDS = (
    "type enum const items prefixItems anyOf oneOf allOf properties required $ref additionalProperties format minimum "
    "exclusiveMinimum nullable not $defs title"
)
keywords = st.sampled_from(KEYWORDS.split())
scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["object", "a", "#", "#/$defs/a"]))
schemas = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keywords, inner, max_size=4))
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(keywords, schemas, max_size=4))
def test_nonsense_breaks_nothing(schema: dict[str, Any]) -> None:
    assert adapted(schema)[0] is not None
