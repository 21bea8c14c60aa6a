"""The code interpreter as a tool: what a model is told, what a caller sees, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from openai.types.responses import ResponseCodeInterpreterToolCall

from orrery.core.errors import InvalidRequest, Unavailable
from orrery.core.types import Json
from orrery.tools import Outfit, Tools
from tests.tools.mcp_room import Outside, Shelf, nothing, setting

CALL = {"type": "function_call", "call_id": "call_1", "name": "code_interpreter", "arguments": '{"code":"print(1)"}'}
OURS = {"type": "code_interpreter", "container": {"type": "auto"}}
ORQS = {"type": "orq:code_interpreter"}


@dataclass
class Place:
    """`tools.outfit.Interpreter` that gives what it is told to."""

    gives: Any = field(default_factory=lambda: {"stdout": "1\n", "stderr": "", "error": None})
    asked: list[Any] = field(default_factory=list)

    async def run(self, code: str, files: Mapping[str, bytes], *, timeout_s: float, tenant: str = "") -> Json:
        self.asked.append((code, dict(files), timeout_s, tenant))
        if isinstance(self.gives, Exception):
            raise self.gives
        return dict(self.gives)


async def opened(spec: Json, place: Place | None) -> Any:
    unused: Any = nothing
    outfit = Outfit(Outside(), unused, unused, Shelf(), unused, interpreter=place)
    [tool] = (await Tools(outfit).open(spec, setting())).tools
    return tool


async def shown(spec: Json, place: Place, code: Any = "print(1)") -> tuple[Any, Json]:
    tool = await opened(spec, place)
    outcome = await tool.run({"code": code}, setting(12))
    return outcome, tool.shown(CALL, outcome)


async def test_openais_form_is_one_item():
    place = Place()
    outcome, item = await shown(OURS, place)
    assert place.asked == [("print(1)", {}, 12, "org-alice")]
    assert (outcome.output, outcome.failed) == ("1", False)
    assert item["outputs"] == [{"type": "logs", "logs": "1"}]
    assert (item["code"], item["status"]) == ("print(1)", "completed")
    read = ResponseCodeInterpreterToolCall.model_validate({"id": "ci_1", **item})
    assert read.container_id.startswith("cntr_")
    assert (await opened(OURS, place)).hidden


async def test_orqs_form_comes_after_the_call():
    _, item = await shown(ORQS, Place())
    assert item["type"] == "orq:code_interpreter"
    assert (item["call_id"], item["output"], item["status"], item["code"]) == ("call_1", "1", "completed", "print(1)")
    assert not (await opened(ORQS, Place())).hidden


@pytest.mark.parametrize("spec", [OURS, ORQS])
async def test_models_are_told_of_a_function(spec):
    tool = await opened(spec, Place())
    assert tool.function["name"] == "code_interpreter"
    assert tool.function["parameters"]["required"] == ["code"]
    assert (tool.type, tool.approval) == (spec["type"], False)


@pytest.mark.parametrize(
    ("ran", "heard", "failed"),
    [
        ({"stdout": "", "stderr": "", "error": None}, "(It printed nothing.)", False),
        ({"stdout": "a\n", "stderr": "b\n", "error": None}, "a\nb", False),
        ({"stdout": "a\n", "stderr": "", "error": "It was ended."}, "a\nIt was ended.", True),
    ],
)
async def test_everything_that_was_said_is_heard(ran, heard, failed):
    outcome, item = await shown(OURS, Place(ran))
    assert (outcome.output, outcome.failed) == (heard, failed)
    assert item["status"] == ("failed" if failed else "completed")
    assert item["outputs"] == ([] if heard.startswith("(") else [{"type": "logs", "logs": heard}])


@pytest.mark.parametrize("code", [None, 5, "", "  ", "x" * 100_001, ["print(1)"]])
async def test_what_is_no_code_is_not_run(code):
    place = Place()
    outcome, item = await shown(OURS, place, code)
    assert outcome.failed
    assert item["status"] == "failed"
    assert place.asked == []


@pytest.mark.parametrize("err", [Unavailable("The code interpreter failed."), InvalidRequest("No walls.")])
@pytest.mark.parametrize("spec", [OURS, ORQS])
async def test_a_place_that_fails_is_a_failed_call(spec, err):
    outcome, item = await shown(spec, Place(err))
    assert outcome.output == f"Error: {err.message}"
    assert (item["status"], item["code"]) == ("failed", "print(1)")


@pytest.mark.parametrize(
    "spec",
    [
        {**ORQS, "network": {"mode": "allowlist", "allowlist": ["example.com"]}},
        {**ORQS, "network": {"allowlist": ["example.com"]}},
        {**ORQS, "network": {"mode": "enabled"}},
        {**ORQS, "files": [{"file_id": "f", "name": "n"}]},
        {**OURS, "container": "cntr_1"},
        {**OURS, "container": {"type": "manual"}},
        {**OURS, "container": {"type": "auto", "file_ids": ["f"]}},
        {**OURS, "container": {"type": "auto", "memory_limit": "64g"}},
        {**OURS, "container": {"type": "auto", "network_policy": {"type": "allowlist", "allowed_domains": ["a.b"]}}},
    ],
)
async def test_what_it_cannot_give_is_refused(spec):
    with pytest.raises(InvalidRequest) as raised:
        await opened(spec, Place())
    assert (raised.value.param, raised.value.code) == ("tools", "unsupported_parameter")


@pytest.mark.parametrize(
    "spec", [{**ORQS, "network": []}, {**OURS, "container": 5}, {**OURS, "container": {"network_policy": "x"}}]
)
async def test_what_cannot_be_meant_is_refused(spec):
    with pytest.raises(InvalidRequest):
        await opened(spec, Place())


@pytest.mark.parametrize(
    "spec",
    [
        ORQS,
        {**ORQS, "network": {"mode": "disabled", "allowlist": []}, "files": []},
        {"type": "code_interpreter"},
        {
            **OURS,
            "container": {"type": "auto", "file_ids": [], "memory_limit": "1g", "network_policy": {"type": "disabled"}},
        },
    ],
)
async def test_what_is_asked_for_in_vain_is_no_fault(spec):
    assert (await opened(spec, Place())).type == spec["type"]


@pytest.mark.parametrize("spec", [OURS, ORQS])
async def test_where_there_is_no_place_there_is_no_tool(spec):
    with pytest.raises(InvalidRequest, match="not set up here") as raised:
        await opened(spec, None)
    assert raised.value.code == "unsupported_parameter"
