"""Token counts as OpenAI lays them out: thoughts lie within the completion, what tools were fed within the prompt.

Source: `GenerateContentResponseUsageMetadata` of the google-genai Python SDK 3.4, read 2026-11-21: the total is the sum
of prompt, candidates, tool use and thoughts; the prompt includes what the cache held.
"""

from typing import Any

from orrery.core.types import Usage

_COUNTS = (
    "promptTokenCount",
    "toolUsePromptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
)
_DETAILS = ("promptTokensDetails", "toolUsePromptTokensDetails", "candidatesTokensDetails")


class Counts:
    """The counts so far. Those of a stream are cumulative and leave fields out, so the largest of each stands."""

    def __init__(self) -> None:
        self._largest: dict[str, int] = {}
        self._details: dict[str, Any] = {}

    def add(self, usage: Any) -> bool:
        """True when a count rose. Each event of a stream has them all, and few of them change."""
        if not isinstance(usage, dict):
            return False
        rose, largest = False, self._largest
        for name in _COUNTS:
            value = usage.get(name)
            if type(value) is int and value > largest.get(name, -1):
                largest[name], rose = value, True
        for name in _DETAILS:
            details = usage.get(name)
            if details is not None and details != self._details.get(name):
                self._details[name] = details
                for detail in details if isinstance(details, list) else ():
                    if isinstance(detail, dict) and detail.get("modality") == "AUDIO":
                        rose |= self._note(name, detail.get("tokenCount"))
        return rose

    def usage(self) -> Usage | None:
        """What is known; None as long as nothing is."""
        if not self._largest:
            return None
        count = self._largest.get
        prompt = count("promptTokenCount", 0) + count("toolUsePromptTokenCount", 0)
        thoughts = count("thoughtsTokenCount", 0)
        completion = count("candidatesTokenCount", 0) + thoughts
        heard = count("promptTokensDetails", 0) + count("toolUsePromptTokensDetails", 0)
        return Usage(
            prompt=prompt,
            completion=completion,
            cache_read=min(count("cachedContentTokenCount", 0), prompt),
            audio_input=min(heard, prompt),
            reasoning=thoughts,
            audio_output=min(count("candidatesTokensDetails", 0), completion),
        )

    def _note(self, name: str, value: Any) -> bool:
        if type(value) is not int or value <= self._largest.get(name, -1):
            return False
        self._largest[name] = value
        return True
