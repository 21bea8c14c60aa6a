"""What is sold by the unit, and how its units are called: the names in `Price.units` and `Usage.units`."""

import re

from orrery.core.types import Operation

UNITS = {
    "image": "a picture",
    "audio_ms": "a millisecond of sound that is heard",
    "character": "a character of text that is spoken",
    "page": "a page that is read",
    "search": "a search",
    "video_ms": "a millisecond of video",
}

COUNTED_IN = {
    Operation.IMAGES: "image",
    Operation.IMAGE_EDITS: "image",
    Operation.IMAGE_VARIATIONS: "image",
    Operation.VIDEOS: "video_ms",
    Operation.SPEECH: "character",
    Operation.TRANSCRIPTIONS: "audio_ms",
    Operation.TRANSLATIONS: "audio_ms",
    Operation.OCR: "page",
    Operation.RERANK: "search",
}
"""What a call of an operation may be counted in; of the others, only tokens are."""

FORMS = "image[/quality[/1024x1024]], audio_ms[/diarized], character, page[/annotated], search, video_ms[/1280x720]"
"""For people; `_NAME` is for programs."""

_SIZE = r"[1-9][0-9]{1,4}x[1-9][0-9]{1,4}"
_NAME = re.compile(
    rf"image(?:/[a-z0-9]{{1,16}}(?:/{_SIZE})?)?|audio_ms(?:/diarized)?|character|page(?:/annotated)?|search"
    rf"|video_ms(?:/{_SIZE})?",
    re.ASCII,
)


def is_unit(name: str) -> bool:
    """Whether a usage can count it."""
    return _NAME.fullmatch(name) is not None


def kind_of(unit: str) -> str:
    """`image` for `image/high/1024x1024`: a key of `UNITS`."""
    return unit.partition("/")[0]
