"""Parameters of a request that a dialect does not read, and those among them that ask for nothing."""

from collections.abc import Set
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.types import Json
from orrery.providers.lost import Lost

NEUTRAL: dict[str, Any] = {
    "n": 1,
    "logprobs": False,
    "top_logprobs": 0,
    "store": False,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logit_bias": {},
    "metadata": {},
    "modalities": ["text"],
    "verbosity": "medium",
    "functions": [],
    "parallel_tool_calls": True,
}
"""What asks for nothing that would not happen anyway, and so is no loss."""


def lose_rest(asked: Json, read: Set[str], lost: Lost) -> None:
    """Names what the caller set and `read` does not hold. Raises `InvalidRequest` for an answer in sound."""
    if "audio" in (asked.get("modalities") or ()) and "modalities" not in read:
        raise InvalidRequest("These models answer in text only.", param="modalities")
    for name, value in asked.items():
        if name not in read and value is not None and value != NEUTRAL.get(name):
            lost.add(name)
