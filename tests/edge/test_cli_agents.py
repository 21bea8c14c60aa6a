"""`orrery agents`, as people, programs and pipelines use it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orrery.core.agents import Agent
from orrery.edge.cli import app
from orrery.edge.embedded.opening import open_state
from orrery.stores.agents import AgentStore
from orrery.stores.table import Table

type Run = Callable[..., Any]

KIND = """\
role: Helper
description: Helps people.
instructions: |
  Be kind to {{name}}.
  Always.
model:
  id: openai/gpt-4o
  parameters:
    temperature: 0.5
settings:
  max_iterations: 5
  tools:
    - type: current_date
"""
WRITER = """\
---
role: Writer
description: Writes.
model: openai/gpt-4o
---

# Write

Write well --- or not at all.

---
"""
TERSE = '{"role": "r", "description": "d", "instructions": "Be terse.", "model": "groq/x"}'


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".orrery"


@pytest.fixture
def run(state: Path) -> Run:
    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["agents", *words, "--state", str(state)])

    assert CliRunner().invoke(app, ["init", "--state", str(state)]).exit_code == 0
    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / "kind.yaml").write_text(KIND)
    (folder / "writer.md").write_text(WRITER)
    (folder / "terse.json").write_text(TERSE)
    (folder / "README.md").write_text("# not an agent\n\n---\n")
    (folder / "notes.txt").write_text("nor is this")
    return folder


def told(result: Any) -> Any:
    """The one JSON document on standard output."""
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def refusal(result: Any) -> str:
    """The one line on standard error."""
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert not result.stderr.startswith("orrery: unexpected")
    return str(result.stderr)


def did(result: Any) -> dict[str, tuple[str, str]]:
    return {each["key"]: (each["did"], each["version"]) for each in told(result)}


def used(state: Path, key: str, version: str = "") -> Agent:
    """What requests get."""

    async def resolve() -> Agent:
        async with open_state(state) as there:
            return await AgentStore(Table(there.call, "orrery")).resolve("local", key, version)

    return asyncio.run(resolve())


def test_pushed_files_are_what_requests_get(run: Run, folder: Path, state: Path) -> None:
    assert did(run("push", str(folder), "--json")) == {
        "kind": ("created", "1.0.0"),
        "terse": ("created", "1.0.0"),
        "writer": ("created", "1.0.0"),
    }
    kind = used(state, "kind")
    assert (kind.model, kind.instructions) == ("openai/gpt-4o", "Be kind to {{name}}.\nAlways.\n")
    assert (kind.parameters, kind.bounds.max_iterations) == ({"temperature": 0.5}, 5)
    assert kind.tools == [{"type": "orq:current_date"}]
    assert used(state, "writer").instructions == "# Write\n\nWrite well --- or not at all.\n\n---"
    assert (used(state, "writer").role, used(state, "terse").instructions) == ("Writer", "Be terse.")


def test_pushing_again_does_nothing(run: Run, folder: Path) -> None:
    run("push", str(folder))
    before = told(run("list", "--json"))
    assert set(did(run("push", str(folder), "--json")).values()) == {("unchanged", "1.0.0")}
    assert told(run("list", "--json")) == before


def test_what_changed_makes_a_version_and_the_rest_none(run: Run, folder: Path, state: Path) -> None:
    run("push", str(folder))
    (folder / "kind.yaml").write_text(KIND.replace("0.5", "0.25").replace("  max_iterations: 5\n", ""))
    assert did(run("push", str(folder), "--json")) == {
        "kind": ("changed", "1.0.1"),
        "terse": ("unchanged", "1.0.0"),
        "writer": ("unchanged", "1.0.0"),
    }
    kind = used(state, "kind")
    assert (kind.parameters, kind.bounds.max_iterations) == ({"temperature": 0.25}, 100)
    assert used(state, "kind", "1.0.0").parameters == {"temperature": 0.5}


def test_a_dry_run_says_what_would_be_and_does_nothing(run: Run, folder: Path) -> None:
    assert did(run("push", str(folder), "--dry-run", "--json"))["kind"] == ("created", "1.0.0")
    assert told(run("list", "--json")) == []
    run("push", str(folder))
    (folder / "kind.yaml").write_text(KIND.replace("0.5", "0.25"))
    before = told(run("list", "--json"))
    expected = {"kind": ("changed", "1.0.1"), "terse": ("unchanged", "1.0.0"), "writer": ("unchanged", "1.0.0")}
    found = run("push", str(folder), "--dry-run", "--environment", "production", "--json")
    assert did(found) == expected
    assert told(run("list", "--json")) == before
    assert told(run("show", "kind", "--json"))["environments"] == {}
    assert "WOULD BE" in run("push", str(folder), "--dry-run").stdout


def test_an_environment_follows_a_push_that_names_it(run: Run, folder: Path, state: Path) -> None:
    run("push", str(folder), "--environment", "production")
    (folder / "terse.json").write_text(TERSE.replace("terse", "brief"))
    run("push", str(folder))
    assert (used(state, "terse").instructions, used(state, "terse", "latest").instructions) == (
        "Be terse.",
        "Be brief.",
    )
    run("push", str(folder), "--environment", "production")
    assert used(state, "terse").instructions == "Be brief."
    assert told(run("show", "terse", "--json"))["environments"] == {"production": "1.0.1"}
    assert "expected" in refusal(run("push", str(folder), "--environment", "latest"))


def test_nothing_is_deleted_by_a_push(run: Run, folder: Path) -> None:
    run("push", str(folder))
    (folder / "kind.yaml").unlink()
    run("push", str(folder))
    assert {each["key"] for each in told(run("list", "--json"))} == {"kind", "terse", "writer"}


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a b.yaml", KIND, "key"),
        ("x.yaml", KIND.replace("max_iterations: 5", "max_iterations: 500"), "settings.max_iterations"),
        ("x.yaml", "role: [", "line"),
        ("x.yaml", "- a", "object"),
        ("x.yaml", KIND.replace("description: Helps people.", "description: 2026-01-01"), "quote"),
        ("x.yaml", "key: y\n" + KIND, "'x'"),
        ("x.yaml", "what: y\n" + KIND, "what"),
        ("x.json", "{", "JSON"),
        ("x.json", KIND, "JSON"),
        ("kind.json", TERSE, "kind.yaml"),
        ("x.md", "---\nrole: r\n", "---"),
        ("x.md", WRITER.replace("role: Writer", "role: Writer\ninstructions: x"), "instructions"),
        ("x.md", "---\nrole: r\n---\ntext", "description"),
        ("x.md", b"---\nrole: r\n---\n\xff", "UTF-8"),
        ("x.yaml", KIND.replace("kind", "k" * 1_300_000), "larger"),
    ],
)
def test_one_file_that_cannot_be_pushed_stops_all(
    run: Run, folder: Path, name: str, text: str | bytes, word: str
) -> None:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    line = refusal(run("push", str(folder)))
    assert name in line and word in line
    assert told(run("list", "--json")) == []


def test_a_folder_without_agents_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no agent" in refusal(run("push", str(tmp_path / "empty")))


def test_an_organization_that_is_not_there_is_refused(run: Run, folder: Path) -> None:
    assert "nobody" in refusal(run("push", str(folder), "-o", "nobody"))


def test_agents_are_shown(run: Run, folder: Path) -> None:
    assert "no agents" in run("list").stdout
    run("push", str(folder), "--environment", "staging")
    (folder / "kind.yaml").write_text(KIND.replace("0.5", "0.25"))
    run("push", str(folder))
    listed = run("list").stdout
    assert all(word in listed for word in ("AGENT", "kind", "1.0.1", "openai/gpt-4o", "Writer"))
    text = run("show", "kind").stdout
    assert "staging: 1.0.0" in text and "version 1.0.1:" in text and "Be kind to {{name}}." in text
    old = told(run("show", "kind", "--version", "1.0.0", "--json"))
    assert (old["version"], old["model"]["parameters"]) == ("1.0.0", {"temperature": 0.5})
    assert "version @9.0.0 not found for agent kind" in refusal(run("show", "kind", "--version", "9.0.0"))


def test_a_removed_agent_is_gone(run: Run, folder: Path) -> None:
    run("push", str(folder))
    assert told(run("remove", "kind", "--json")) == {"key": "kind", "deleted": True}
    assert "Agent 'kind' not found" in refusal(run("show", "kind"))
    assert "Agent 'kind' not found" in refusal(run("remove", "kind"))
    assert did(run("push", str(folder), "--json"))["kind"] == ("created", "1.0.0")
