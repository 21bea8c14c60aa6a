"""docs/responses.md as a reader uses it: its examples run in order, and print what stands below them."""

from pathlib import Path

from orrery.tools import OPENERS
from tests.edge.pages import printed, promised
from tests.edge.running import running

PAGE = Path(__file__).parents[2] / "docs" / "responses.md"

FOR_AGENTS = frozenset(
    f"orq:{name}"
    for name in (
        "call_sub_agent",
        "retrieve_agents",
        "query_memory_store",
        "write_memory_store",
        "retrieve_memory_stores",
        "delete_memory_document",
    )
)
"""Tools that agents have: the page of agents tells of them."""

SAME = {
    "orq:subagent": "orq:sidekick",
    "web_search_2025_08_26": "web_search",
    "web_search_preview_2025_03_11": "web_search_preview",
}
"""Other names of the same tools."""


def test_every_example_prints_what_the_page_says(tmp_path: Path) -> None:
    with running(tmp_path / "state", {}) as server:
        assert printed(PAGE, server) == (promised(PAGE), "")


def test_every_tool_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in OPENERS if name not in FOR_AGENTS and f"`{SAME.get(name, name)}`" not in page] == []
