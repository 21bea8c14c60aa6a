"""FastAPI, imported without what no route of ours uses: the models of its OpenAPI documents, and its form parser.

Building the models is a tenth of a cold start. pydantic builds a deferred model at its first use, so nothing else
changes; models made after this module are built as always. The form parser (python-multipart) is another 3 ms, and
`wire.form` imports it where a form comes. Measured 2026-11-21, FastAPI 0.165, pydantic 2.14.
"""

import sys
from typing import Any

from pydantic import BaseModel

PARSERS = ("python_multipart", "multipart")

_modules: dict[str, Any] = sys.modules
_hidden = [name for name in PARSERS if name not in _modules]

BaseModel.model_config["defer_build"] = True
_modules |= dict.fromkeys(_hidden)  # None says to `import` that there is no such package
try:
    from fastapi import FastAPI, Request
    from starlette.exceptions import HTTPException
    from starlette.responses import Response
finally:
    del BaseModel.model_config["defer_build"]
    for _name in _hidden:
        del _modules[_name]

__all__ = ["FastAPI", "HTTPException", "Request", "Response"]
