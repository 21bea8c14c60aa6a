"""`variables`, `inputs` and `template_engine` of a request, read.

Sources: seeds 001 and 003, Orq's published field trees, read 2026-11-21.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.options import Engine, Variables

ENGINES: Mapping[str, Engine] = {"text": "text", "mustache": "mustache", "jinja": "jinja"}

type Inputs = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def read_variables(
    variables: Mapping[str, Any] | None, inputs: Inputs | None, engine: str | None = None
) -> Variables | None:
    """What placeholders stand for; None where nothing is named.

    `inputs` is an object or a list of `{key, value, is_pii}`. Where both name something, the value is that of
    `variables`; it is secret when either says so. A value is any JSON; an object of exactly `value`, or `value` and
    `secret`, says what it holds. Raises `InvalidRequest`.
    """
    chosen = ENGINES.get(engine or "text")
    if chosen is None:
        raise InvalidRequest(
            f"Invalid value for 'template_engine': one of {', '.join(ENGINES)}.",
            param="template_engine",
            code="unsupported_engine",
        )
    values: dict[str, Any] = {}
    secrets: set[str] = set()
    for name, value, secret in (*_inputs(inputs), *_object(variables, "variables")):
        values[name] = value
        if secret:
            secrets.add(name)
    return Variables(values, frozenset(secrets), chosen) if values else None


def _inputs(inputs: Inputs | None) -> Iterator[tuple[str, Any, bool]]:
    if isinstance(inputs, Mapping) or inputs is None:
        yield from _object(inputs, "inputs")
        return
    if not _is_list(inputs):
        raise InvalidRequest("Invalid type for 'inputs': expected an object or an array.", param="inputs")
    for place, entry in enumerate(inputs):
        param = f"inputs[{place}]"
        if not isinstance(entry, Mapping):
            raise InvalidRequest(f"Invalid type for '{param}': expected an object.", param=param)
        name = entry.get("key")
        if not isinstance(name, str):
            raise InvalidRequest(f"Invalid type for '{param}.key': expected a string.", param=f"{param}.key")
        yield name, entry.get("value"), _flag(entry.get("is_pii"), f"{param}.is_pii")


def _object(named: Mapping[str, Any] | None, field: str) -> Iterator[tuple[str, Any, bool]]:
    if named is None:
        return
    if not isinstance(named, Mapping):
        raise InvalidRequest(f"Invalid type for '{field}': expected an object.", param=field)
    for name, value in named.items():
        if isinstance(value, Mapping) and "value" in value and value.keys() <= {"value", "secret"}:
            yield name, value["value"], _flag(value.get("secret"), f"{field}.{name}.secret")
        else:
            yield name, value, False


def _flag(value: Any, param: str) -> bool:
    """Anything but a boolean is refused: who writes `"yes"` means a secret, and would have none."""
    if value is not None and not isinstance(value, bool):
        raise InvalidRequest(f"Invalid type for '{param}': expected a boolean.", param=param)
    return bool(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
