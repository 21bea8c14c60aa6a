"""`orrery providers`, as people and programs use it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orrery.core.credentials import AwsCredentials, Credentials
from orrery.edge.cli import app
from orrery.edge.credentials import StoredCredentials
from orrery.edge.embedded.opening import open_state
from orrery.edge.vault import LocalVault
from orrery.stores.credentials import CredentialStore
from orrery.stores.table import Table

type Run = Callable[..., Any]

KEY = "canary-0123456789abcdefwxyz"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".orrery"


@pytest.fixture
def run(state: Path) -> Run:
    def run(*words: str, given: str = "") -> Any:
        return CliRunner().invoke(app, ["providers", *words, "--state", str(state)], input=given)

    assert CliRunner().invoke(app, ["init", "--state", str(state)]).exit_code == 0
    return run


async def opened(state: Path, provider: str, organization: str = "local") -> Credentials:
    """What the gateway would sign with."""
    async with open_state(state) as there:
        own = StoredCredentials(CredentialStore(Table(there.call, "orrery")), LocalVault(state / "credentials.key"))
        return await own.open((await own.find(organization)).keys[provider])


def test_a_key_from_standard_input_is_what_the_gateway_signs_with(run: Run, state: Path) -> None:
    told = run("set", "openai", given=KEY + "\n")
    assert told.exit_code == 0
    assert asyncio.run(opened(state, "openai")) == Credentials(KEY)
    assert "…wxyz" in told.stdout and KEY not in told.stdout


def test_no_file_of_the_state_folder_holds_the_key(run: Run, state: Path) -> None:
    run("set", "openai", given=KEY)
    assert not [path for path in state.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_an_aws_credential_comes_as_json(run: Run, state: Path) -> None:
    pair = {"aws_access_key_id": "AKIA0123456789", "aws_secret_access_key": "s"}
    assert run("set", "bedrock", "--aws-region", "eu-west-1", given=json.dumps(pair)).exit_code == 0
    expected = Credentials(aws=AwsCredentials("AKIA0123456789", "s"), region="eu-west-1")
    assert asyncio.run(opened(state, "bedrock")) == expected


def test_keys_are_listed_switched_and_removed(run: Run) -> None:
    run("set", "azure", "--base-url", "https://mine.openai.azure.com", given=KEY)
    (row,) = json.loads(run("list", "--json").stdout)["data"]
    assert (row["provider"], row["enabled"], row["base_url"]) == ("azure", True, "https://mine.openai.azure.com")
    assert json.loads(run("disable", "azure", "--json").stdout)["enabled"] is False
    assert json.loads(run("enable", "azure", "--json").stdout)["enabled"] is True
    assert run("remove", "azure").exit_code == 0
    assert run("list").stdout == "no keys\npooled fallback is off\n"


def test_the_choice_is_made_for_one_organization(run: Run) -> None:
    assert run("fallback", "on").stdout == "pooled fallback is on\n"
    assert "is off" in run("list", "-o", "another").stdout
    assert run("fallback", "maybe").exit_code == 1


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (("set", "openai"), "", "no key on standard input"),
        (("set", "nowhere"), KEY, "no provider 'nowhere'"),
        (("set", "azure"), KEY, "needs a base_url"),
        (("set", "openai", "--base-url", "http://10.0.0.1"), KEY, "only https"),
        (("remove", "openai"), "", "no credential of yours"),
        (("disable", "openai"), "", "no credential of yours"),
    ],
)
def test_what_went_wrong_is_one_line_without_the_key(run: Run, words: tuple[str, ...], given: str, said: str) -> None:
    told = run(*words, given=given)
    assert (told.exit_code, told.stdout, told.stderr.count("\n")) == (1, "", 1)
    assert said in told.stderr and KEY not in told.stderr
