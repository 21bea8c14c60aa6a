"""What each function imports when Lambda loads it: cold start is imports, so the set is written down here."""

import subprocess
import sys
from pathlib import Path

import pytest

from orrery import providers

ROOT = Path(__file__).parents[2]

FASTAPI = {
    "annotated_doc",
    "annotated_types",
    "anyio",
    "fastapi",
    "opentelemetry",
    "pydantic",
    "pydantic_core",
    "starlette",
    "typing_extensions",
    "typing_inspection",
}
OURS = {"httptools", "orjson", "orrery"}
FUNCTIONS = {
    "chat": FASTAPI | OURS | {"httpx", "idna", "mangum"},
    "embeddings": FASTAPI | OURS | {"httpx", "idna", "mangum"},
    "images": FASTAPI | OURS | {"httpx", "idna", "mangum"},
    "audio": FASTAPI | OURS | {"httpx", "idna", "mangum"},
    "responses": FASTAPI | OURS | {"httpx", "idna", "mangum"},
    "interpreter": {"interpreting_run", "interpreting_walls"},
    "background": {"orjson", "orrery", "pydantic_core", "typing_extensions"},
    "models": FASTAPI | OURS | {"mangum"},
    "manage": FASTAPI | OURS | {"mangum"},
    "sweep": {"orrery"},
}
"""Top-level packages beyond the standard library. Adding one is a decision: measure its import first."""

ABSENT = ("click", "pygments", "rich", "sniffio")
"""What a laptop has and the layer has not: httpx imports them where they are, for a command line of its own."""

PROGRAM = """
import importlib.util, sys
sys.modules.update(dict.fromkeys(sys.argv[2:]))
spec = importlib.util.spec_from_file_location("app", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
found = {name.partition(".")[0] for name, loaded in sys.modules.items() if loaded} - set(sys.stdlib_module_names)
print(*sorted(name for name in found if not name.startswith("_") and name != "cython_runtime"))
"""


def imported_by(function: str) -> set[str]:
    environment = {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "PYTHONPATH": str(ROOT / "layers/orrery"),
        "ORRERY_TABLE_NAME": "t",
    }
    app = str(ROOT / "functions" / function / "app.py")
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, app, *ABSENT], env=environment, capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_what_is_written_down_and_no_more(function):
    assert imported_by(function) == FUNCTIONS[function]


DIALECT = """
import sys
from orrery import providers
assert providers.get(sys.argv[1]) is not None
ours = {name.split(".")[2] for name in sys.modules if name.startswith("orrery.providers.")}
dialects = {module.split(".")[2] for module in providers.DIALECTS.values()}
print(*sorted(ours & dialects))
print(*sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
"""

SHARED = {"vertex": {"gemini", "vertex"}, "google": {"gemini"}, "bedrock": {"anthropic", "bedrock"}}
"""Dialects that are made of another one's parts."""


@pytest.mark.parametrize("provider", providers.names())
def test_a_dialect_costs_nothing_to_requests_that_do_not_use_it(provider):
    environment = {"PYTHONPATH": str(ROOT / "layers/orrery")}
    program = [sys.executable, "-c", DIALECT, provider]
    dialects, packages = subprocess.run(
        program, env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    own = {provider} if provider in providers.DIALECTS else set()
    assert set(dialects.split()) == SHARED.get(provider, own)
    assert {name for name in packages.split() if not name.startswith("_")} <= {"orjson", "orrery"}
