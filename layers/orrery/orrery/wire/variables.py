"""`variables`, `inputs` and `template_engine` of a request, as one value.

Sources: seeds 001 and 003, Orq's field trees, read 2026-11-21. A value may be written `{"value": …, "secret": true}`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from orrery.core.options import Engine, Variables
from orrery.core.types import Json

WRAPPED = frozenset({"value", "secret"})


def read_variables(
    variables: Mapping[str, Any] | None, inputs: Mapping[str, Any] | Sequence[Json] | None, engine: Engine | None
) -> Variables | None:
    """What placeholders stand for; None where nothing is given. `variables` win over the older `inputs`, name by name.

    `inputs` is an object, or a list of `{key, value, is_pii}`; what is personal is as secret as what is secret.
    """
    values: dict[str, Any] = {}
    secrets: set[str] = set()
    if isinstance(inputs, Mapping):
        _take(inputs, values, secrets)
    else:
        for each in inputs or ():
            _put(each["key"], each.get("value"), each.get("is_pii") is True, values, secrets)
    _take(variables or {}, values, secrets)
    return Variables(values, frozenset(secrets), engine or "text") if values else None


def _take(given: Mapping[str, Any], values: dict[str, Any], secrets: set[str]) -> None:
    for name, value in given.items():
        is_wrapped = isinstance(value, dict) and "value" in value and value.keys() <= WRAPPED
        is_secret = is_wrapped and value.get("secret") is True
        _put(name, value["value"] if is_wrapped else value, is_secret, values, secrets)


def _put(name: str, value: Any, is_secret: bool, values: dict[str, Any], secrets: set[str]) -> None:
    values[name] = value
    if is_secret:
        secrets.add(name)
    else:
        secrets.discard(name)
