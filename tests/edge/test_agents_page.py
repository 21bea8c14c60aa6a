"""docs/agents.md as a reader uses it: its examples run in order, and print what stands below them."""

from pathlib import Path

from orrery.wire.agent_tools import BUILT_IN, STORED
from tests.edge.pages import printed, promised
from tests.edge.running import running

PAGE = Path(__file__).parents[2] / "docs" / "agents.md"


def test_every_example_prints_what_the_page_says(tmp_path: Path) -> None:
    with running(tmp_path / "state", {}) as server:
        assert printed(PAGE, server) == (promised(PAGE), "")


def test_every_tool_of_agents_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in (*BUILT_IN, *STORED) if f"`{name}`" not in page] == []
