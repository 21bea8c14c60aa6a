"""What was posted, as a body and files: JSON, or a form whose fields mean the same things."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json, Upload
from orrery.wire import credentials
from orrery.wire.body import read_json
from orrery.wire.brackets import leaf_of, placed, steps_of
from orrery.wire.options import GATEWAY_FIELDS
from orrery.wire.shapes import OBJECT, Shape

TEXTS = frozenset({"name", "template_engine"}) | credentials.FIELDS
"""Those of the gateway's own fields that are no JSON."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A request at the door: its bytes, and what its head says of them. `query` holds the URL's parameters.

    `strict` refuses parameters that a target cannot take instead of dropping them. `has_prompt`: a stored prompt takes
    the place of the messages.
    """

    raw: bytes = field(repr=False)
    content_type: str = "application/json"
    query: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    has_prompt: bool = False


def read_body(posted: Posted, fields: Mapping[str, Shape]) -> tuple[Json, tuple[Upload, ...]]:
    """The body and the files of a request that may be posted as JSON or as a form.

    `fields` are the shapes of the endpoint's parameters: in a form, those that are no strings there are read as JSON,
    and so are the gateway's own (`orq={"retry": …}`). `name[]`, and a name that repeats, make a list.
    """
    from orrery.wire.form import is_form, read_form

    if not is_form(posted.content_type):
        return read_json(posted.raw), ()
    form = read_form(posted.raw, posted.content_type)
    return body_of(form.fields, fields), form.files


def body_of(pairs: Iterable[tuple[str, str]], fields: Mapping[str, Shape]) -> Json:
    """The body that texts by name mean, of a form or a query; see `read_body`.

    Objects come in parts (`retry[count]=1`, `fallbacks[][model]=…`): so SDKs write what they are given in a form.
    """
    body: Json = {}
    for name, text in pairs:
        bare, steps = steps_of(name)
        if steps and (bare in fields or bare in GATEWAY_FIELDS):
            shape = fields.get(bare, OBJECT)
            item = _value(bare, text, shape.get("items_schema")) if steps == [""] and bare in fields else leaf_of(text)
            body[bare] = placed(body.get(bare), steps, item)
            continue
        bare = name.removesuffix("[]")
        value = _value(bare, text, fields.get(bare))
        body[bare] = placed(body.get(bare), [""], value) if bare in body or name != bare else value
    return body


def _value(name: str, text: str, shape: Shape | None) -> Any:
    """A field's text as what it means: as it stands for strings and for what nobody here knows."""
    if shape is None and name in GATEWAY_FIELDS - TEXTS:
        shape = OBJECT
    if shape is None or shape["type"] in ("str", "literal"):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as err:
        if shape["type"] in ("list", "tagged-union"):
            return text  # a list of one word, or one of the kinds that may be a string
        raise InvalidRequest(f"Invalid value for '{name}': a form field of this name holds JSON.", param=name) from err
