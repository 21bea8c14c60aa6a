"""What we use of LiteLLM's price map, out of the release that requirements/bench.txt locks by hash.

LiteLLM itself cannot be installed beside our own tools (it wants an older openai), and only this one file of it is
wanted: so its wheel is downloaded, never installed and never run, and what we use stands in `sources/litellm.json`
and `sources/litellm_media.json`.
"""

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

from scripts.catalog.providers import PROVIDERS

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements/bench.txt"
KEPT = Path(__file__).parent / "sources/litellm.json"
MEDIA = Path(__file__).parent / "sources/litellm_media.json"
MAP = "litellm/model_prices_and_context_window_backup.json"

MEDIA_MODES = frozenset(
    {"image_generation", "image_edit", "audio_speech", "audio_transcription"}
    | {"rerank", "ocr", "moderation", "video_generation"}
)
MEDIA_FACTS = ("mode", "source", "deprecation_date")
OTHER_MEDIA_PRICES = re.compile(r"batch|flex|priority|fast|balanced|search_context|_\d+[pk]$|reasoning|interpreter")
"""What other tiers and tools cost, and sizes that LiteLLM has no certain names for."""

MODES = frozenset({"chat", "completion", "embedding", "responses"})
FACTS = ("mode", "source", "max_input_tokens", "max_output_tokens", "deprecation_date")
LISTS = ("supported_endpoints", "supported_modalities", "supported_output_modalities")
SUPPORTED = tuple(
    f"supports_{what}" for what in ("audio_input", "audio_output", "pdf_input", "reasoning", "video_input", "vision")
)
PRICES = ("tiered_pricing", "regional_endpoint_uplift_multiplier")
OTHER_PRICES = re.compile(
    r"batch|flex|priority|fast|balanced|decisions|dbu|search|grounding|page|interpreter|second|character|pixel|_query"
)
"""What other tiers, tools and other kinds of models cost is left aside, and what is not counted in tokens."""


def refresh(day: date) -> None:
    """Downloads the locked release and keeps what we use of it. Raises `CalledProcessError` without a package index."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        wanted = folder / "litellm.txt"
        wanted.write_text(locked(LOCK.read_text(encoding="utf-8")), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(wanted), "-d", place],
            check=True,
        )
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            found = json.loads(archive.read(MAP), parse_float=str)
        release = version(LOCK.read_text(encoding="utf-8"))
        KEPT.write_text(kept(found, release, day), encoding="utf-8")
        MEDIA.write_text(kept_media(found, release, day), encoding="utf-8")


def locked(requirements: str) -> str:
    """LiteLLM's own lines of a lock: its version and its hashes."""
    block = re.search(r"^litellm(?:\[[^\]]*\])?(==[^\\\n]*(?:\\\n[^\\\n]*)*)", requirements, re.MULTILINE)
    if not block:
        raise ValueError(f"{LOCK.name} locks no litellm")
    return f"litellm{block[1]}\n"


def version(requirements: str) -> str:
    """`1.106.2`."""
    return locked(requirements).partition("==")[2].split()[0]


def kept(found: dict[str, dict[str, Any]], release: str, day: date) -> str:
    """The snapshot: JSON, one model per line, by LiteLLM's providers. Fractions stay text, digit by digit."""
    groups = _groups()
    for name, facts in found.items():
        if facts.get("mode") in MODES and (rows := groups.get(facts.get("litellm_provider", ""))) is not None:
            rows[name] = _used(facts)
    return _written(groups, release, day)


def kept_media(found: dict[str, dict[str, Any]], release: str, day: date) -> str:
    """The same of models that answer with no text of their own; of those whose price has a source."""
    groups = _groups()
    for name, facts in found.items():
        rows = groups.get(facts.get("litellm_provider", ""))
        if facts.get("mode") in MEDIA_MODES and facts.get("source") and rows is not None:
            prices = {key: facts[key] for key in sorted(facts) if "cost" in key and not OTHER_MEDIA_PRICES.search(key)}
            rows[name] = {key: facts[key] for key in MEDIA_FACTS if facts.get(key)} | prices
    return _written(groups, release, day)


def _groups() -> dict[str, dict[str, Any]]:
    return {group: {} for sources in PROVIDERS.values() for group, _ in sources.litellm}


def _written(groups: dict[str, dict[str, Any]], release: str, day: date) -> str:
    head = {"package": f"LiteLLM {release}", "licence": "MIT, Copyright (c) 2023 Berri AI", "taken": f"{day}"}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    blocks = []
    for group, rows in sorted(groups.items()):
        body = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(rows.items()))
        blocks.append(f"{json.dumps(group)}: {{\n{body}\n}}")
    return "\n".join(("{", *lines, '"models": {', ",\n".join(blocks), "}", "}", ""))


def _used(facts: dict[str, Any]) -> dict[str, Any]:
    """Of a model's entry: facts, what it `supports`, and its prices where it says whose they are."""
    row = {key: facts[key] for key in (*FACTS, *LISTS) if facts.get(key)}
    if supports := sorted(key.removeprefix("supports_") for key in SUPPORTED if facts.get(key) is True):
        row["supports"] = supports
    if facts.get("source"):
        row |= {key: facts[key] for key in sorted(facts) if key in PRICES or _is_price(key)}
    return row


def _is_price(key: str) -> bool:
    return "cost" in key and not OTHER_PRICES.search(key)
