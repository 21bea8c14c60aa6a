"""Rows of models that answer with no text of their own: pictures, speech, transcripts, ranks, pages, videos.

Out of LiteLLM's price map (`sources/litellm_media.json`, which `snapshot` makes), where it names the page of a price.
A model is priced one way: by tokens where its provider counts them, else by the unit (see `core.types.Usage`).
"""

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

from scripts.catalog.kinds import is_any, is_theirs
from scripts.catalog.litellm import PAGE, tiers_of
from scripts.catalog.litellm import RATES as TEXT_RATES
from scripts.catalog.pico import Tally, pico
from scripts.catalog.providers import Sources
from scripts.catalog.snapshot import MEDIA

MAP: dict[str, Any] = json.loads(MEDIA.read_text(encoding="utf-8"))
PACKAGE = str(MAP["package"])

OPERATIONS = {
    "image_generation": "image_generation",
    "image_edit": "image_edit",
    "audio_speech": "speech",
    "audio_transcription": "transcription",
    "rerank": "rerank",
    "ocr": "ocr",
    "moderation": "moderation",
    "video_generation": "video_generation",
}
BESIDES = (
    ("image_generation", "image_edit", ("openai/*gpt-image*", "azure/gpt-image*", "xai/grok-imagine-image*")),
    ("image_generation", "image_edit", ("google/*gemini*", "google/*nano-banana*", "vertex/gemini*")),
    ("transcription", "translation", ("openai/whisper*", "azure/whisper*", "groq/whisper-large-v3")),
)
"""What a model serves, what it serves besides, and which models do. Groq's turbo only transcribes
(console.groq.com/docs/speech-text, read 2026-11-21)."""

MODALITIES = {
    "image_generation": (["text"], ["image"]),
    "image_edit": (["text", "image"], ["image"]),
    "speech": (["text"], ["audio"]),
    "transcription": (["audio"], ["text"]),
    "rerank": (["text"], ["score"]),
    "ocr": (["image", "pdf"], ["text"]),
    "moderation": (["text"], ["score"]),
    "video_generation": (["text", "image"], ["video"]),
}
"""What each operation's models read and write."""

RATES = TEXT_RATES | {"image_input": "input_cost_per_image_token", "image_output": "output_cost_per_image_token"}

COUNTED = ("output_cost_per_image_token", "input_cost_per_audio_token", "output_cost_per_audio_token")
"""Prices by which a provider counts tokens of another kind, whatever else stands beside them."""

UNITS = {
    "image_generation": (("output_cost_per_image", "image", 10**12), ("input_cost_per_image", "image", 10**12)),
    "image_edit": (("output_cost_per_image", "image", 10**12),),
    "audio_speech": (("input_cost_per_character", "character", 10**12),),
    "audio_transcription": (("input_cost_per_second", "audio_ms", 10**9),),
    "rerank": (("input_cost_per_query", "search", 10**12),),
    "ocr": (("ocr_cost_per_page", "page", 10**12),),
    "video_generation": (
        ("output_cost_per_video_per_second", "video_ms", 10**9),
        ("output_cost_per_second", "video_ms", 10**9),
    ),
}
"""LiteLLM's prices by the unit, the first that is there; our unit, and how many of it in pico-USD make 1 USD of theirs.

What is drawn of text alone has no picture to read: there, `input_cost_per_image` is what a picture costs that is made.
"""

ANNOTATED = "annotation_cost_per_page"
"""Whether it is paid instead of the page or beside it, no source says: beside it is dearer."""

SIZED = re.compile(r"(?:(?P<quality>\w+)/)?(?P<width>\d+)-x-(?P<height>\d+)/(?P<name>.+)")
LIVE = re.compile(r"\b(live|realtime|streaming)\b")
"""Models that are spoken to over a socket: no request of ours reaches them."""

HIGH_RES, LOW_RES = "-high-res", ("720x1280", "1280x720")
"""LiteLLM's name for Sora's larger pictures, and the sizes that are none (`VideoSize` in OpenAI's API document)."""

DIARIZED = "streaming/diarize"
"""What Deepgram takes for telling speakers apart in a stream; for a file no source says it, so that it counts there."""

type Row = dict[str, Any]


def rows_of(provider: str, sources: Sources, day: date, tally: Tally) -> dict[str, Row]:
    """Each model that LiteLLM names a source for; sizes and qualities of one model are one row."""
    rows: dict[str, Row] = {}
    for group, prefix in sources.litellm:
        entries = MAP["models"].get(group, {})
        for key, entry in entries.items():
            found = SIZED.fullmatch(key.removeprefix(prefix))
            name = found["name"] if found else key.removeprefix(prefix).removeprefix("openai/")
            if not is_theirs(provider, name) or LIVE.search(name):
                tally["left out: no model for requests of ours"] += 1
            elif price := _sized(entry, found, tally) if found else _price(entry, tally):
                row = rows.setdefault(name, row_of(provider, name, entry, day) | price)
                if "units" in row and "units" in price:
                    row["units"] = price["units"] | row["units"]
            else:
                tally["left out: no price in our units"] += 1
        if diarized := entries.get(f"{prefix}{DIARIZED}"):
            _tell_speakers(rows, pico(Decimal(diarized["input_cost_per_second"]), 10**9, tally))
    return _in_sizes(rows)


def row_of(provider: str, name: str, entry: dict[str, Any], day: date) -> Row:
    """All of a line but its price."""
    served = OPERATIONS[entry["mode"]]
    besides = [more for each, more, names in BESIDES if each == served and is_any(f"{provider}/{name}", names)]
    read, written = MODALITIES[besides[0] if "image_edit" in besides else served]
    row: Row = {"operations": [served, *besides], "input_modalities": read, "output_modalities": written}
    if str(entry.get("deprecation_date", "9999")) <= f"{day}":
        row["listed"] = False
    return row | {"source": f"{PACKAGE}, {entry[PAGE]}"}


def _price(entry: dict[str, Any], tally: Tally) -> Row | None:
    if any(key in entry for key in COUNTED):
        return _tokens(entry, tally)
    if entry["mode"] == "video_generation" and Decimal(entry.get("input_cost_per_image") or 0):
        return None  # a fee for each picture that it begins with, which nothing counts
    for key, unit, scale in UNITS.get(entry["mode"], ()):
        if usd := Decimal(entry.get(key) or 0):
            units = {unit: pico(usd, scale, tally)}
            if ANNOTATED in entry:
                units["page/annotated"] = units["page"] + pico(Decimal(entry[ANNOTATED]), scale, tally)
            return {"units": units}
    return _tokens(entry, tally) if "input_cost_per_token" in entry else None


def _tokens(entry: dict[str, Any], tally: Tally) -> Row:
    """`rates` and `above`: where nothing is said of text, it costs what the other kind does."""
    heard = entry.get("input_cost_per_audio_token", "0")
    made = entry.get("output_cost_per_image_token") or entry.get("output_cost_per_audio_token") or "0"
    return tiers_of({"input_cost_per_token": heard, "output_cost_per_token": made} | entry, tally, RATES)


def _sized(entry: dict[str, Any], found: re.Match[str], tally: Tally) -> Row | None:
    """A picture of one size: by the piece, or by its pixels, whose price LiteLLM divided and rounded."""
    width, height = int(found["width"]), int(found["height"])
    usd = entry.get("input_cost_per_image") or entry.get("output_cost_per_image")
    if not usd and "input_cost_per_pixel" not in entry:
        return None
    exact = Decimal(usd) if usd else (Decimal(entry["input_cost_per_pixel"]) * width * height).quantize(Decimal("1e-4"))
    return {"units": {f"image/{found['quality'] or 'standard'}/{width}x{height}": pico(exact, 10**12, tally)}}


def _tell_speakers(rows: dict[str, Row], extra: int) -> None:
    for row in rows.values():
        if "audio_ms" in row.get("units", ()):
            row["units"]["audio_ms/diarized"] = row["units"]["audio_ms"] + extra


def _in_sizes(rows: dict[str, Row]) -> dict[str, Row]:
    """A larger size that has a name of its own in LiteLLM becomes its model's price, but for the smaller sizes."""
    for name in [name for name in rows if name.endswith(HIGH_RES)]:
        dearer, row = rows.pop(name), rows[name.removesuffix(HIGH_RES)]
        row["units"] = dearer["units"] | {f"video_ms/{size}": row["units"]["video_ms"] for size in LOW_RES}
    return rows
