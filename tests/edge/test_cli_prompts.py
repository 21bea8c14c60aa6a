"""`orrery prompts`, as people, programs and pipelines use it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from orrery.core.prompts import PromptFacts, PromptVersion, StoredPrompt
from orrery.core.records import Prompt
from orrery.edge.cli import app
from orrery.edge.cli.prompt_files import read_folder, write_file
from orrery.edge.embedded.opening import open_state
from orrery.stores.prompts import PromptStore
from orrery.stores.table import Table

ROOT = Path(__file__).parents[2]

type Run = Callable[..., Any]

KIND = """\
display_name: Kind
description: How to speak.
prompt:
  model: openai/gpt-4o
  temperature: 0.5
  messages:
    - role: system
      content: |
        Be kind to {{name}}.
        Always.
"""
TERSE = '{"display_name": "Terse", "prompt": {"messages": [{"role": "system", "content": "Be terse."}]}}'


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".orrery"


@pytest.fixture
def run(state: Path) -> Run:
    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["prompts", *words, "--state", str(state)])

    assert CliRunner().invoke(app, ["init", "--state", str(state)]).exit_code == 0
    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "kind.yaml").write_text(KIND)
    (folder / "terse.json").write_text(TERSE)
    (folder / "README.md").write_text("not a prompt")
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


def did(result: Any) -> dict[str, tuple[str, int]]:
    return {each["key"]: (each["did"], each["version"]) for each in told(result)}


async def _published(state: Path, prompt: str) -> Prompt | None:
    async with open_state(state) as there:
        return await PromptStore(Table(there.call, "orrery")).published("local", prompt)


def published(state: Path, prompt: str) -> Prompt | None:
    """What the gateway would use."""
    return asyncio.run(_published(state, prompt))


def test_pushed_files_are_what_requests_get(run: Run, folder: Path, state: Path) -> None:
    assert did(run("push", str(folder), "--json")) == {"kind": ("created", 1), "terse": ("created", 1)}
    content = "Be kind to {{name}}.\nAlways.\n"
    expected = Prompt("kind", 1, [{"role": "system", "content": content}], "openai/gpt-4o", {"temperature": 0.5})
    assert published(state, "kind") == expected


def test_pushing_again_does_nothing(run: Run, folder: Path) -> None:
    run("push", str(folder))
    before = told(run("list", "--json"))
    assert did(run("push", str(folder), "--json")) == {"kind": ("unchanged", 1), "terse": ("unchanged", 1)}
    assert told(run("list", "--json")) == before


def test_what_changed_makes_a_version_and_the_rest_none(run: Run, folder: Path, state: Path) -> None:
    run("push", str(folder))
    (folder / "kind.yaml").write_text(KIND.replace("0.5", "0.25"))
    assert did(run("push", str(folder), "--json")) == {"kind": ("changed", 2), "terse": ("unchanged", 1)}
    found = published(state, "kind")
    assert found is not None and (found.version, found.parameters) == (2, {"temperature": 0.25})


def test_what_is_said_of_a_prompt_makes_no_version(run: Run, folder: Path) -> None:
    run("push", str(folder))
    (folder / "kind.yaml").write_text(KIND.replace("description: How to speak.\n", ""))
    assert did(run("push", str(folder), "--json"))["kind"] == ("described", 1)
    assert told(run("show", "kind", "--json"))["description"] is None


def test_a_file_may_hold_a_draft(run: Run, folder: Path, state: Path) -> None:
    (folder / "kind.yaml").write_text("publish: false\n" + KIND)
    assert did(run("push", str(folder), "--json"))["kind"] == ("created", 1)
    assert published(state, "kind") is None
    (folder / "kind.yaml").write_text("publish: false\n" + KIND.replace("kind to", "good to"))
    assert did(run("push", str(folder), "--json"))["kind"] == ("drafted", 2)
    (folder / "kind.yaml").write_text(KIND.replace("kind to", "good to"))
    assert did(run("push", str(folder), "--json"))["kind"] == ("published", 2)


def test_after_a_rollback_the_files_are_published_again_without_a_new_version(run: Run, folder: Path) -> None:
    run("push", str(folder))
    (folder / "kind.yaml").write_text(KIND.replace("0.5", "0.25"))
    run("push", str(folder))
    assert told(run("publish", "kind", "1", "--json"))["published_version"] == 1
    assert did(run("push", str(folder), "--json"))["kind"] == ("published", 2)


def test_a_dry_run_says_it_all_and_does_nothing(run: Run, folder: Path) -> None:
    assert did(run("push", str(folder), "--dry-run", "--json")) == {"kind": ("created", 1), "terse": ("created", 1)}
    assert run("list").stdout == "no prompts\n"
    run("push", str(folder))
    before = told(run("list", "--json"))
    (folder / "kind.yaml").write_text(KIND.replace("0.5", "0.25"))
    assert did(run("push", str(folder), "--dry-run", "--json")) == {"kind": ("changed", 2), "terse": ("unchanged", 1)}
    assert "WOULD BE" in run("push", str(folder), "--dry-run").stdout
    assert told(run("list", "--json")) == before


def test_nothing_is_pushed_unless_every_file_can_be(run: Run, folder: Path) -> None:
    (folder / "zzz.json").write_text(TERSE.replace("system", "robot"))
    assert "zzz.json: " in refusal(run("push", str(folder)))
    assert run("list").stdout == "no prompts\n"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "prompt: [", "a.yaml is no YAML"),
        ("a.yaml", "prompt: !!python/object:os.system {}", "a.yaml is no YAML"),
        ("a.yaml", "- 1", "a.yaml: it must be a JSON object"),
        ("a.yaml", "", "a.yaml: it must be a JSON object"),
        ("a.json", "{", "a.json: it is not valid JSON"),
        ("a.yaml", "prompt: {messages: [{role: user, content: 2026-01-01}]}", "what JSON cannot say"),
        ("a.yaml", "prompt: {messages: [{role: user, content: 2026-99-99}]}", "what JSON cannot say"),
        ("a.yaml", "prompt: {1: 2}", "what JSON cannot say"),
        ("a.yaml", "prompt: {messages: []}", "'prompt.messages'"),
        ("a.yaml", "key: b\n" + KIND, "must be the file's name"),
        ("a b.yaml", KIND, "a prompt's key is"),
        ("kind.json", TERSE, "are the same prompt"),
        ("a.json", json.dumps({"prompt": {"messages": [], "x": "x" * 2_000_000}}), "larger than a prompt may be"),
        ("a.json", json.dumps({"prompt": {"messages": [{"role": "user", "content": "x" * 320_000}]}}), "bytes"),
        ("a.yaml", KIND + "  api_key: canary\n", "prompt.api_key"),
    ],
)
def test_a_file_that_is_wrong_is_named_in_one_line(run: Run, folder: Path, name: str, text: str, said: str) -> None:
    (folder / name).write_text(text)
    line = refusal(run("push", str(folder)))
    assert said in line and name in line
    assert "canary" not in line


def test_a_folder_without_prompts_is_refused(run: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "kind.YAML").mkdir()
    assert "there is no prompt in" in refusal(run("push", str(empty)))


def test_an_organization_that_is_not_there_gets_no_prompts(run: Run, folder: Path) -> None:
    assert run("push", str(folder), "-o", "nobody").exit_code == 1
    assert run("list", "-o", "nobody").stdout == "no prompts\n"


def test_prompts_are_shown_published_and_removed(run: Run, folder: Path) -> None:
    run("push", str(folder))
    (folder / "kind.yaml").write_text(KIND.replace("0.5", "0.25"))
    run("push", str(folder))
    assert told(run("show", "kind", "--json"))["prompt"]["temperature"] == 0.25
    assert told(run("show", "kind", "--version", "1", "--json"))["prompt"]["temperature"] == 0.5
    text = run("show", "kind").stdout
    assert "Be kind to {{name}}." in text and "version 2:" in text
    assert "openai/gpt-4o" in run("publish", "kind", "1").stdout
    assert "no version 9" in refusal(run("publish", "kind", "9"))
    assert run("remove", "kind").stdout == "the prompt kind is deleted\n"
    assert "There is no prompt" in refusal(run("remove", "kind"))
    assert "There is no prompt" in refusal(run("show", "kind"))
    assert [each["id"] for each in told(run("list", "--json"))] == ["terse"]


def test_more_prompts_than_a_page_holds_are_listed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from orrery.edge.cli import prompts

    monkeypatch.setattr(prompts, "PAGE", 2)
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(5):
        (folder / f"k{n}.json").write_text(TERSE)
    run("push", str(folder))
    assert sorted(each["id"] for each in told(run("list", "--json"))) == [f"k{n}" for n in range(5)]


def test_what_was_pulled_is_what_was_pushed(run: Run, folder: Path, tmp_path: Path) -> None:
    run("push", str(folder))
    there = tmp_path / "new" / "folder"
    assert did(run("pull", str(there), "--dry-run", "--json")) == {"kind": ("written", 1), "terse": ("written", 1)}
    assert not there.exists()
    assert did(run("pull", str(there), "--json")) == {"kind": ("written", 1), "terse": ("written", 1)}
    assert sorted(path.name for path in there.iterdir()) == ["kind.yaml", "terse.yaml"]
    assert (there / "kind.yaml").read_text() == KIND.replace("    - role", "  - role").replace(
        "      content: |\n        Be kind to {{name}}.\n        Always.\n",
        "    content: |\n      Be kind to {{name}}.\n      Always.\n",
    )
    assert did(run("push", str(there), "--json")) == {"kind": ("unchanged", 1), "terse": ("unchanged", 1)}
    assert did(run("pull", str(there), "--json")) == {"kind": ("unchanged", 1), "terse": ("unchanged", 1)}


def test_files_that_are_there_keep_their_form_and_others_their_contents(run: Run, folder: Path) -> None:
    run("push", str(folder))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert did(run("pull", str(folder), "--json")) == {"kind": ("unchanged", 1), "terse": ("unchanged", 1)}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / "terse.json").write_text("{")
    assert did(run("pull", str(folder), "--json"))["terse"] == ("written", 1)
    assert json.loads((folder / "terse.json").read_text()) == json.loads(TERSE)


def test_prompts_that_would_be_one_file_are_not_pulled(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "Kind.yml").write_text(KIND)
    assert run("push", str(folder)).exit_code == 0
    assert "capital letters" in refusal(run("pull", str(tmp_path / "new")))


def test_the_sample_is_a_prompt_that_can_be_pushed(run: Run) -> None:
    found = did(run("push", str(ROOT / "examples" / "prompts"), "--json"))
    assert found == {"support-reply": ("created", 1)}


def test_a_line_of_a_prompt_is_a_line_of_its_file(tmp_path: Path) -> None:
    line = "Be kind to everybody. " * 20
    document = {"messages": [{"role": "user", "content": line.strip()}, {"role": "user", "content": f"a\n{line}b\n"}]}
    path, _ = write_file(
        tmp_path, StoredPrompt("k", PromptFacts("K"), 1, 1, 0, 0, PromptVersion(1, document, 0)), dry_run=False
    )
    assert path.read_text().splitlines()[3:] == [
        "  - role: user",
        f"    content: {line.strip()}",
        "  - role: user",
        "    content: |",
        "      a",
        f"      {line}b",
    ]


TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\n\r\t \x85\u2028\u2029\ufeff:#'\"-|>"), max_size=30)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(TEXT, VALUE, st.sampled_from(["yaml", "json"]))
def test_a_file_says_exactly_what_was_stored(
    tmp_path_factory: pytest.TempPathFactory, text: str, value: Any, suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("f")
    if suffix == "json":
        (folder / "k.json").write_text("{}")
    document = {"messages": [{"role": "user", "content": text}], "unknown": value}
    document["long"] = " ".join([text] * 20)
    facts = PromptFacts("Name", text, {"x": value}, "")
    prompt = StoredPrompt("k", facts, 1, 1, 0, 0, PromptVersion(1, document, 0))
    path, written = write_file(folder, prompt, dry_run=False)
    assert (path.name, written) == (f"k.{suffix}", True)
    (file,) = read_folder(folder)
    assert orjson.dumps(file.draft.document) == orjson.dumps(document)
    assert orjson.dumps(file.draft.facts.metadata) == orjson.dumps({"x": value})
    assert (file.draft.facts.description, file.draft.key) == (text, "k")
    assert write_file(folder, prompt, dry_run=False) == (path, False)
    if suffix == "yaml":
        assert yaml.safe_load(path.read_bytes())["display_name"] == "Name"
