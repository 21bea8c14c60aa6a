"""The judge of the Bedrock dialect: botocore's own service model, its validator, serializer and parsers.

They pass over what they do not know, and over lengths, patterns and enumerations: `lawful` does not.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.eventstream import EventStream
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

UNMODELLED = frozenset({"p", "cacheReadInputTokenCount", "cacheWriteInputTokenCount", "serverToolUsage"})
"""Members that real answers have beyond the model, as recordings in pydantic/pydantic-ai show (2026-08-22)."""


@cache
def service() -> ServiceModel:
    return botocore.session.Session().get_service_model("bedrock-runtime")


def operation(*, stream: bool) -> OperationModel:
    return service().operation_model("ConverseStream" if stream else "Converse")


def lawful(value: Any, shape: Shape, where: str = "") -> Any:
    """`value` with its blobs as bytes, as botocore wants them. Raises `AssertionError` for what the model forbids."""
    return KINDS.get(shape.type_name, _scalar)(value, shape, where)


def _structure(value: Any, shape: Any, where: str) -> Any:
    if shape.is_document_type:
        return value
    assert isinstance(value, dict), f"{where} is no structure"
    known = {name: held for name, held in value.items() if name not in UNMODELLED}
    assert known.keys() <= shape.members.keys(), f"{where}: {known.keys() - shape.members.keys()} is unknown"
    assert set(shape.required_members) <= known.keys(), f"{where}: {shape.required_members} are required"
    assert not shape.is_tagged_union or len(known) == 1, f"{where} is a union"
    return {name: lawful(held, shape.members[name], f"{where}.{name}") for name, held in known.items()}


def _list(value: Any, shape: Any, where: str) -> Any:
    _check_size(value, shape, where)
    return [lawful(item, shape.member, f"{where}[{number}]") for number, item in enumerate(value)]


def _map(value: Any, shape: Any, where: str) -> Any:
    _check_size(value, shape, where)
    return {lawful(key, shape.key, where): lawful(item, shape.value, f"{where}.{key}") for key, item in value.items()}


def _blob(value: Any, shape: Any, where: str) -> bytes:
    data = b64decode(value, validate=True)
    _check_size(data, shape, where)
    return data


def _scalar(value: Any, shape: Any, where: str) -> Any:
    allowed: Any = {"string": str, "boolean": bool, "float": (int, float), "double": (int, float)}
    assert isinstance(value, allowed.get(shape.type_name, int)), f"{where} is a {type(value)}"
    if isinstance(value, str):
        _check_size(value, shape, where)
        pattern, enum = shape.metadata.get("pattern"), shape.metadata.get("enum")
        assert not enum or value in enum, f"{where}: {value} is none of {enum}"
        assert not pattern or re.fullmatch(pattern, value), f"{where}: {value} does not match"
    elif not isinstance(value, bool):
        least, most = shape.metadata.get("min", value), shape.metadata.get("max", value)
        assert least <= value <= most, f"{where}: {value} is out of bounds"
    return value


def _check_size(value: Any, shape: Any, where: str) -> None:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", len(value))
    assert least <= len(value) <= most, f"{where} has {len(value)} of {least} to {most}"


KINDS: Mapping[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "blob": _blob,
}


def request_of(model: str, body: dict[str, Any], *, stream: bool) -> Mapping[str, Any]:
    """The request that botocore itself would send for these parameters: `url_path`, `body` and `headers`."""
    model_of = operation(stream=stream)
    parameters = lawful({"modelId": model, **body}, model_of.input_shape)
    report = ParamValidator().validate(parameters, model_of.input_shape)
    assert not report.has_errors(), report.generate_report()
    serializer = create_serializer(service().metadata["protocol"], include_validation=False)
    sent: Mapping[str, Any] = serializer.serialize_to_request(parameters, model_of)
    return sent


def reply_of(body: bytes) -> Mapping[str, Any]:
    """A whole reply as botocore reads it."""
    response = {"status_code": 200, "headers": {}, "body": body}
    parsed: Mapping[str, Any] = create_parser("rest-json").parse(response, operation(stream=False).output_shape)
    return parsed


def error_of(status: int, headers: dict[str, str], body: bytes) -> Mapping[str, Any]:
    """A refusal as botocore reads it: `{Code, Message}`."""
    response = {"status_code": status, "headers": headers, "body": body}
    parsed: Mapping[str, Any] = create_parser("rest-json").parse(response, operation(stream=False).output_shape)
    error: Mapping[str, Any] = parsed["Error"]
    return error


class _Raw:
    def __init__(self, stream: bytes) -> None:
        self._stream = stream

    def stream(self) -> Iterator[bytes]:
        yield self._stream


def events_of(stream: bytes) -> Iterator[Mapping[str, Any]]:
    """A stream's events as botocore reads them; raises its `EventStreamError` for an exception."""
    shape = operation(stream=True).get_event_stream_output()
    parser = create_parser("rest-json")._event_stream_parser
    yield from EventStream(_Raw(stream), shape, parser, "ConverseStream")


def exceptions() -> Mapping[str, int]:
    """Every exception of both operations, and its status."""
    shapes = [*operation(stream=False).error_shapes, *operation(stream=True).error_shapes]
    members: Any = operation(stream=True).get_event_stream_output()
    shapes += [shape for shape in members.members.values() if shape.metadata.get("exception")]
    return {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in shapes}
