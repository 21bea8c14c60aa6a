"""The locks agree with pyproject.toml, carry hashes, and name no index."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
LAYER = "layers/dependencies/requirements.txt"
LOCKS = {
    LAYER: GROUPS["lambda"],
    "requirements/run.txt": PROJECT["project"]["dependencies"] + GROUPS["build"],
    "requirements/dev.txt": PROJECT["project"]["dependencies"] + GROUPS["build"] + GROUPS["dev"],
    "requirements/uv.txt": GROUPS["lock"],
    "requirements/sam.txt": GROUPS["sam"],
    "requirements/bench.txt": GROUPS["bench"],
}
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return {name.lower(): version for name, version in PIN.findall((ROOT / lock).read_text())}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_locked_at_a_version_it_allows(lock):
    locked = pins(lock)
    for text in LOCKS[lock]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(locked[wanted.name.lower()]), text


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_line_names_an_index(lock):
    text = (ROOT / lock).read_text()
    for block in re.split(r"\n(?=[a-z0-9])", text.strip()):
        if "==" in block.split("\n", 1)[0]:
            assert "--hash=sha256:" in block, block.split("\n", 1)[0]
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--\S*index\S*)", text, re.MULTILINE)


def test_what_ships_is_what_a_laptop_runs():
    laptop = pins("requirements/run.txt")
    assert {name: laptop[name] for name in pins(LAYER)} == pins(LAYER)


def test_what_is_tested_is_what_runs():
    tested = pins("requirements/dev.txt")
    assert {name: tested[name] for name in pins("requirements/run.txt")} == pins("requirements/run.txt")


def test_the_lambda_group_stands_word_for_word_in_the_project():
    assert set(GROUPS["lambda"]) <= set(PROJECT["project"]["dependencies"])


def test_there_is_no_uv_lock():
    assert not (ROOT / "uv.lock").exists()
