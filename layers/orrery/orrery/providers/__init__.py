"""Providers: values made of pure functions. No I/O, no vendor SDK, no environment.

`get` finds one by name and imports no more than that one: dialects cost nothing to requests that do not use them.
"""

from functools import lru_cache
from importlib import import_module

from orrery.core.dialect import Provider
from orrery.providers.directory import ALIASES

DIALECTS = {
    "anthropic": "orrery.providers.anthropic",
    "google": "orrery.providers.gemini",
    "vertex": "orrery.providers.vertex",
    "azure": "orrery.providers.azure",
    "bedrock": "orrery.providers.bedrock",
    "cohere": "orrery.providers.cohere",
    "deepgram": "orrery.providers.deepgram",
    "elevenlabs": "orrery.providers.elevenlabs",
    "mistral": "orrery.providers.mistral",
    "stability": "orrery.providers.stability",
}
"""Providers with a wire of their own, by the module whose `PROVIDER` they are."""


@lru_cache(maxsize=256)  # callers choose the names
def get(name: str) -> Provider | None:
    """The built-in provider called `name`, by any customary name of it, or None.

    Servers that an operator names are made by `compatible.server`.
    """
    name = ALIASES.get(name, name)
    if name in DIALECTS:
        found: Provider = import_module(DIALECTS[name]).PROVIDER
        return found
    from orrery.providers import compatible, rows

    row = rows.ROWS.get(name)
    return compatible.serving(row) if row else None


def names() -> tuple[str, ...]:
    """Every built-in provider's name."""
    from orrery.providers import rows

    return tuple(dict.fromkeys((*DIALECTS, *rows.ROWS)))
