"""`orrery budgets`, and the limits of `orrery keys`, as people and programs use them."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orrery.core.errors import RateLimited
from orrery.core.limits import Budget, Pace
from orrery.edge.cli import app
from orrery.edge.embedded.folder import StateFolder
from orrery.edge.embedded.opening import open_state
from orrery.edge.peppers import parse_peppers
from orrery.stores.budgets import BudgetStore
from orrery.stores.credentials import CredentialStore
from orrery.stores.keys import KeyStore
from orrery.stores.paces import PaceStore
from orrery.stores.table import Table

type Run = Callable[..., Any]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".orrery"


@pytest.fixture
def run(state: Path) -> Run:
    def run(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--state", str(state)])

    assert run("init").exit_code == 0
    return run


def document(result: Any) -> Any:
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def refusal(result: Any) -> str:
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("orrery: ") and result.stderr.count("\n") == 1
    return str(result.stderr)


def on_table(state: Path, work: Callable[[Table], Any]) -> Any:
    async def main() -> Any:
        async with open_state(state) as there:
            return await work(Table(there.call, "orrery"))

    return asyncio.run(main())


def stored(state: Path, organization: str = "local") -> tuple[Budget, ...]:
    return tuple(on_table(state, lambda table: CredentialStore(table).read(organization)).budgets)


def use(state: Path, budget: Budget, target: str, cost: int, tokens: int, *, running: bool = False) -> None:
    async def work(table: Table) -> None:
        store = BudgetStore(table)
        held = await store.hold(
            organization="local",
            request_id=f"r{cost}",
            budget=budget,
            target=target,
            cost_nano=cost,
            tokens=tokens,
            lifetime_s=600.0,
        )
        if not running:
            await store.settle(held, cost_nano=cost, tokens=tokens)

    on_table(state, work)


def test_a_budget_is_what_the_gateway_reads(run: Run, state: Path) -> None:
    told = document(run("budgets", "set", "identity", "*", "-p", "monthly", "--usd", "2.50", "--tokens", "9", "--json"))
    assert stored(state) == (Budget("identity", "*", "monthly", 2_500_000_000, 9),)
    assert told == {
        "id": "identity:*:monthly",
        "scope": "identity",
        "target": "*",
        "period": "monthly",
        "cost_usd": "2.50",
        "cost_nano": 2_500_000_000,
        "tokens": 9,
        "used": None,
    }


def test_a_budget_of_the_organization_needs_no_target(run: Run, state: Path) -> None:
    assert run("budgets", "set", "organization", "--period", "daily", "--tokens", "5").exit_code == 0
    assert stored(state) == (Budget("organization", "local", "daily", None, 5),)
    assert "--organization" in refusal(run("budgets", "set", "organization", "x", "-p", "daily", "--tokens", "5"))


def test_setting_it_again_replaces_it(run: Run, state: Path) -> None:
    for usd in ("5", "0.000000001"):
        assert run("budgets", "set", "model", "openai/gpt-4o", "-p", "weekly", "--usd", usd).exit_code == 0
    assert stored(state) == (Budget("model", "openai/gpt-4o", "weekly", 1, None),)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("planet", "x", "-p", "daily", "--usd", "1"), "a scope is one of"),
        (("key", "x", "-p", "yearly", "--usd", "1"), "a period is one of"),
        (("key", "-p", "daily", "--usd", "1"), "name the key"),
        (("key", "x", "-p", "daily"), "limits the cost, the tokens, or both"),
        (("key", "x", "-p", "daily", "--usd", "-1"), "not an amount"),
        (("key", "x", "-p", "daily", "--usd", "1", "-o", "nobody"), "no organization"),
        (("key", "x" * 257, "-p", "daily", "--usd", "1"), "1 to 256 characters"),
    ],
)
def test_what_is_no_budget_is_refused_in_one_line(run: Run, state: Path, words: tuple[str, ...], said: str) -> None:
    assert said in refusal(run("budgets", "set", *words))
    assert stored(state) == ()


def test_the_list_shows_what_is_used_now_and_what_runs(run: Run, state: Path) -> None:
    run("budgets", "set", "key", "k1", "-p", "one_time", "--usd", "3", "--tokens", "1000")
    (budget,) = stored(state)
    use(state, budget, "k1", 1_250_000_000, 40)
    use(state, budget, "k1", 7, 8, running=True)
    (row,) = document(run("budgets", "list", "--json"))
    assert row["used"] == {
        "cost_usd": "1.25",
        "cost_nano": 1_250_000_000,
        "tokens": 40,
        "held_cost_nano": 7,
        "held_tokens": 8,
        "running": 1,
    }
    head, line = run("budgets", "list").stdout.splitlines()
    assert head.split() == ["SCOPE", "TARGET", "PERIOD", "USD", "USED", "TOKENS", "USED", "RUNNING"]
    assert line.split() == ["key", "k1", "one_time", "3.00", "1.25", "1000", "40", "1"]


def test_what_one_has_used_of_a_budget_for_each_is_shown_when_asked_for(run: Run, state: Path) -> None:
    run("budgets", "set", "identity", "*", "-p", "one_time", "--tokens", "100")
    (budget,) = stored(state)
    use(state, budget, "alice", 3, 60)
    used = {of: document(run("budgets", "list", "--of", of, "--json"))[0]["used"]["tokens"] for of in ("alice", "bob")}
    assert used == {"alice": 60, "bob": 0}
    assert run("budgets", "list").stdout.splitlines()[1].split() == [
        "identity",
        "*",
        "one_time",
        "-",
        "-",
        "100",
        "-",
        "-",
    ]


def test_a_budget_is_removed_by_what_it_is_and_not_twice(run: Run, state: Path) -> None:
    for scope in ("key", "workflow"):
        run("budgets", "set", scope, "x", "-p", "daily", "--tokens", "1")
    told = document(run("budgets", "remove", "key", "x", "-p", "daily", "--json"))
    assert told == {"id": "key:x:daily", "deleted": True}
    assert [budget.scope for budget in stored(state)] == ["workflow"]
    assert "no budget" in refusal(run("budgets", "remove", "key", "x", "-p", "daily"))
    run("budgets", "remove", "workflow", "x", "-p", "daily")
    assert run("budgets", "list").stdout == "no budgets\n"


def pace_of(state: Path, token: str) -> Pace | None:
    async def work(table: Table) -> Pace | None:
        keys = KeyStore(table, parse_peppers(StateFolder(state).secrets().key_pepper))
        return (await keys.find(token))[0].pace

    found: Pace | None = on_table(state, work)
    return found


def test_a_key_is_made_with_limits_that_count(run: Run, state: Path) -> None:
    made = document(run("keys", "create", "--rpm", "2", "--tpm", "500", "--json"))
    assert (made["requests_per_minute"], made["tokens_per_minute"]) == (2, 500)
    assert pace_of(state, made["api_key"]) == Pace(2, 500)

    async def work(table: Table) -> int:
        keys, paces = KeyStore(table, parse_peppers(StateFolder(state).secrets().key_pepper)), PaceStore(table)
        admitted = 0
        for _ in range(5):
            try:
                await paces.take((await keys.find(made["api_key"]))[0], 1)
                admitted += 1
            except RateLimited:
                continue
        return admitted

    assert on_table(state, work) == 2


def test_limits_are_changed_one_by_one_and_taken_away(run: Run, state: Path) -> None:
    made = document(run("keys", "create", "--json"))
    token, key_id = made["api_key"], made["key_id"]
    for words, expected in (
        (("--rpm", "60"), Pace(60, None)),
        (("--tpm", "9000"), Pace(60, 9_000)),
        (("--rpm", "none"), Pace(None, 9_000)),
        ((), Pace(None, 9_000)),
        (("--tpm", "none"), None),
    ):
        assert run("keys", "limit", key_id, *words).exit_code == 0
        assert pace_of(state, token) == expected
    assert document(run("keys", "limit", token, "--rpm", "7", "--json"))["requests_per_minute"] == 7
    lines = [line.split() for line in run("keys", "list").stdout.splitlines()]
    assert lines[0][-2:] == ["RPM", "TPM"]
    assert [line[-2:] for line in lines if line[0] == key_id] == [["7", "-"]]


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "many", "9" * 16, ""])
def test_a_limit_that_is_no_number_is_refused(run: Run, state: Path, limit: str) -> None:
    made = document(run("keys", "create", "--rpm", "5", "--json"))
    refusal(run("keys", "limit", made["key_id"], "--rpm", limit))
    assert pace_of(state, made["api_key"]) == Pace(5, None)


def test_a_key_of_another_organization_is_not_there(run: Run) -> None:
    made = document(run("keys", "create", "--json"))
    assert "no API key" in refusal(run("keys", "limit", made["key_id"], "--rpm", "5", "-o", "another"))
    assert "no API key" in refusal(run("keys", "limit", "nobodynobo", "--rpm", "5"))
