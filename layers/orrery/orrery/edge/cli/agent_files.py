"""Agents as files in a folder: `<key>.yaml`, `.yml` or `.json`, each of the shape that POST /v2/agents takes; or
`<key>.md`, whose text is the agent's instructions, with the rest as YAML between two lines of `---` before it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from orrery.core.errors import GatewayError
from orrery.core.registries import AGENT_KEY
from orrery.core.types import Json
from orrery.edge.cli.place import Refused
from orrery.edge.cli.prompt_files import JSON_ONLY
from orrery.wire.agent_documents import LARGEST_BYTES, read_agent
from orrery.wire.body import read_json

SUFFIXES = (".yaml", ".yml", ".json")
TEXT = ".md"
FENCE = "---"
LARGEST_FILE = 4 * LARGEST_BYTES
"""A document is longer as indented text."""

DEFAULTS: Json = {"path": "Default", "settings": {}}
"""What a file need not say."""


@dataclass(frozen=True, slots=True)
class AgentFile:
    """An agent as it stands in a file; `key` is the file's name without its suffix."""

    path: Path
    key: str
    document: Json


def read_folder(folder: Path) -> list[AgentFile]:
    """Every agent in it, by key. Raises `Refused` for the first file that could not be pushed."""
    found: dict[str, AgentFile] = {}
    for path in sorted(path for path in folder.iterdir() if _is_agent(path)):
        read = _read(path)
        if other := found.get(read.key):
            raise Refused(f"{other.path.name} and {path.name} are the same agent: keep one of them")
        found[read.key] = read
    return [found[key] for key in sorted(found)]


def _is_agent(path: Path) -> bool:
    """Texts without a head of their own are something else: a README, say."""
    if not path.is_file():
        return False
    if path.suffix != TEXT:
        return path.suffix in SUFFIXES
    with path.open("rb") as file:
        return file.readline(16).rstrip() == FENCE.encode()


def _read(path: Path) -> AgentFile:
    key = path.name.removesuffix(path.suffix)
    if not AGENT_KEY.fits(key):
        raise Refused(f"{path.name}: an agent's key is {AGENT_KEY.words}")
    if path.stat().st_size > LARGEST_FILE:
        raise Refused(f"{path.name} is larger than an agent may be")
    said = _document(path)
    if said.setdefault("key", key) != key:
        raise Refused(f"{path.name}: its 'key' must be the file's name, {key!r}, or be left out")
    try:
        _, document = read_agent({**DEFAULTS, **said})
    except GatewayError as err:
        raise Refused(f"{path.name}: {err.message}") from err
    return AgentFile(path, key, document)


def _document(path: Path) -> Json:
    """What a file says, as JSON would say it."""
    raw = path.read_bytes()
    if path.suffix == ".json":
        return _judged(path, raw)
    if path.suffix != TEXT:
        return _judged(path, _as_json(path, raw))
    head, text = _split(path, raw)
    said = _judged(path, _as_json(path, head))
    if "instructions" in said:
        raise Refused(f"{path.name}: its text is its 'instructions'; leave them out above it")
    return said | {"instructions": text}


def _split(path: Path, raw: bytes) -> tuple[bytes, str]:
    """The YAML between the first two lines of `---`, and the text after them, without white space around it."""
    try:
        lines = raw.decode().splitlines(keepends=True)
    except UnicodeDecodeError as err:
        raise Refused(f"{path.name} is not UTF-8: byte {err.start}") from err
    for at, line in enumerate(lines[1:], 1):
        if line.rstrip() == FENCE:
            return "".join(lines[1:at]).encode(), "".join(lines[at + 1 :]).strip()
    raise Refused(f"{path.name}: what is above its text ends with a line of {FENCE}")


def _as_json(path: Path, raw: bytes) -> bytes:
    try:
        said: Any = yaml.safe_load(raw)
        return orjson.dumps(said, option=JSON_ONLY)
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise Refused(f"{path.name} is no YAML: {getattr(err, 'problem', None) or 'it cannot be read'}{where}") from err
    except (TypeError, ValueError) as err:
        raise Refused(f"{path.name} holds what JSON cannot say (a date, a name that is a number): quote it") from err


def _judged(path: Path, raw: bytes) -> Json:
    try:
        return read_json(raw)
    except GatewayError as err:
        raise Refused(f"{path.name}: {err.message.replace('The request body', 'it')}") from err
