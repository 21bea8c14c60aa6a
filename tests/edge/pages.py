"""Pages of docs/ whose examples run in order, against a server, and print what stands below them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def promised(page: Path) -> str:
    """What the page says that its examples print."""
    return "".join(text for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")) if kind == "text")


def printed(page: Path, server: Any, **more: str) -> tuple[str, str]:
    """What they print to both outputs; `more` are variables of their environment."""
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    program = "\n".join(text for kind, text in blocks if kind == "python")
    environment = {
        "PATH": os.environ["PATH"],
        "ORRERY_BASE_URL": server.base_url,
        "ORRERY_API_KEY": server.api_key,
        **more,
    }
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    return ran.stdout, ran.stderr
