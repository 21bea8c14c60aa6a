"""Tools that run inside the gateway, each in a module of its own that is imported when a request names it."""

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module

from orrery.core.errors import InvalidRequest
from orrery.core.tools import Opened, Setting
from orrery.core.types import Json
from orrery.tools.outfit import Outfit

__all__ = ["OPENERS", "Outfit", "Tools"]

OPENERS: Mapping[str, str] = {
    "orq:current_date": "dates:opened",
    "web_search": "searching:opened",
    "web_search_2025_08_26": "searching:opened",
    "web_search_preview": "searching:opened",
    "web_search_preview_2025_03_11": "searching:opened",
    "orq:google_search": "searching:opened",
    "orq:web_scraper": "scraping:opened",
    "orq:http": "stored_http:opened",
    "orq:function": "stored_functions:opened",
    "orq:advisor": "sidecars:opened",
    "orq:sidekick": "sidecars:opened",
    "orq:subagent": "sidecars:opened",
    "orq:call_sub_agent": "team:opened",
    "orq:retrieve_agents": "team:opened",
    "orq:query_memory_store": "memories:opened",
    "orq:write_memory_store": "memories:opened",
    "orq:retrieve_memory_stores": "memories:opened",
    "orq:delete_memory_document": "memories:opened",
    "mcp": "mcp_servers:opened",
    "orq:mcp": "mcp_servers:opened",
    "orq:code_interpreter": "interpreting:opened",
    "code_interpreter": "interpreting:opened",
}
"""Which function makes each type of tool: `async (spec, setting, outfit) -> Opened`."""

type Opener = Callable[[Json, Setting, Outfit], Awaitable[Opened]]


class Tools:
    """`core.tools.Toolbox`."""

    def __init__(self, outfit: Outfit) -> None:
        self._outfit = outfit

    async def open(self, spec: Json, setting: Setting) -> Opened:
        """Raises `InvalidRequest` for a type that no tool has here, or what its opener refuses."""
        place = OPENERS.get(str(spec.get("type")))
        if place is None:
            raise InvalidRequest(
                f"Unsupported tool: '{str(spec.get('type'))[:80]}'. Supported: function, {', '.join(OPENERS)}.",
                param="tools",
                code="unsupported_parameter",
            )
        module, _, name = place.partition(":")
        opener: Opener = getattr(import_module(f"{__name__}.{module}"), name)
        return await opener(spec, setting, self._outfit)
