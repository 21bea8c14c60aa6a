"""docs/options.md as a reader uses it: its examples run in order, and print what stands below them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.edge.running import running

PAGE = Path(__file__).parents[2] / "docs" / "options.md"
EDGE_KEY = "an edge key for the page of options"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_example_prints_what_the_page_says(tmp_path: Path) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    program = "\n".join(text for kind, text in blocks if kind == "python")
    promised = "".join(text for kind, text in blocks if kind == "text")
    with running(tmp_path / "state", {"ORRERY_EDGE_KEYS": EDGE_KEY}) as server:
        environment = {
            "PATH": os.environ["PATH"],
            "ORRERY_BASE_URL": server.base_url,
            "ORRERY_API_KEY": server.api_key,
            "EDGE_KEY": EDGE_KEY,
        }
        ran = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
        )
    assert (ran.stdout, ran.stderr) == (promised, "")


def test_every_option_has_an_example() -> None:
    from orrery.wire.option_shapes import FIELDS
    from orrery.wire.options import LATER

    page = PAGE.read_text(encoding="utf-8")
    spoken = {name for name in FIELDS if f"`{name}`" in page or f"{name}=" in page or f'"{name}"' in page}
    older = {"retries", "contact", "inputs"}
    assert set(FIELDS) - spoken - older == set()
    assert set(LATER) <= spoken
