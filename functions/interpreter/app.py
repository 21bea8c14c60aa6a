"""Runs a piece of Python that somebody sent, and knows nothing else: no table, no secret, no network, no layer.

Event: `{code, files: {name: base64}, seconds}`. Answer: `{stdout, stderr, error}`, or `{refused: why}`. Nothing of
either is logged. Source: docs/decisions/0021-code-interpreter.md.
"""

import base64
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))

running = import_module("interpreting_run")
walls = import_module("interpreting_walls")

PLACES = (Path("/tmp"), Path("/dev/shm"))  # noqa: S108 - all that can be written on Lambda, and nobody else's
MOST_S = 60.0

walls.hide()


def handler(event: dict[str, Any], _: Any = None) -> dict[str, Any]:
    """One run. What it leaves where it could write is removed; a place that cannot be cleared is not used again."""
    if left():
        return {"refused": "the place is not clean"}
    files = {name: base64.b64decode(data) for name, data in event["files"].items()}
    seconds = min(float(event["seconds"]), MOST_S)
    try:
        return dict(running.Run(event["code"], files, seconds=seconds, walls_files=False, base=str(PLACES[0])).wait())
    except running.Refused as err:
        return {"refused": str(err)}
    finally:
        running.clear(left())


def left() -> list[Path]:
    """What is there of this user's."""
    places = [place for place in PLACES if place.is_dir()]
    return [one for place in places for one in place.iterdir() if one.lstat().st_uid == os.getuid()]
