"""`POST /moderations`: the posted bytes as a `Call`."""

from orrery.core.types import Call, Json, Link, Operation
from orrery.wire.body import read_json
from orrery.wire.options import passed_on, read_options
from orrery.wire.posted import Posted
from orrery.wire.shapes import FILLED, STRING, array, checking, either, record, variants

DEFAULT_MODEL = "openai/omni-moderation-latest"
"""OpenAI's default, for a body without `model`. Source: OpenAI API document 2.3.0, read 2026-11-21."""

_PARTS = variants(
    "type", {"text": record({"text": STRING}), "image_url": record({"image_url": record({"url": FILLED})})}
)

# What the first of a list is, the others must be: texts that are judged one by one, or parts that are judged together.
_CHECKS = {
    kind: checking(
        record({"input": either(text=STRING, array=array(item, at_least=1))}, {"model": FILLED, "user": STRING})
    )
    for kind, item in ((str, STRING), (dict, _PARTS))
}


def read_moderation(posted: Posted) -> Call:
    """The call that a moderation request makes. Raises `InvalidRequest` for the first offence."""
    body = read_json(posted.raw)
    given = body.get("input")
    first = given[0] if isinstance(given, list) and given else ""
    _CHECKS.get(type(first), _CHECKS[str])(body)
    return Call(
        operation=Operation.MODERATIONS,
        model=body.get("model") or DEFAULT_MODEL,
        body=passed_on(body),
        options=read_options(body),
        body_bytes=len(posted.raw),
        strict=posted.strict,
        links=_links(body),
    )


def results_expected(call: Call) -> int:
    """One for a text, one for each text of a list, one for all parts together."""
    given = call.body["input"]
    return len(given) if isinstance(given, list) and isinstance(given[0], str) else 1


def _links(body: Json) -> tuple[Link, ...]:
    """The addresses of pictures; those that hold their content need nobody to look at them."""
    given = body["input"]
    parts = enumerate(given) if isinstance(given, list) else ()
    urls = ((n, part["image_url"]["url"]) for n, part in parts if isinstance(part, dict) and part["type"] != "text")
    return tuple(Link(("input", n, "image_url", "url"), url) for n, url in urls if not url.lower().startswith("data:"))
