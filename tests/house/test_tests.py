"""What tests may stand on: packages that are locked, and work that is counted. Nothing else is the same everywhere."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from tests.house.test_locks import ROOT, pins

OURS = {"orrery", "tests", "scripts", "bench", "functions"}
CLOCKS = {"process_time", "process_time_ns", "perf_counter", "perf_counter_ns", "thread_time"}


def trees(*folders: str) -> list[tuple[Path, ast.Module]]:
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")) if "build" not in file.parts]
    return [(file, ast.parse(file.read_text(encoding="utf-8"))) for file in files]


def imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def test_every_package_that_code_and_tests_import_is_locked():
    locked = {canonicalize_name(name) for name in pins("requirements/dev.txt")}
    brought = packages_distributions()
    missing = {
        (name, str(file.relative_to(ROOT)))
        for file, tree in trees("layers/orrery", "functions", "scripts", "tests")
        for name in imported(tree) - OURS - set(sys.stdlib_module_names)
        if not locked & {canonicalize_name(found) for found in brought.get(name, [name])}
    }
    assert not missing


def test_no_test_looks_at_a_stopwatch():
    named = {
        (name, str(file.relative_to(ROOT)))
        for file, tree in trees("tests")
        for node in ast.walk(tree)
        for name in [getattr(node, "attr", getattr(node, "id", getattr(node, "name", "")))]
        if name in CLOCKS
    }
    assert not named
