"""The routes of `template.yaml`, served on a laptop: what runs here is what deploys."""

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from orrery.core.errors import NotFound
from orrery.edge.arrive import new_id

ANY = "ANY"


@dataclass(frozen=True, slots=True)
class Route:
    """One API event of a function: `path` in API Gateway's words (`{name}`, `{name+}`)."""

    method: str
    path: str
    function: Path

    def pattern(self) -> re.Pattern[str]:
        """The path as a regular expression: `{name}` is one segment, `{name+}` the rest."""
        parts = re.split(r"(\{[^}]+\})", self.path)
        return re.compile("".join(_segment(part) for part in parts))


def _segment(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if part.endswith("+}") else "[^/]+"


class _Template(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # ten times as fast, where it is
    """YAML with CloudFormation's short tags, whose values nobody here needs."""


_Template.add_multi_constructor("!", lambda loader, suffix, node: None)


def read_routes(template: Path) -> list[Route]:
    """Every REST route of every function in the template."""
    # S506: the loader is a SafeLoader whose unknown tags become None.
    resources: dict[str, Any] = yaml.load(template.read_text(encoding="utf-8"), Loader=_Template)["Resources"]  # noqa: S506
    return list(_routes(resources, template.parent))


def _routes(resources: dict[str, Any], root: Path) -> Iterator[Route]:
    for resource in resources.values():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        for event in properties.get("Events", {}).values():
            if event["Type"] == "Api":
                where = event["Properties"]
                yield Route(where["Method"].upper(), where["Path"], root / properties["CodeUri"])


def load_app(function: Path) -> Any:
    """The ASGI app of a function folder, imported as its own module."""
    name = f"orrery_function_{function.name}"
    spec = importlib.util.spec_from_file_location(name, function / "app.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(function / "app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


class Mounted:
    """All functions behind one ASGI app, each at the routes that the template gives it; `extra` by path prefix."""

    def __init__(self, routes: list[Route], extra: dict[str, Any] | None = None) -> None:
        apps = {function: load_app(function) for function in {route.function for route in routes}}
        self._exact = {(r.method, r.path): apps[r.function] for r in routes if "{" not in r.path}
        self._patterns = [(r.method, r.pattern(), apps[r.function]) for r in routes if "{" in r.path]
        self._rest = [(pattern, app) for method, pattern, app in self._patterns if method == ANY]
        self._by_path = {r.path: apps[r.function] for r in routes if "{" not in r.path}
        self._extra = extra or {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._app(scope["method"], scope["path"])(scope, receive, send)

    def _app(self, method: str, path: str) -> Any:
        if app := self._exact.get((method, path)):
            return app
        for prefix, app in self._extra.items():
            if path.startswith(prefix):
                return app
        for wanted, pattern, app in self._patterns:
            if method == wanted and pattern.fullmatch(path):
                return app
        if app := self._by_path.get(path):
            return app  # the family itself says that the method is wrong
        return next((app for pattern, app in self._rest if pattern.fullmatch(path)), _unknown)


async def _unknown(scope: Any, receive: Any, send: Any) -> None:
    err = NotFound(f"Unknown request URL: {scope['method']} {scope['path'][:200]}", code="unknown_url")
    headers = [(b"content-type", b"application/json"), (b"x-request-id", b"req_" + new_id().encode())]
    await send({"type": "http.response.start", "status": err.status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(err.body())})
