"""What tests may stand on: packages that are locked, and work that is counted. Nothing else is the same everywhere."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from tests.house.test_locks import ROOT, pins

OURS = {"orrery", "tests", "scripts", "bench", "functions"}
IMPORT = re.compile(r"^\s*(?:import|from)\s+([A-Za-z_]\w*)(?:\.\w+)*(?:\s+import\s|\s+as\s|\s*(?:,|#|$))", re.MULTILINE)
CLOCKS = re.compile(r"\b(?:process_time|perf_counter|thread_time)(?:_ns)?\b")


def texts(*folders: str) -> Iterator[tuple[str, str]]:
    """Every file of ours in these folders: its name, and what it holds. Read, not parsed: there are many."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "build" not in file.parts and file != Path(__file__):
                yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def test_every_package_that_code_and_tests_import_is_locked():
    locked = {canonicalize_name(name) for name in pins("requirements/dev.txt")}
    brought = packages_distributions()
    imported = {
        (name, file)
        for file, text in texts("layers/orrery", "functions", "scripts", "tests")
        for name in IMPORT.findall(text)
        if name not in OURS and name not in sys.stdlib_module_names and name in brought
    }
    assert {name for name, _ in imported} >= {"orjson", "pydantic_core", "PIL", "hypothesis", "openai"}
    assert not {
        (name, file) for name, file in imported if not locked & {canonicalize_name(found) for found in brought[name]}
    }


def test_no_test_looks_at_a_stopwatch():
    assert {file for file, text in texts("tests") if CLOCKS.search(text)} == set()
