"""Pictures as OpenAI answers them: whole, and as the events of a stream. And how they are counted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import gcd
from typing import Any

from orrery.core.dialect import Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json, Operation, Target, Usage
from orrery.wire.media import data_url, sniffed

EVENT = {Operation.IMAGES: "image_generation", Operation.IMAGE_EDITS: "image_edit"}
"""What the types of a stream's events begin with. Source: OpenAI's API document 2.3.0, read 2026-11-21."""

FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}


def count_of(call: Call) -> int:
    """How many pictures are asked for."""
    return int(call.body.get("n") or 1)


def size_of(call: Call) -> tuple[int, int] | None:
    """The width and height that are asked for; None where the model shall choose."""
    width, _, height = str(call.body.get("size") or "").partition("x")
    return (int(width), int(height)) if height else None


def ratio_of(call: Call, known: Sequence[str]) -> str:
    """The one of `known` (`16:9`) that the size asked for has exactly; "" for none."""
    size = size_of(call)
    if size is None:
        return ""
    divisor = gcd(*size)
    ratio = f"{size[0] // divisor}:{size[1] // divisor}"
    return ratio if ratio in known else ""


def unit_of(call: Call, quality: str = "standard", size: str = "") -> str:
    """What one picture of the call is charged as. `quality` and `size` are what it has where nothing was asked for.

    A provider that chooses both by itself leaves only `image`: the dearest that it may be.
    """
    asked = call.body.get("quality")
    quality = asked if asked and asked != "auto" else quality
    width_height = size_of(call)
    size = f"{width_height[0]}x{width_height[1]}" if width_height else size
    return "/".join(part for part in ("image", quality, size if quality else "") if part)


def plain_unit(call: Call, size: str = "1024x1024") -> str:
    """As `unit_of`, where a provider has no qualities, and a size of its own unless one is asked for."""
    width_height = size_of(call)
    return f"image/standard/{width_height[0]}x{width_height[1]}" if width_height else f"image/standard/{size}"


def counted(call: Call, pictures: int, unit: str, told: Usage | None = None) -> Usage:
    """So many pictures, beside the tokens that the provider told of, if any."""
    units = {unit: pictures}
    return replace(told, units=units) if told and told.total else Usage(units=units, ours=True)


def answer_of(pictures: Sequence[Json], call: Call, usage: Usage | None = None) -> Json:
    """OpenAI's answer. A picture is `{b64_json}` or `{url}`, perhaps with a `revised_prompt`."""
    if not pictures:
        raise UpstreamError("the provider's reply has no images", upstream_status=200)
    answer: Json = {"created": call.received_at, "data": list(pictures)}
    if usage and usage.total:
        answer["usage"] = tokens_of(usage)
    return answer


def picture(encoded: str, **more: Any) -> Json:
    """A picture by its base64, whether or not a data URL's head stands before it."""
    return {"b64_json": data_url(encoded)[1], **more}


def tokens_of(usage: Usage) -> Json:
    """The `usage` of an images answer."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "image_tokens": usage.image_input,
            "text_tokens": max(0, usage.prompt - usage.image_input),
        },
        "output_tokens": usage.completion,
        "total_tokens": usage.total,
    }


def events_of(frame: Frame, call: Call) -> Sequence[Frame]:
    """A whole answer as the events of a stream that shows nothing before the end: for providers that have none."""
    answer = frame.payload
    assert isinstance(answer, dict)
    frames = []
    for each in answer["data"]:
        if "b64_json" not in each:
            raise UpstreamError("the provider sent the address of an image where a stream needs the image itself")
        event = {
            "type": f"{EVENT[call.operation]}.completed",
            "b64_json": each["b64_json"],
            "created_at": answer["created"],
            "background": answer.get("background") or "auto",
            "output_format": answer.get("output_format") or FORMATS.get(sniffed(each["b64_json"][:64]), "png"),
            "quality": answer.get("quality") or "auto",
            "size": answer.get("size") or call.body.get("size") or "auto",
            "usage": answer.get("usage") or tokens_of(Usage()),
        }
        frames.append(Frame(event))
    frames[-1].usage = frame.usage
    return frames


def joined(frames: Sequence[Frame], call: Call) -> Frame:
    """One answer of several calls for one picture each: what they used is added up."""
    answers = [frame.payload for frame in frames if isinstance(frame.payload, dict)]
    pictures = [each for answer in answers for each in answer["data"]]
    usages = [frame.usage for frame in frames if frame.usage]
    units: dict[str, int] = {}
    for usage in usages:
        for unit, number in usage.units.items():
            units[unit] = units.get(unit, 0) + number
    usage = Usage(
        **{name: sum(getattr(each, name) for each in usages) for name in _TOKENS},
        units=units,
        ours=any(each.ours for each in usages),
    )
    return Frame(answer_of(pictures, call, usage), usage)


_TOKENS = ("prompt", "completion", "cache_read", "image_input", "reasoning", "image_output")


def in_parts(most: int) -> Callable[[Call, Target], Sequence[Call]]:
    """As many calls as it takes where a model draws at most so many pictures in one."""

    def split(call: Call, target: Target) -> Sequence[Call]:
        number = count_of(call)
        parts = [most] * (number // most) + [number % most] * (number % most > 0)
        return [replace(call, body={**call.body, "n": part}) for part in parts] if len(parts) > 1 else (call,)

    return split


def unread(call: Call, *read: str) -> Iterable[str]:
    """The parameters that a dialect does not read, but those that ask for what happens anyway."""
    for name, value in call.body.items():
        if name not in _READ and name not in read and value is not None and value not in NEUTRAL.get(name, ()):
            yield name


_READ = frozenset({"model", "prompt", "n", "stream", "images", "mask"})

NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "background": ("auto",),
    "metadata": ({},),
    "moderation": ("auto",),
    "output_compression": (100,),
    "partial_images": (0,),
    "quality": ("auto",),
    "response_format": ("b64_json",),
    "size": ("auto",),
}
"""What asks for nothing that would not happen anyway: for dialects that always give the picture itself."""
