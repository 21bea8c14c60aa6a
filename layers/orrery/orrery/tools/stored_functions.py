"""`orq:function`: a function that an organization keeps. The client answers its calls, or, for code, an isolated place.

Sources: Orq's field trees (`POST /v2/tools`: `function`, `json_schema`, `code`), read 2026-11-21. How arguments reach
the code is said nowhere: here, `params` is a dictionary of them, and what the code prints is its result.
"""

from asyncio import timeout
from dataclasses import dataclass
from typing import Any

from orrery.core.agents import StoredDocument
from orrery.core.errors import GatewayError
from orrery.core.tools import Opened, Outcome, Setting
from orrery.core.types import Json
from orrery.tools.functions import Tool, failed, refused
from orrery.tools.outfit import Interpreter, Outfit
from orrery.tools.stored_http import secret_values, stored
from orrery.tools.texts import clean, cut, without
from orrery.wire.body import dumps

PARAMETERS: Json = {"type": "object", "properties": {}}


async def opened(spec: Json, setting: Setting, outfit: Outfit) -> Opened:
    """Raises `NotFound`, or `InvalidRequest` for a stored tool that is no function."""
    document = await stored(spec, setting, outfit)
    kind = document.body.get("type")
    if kind in ("function", "json_schema"):
        return Opened(functions=(_function(document, str(kind)),))
    if kind == "code":
        return Opened(tools=(_code(document, spec, outfit),))
    raise refused(f"The tool '{document.key}' is of type '{kind}', not 'function', 'json_schema' or 'code'.")


def _function(document: StoredDocument, kind: str) -> Json:
    given = _object(document.body.get(kind))
    return _told(
        str(given.get("name") or document.key),
        given.get("description") or document.body.get("description"),
        given.get("schema" if kind == "json_schema" else "parameters"),
        given.get("strict"),
    )


def _told(name: str, description: Any, parameters: Any, strict: Any = None) -> Json:
    return {
        "type": "function",
        "name": name,
        "description": str(description or ""),
        "parameters": parameters if isinstance(parameters, dict) else PARAMETERS,
        "strict": strict is True,
    }


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _code(document: StoredDocument, spec: Json, outfit: Outfit) -> Tool:
    given = _object(document.body.get("code_tool"))
    code = given.get("code")
    if outfit.interpreter is None:
        raise refused(f"The tool '{document.key}' is code, and there is no place here where code runs.")
    if given.get("language") != "python" or not isinstance(code, str):
        raise refused(f"The tool '{document.key}' has no code in Python.")
    told = _told(document.key, document.body.get("description"), given.get("parameters"))
    return Tool("orq:function", told, _Run(code, outfit.interpreter).run)


@dataclass(frozen=True, slots=True, repr=False)
class _Run:
    code: str
    interpreter: Interpreter

    async def run(self, arguments: Json, setting: Setting) -> Outcome:
        """The arguments are put before the code as a text that is only read: they are never code themselves."""
        given = ascii(dumps(arguments).decode())
        code = f"import json as _json\nparams = _json.loads({given})\ndel _json\n{self.code}"
        try:
            async with timeout(setting.timeout_s):
                ran = await self.interpreter.run(code, {}, timeout_s=setting.timeout_s, tenant=setting.organization)
        except GatewayError as err:
            return failed(err.message)
        except TimeoutError:
            return failed(f"the code did not end within {setting.timeout_s:g} s.")
        return _outcome(ran, list(secret_values(setting)))


def _outcome(ran: Json, secrets: list[str]) -> Outcome:
    printed, complaint, error = (str(ran.get(name) or "") for name in ("stdout", "stderr", "error"))
    told = printed if not error else "\n".join(filter(None, (f"Error: {error}", complaint, printed)))
    return Outcome(cut(without(clean(told), secrets)) or "(nothing was printed)", failed=bool(error))
