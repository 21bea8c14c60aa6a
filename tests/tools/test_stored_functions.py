"""Stored functions: those that clients answer, and code that runs elsewhere."""

import contextlib
import io
from typing import Any

import pytest

from orrery.core.errors import InvalidRequest, NotFound, Unreachable
from tests.tools.outfits import FakeInterpreter, FakeStored, Workshop, never

SPEC = {"type": "orq:function", "tool_id": "adder"}
PARAMETERS = {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}
CODE = {"language": "python", "code": "print(params['a'] + 1)", "parameters": PARAMETERS}


def workshop(body: Any, interpreter: Any = None) -> Workshop:
    return Workshop(stored=FakeStored({"adder": body}), interpreter=interpreter)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": PARAMETERS}},
            ("add", "Adds.", PARAMETERS, False),
        ),
        (
            {
                "type": "json_schema",
                "json_schema": {"name": "sum", "description": "d", "schema": PARAMETERS, "strict": True},
            },
            ("sum", "d", PARAMETERS, True),
        ),
        (
            {"type": "function", "description": "Outer.", "function": {}},
            ("adder", "Outer.", {"type": "object", "properties": {}}, False),
        ),
    ],
)
async def test_a_function_is_for_the_client_to_answer(body: Any, told: Any) -> None:
    opened = await workshop(body).opened(SPEC)
    (function,) = opened.functions
    assert not opened.tools and function["type"] == "function"
    assert tuple(function[name] for name in ("name", "description", "parameters", "strict")) == told


@pytest.mark.parametrize(
    "body", [{"type": "http"}, {"type": "mcp"}, {}, {"type": "code", "code_tool": {"language": "ruby", "code": "x"}}]
)
async def test_what_is_no_function_is_refused(body: Any) -> None:
    with pytest.raises(InvalidRequest):
        await workshop(body, FakeInterpreter()).opened(SPEC)


async def test_a_missing_one_is_not_found() -> None:
    with pytest.raises(NotFound):
        await Workshop().opened(SPEC)


async def test_code_is_not_run_where_there_is_no_place_for_it() -> None:
    with pytest.raises(InvalidRequest, match="no place"):
        await workshop({"type": "code", "code_tool": CODE}).opened(SPEC)


async def test_code_gets_its_arguments_and_tells_what_it_prints() -> None:
    interpreter = FakeInterpreter({"stdout": "3\n", "stderr": "warned", "error": None})
    outcome = await workshop({"type": "code", "description": "Adds.", "code_tool": CODE}, interpreter).run(
        SPEC, {"a": 2}
    )
    assert outcome.output == "3\n" and not outcome.failed
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        exec(interpreter.ran[0], {})
    assert heard.getvalue() == "3\n"


@pytest.mark.parametrize("nasty", ['"""\nimport os', "'); print('owned'", "\\", "\n", "é\u2028", "{{x}}"])
async def test_arguments_are_never_code(nasty: str) -> None:
    code = {**CODE, "code": "print(repr(params['a']))"}
    interpreter = FakeInterpreter()
    await workshop({"type": "code", "code_tool": code}, interpreter).run(SPEC, {"a": nasty})
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        exec(interpreter.ran[0], {})
    assert heard.getvalue() == f"{nasty!r}\n"


@pytest.mark.parametrize(
    "answer",
    [{"stdout": "so far", "stderr": "Traceback", "error": "exited with 1"}, Unreachable("nobody there"), never],
)
async def test_code_that_fails_is_a_failed_call(answer: Any) -> None:
    room = workshop({"type": "code", "code_tool": CODE}, FakeInterpreter(answer))
    if answer is never:
        room.given(timeout_s=0.0)
    outcome = await room.run(SPEC, {"a": 1})
    assert outcome.failed and outcome.output.startswith("Error: ")
    assert not isinstance(answer, dict) or ("Traceback" in outcome.output and "so far" in outcome.output)


async def test_code_prints_no_secret_and_no_end_of_text() -> None:
    interpreter = FakeInterpreter({"stdout": "canary-secret " + "x" * 60_000, "stderr": "", "error": None})
    room = workshop({"type": "code", "code_tool": CODE}, interpreter).given(variables={"key": "canary-secret"})
    tool = await room.tool(SPEC)
    outcome = await tool.run({"a": 1}, room.setting)
    assert outcome.output.startswith("*** xxx") and len(outcome.output) < 51_000 and "canary" not in repr(tool)


async def test_code_that_says_nothing_says_so() -> None:
    outcome = await workshop({"type": "code", "code_tool": CODE}, FakeInterpreter()).run(SPEC, {"a": 1})
    assert "nothing was printed" in outcome.output and not outcome.failed
