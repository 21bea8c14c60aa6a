"""docs/options.md as a reader uses it: its examples run in order, and print what stands below them."""

from pathlib import Path

from tests.edge.pages import printed, promised
from tests.edge.running import running

PAGE = Path(__file__).parents[2] / "docs" / "options.md"
EDGE_KEY = "an edge key for the page of options"


def test_every_example_prints_what_the_page_says(tmp_path: Path) -> None:
    with running(tmp_path / "state", {"ORRERY_EDGE_KEYS": EDGE_KEY}) as server:
        assert printed(PAGE, server, EDGE_KEY=EDGE_KEY) == (promised(PAGE), "")


def test_every_option_has_an_example() -> None:
    from orrery.wire.option_shapes import FIELDS
    from orrery.wire.options import LATER

    page = PAGE.read_text(encoding="utf-8")
    spoken = {name for name in FIELDS if f"`{name}`" in page or f"{name}=" in page or f'"{name}"' in page}
    older = {"retries", "contact", "inputs"}
    assert set(FIELDS) - spoken - older == set()
    assert set(LATER) <= spoken
