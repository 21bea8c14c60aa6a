"""The `jinja` engine: Jinja2's immutable sandbox, narrowed, with everything that makes much of little bounded.

Of values only what `METHODS` names can be called, so that no attribute leads anywhere. Not offered is what gives
another text each time (a request with secrets is rendered twice), or is for HTML. Source: Jinja2 3.1.6's own code.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2 import ChainableUndefined, Undefined, filters, nodes, pass_context, pass_environment, runtime, utils
from jinja2.compiler import CodeGenerator, Frame
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter

from orrery.edge.template_bounds import (
    OPERATORS,
    WIDEST,
    Meter,
    check_format,
    check_printf,
    joined,
    replaced,
    within,
)

NOT_OFFERED = ("pprint", "random", "urlize", "xmlattr")

_LOOKING = """
capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric
isprintable isspace istitle isupper lower lstrip partition removeprefix removesuffix rfind rindex rpartition rsplit
rstrip split splitlines startswith strip swapcase title upper
"""

METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(_LOOKING.split()),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index", "grouper", "list"}),  # the last two are those of `groupby`
}
"""What templates reach on values. Those that pad, join and format are in `GROWING`."""

_OWN = (
    runtime.LoopContext,
    runtime.BlockReference,
    runtime.TemplateReference,
    utils.Namespace,
    utils.Cycler,
    utils.Joiner,
    Undefined,
)


def _padded(method: Callable[..., str], text: str, width: int, *fill: str) -> str:
    within(width, WIDEST)
    return method(text, width, *fill)


GROWING: Mapping[str, Callable[..., str]] = {
    "center": partial(_padded, str.center),
    "ljust": partial(_padded, str.ljust),
    "rjust": partial(_padded, str.rjust),
    "zfill": partial(_padded, str.zfill),
    "replace": replaced,
    "join": joined,
}


def text_of(value: Any) -> str:
    """What a value looks like where it is put: objects, arrays and booleans are JSON, nothing is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=text_of)
    return str(value) if isinstance(value, int | float) else ""


class _Code(CodeGenerator):
    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        """`~`, which Jinja2 does not let an environment intercept."""
        self.write("environment.concat((")
        for part in node.nodes:
            self.write("environment.text_of(")
            self.visit(part, frame)
            self.write("), ")
        self.write("))")


class _Formatter(SandboxedFormatter):
    def format_field(self, value: Any, format_spec: str) -> Any:
        check_format(format_spec)
        return super().format_field(value if isinstance(value, int | float) else text_of(value), format_spec)


@pass_context  # with a context, so that nothing is computed while a template is compiled
def _shown(context: runtime.Context, value: Any) -> str:
    return text_of(value)


class Sandbox(ImmutableSandboxedEnvironment):
    """The one environment. It loads no other templates."""

    intercepted_binops = frozenset(OPERATORS)
    code_generator_class = _Code
    concat = staticmethod(partial(joined, ""))
    text_of = staticmethod(text_of)

    def __init__(self) -> None:
        super().__init__(
            undefined=ChainableUndefined,
            finalize=_shown,
            optimized=False,
            keep_trailing_newline=True,
            cache_size=0,
        )
        for name in NOT_OFFERED:
            del self.filters[name]
        del self.globals["lipsum"]
        self.filters.update(FILTERS)

    def call_binop(self, context: runtime.Context, operator: str, left: Any, right: Any) -> Any:
        OPERATORS[operator](left, right)
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        for kind, names in METHODS.items():
            if isinstance(obj, kind):
                return attr in names
        return isinstance(obj, _OWN) and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Every way to a method of a string comes by here first."""
        text = getattr(value, "__self__", None)
        if not isinstance(value, MethodType | BuiltinMethodType) or not isinstance(text, str):
            return None
        if value.__name__ == "format":
            return lambda *args, **named: _Formatter(self).vformat(str(text), args, named)
        grown = GROWING.get(value.__name__)
        return grown and partial(grown, str(text))


def _center(value: Any, width: int = 80) -> str:
    return _padded(str.center, text_of(value), width)


def _indent(s: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    text = text_of(s)
    columns = len(width) if isinstance(width, str) else width
    within(columns, WIDEST)
    within(len(text) + (len(text.splitlines()) + 1) * columns)
    return filters.do_indent(text, width, first, blank)


def _format(value: Any, *args: Any, **named: Any) -> str:
    check_printf(text_of(value))
    return filters.do_format(text_of(value), *args, **named)


@pass_environment
def _join(environment: Sandbox, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    if attribute is not None:
        value = map(filters.make_attrgetter(environment, attribute), value)
    return joined(text_of(d), map(text_of, value))


def _replace(s: Any, old: Any, new: Any, count: int | None = None) -> str:
    return replaced(text_of(s), text_of(old), text_of(new), count)


def _round(value: float, precision: int = 0, method: Any = "common") -> float:
    within(abs(precision), 300)
    return filters.do_round(value, precision, method)


def _batch(value: Iterable[Any], linecount: int, fill_with: Any = None) -> Any:
    within(linecount, WIDEST)
    return filters.do_batch(value, linecount, fill_with)


def _slice(value: Iterable[Any], slices: int, fill_with: Any = None) -> Any:
    within(slices, WIDEST)
    return filters.sync_do_slice(list(value), slices, fill_with)


@pass_environment
def _wordwrap(
    environment: Sandbox, s: Any, width: int = 79, long_words: bool = True, wrapstring: str = "\n", **how: Any
) -> str:
    text = text_of(s)
    within(len(text) * (1 + len(wrapstring)))
    how = {"break_long_words": long_words, **how}
    return filters.do_wordwrap(environment, text, width, wrapstring=wrapstring, **how)


def _tojson(value: Any, indent: int | None = None) -> str:
    within(indent or 0, 16)
    return json.dumps(value, ensure_ascii=False, indent=indent, default=text_of)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "batch": _batch,
    "center": _center,
    "format": _format,
    "indent": _indent,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "slice": _slice,
    "string": text_of,
    "tojson": _tojson,  # without the escapes that keep JSON safe in HTML
    "wordwrap": _wordwrap,
}

_SANDBOX = Sandbox()


def render(text: str, values: Mapping[str, Any], meter: Meter) -> str:
    """The text with its values; what is missing is empty. Raises whatever a template can raise."""
    parts = []
    for part in _SANDBOX.from_string(text).generate(values):
        meter.take(len(part))
        parts.append(part)
    return "".join(parts)


def warm_up() -> None:
    """Imports what Jinja2 imports late."""
    template = r"{{ 'a\n'|wordwrap(1)|tojson }}{{ 'b'|urlencode|striptags|truncate(5) }}{% macro m() %}{{ m() }}"
    render(template + "{% endmacro %}{{ [1.5]|sum|round }}{{ '{:5}'.format('x') }}", {}, Meter(100))
    for broken in ("{% if %}", "{{ 1 / 0 }}"):
        try:
            render(broken, {}, Meter(100))
        except Exception as err:  # noqa: BLE001 - what a traceback needs is loaded now, too
            str(err)
