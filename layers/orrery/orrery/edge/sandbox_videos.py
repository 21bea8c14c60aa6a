"""Videos of the sandbox: a job that is done at once, and a file that says it is none."""

import secrets
import time
from typing import Any

type Json = dict[str, Any]

CONTENT = b"This is the sandbox: there is no film."


def job(asked: Json) -> Json:
    """OpenAI's job, accepted."""
    return _job(f"video_sandbox{secrets.token_hex(8)}", asked, "queued", 0)


def found(id: str) -> Json:
    """The same job later."""
    return _job(id, {}, "completed", 100)


def _job(id: str, asked: Json, status: str, progress: int) -> Json:
    told = {"id": id, "object": "video", "created_at": int(time.time()), "status": status, "progress": progress}
    more = {"seconds": str(asked.get("seconds") or 4), "size": asked.get("size") or "720x1280"}
    return {**told, "model": "film", **more, "prompt": asked.get("prompt"), "error": None}
