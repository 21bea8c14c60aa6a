"""Prompts as files in a folder: `<key>.yaml`, `.yml` or `.json`, each of the shape that POST /v2/prompts takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from orrery.core.errors import GatewayError
from orrery.core.prompts import PromptDraft, StoredPrompt, is_key
from orrery.core.types import Json
from orrery.edge.cli.place import Refused
from orrery.wire.body import read_json
from orrery.wire.prompt_documents import LARGEST_BYTES, read_draft

SUFFIXES = (".yaml", ".yml", ".json")
LARGEST_FILE = 4 * LARGEST_BYTES
"""A document is longer as indented text."""

UNFOLDED = 2**31
"""Columns of a line: no text is folded, so that git shows what was changed."""

BREAKS = frozenset("\x85\u2028\u2029\ufeff")
"""Ends of lines to YAML, and its byte order mark: PyYAML 6.0 reads them back as others unless they are escaped."""

JSON_ONLY = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A prompt as it stands in a file; `draft.key` is the file's name without its suffix."""

    path: Path
    draft: PromptDraft


def read_folder(folder: Path) -> list[PromptFile]:
    """Every prompt in it, by key. Raises `Refused` for the first file that could not be pushed."""
    found: dict[str, PromptFile] = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file()):
        read = PromptFile(path, _read(path))
        if other := found.get(read.draft.key):
            raise Refused(f"{other.path.name} and {path.name} are the same prompt: keep one of them")
        found[read.draft.key] = read
    return [found[key] for key in sorted(found)]


def _read(path: Path) -> PromptDraft:
    key = path.name.removesuffix(path.suffix)
    if not is_key(key):
        raise Refused(f"{path.name}: a prompt's key is letters, digits and single . _ - between them")
    if path.stat().st_size > LARGEST_FILE:
        raise Refused(f"{path.name} is larger than a prompt may be")
    document = _document(path)
    if document.setdefault("key", key) != key:
        raise Refused(f"{path.name}: its 'key' must be the file's name, {key!r}, or be left out")
    document.setdefault("display_name", key)
    try:
        return read_draft(document)
    except GatewayError as err:
        raise Refused(f"{path.name}: {err.message}") from err


def _document(path: Path) -> Json:
    """What a file says, as JSON would say it."""
    raw = path.read_bytes()
    try:
        if path.suffix != ".json":
            raw = orjson.dumps(yaml.safe_load(raw), option=JSON_ONLY)
        return read_json(raw)
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise Refused(f"{path.name} is no YAML: {getattr(err, 'problem', None) or 'it cannot be read'}{where}") from err
    except (TypeError, ValueError) as err:
        raise Refused(f"{path.name} holds what JSON cannot say (a date, a name that is a number): quote it") from err
    except GatewayError as err:
        raise Refused(f"{path.name}: {err.message.replace('The request body', 'it')}") from err


def document_of(prompt: StoredPrompt) -> dict[str, Any]:
    """What a file says of a prompt: what pushing it again would change nothing about."""
    facts = prompt.facts
    said: dict[str, Any] = {"display_name": facts.display_name}
    if facts.description:
        said["description"] = facts.description
    if facts.metadata:
        said["metadata"] = facts.metadata
    if facts.path:
        said["path"] = facts.path
    return said | {"prompt": prompt.version.document}


def write_file(folder: Path, prompt: StoredPrompt, *, dry_run: bool) -> tuple[Path, bool]:
    """Where the prompt is in the folder, and whether the file had to be written."""
    there = [path for suffix in SUFFIXES if (path := folder / f"{prompt.id}{suffix}").is_file()]
    path = there[0] if there else folder / f"{prompt.id}.yaml"
    if there and _says(path, prompt):
        return path, False
    if not dry_run:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_text(path, document_of(prompt)))
    return path, True


def _says(path: Path, prompt: StoredPrompt) -> bool:
    """Whether a file says just that, in whatever layout; one that cannot be read does not."""
    try:
        draft = _read(path)
    except Refused:
        return False
    same = orjson.dumps(draft.document) == orjson.dumps(
        prompt.version.document
    )  # the order of a schema's fields counts
    return same and draft.facts == prompt.facts


def _text(path: Path, said: Mapping[str, Any]) -> bytes:
    if path.suffix == ".json":
        return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return yaml.dump(said, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=UNFOLDED).encode()


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they are read: one line for each."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if BREAKS & set(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _lines)
