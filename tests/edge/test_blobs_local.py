"""Blobs in a folder, beside what they have in common with those in a bucket (see `test_blobs`)."""

import asyncio
import stat
from pathlib import Path

import pytest

from orrery.core.errors import Unavailable
from orrery.core.responses import KEPT_S as RESPONSES_S
from orrery.edge.blobs_local import KEPT_S, RESPONSES_KEPT_S, LocalBlobs
from tests.edge.blobs import DATA, NAME, asked, files_in


async def test_in_a_folder_it_is_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "state" / "blobs")
    await blobs.put("org-a", NAME, DATA)
    await blobs.put("org-a", NAME, DATA)
    (file,) = files_in(tmp_path)
    assert file == tmp_path / "state" / "blobs" / "org-a" / NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_many_writers_leave_one_whole_file(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    contents = [bytes([number]) * 300_000 for number in range(12)]
    seen = await asyncio.gather(
        *(blobs.put("org-a", NAME, data) for data in contents), *(blobs.get("org-a", NAME) for _ in contents)
    )
    assert all(found is None or found in contents for found in seen)
    assert await blobs.get("org-a", NAME) in contents
    assert len(files_in(tmp_path)) == 1


async def test_a_write_that_fails_leaves_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    blobs = LocalBlobs(tmp_path)
    await blobs.put("org-a", NAME, b"before")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Unavailable, match="No space"):
        await blobs.put("org-a", NAME, b"after")
    assert await blobs.get("org-a", NAME) == b"before"
    assert len(files_in(tmp_path)) == 1


async def test_a_folder_that_cannot_be_used_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"a file")
    for work in asked(LocalBlobs(tmp_path / "blobs")):
        with pytest.raises(Unavailable, match="state folder"):
            await work()


async def test_old_blobs_go_when_new_ones_come(tmp_path: Path) -> None:
    now = [0.0]
    blobs = LocalBlobs(tmp_path, clock=lambda: now[0])
    await blobs.put("org-a", "old", b"x")
    written_s = (tmp_path / "org-a" / "old").stat().st_mtime
    now[0] = written_s + KEPT_S - 1
    await blobs.put("org-b", "new", b"y")
    assert await blobs.get("org-a", "old") == b"x"
    now[0] = written_s + KEPT_S + 1
    await blobs.put("org-b", "newer", b"z")
    assert await blobs.get("org-a", "old") is None
    assert KEPT_S > 3 * 86_400  # as long as a cache may keep an answer


async def test_a_place_may_keep_them_longer(tmp_path: Path) -> None:
    now = [0.0]
    blobs = LocalBlobs(tmp_path, kept_s=RESPONSES_KEPT_S, clock=lambda: now[0])
    await blobs.put("org-a", "old", b"x")
    now[0] = (tmp_path / "org-a" / "old").stat().st_mtime + RESPONSES_KEPT_S - 1
    await blobs.put("org-b", "new", b"y")
    assert await blobs.get("org-a", "old") == b"x"
    now[0] += 2
    await blobs.put("org-b", "newer", b"z")
    assert await blobs.get("org-a", "old") is None
    assert RESPONSES_KEPT_S > RESPONSES_S  # as long as rows may name them
