"""`code_interpreter` and `orq:code_interpreter`: Python, run where nothing of ours is, and no network.

Sources: OpenAI's API document 2.3.0 (`CodeInterpreterTool`, `CodeInterpreterToolCall`); Orq's field trees
(`orq:code_interpreter`); read 2026-11-21. Where the code runs: ADR 0021.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from orrery.core.errors import GatewayError, InvalidRequest
from orrery.core.tools import Opened, Outcome, Setting
from orrery.core.types import Json
from orrery.tools.functions import Tool, failed, function, status, text
from orrery.tools.outfit import Interpreter, Outfit

NAME = "code_interpreter"
LONGEST_CODE = 100_000
"""Characters."""

DESCRIPTION = (
    "Runs Python and gives what it printed, and the value of its last line. It has Python's standard library only, no "
    "network, and a directory for files of its own. Every call begins anew: no variable and no file is kept."
)


class CodeInterpreterTool(Tool):
    """OpenAI's form: one item for the call and what it gave."""

    def shown(self, call: Json, outcome: Outcome) -> Json:
        """`outputs` are there always: the composer leaves out what nobody asked for."""
        container = hashlib.sha256(str(call.get("call_id")).encode()).hexdigest()[:32]
        return {
            "type": "code_interpreter_call",
            "status": status(outcome),
            "container_id": f"cntr_{container}",
            "code": outcome.detail.get("code"),
            "outputs": outcome.detail.get("outputs", []),
        }


async def opened(spec: Json, setting: Setting, outfit: Outfit) -> Opened:
    """Raises `InvalidRequest` where there is no such place, and for what it cannot give."""
    if outfit.interpreter is None:
        raise _refused("The code interpreter is not set up here.")
    _check(spec)
    place = outfit.interpreter

    async def work(arguments: Json, setting: Setting) -> Outcome:
        return await _run(arguments, setting, place)

    told = function(NAME, DESCRIPTION, {"code": text("The Python to run.")}, ["code"])
    made = CodeInterpreterTool if spec.get("type") == NAME else Tool
    ours = made is CodeInterpreterTool
    tool = made(str(spec.get("type")), told, work, hidden=ours)
    return Opened(tools=[tool])


async def _run(arguments: Json, setting: Setting, place: Interpreter) -> Outcome:
    code = arguments.get("code")
    if not isinstance(code, str) or not code.strip():
        return failed("'code' must be Python.")
    if len(code) > LONGEST_CODE:
        return failed(f"'code' must be at most {LONGEST_CODE} characters.")
    try:
        ran = await place.run(code, {}, timeout_s=setting.timeout_s, tenant=setting.organization)
    except GatewayError as err:
        return Outcome(f"Error: {err.message}", failed=True, detail={"code": code})
    logs = "\n".join(part.rstrip("\n") for part in (ran["stdout"], ran["stderr"], ran["error"]) if part)
    outputs = [{"type": "logs", "logs": logs}] if logs else []
    detail = {"code": code, "outputs": outputs}
    return Outcome(logs or "(It printed nothing.)", failed=bool(ran["error"]), detail=detail)


def _check(spec: Json) -> None:
    """What its caller asks for beyond Python without network. Raises `InvalidRequest`."""
    network = _object(spec, "network")
    if network.get("mode", "disabled") != "disabled" or network.get("allowlist"):
        raise _refused("The code interpreter has no network: 'network.mode' must be 'disabled'.")
    if spec.get("files"):
        raise _refused("The code interpreter takes no 'files' here.")
    container = spec.get("container")
    if isinstance(container, str):
        raise _refused('The code interpreter keeps no containers: \'container\' must be {"type": "auto"}.')
    auto = _object(spec, "container")
    if auto.get("type", "auto") != "auto":
        raise _refused("'container.type' must be 'auto'.")
    if auto.get("file_ids"):
        raise _refused("The code interpreter takes no 'container.file_ids' here.")
    if auto.get("memory_limit") not in (None, "1g"):
        raise _refused("The code interpreter has 'container.memory_limit' 1g.")
    if _object(auto, "network_policy").get("type", "disabled") != "disabled":
        raise _refused("The code interpreter has no network: 'container.network_policy.type' must be 'disabled'.")


def _object(spec: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    told = spec.get(name)
    if told is None:
        return {}
    if not isinstance(told, dict):
        raise InvalidRequest(f"'{name}' must be an object.", param="tools")
    return told


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest(message, param="tools", code="unsupported_parameter")
