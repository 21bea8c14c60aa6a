"""The `mustache` engine: pystache, without HTML escapes (a prompt is no page), partials or code.

pystache looks up names in objects only, never among the attributes of strings, numbers or lists.
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from pystache import Renderer, parser  # type: ignore[import-untyped]  # it has no type information
from pystache.parsed import ParsedTemplate  # type: ignore[import-untyped]  # as above

from orrery.edge.template_bounds import Meter


class _Counted(ParsedTemplate):  # type: ignore[misc]  # untyped, as above
    """A template, or what stands in a section of it, that counts what it gives."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter
        self._nodes: list[Any] = []

    def add(self, node: Any) -> None:
        self._nodes.append(node)

    def render(self, engine: Any, context: Any) -> str:
        parts = []
        for node in self._nodes:
            part = node if isinstance(node, str) else node.render(engine, context)
            self._meter.take(len(part))
            parts.append(part)
        return "".join(parts)


class _Plain(Renderer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(escape=lambda text: text, partials={}, missing_tags="ignore")

    def str_coerce(self, val: Any) -> str:
        return "" if val is None else json.dumps(val, ensure_ascii=False)


def render(text: str, values: Mapping[str, Any], meter: Meter) -> str:
    """The text with its values; what is missing is empty. Raises whatever a broken template makes pystache raise."""
    parser.ParsedTemplate = partial(_Counted, meter)  # the parser makes them by this name
    return str(_Plain().render(parser.parse(text, raise_on_mismatch=True), values))


def warm_up() -> None:
    """Imports what pystache imports late."""
    render("{{#a}}{{b}}{{/a}}{{^c}}{{{d}}}{{/c}}{{> e}}", {"a": [{"b": 1}]}, Meter(100))
