"""JSON schemas as Gemini takes them: the keywords that its documents list, and no references.

`responseJsonSchema` knows the keywords of `_KEPT` and `_NESTED` below; in `parametersJsonSchema` the same are sent.
References may have nothing beside them, and circular ones no place in a required property, so they are written out
where they stand. Source: `GenerationConfig` in Google's API document (ai.google.dev/api/generate-content), read
2026-11-21. `const` and `oneOf` become `enum` and `anyOf`, which mean the same there.
"""

from typing import Any

from orrery.core.types import Json

ROUNDS = 3
"""How often a schema that refers to itself is written out within itself; below that, anything goes."""

LARGEST = 2_000
DEEPEST = 64
"""Schemas within a schema, in all and in each other: references multiply, and a hostile one would fill the memory."""

_KEPT = ("title", "description", "minItems", "maxItems", "minimum", "maximum", "propertyOrdering")
_FORMATS = ("date-time", "date", "time", "duration", "enum", "int32", "int64", "float", "double")
_LOSING = frozenset(
    {"pattern", "minLength", "maxLength", "multipleOf", "uniqueItems"}
    | {"contains", "minContains", "maxContains", "not", "if", "then", "else", "patternProperties", "propertyNames"}
    | {"minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "dependencies"}
    | {"unevaluatedProperties", "unevaluatedItems", "additionalItems", "format"}
)
"""What demands something that is not demanded of the model then. All else that is left out only describes."""

_MEANT = _LOSING | {"type", "enum", "const", "minItems", "maxItems", "minimum", "maximum", "items", "prefixItems"}
_MEANT |= {"anyOf", "oneOf", "additionalProperties", "nullable"}

_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def adapted(schema: Json) -> tuple[Json, bool]:
    """The schema, and whether it demands less than before."""
    writing = _Writing(schema)
    return writing.of(schema, ()), writing.loosened


class _Writing:
    """One schema being written; `root` is where its references point into."""

    def __init__(self, root: Json) -> None:
        self.loosened = False
        self._root = root
        self._count = 0
        self._depth = 0

    def of(self, schema: Any, within: tuple[str, ...]) -> Json:
        """A schema at some place; `within` are the references that led there."""
        self._count += 1
        if not isinstance(schema, dict) or self._depth >= DEEPEST:
            self.loosened |= schema is not True
            return {}
        while "$ref" in schema or "allOf" in schema:
            if "$ref" in schema:
                schema, within = self._referred(schema, within)
            else:
                schema = self._joined(schema)
        self._depth += 1
        written = self._written(schema, within)
        self._depth -= 1
        return written

    def _written(self, schema: Json, within: tuple[str, ...]) -> Json:
        written = {name: schema[name] for name in _KEPT if name in schema}
        written |= self._values(schema)
        written |= self._nested(schema, within)
        wanted = [name for name in _list(schema.get("required")) if isinstance(name, str)]
        required = [name for name in dict.fromkeys(wanted) if name in written.get("properties", {})]
        if required:
            written["required"] = required
        self.loosened |= any(name in schema and name not in written for name in _LOSING)
        return written

    def _referred(self, schema: Json, within: tuple[str, ...]) -> tuple[Json, tuple[str, ...]]:
        """What a reference stands for, with what stands beside it."""
        reference = schema["$ref"]
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        target = self._found(reference)
        known = target is not None and within.count(reference) < ROUNDS
        if known and self._count <= LARGEST and len(within) < DEEPEST:
            return {**beside, "allOf": [target, *_list(beside.get("allOf"))]}, (*within, reference)
        self.loosened = True
        kept: Json = {name: beside[name] for name in ("title", "description") if name in beside}
        return (kept | {"type": target["type"]} if target and "type" in target else kept), within

    def _joined(self, schema: Json) -> Json:
        """`schema` with its `allOf` drawn into it. Where they say different things, the first is heard."""
        whole: Json = {name: _own(value) for name, value in schema.items() if name != "allOf"}
        several: dict[str, list[Any]] = {}
        for part in _list(schema["allOf"]):
            for name, value in part.items() if isinstance(part, dict) else ():
                if name not in whole:
                    whole[name] = _own(value)
                elif name == "$ref" and value != whole[name]:  # a second one waits for its turn
                    whole.setdefault("allOf", []).append({"$ref": value})
                elif name == "properties" and isinstance(value, dict) and isinstance(whole[name], dict):
                    for key, one in value.items():
                        several.setdefault(key, [whole[name][key]] if key in whole[name] else []).append(one)
                elif name in ("required", "allOf"):
                    whole[name] = [] if not isinstance(whole[name], list) else whole[name]
                    whole[name].extend(_list(value))
                elif whole[name] != value and name in _MEANT:
                    self.loosened = True
        if several:
            whole["properties"] |= {key: {"allOf": each} for key, each in several.items()}
        return whole

    def _found(self, reference: Any) -> Json | None:
        """What a reference within this schema points at; None for all others."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        found: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else None

    def _nested(self, schema: Json, within: tuple[str, ...]) -> Json:
        nested: Json = {}
        properties = schema.get("properties")
        if isinstance(properties, dict):
            nested["properties"] = {name: self.of(value, within) for name, value in properties.items()}
        items = schema.get("items")
        if isinstance(items, list):  # as tuples were written before 2020
            nested["prefixItems"] = [self.of(item, within) for item in items]
        elif items is not None:
            nested["items"] = self.of(items, within)
        if "prefixItems" in schema:
            nested["prefixItems"] = [self.of(item, within) for item in _list(schema["prefixItems"])]
        for name in ("anyOf", "oneOf"):
            ways = [self.of(item, within) for item in _list(schema.get(name))]
            if not all(ways) or (ways and "anyOf" in nested):
                self.loosened = True
            elif ways:
                nested["anyOf"] = ways
        others = schema.get("additionalProperties")
        if isinstance(others, bool):
            nested["additionalProperties"] = others
        elif isinstance(others, dict):
            nested["additionalProperties"] = self.of(others, within)
        return nested

    def _values(self, schema: Json) -> Json:
        """`type`, `enum`, `format` and the bounds of numbers."""
        kinds = list(_list(schema.get("type")) if isinstance(schema.get("type"), list) else [schema.get("type")])
        values = [schema["const"]] if "const" in schema else _list(schema.get("enum"))
        if not any(kinds):
            kinds = _implied(schema, values)
        if (schema.get("nullable") is True or None in values) and "null" not in kinds and any(kinds):
            kinds.append("null")
        written: Json = {"type": kinds[0] if len(kinds) == 1 else kinds} if any(kinds) else {}
        taken = [value for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)]
        if taken:
            written["enum"] = taken
        self.loosened |= len(taken) < len([value for value in values if value is not None])
        if schema.get("format") in _FORMATS:
            written["format"] = schema["format"]
        for bound, name, step in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
            limit, free = schema.get(name), bound not in schema
            counts = kinds == ["integer"] and isinstance(limit, int) and not isinstance(limit, bool)
            if free and isinstance(limit, int | float) and not isinstance(limit, bool):
                written[bound] = limit + step if counts else limit
            self.loosened |= name in schema and not (free and counts)
        return written


def _own(value: Any) -> Any:
    """A copy of what will be added to."""
    return value.copy() if isinstance(value, dict | list) else value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _implied(schema: Json, values: list[Any]) -> list[Any]:
    """The type of a schema that does not say it: a node without one is refused in places."""
    if "properties" in schema:
        return ["object"]
    if "items" in schema or "prefixItems" in schema:
        return ["array"]
    kinds = {_TYPES.get(type(value)) for value in values} - {"null"}
    return list(kinds) if len(kinds) == 1 else []
