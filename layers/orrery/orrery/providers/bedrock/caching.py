"""Prompt caching: a `cachePoint` behind each block that the caller marks with `cache_control`.

Sources, read 2026-11-21: "Prompt caching" (docs.aws.amazon.com/bedrock): at most 4 points, Nova none in its tools;
that a point straight after a document or video is refused, pydantic/pydantic-ai, models/bedrock.py, 2026-08-22; that
Nova takes none beside tool calls and results, langchain-ai/langchain-aws, 2026-08-20; "Extended TTL prompt caching is
only supported for Anthropic models" (the API's 400, quoted in LibreChat-AI/agents#256, 2026-06-19).
"""

from typing import Literal

from orrery.core.types import Json
from orrery.providers.bedrock.models import Traits
from orrery.providers.lost import Lost

MOST_POINTS = 4

NAME = "cache_control"

_NEVER_BEFORE = ("document", "video")


class Caching:
    """Where points may stand; what cannot be marked is named among what was lost."""

    def __init__(self, traits: Traits, lost: Lost) -> None:
        self._traits = traits
        self._lost = lost

    def mark(self, blocks: list[Json], control: Json | None, place: Literal["system", "messages", "tools"]) -> None:
        """Puts a point at the end of `blocks`, but before the documents and videos that end them."""
        if not control:
            return
        at = len(blocks)
        while at and any(kind in blocks[at - 1] for kind in _NEVER_BEFORE):
            at -= 1
        beside_tools = any("toolResult" in block or "toolUse" in block for block in blocks)
        if place not in self._traits.caches or not at or (beside_tools and self._traits.maker == "amazon"):
            self._lost.add(NAME)
        elif "cachePoint" not in blocks[at - 1]:
            blocks.insert(at, self._point(control))

    def _point(self, control: Json) -> Json:
        point: Json = {"type": "default"}
        if control.get("ttl") == "1h":
            if "1h" in self._traits.caches or not self._traits.maker:
                point["ttl"] = "1h"
            else:
                self._lost.add(f"{NAME}.ttl")
        return {"cachePoint": point}

    def limit(self, *lists: list[Json]) -> None:
        """Takes away points beyond what a request may have: the first ones of the last lists."""
        left = MOST_POINTS
        for blocks in lists:
            places = [place for place, block in enumerate(blocks) if "cachePoint" in block]
            for place in reversed(places[: max(0, len(places) - left)]):
                del blocks[place]
                self._lost.add(NAME)
            left -= min(left, len(places))
