"""Pictures on OpenAI's wire, and on the two near it: xAI's and Together's.

The body goes on as it came, minus what a provider refuses; generations are JSON, edits and variations a form, or JSON
with data URLs where the provider takes no form.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from orrery.core.dialect import Adapter, Encoded, Form, Frame
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Operation, Target, Upload, Usage
from orrery.providers.compatible.decode import object_in
from orrery.providers.compatible.image_stream import EVENT_LIMIT_BYTES, ImageDecoder, usage_of
from orrery.providers.compatible.image_tokens import most_tokens
from orrery.providers.compatible.row import Row
from orrery.providers.errors import stream_error, upstream_error
from orrery.providers.lost import Lost
from orrery.wire.image_answers import (
    answer_of,
    counted,
    events_of,
    picture,
    plain_unit,
    ratio_of,
    size_of,
    unit_of,
    unread,
)
from orrery.wire.image_answers import count_of as number_of
from orrery.wire.images import checked_files, file_of, images_of
from orrery.wire.sse import Reader


@dataclass(frozen=True, slots=True)
class Facts:
    """What is particular about a provider's pictures; each has its `source`, with the day it was read.

    `takes`: its parameters (None: whatever comes). `sizes`: how it is told one: as OpenAI does, as `width` and
    `height`, or as the nearest thing, an `aspect_ratio` of `ratios`. `formats`: its words for `response_format`.
    `pictures`: how it takes those to edit. `edits_at`: where. `streams`: it shows pictures as they come to be.
    """

    takes: frozenset[str] | None = None
    sizes: Literal["size", "pixels", "ratio"] = "size"
    ratios: tuple[str, ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ("png", "jpeg", "webp")
    pictures: Literal["form", "xai", "together"] = "form"
    edits_at: str = "/images/edits"
    streams: bool = True
    counts_tokens: bool = False
    source: str = ""


_OPENAI = Facts(counts_tokens=True, source="OpenAI API document 2.3.0; openai 3.52 (Python SDK); read 2026-11-21")

FACTS: Mapping[str, Facts] = {
    "openai": _OPENAI,
    "azure": _OPENAI,
    "xai": Facts(
        takes=frozenset({"n", "response_format", "user", "quality", "aspect_ratio", "resolution"}),
        sizes="ratio",
        ratios=("1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "9:20", "20:9", "1:2", "2:1"),
        pictures="xai",
        streams=False,
        source="xai-sdk 1.21.0 (parameters, ratios); github.com/vercel/ai, packages/xai/src/xai-image-model.ts "
        "(2026-08-22: paths, `image` and `images`, respect_moderation); read 2026-11-21",
    ),
    "together": Facts(
        takes=frozenset({"n", "response_format", "output_format", "seed", "steps", "negative_prompt", "image_loras"})
        | {"disable_safety_checker", "guidance_scale", "width", "height"},
        sizes="pixels",
        formats={"b64_json": "base64"},
        outputs=("png", "jpeg"),
        pictures="together",
        edits_at="/images/generations",
        streams=False,
        source="together 3.1.1 (Python SDK), ImageGenerateParams and ImageFile; read 2026-11-21",
    ),
}
"""By provider; others get what comes, as it comes."""

NONE = Facts()


def refused_by_gpt(body: Json, model: str) -> frozenset[str]:
    """Parameters that OpenAI's models refuse: those of the retired DALL·E, and a fidelity that is always high.

    Sources, read 2026-11-21: openai 3.52, ImageGenerateParams and ImageEditParams; "Unknown parameter:
    'response_format'", 400, in github.com/vercel/ai, packages/openai/src/image/__fixtures__.
    """
    if model.startswith("dall-e"):
        return frozenset()
    refused = {"response_format", "style"}
    if body.get("quality") in ("standard", "hd"):
        refused.add("quality")
    if model.startswith("gpt-image-2"):
        refused.add("input_fidelity")
    return frozenset(refused)


def wants_url(call: Call) -> bool:
    """Whether an address is what the caller wants; the events of a stream hold pictures."""
    return call.body.get("response_format") == "url" and not call.body.get("stream")


def _parameters(call: Call, target: Target, facts: Facts, lost: Lost) -> Json:
    """What the body says besides the model, the prompt and the pictures, in the provider's words."""
    asked = {name: value for name, value in call.body.items() if value is not None and name not in _APART}
    if facts.counts_tokens:
        refused = refused_by_gpt(asked, target.model)
        for name in asked:
            if name in refused and (name != "response_format" or wants_url(call)):
                lost.add(name)
        asked = {name: value for name, value in asked.items() if name not in refused}
    if facts.takes is None:
        return asked
    found = {name: value for name, value in asked.items() if name in facts.takes}
    if call.body.get("stream"):
        found["response_format"] = "b64_json"
    if "response_format" in found:
        found["response_format"] = facts.formats.get(found["response_format"], found["response_format"])
    if found.get("output_format", "png") not in facts.outputs:
        lost.add("output_format")
        del found["output_format"]
    found |= _size(call, facts, lost)
    for name in unread(call, "size", *facts.takes):
        lost.add(name)
    return found


_APART = frozenset({"model", "prompt", "images", "mask"})


def _size(call: Call, facts: Facts, lost: Lost) -> Json:
    size = size_of(call)
    if size is None:
        return {}
    if facts.sizes == "pixels":
        return {"width": size[0], "height": size[1]}
    lost.add("size")  # a ratio says nothing of pixels
    ratio = ratio_of(call, facts.ratios)
    return {"aspect_ratio": ratio} if ratio and not call.body.get("aspect_ratio") else {}


def _data_url(file: Upload) -> str:
    return f"data:{file.media_type};base64,{b64encode(file.data).decode()}"


def _inlined(call: Call, facts: Facts) -> Json:
    """The pictures to edit, as JSON. Raises `InvalidRequest` for a mask: without it the whole picture would change."""
    for name in ("mask", "markup"):
        if file_of(call, name):
            raise InvalidRequest(f"This provider takes no '{name}': say in the prompt what shall change.", param=name)
    urls = [_data_url(file) for file in images_of(call)]
    if facts.pictures == "together":
        return {"image_url": urls[0]} if len(urls) == 1 else {"reference_images": urls}
    pictures = [{"url": url, "type": "image_url"} for url in urls]
    return {"image": pictures[0]} if len(pictures) == 1 else {"images": pictures}


def _encode(call: Call, target: Target, facts: Facts) -> Encoded:
    lost = Lost()
    call = checked_files(call)
    body = {"model": target.model, "prompt": call.body.get("prompt"), **_parameters(call, target, facts, lost)}
    body = {name: value for name, value in body.items() if value is not None}
    if call.operation is Operation.IMAGES:
        return Encoded(body, lost.names())
    if facts.pictures != "form":
        return Encoded({**body, **_inlined(call, facts)}, lost.names())
    several = len(images_of(call)) > 1
    files = tuple(_in_field(file, "image[]" if several and file.field_name == "image" else "") for file in call.files)
    fields = tuple((name, _text(value)) for name, value in body.items())
    return Encoded(Form(fields, files), lost.names())


def _in_field(file: Upload, name: str) -> Upload:
    return Upload(name or file.field_name, file.name, file.media_type, file.data)


def _text(value: Any) -> str:
    """A parameter as a form's field: what is no string as JSON, as OpenAI's own SDKs write it."""
    import orjson

    return value if isinstance(value, str) else orjson.dumps(value).decode()


def decode(body: bytes, call: Call, facts: Facts = NONE) -> Frame:
    """OpenAI's answer. Raises `UpstreamError` for an error under status 200, and where there is no picture."""
    answer = object_in(body, "a reply")
    if answer.get("error"):
        raise stream_error(answer)
    listed = answer.get("data")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    pictures = [found for row in rows if (found := _picture(row))]
    if not pictures and any(row.get("respect_moderation") is False for row in rows):
        raise upstream_error(400, "the image was withheld by the provider's moderation", code="moderation_blocked")
    tokens = usage_of(answer)
    usage = counted(call, len(pictures), unit_for(call, facts), tokens)
    names = _TOLD if tokens is None else (*_TOLD, "usage")
    told = {name: answer[name] for name in names if answer.get(name) is not None}
    return Frame({**answer_of(pictures, call), **told}, usage)


_TOLD = ("created", "background", "output_format", "quality", "size", "safety_identifier")


def _picture(row: Json) -> Json | None:
    more = {"revised_prompt": row["revised_prompt"]} if row.get("revised_prompt") else {}
    if isinstance(row.get("b64_json"), str) and row["b64_json"]:
        return picture(row["b64_json"], **more)
    return {"url": row["url"], **more} if isinstance(row.get("url"), str) and row["url"] else None


def unit_for(call: Call, facts: Facts) -> str:
    """What one picture is charged as, where the model is priced by the picture."""
    if facts.takes is not None and "quality" not in facts.takes:
        return plain_unit(call)
    return unit_of(call, "" if facts.counts_tokens else "standard")


def most(call: Call, target: Target, facts: Facts) -> Usage:
    """Tokens and pictures: the catalog prices a model by one of them."""
    tokens = most_tokens(call, target.model) if facts.sizes == "size" else Usage()
    return counted(call, number_of(call), unit_for(call, facts), tokens)


def _adapter(row: Row, path: Callable[[Facts], str], *, streams: bool = True) -> Adapter:
    facts = FACTS.get(row.name, NONE)

    def encode(call: Call, target: Target) -> Encoded:
        return _encode(call, target, facts)

    shows = streams and facts.streams
    return Adapter(
        path=lambda call, target: path(facts),
        encode=encode,
        decode=lambda body, call: decode(body, call, facts),
        decoder=partial(ImageDecoder, unit=partial(unit_for, facts=facts)) if shows else None,
        reader=partial(Reader, EVENT_LIMIT_BYTES) if shows else None,
        most=lambda call, target: most(call, target, facts),
        as_events=None if shows else events_of,
    )


def generations(row: Row) -> Adapter:
    """The adapter of the provider that a row describes."""
    if row.name == "fireworks":
        from orrery.providers.compatible import image_fireworks

        return image_fireworks.generations(row)
    return _adapter(row, lambda facts: "/images/generations")


def edits(row: Row) -> Adapter:
    """As `generations`."""
    return _adapter(row, lambda facts: facts.edits_at)


def variations(row: Row) -> Adapter:
    """As `generations`. OpenAI itself has retired these with DALL·E 2 (openai 3.52: "no longer accepts requests")."""
    return _adapter(row, lambda facts: "/images/variations", streams=False)
