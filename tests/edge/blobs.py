"""What the tests of blobs share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from orrery.core.ports import Blobs

NAME = "0f" * 32
DATA = bytes(range(256)) * 5000


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def asked(blobs: Blobs) -> list[Callable[[], Any]]:
    return [
        lambda: blobs.put("org-a", NAME, DATA),
        lambda: blobs.get("org-a", NAME),
        lambda: blobs.delete("org-a", NAME),
    ]
