"""The scripts in examples/ run as a person runs them, against providers that answer from the case folders."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge.every_provider import Upstreams
from tests.edge.running import Running
from tests.edge.test_every_provider import world

__all__ = ["world"]

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(file.name for file in EXAMPLES.glob("*.py") if file.name != "common.py")


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_runs_and_says_something(world: tuple[Upstreams, Running], script: str) -> None:
    _, server = world
    environment = {
        "PATH": os.environ["PATH"],
        "ORRERY_BASE_URL": server.base_url,
        "ORRERY_API_KEY": server.api_key,
        "PYTHONWARNINGS": "error",
    }
    ran = subprocess.run(
        [sys.executable, EXAMPLES / script], env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "") and ran.stdout.strip(), ran.stdout


def test_an_example_without_a_gateway_says_what_to_do(tmp_path: Path) -> None:
    for name in ("common.py", "openai_wire.py"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    ran = subprocess.run(
        [sys.executable, tmp_path / "openai_wire.py"], env={}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1 and "make run" in ran.stderr and "Traceback" not in ran.stderr
