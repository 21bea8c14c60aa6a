"""One process owns the state folder; the others find their way to it."""

import asyncio
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from orrery.core.errors import AwsFault
from orrery.edge.embedded import folder
from orrery.edge.embedded.folder import StateFolder, StateUnusable
from orrery.edge.embedded.opening import open_remote, open_state
from tests.edge.embedded_tables import TABLE, get, put


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".orrery"


async def test_what_was_written_is_there_the_next_time(state: Path) -> None:
    async with open_state(state) as table:
        await table.call("CreateTable", TABLE)
        await table.call("PutItem", put(n={"N": "5"}))
    async with open_state(state) as table:
        assert (await table.call("GetItem", get()))["Item"]["n"] == {"N": "5"}


async def test_a_second_one_reaches_the_table_through_the_first(state: Path) -> None:
    async with open_state(state, serve=True) as first:
        await first.call("CreateTable", TABLE)
        async with open_state(state) as second:
            assert second.url == first.url
            await second.call("PutItem", put(n={"N": "5"}))
        assert (await first.call("GetItem", get()))["Item"]["n"] == {"N": "5"}


async def test_a_second_one_that_wants_to_serve_uses_the_first_too(state: Path) -> None:
    async with open_state(state, serve=True) as first, open_state(state, serve=True) as second:
        assert second.url == first.url


async def test_where_the_owner_listens_can_be_read_by_its_owner_only_and_while_it_runs(state: Path) -> None:
    async with open_state(state, serve=True) as table:
        found = state / "dynamodb.json"
        told = json.loads(found.read_text())
        assert found.stat().st_mode & 0o777 == 0o600
        assert (told["url"], told["pid"]) == (table.url, os.getpid())
        assert told["access_key_id"] and told["secret_access_key"]
    assert not found.exists()


async def test_a_short_command_is_waited_for(state: Path) -> None:
    async def second() -> list[str]:
        async with open_state(state) as table:
            return (await table.call("ListTables", {}))["TableNames"]

    async with open_state(state) as first:
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0)
        await first.call("CreateTable", TABLE)
        assert not waiting.done()
    assert await waiting == ["t"]


async def test_an_owner_that_neither_serves_nor_ends_is_named_after_a_while(state: Path) -> None:
    async with open_state(state):
        with pytest.raises(StateUnusable, match="in use by another process"):
            async with open_state(state, wait_s=0):
                pass


async def test_the_endpoint_of_an_owner_that_was_killed_misleads_nobody(state: Path) -> None:
    stale = StateFolder(state)
    stale.announce("http://127.0.0.1:9")
    async with open_state(state) as table:
        assert table.url is None
        assert not (state / "dynamodb.json").exists()


def test_a_damaged_file_does_not_leave_the_folder_locked(state: Path) -> None:
    async def opened() -> None:
        async with open_state(state, wait_s=0):
            pass

    state.mkdir()
    (state / "dynamodb.jsonl").write_text("garbage\n")
    for _ in range(2):
        with pytest.raises(StateUnusable, match=r"dynamodb\.jsonl cannot be read: line 1"):
            asyncio.run(opened())


async def test_an_endpoint_where_nobody_answers_is_a_fault(state: Path) -> None:
    from orrery.core.credentials import AwsCredentials

    async with open_remote(region="x", endpoint="http://127.0.0.1:9", credentials=AwsCredentials("a", "b")) as there:
        with pytest.raises(AwsFault, match="Unreachable"):
            await there.call("ListTables", {})


def test_secrets_are_made_once_and_for_their_owner_only(state: Path) -> None:
    made = StateFolder(state).secrets()
    assert StateFolder(state).secrets() == made
    assert (state / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert made.key_pepper not in repr(made)


def test_secrets_that_another_process_made_meanwhile_stay(state: Path) -> None:
    made = StateFolder(state).secrets()
    folder._write_once(state / "secrets.json", {})
    assert StateFolder(state).secrets() == made
    assert [found.name for found in state.iterdir()] == ["secrets.json"]


def _secrets(state: Path) -> str:
    return StateFolder(state).secrets().key_pepper


def test_processes_that_start_at_once_agree_on_the_secrets(state: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_secrets, [state] * 8))) == 1
    assert [found.name for found in state.iterdir()] == ["secrets.json"]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"key_pepper": "x"}'])
def test_unreadable_secrets_are_never_replaced(state: Path, text: str) -> None:
    state.mkdir()
    (state / "secrets.json").write_text(text)
    with pytest.raises(StateUnusable, match=r"secrets\.json cannot be read"):
        StateFolder(state).secrets()
    assert (state / "secrets.json").read_text() == text


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusable, match="cannot be made"):
        StateFolder(tmp_path / "file" / ".orrery").try_own()


def test_without_flock_it_says_what_to_do(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fcntl", None)
    with pytest.raises(StateUnusable, match="ORRERY_DYNAMODB_ENDPOINT"):
        folder.StateFolder(state).try_own()
