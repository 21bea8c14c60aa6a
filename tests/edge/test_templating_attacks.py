"""Templates that want more than their values in a place: room, time, files, other people's words.

Everything runs in the worker as it is deployed. What is refused is refused at once or ended by the kernel; after each
attack the same worker serves the next question.
"""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from orrery.core.errors import InvalidRequest
from orrery.edge import template_worker
from orrery.edge.template_bounds import LARGEST, WIDEST, Meter, TooMuch, check_format, check_printf
from orrery.edge.template_worker import answer
from tests.edge.engines import Engines, engines  # noqa: F401 - a fixture

SECRETS = "root:|/bin/|hunter2|site-packages|<class|<built-in|<function|<module|subclasses"

GREEDY = [
    "{{ 'a' * 10 ** 9 }}",
    "{{ 10 ** 9 * 'a' }}",
    "{{ [0] * 10 ** 9 }}",
    "{{ 10 ** (10 ** 9) }}",
    "{{ 3 ** 4097 }}",
    "{% set ns = namespace(x=3) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x]|join %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x.join(['a', 'a', ns.x]) %}{% endfor %}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x|replace('a', 'aa') %}{% endfor %}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x.replace('a', 'aa') %}{% endfor %}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x.replace('', 'aa') %}{% endfor %}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = '%s%s' % (ns.x, ns.x) %}{% endfor %}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = '{0}{0}'.format(ns.x) %}{% endfor %}",
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
    "{% set ns = namespace(x=[]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x={}) %}{% for i in range(99) %}{% set ns.x = {0: ns.x, 1: ns.x} %}"
    "{% endfor %}{{ ns.x|tojson }}",
    "{% macro m(x) %}{{ x }}{{ x }}{% endmacro %}{% set ns = namespace(x='a') %}"
    "{% for i in range(99) %}{% set ns.x = m(ns.x) %}{% endfor %}",
    "{{ 'a'|center(10 ** 9) }}",
    "{{ 'a'.center(10 ** 9) }}",
    "{{ 'a'.ljust(999999999) }}",
    "{{ 'a'.rjust(999999999) }}",
    "{{ 'a'.zfill(999999999) }}",
    "{{ 'a'['center'](999999999) }}",
    "{{ ('a'|attr('center'))(999999999) }}",
    "{{ 'a\nb'|indent(10 ** 9) }}",
    "{{ ('\n' * 9000 ~ 'b')|indent(9999, blank=true) }}",
    "{{ ('\n' * 9000 ~ 'b')|indent('x' * 9999, blank=true) }}",
    "{{ ('a ' * 9999)|wordwrap(1, wrapstring='x' * 99999) }}",
    "{{ '%999999999d'|format(1) }}",
    "{{ '%999999999d' % 1 }}",
    "{{ '%.999999999f' % 1 }}",
    "{{ '%*d' % (999999999, 1) }}",
    "{{ '%.*f' % (999999999, 1) }}",
    "{{ '%%%999999999d' % 1 }}",
    "{{ '%5%%999999999d' % 1 }}",
    "{{ '%(a)999999999d' % {'a': 1} }}",
    "{{ '%(a(b))999999999d' % {'a(b)': 1} }}",
    "{{ '%(a(b(c)))999999999d' % {'a(b(c))': 1} }}",
    "{{ '%l%%999999999d' % 1 }}",
    "{{ '{:999999999}'.format(1) }}",
    "{{ '{:.999999999f}'.format(1.0) }}",
    "{{ '{:{w}}'.format(1, w=999999999) }}",
    "{{ [1]|batch(10 ** 9, 'x')|list }}",
    "{{ [1]|slice(10 ** 9)|list }}",
    "{{ 1.5|round(10 ** 9) }}",
    "{{ 1.5|round(-10 ** 9) }}",
    "{{ [1]|tojson(indent=999999999) }}",
    "{{ range(10 ** 9)|list }}",
    "{{ ['a', 'b']|map('center', 10 ** 9)|list }}",
    "{% for a in range(99999) %}{{ 'x' * 99999 }}{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% block b %}{{ self.b() }}{% endblock %}",
    "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
    "{{ " + "(" * 100_000 + "1" + ")" * 100_000 + " }}",
    "{{ a" + "|upper" * 9_000 + " }}",
    "{{ " + "-" * 100_000 + "1 }}",
    "{{ a" + ".b" * 100_000 + " }}",
    "{% if a %}" * 5_000 + "{% endif %}" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("template", GREEDY, ids=lambda text: text[:60])
def test_what_is_greedy_is_refused(engines, template):  # noqa: F811
    with pytest.raises(InvalidRequest):
        engines.one(template, a="a")
    assert engines.one("{{ 1 }}") == "1"


@pytest.mark.parametrize("loops", [2, 19])
def test_loops_in_loops_are_ended_by_the_kernel(engines, loops):  # noqa: F811
    tower = "".join(f"{{% for x{n} in range(99999) %}}" for n in range(loops)) + "{% endfor %}" * loops
    with pytest.raises(InvalidRequest, match="too much"):
        engines.one(tower)
    assert engines.one("{{ 1 }}") == "1"


def test_more_loops_than_python_nests_are_a_broken_template(engines):  # noqa: F811
    with pytest.raises(InvalidRequest, match="not valid"):
        engines.one("{% for x in [1] %}" * 99 + "{% endfor %}" * 99)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''['__class__']['__mro__'] }}",
        "{{ ''|attr('__class__')|attr('__mro__') }}",
        "{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
        "{{ [''|attr('__class__')]|map(attribute='__mro__')|list }}",
        "{{ ['']|map(attribute='__class__')|list }}",
        "{{ ['']|groupby('__class__') }}",
        "{{ ['']|sum(attribute='__class__', start='') }}",
        "{{ '{0.__class__.__mro__}'.format('') }}",
        "{{ '{a.__init__.__globals__}'.format(a=namespace()) }}",
        "{{ '{0.format}'.format('x') }}",
        "{{ ('{0.__class__}'|attr('format'))('') }}",
        "{{ '{0[__class__]}'.format('') }}",
        "{{ '{a.__class__}'.format_map({'a': ''}) }}",
        "{{ 'x'.encode() }}",
        "{{ 'x'.translate({120: 'yyyy'}) }}",
        "{{ 'x'.maketrans('x', 'y') }}",
        "{{ 5 .to_bytes(999999999) }}",
        "{{ (5).to_bytes }}{{ (5).real }}",
        "{{ range.__class__ }}{{ range(3).start }}",
        "{{ self }}{{ self.__init__ }}{{ self._TemplateReference__context }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ joiner.__init__.__globals__ }}{{ dict.__base__ }}{{ dict.mro() }}",
        "{{ dict.fromkeys([1]) }}",
        "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}{{ m.__call__ }}{{ m }}",
        "{% for a in [1] %}{{ loop._iterable }}{{ loop.__class__ }}{{ loop }}{% endfor %}",
        "{{ ([1]|map('upper')).gi_frame }}{{ [1]|map('upper') }}",
        "{{ missing.__class__ }}{{ missing._undefined_exception }}{{ missing._fail_with_undefined_error }}",
        "{{ x.append(1) }}{{ x.pop() }}{{ x.__setitem__(0, 1) }}{{ y.update({'a': 1}) }}{{ y.clear() }}",
        "{{ range }}{{ dict }}{{ namespace }}{{ cycler }}{{ ''.join }}{{ ''.format }}",
        "{% include '/etc/passwd' %}",
        "{% extends '/etc/passwd' %}",
        "{% from '/etc/passwd' import x %}",
        "{% import 'os' as os %}{{ os.environ }}",
        "{{ get_flashed_messages.__globals__ }}{{ config }}{{ request }}{{ environment }}{{ context }}{{ env }}",
        "{{ lipsum.__globals__.os.environ }}",
        "{% set x.y = 1 %}",
        "{% set namespace.x = 1 %}",
    ],
)  # fmt: skip
def test_no_attribute_leads_anywhere(engines, template):  # noqa: F811
    try:
        text = engines.one(template, x=[5], y={"k": "v"})
    except InvalidRequest:
        text = ""
    assert not [word for word in SECRETS.split("|") if word in text]
    assert "0x" not in text, "an address of memory"
    assert "yyyy" not in text
    assert engines.one("{{ x }} {{ y }}", x=[5], y={"k": "v"}) == '[5] {"k": "v"}'


def test_what_is_no_part_of_a_value_is_missing(engines):  # noqa: F811
    template = "{{ range(3).start }}{{ (5).real }}{{ 1.5.is_integer }}{{ x.copy }}{{ y.fromkeys }}{{ dict.mro }}"
    assert engines.one(template + "{{ ''.encode }}{{ (x|map('upper')).gi_code }}|", x=[5], y={}) == "|"


@pytest.mark.parametrize(
    "template",
    [
        f"{{{{ ('a' * {LARGEST} + 'a')|length }}}}",
        f"{{{{ (('a' * {LARGEST}) ~ 'a')|length }}}}",
        f"{{{{ (['a' * {LARGEST}, 'a']|join)|length }}}}",
        f"{{{{ (''.join(['a' * {LARGEST}, 'a']))|length }}}}",
        f"{{{{ ('a' * {LARGEST})|replace('a', 'aa', 1)|length }}}}",
        f"{{{{ ('a' * {LARGEST}).replace('', 'a', 1)|length }}}}",
        f"{{{{ ('a' * {LARGEST})|indent(1, first=true)|length }}}}",
        f"{{{{ ('a' * {LARGEST // 2})|wordwrap(99, wrapstring='xx')|length }}}}",
        f"{{% set x %}}{{{{ 'a' * {LARGEST} }}}}a{{% endset %}}{{{{ x|length }}}}",
        f"{{{{ '{{:{WIDEST + 1}}}'.format(1)|length }}}}",
        f"{{{{ '%{WIDEST + 1}d'|format(1)|length }}}}",
        f"{{{{ ('%{WIDEST + 1}d' % 1)|length }}}}",
        f"{{{{ 'a'|center({WIDEST + 1})|length }}}}",
        f"{{{{ 'a'.ljust({WIDEST + 1})|length }}}}",
        f"{{{{ 'a'|indent({WIDEST + 1})|length }}}}",
        f"{{{{ [1]|batch({WIDEST + 1}, 0)|list|length }}}}",
        f"{{{{ [1]|slice({WIDEST + 1})|list|length }}}}",
        "{{ [1]|tojson(indent=17)|length }}",
        "{{ 1.5|round(301) }}",
        "{{ (2 ** 1000 * 2 ** 1000 * 2 ** 1000) * 2 ** 1200 > 0 }}",
    ],
    ids=lambda text: text[:60],
)
def test_bounds_come_before_those_of_the_kernel(engines, template):  # noqa: F811
    with pytest.raises(InvalidRequest, match="too much"):
        engines.one(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{#l}}" * 9 + "x" + "{{/l}}" * 9,
        "{{#l}}" + "x" * 100_000 + "{{/l}}",
        "{{#l}}{{#l}}{{big}}{{/l}}{{/l}}",
        "{{#l}}" * 2_000 + "{{/l}}" * 2_000,
        "{{ " * 100_000,
        "{{{{" * 100_000,
        "{{=" * 100_000,
        "{{" + " " * 300_000,
    ],
    ids=lambda text: text[:30],
)
def test_greedy_mustaches_are_refused(engines, template):  # noqa: F811
    try:
        text = engines.one(template, "mustache", l=[1] * 1_000, big="x" * 100_000)
    except InvalidRequest:
        text = template
    assert text == template
    assert engines.one("{{a}}", "mustache", a=1) == "1"


@pytest.mark.parametrize(
    "name", ["__class__", "a.__class__", "l.append", "a.upper", "d.items", "l.0.real", "d.__len__"]
)
def test_mustache_knows_no_attributes(engines, name):  # noqa: F811
    values = {"a": "x", "l": [1], "d": {"k": 1}}
    assert engines.texts([f"<{{{{{name}}}}}{{{{#{name}}}}}y{{{{/{name}}}}}>"], values, "mustache") == ["<>"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../../etc/passwd", "app", "passwd"])
def test_mustache_reads_no_partials(engines, name):  # noqa: F811
    assert engines.texts([f"<{{{{> {name}}}}}>"], {"partial": "x", name: "x"}, "mustache") == ["<>"]


@pytest.mark.parametrize("engine", ["jinja", "mustache"])
def test_deep_names_and_many_variables_are_nothing_special(engines, engine):  # noqa: F811
    deep: Any = "found"
    for _ in range(60):
        deep = {"n": deep}
    values = {"deep": deep, **{f"v{n}": n for n in range(50_000)}}
    text = "{{ v49999 }} {{ deep" + ".n" * 60 + " }} {{ deep" + ".x" * 90 + " }}"
    assert engines.texts([text], values, engine) == ["49999 found "]


def test_variables_shadow_what_templates_are_given(engines):  # noqa: F811
    values = {"range": "r", "self": "s", "loop": "l", "namespace": "n", "environment": "e", "context": "c", "True": "t"}
    assert engines.texts(["{{ range }}{{ namespace }}{{ environment }}"], values, "jinja") == ["rne"]


def test_the_room_is_shared_by_all_texts(engines):  # noqa: F811
    engines.worker._most_chars = 100
    try:
        assert engines.texts(["{{ 'x' * 50 }}", "{{ 'x' * 40 }}", "plain text"], {}, "jinja")[1] == "x" * 40
        for texts, place in ((["{{ 'x' * 50 }}", "{{ 'x' * 51 }}"], "1"), (["p" * 60, "{{ 'x' * 41 }}"], "1")):
            with pytest.raises(InvalidRequest, match="too much") as raised:
                engines.texts(texts, {}, "jinja")
            assert raised.value.param == place
        with pytest.raises(InvalidRequest, match="too much"):
            engines.one("{{#l}}0123456789{{/l}}", "mustache", l=[1] * 11)
        assert engines.one("{{#l}}0123456789{{/l}}", "mustache", l=[1] * 5) == "0123456789" * 5
    finally:
        engines.worker._most_chars = 6 * 1024 * 1024


CONFINED = """
import json, os, socket, sys
sys.path[:] = json.loads(sys.argv[1])
from orrery.edge import template_worker
template_worker.load()
if os.fork():
    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
template_worker._confine()
escaped = []
def attempt(name, what):
    try:
        what()
    except (OSError, MemoryError, ValueError):
        return
    escaped.append(name)
attempt("read a file", lambda: open("/etc/passwd").read())
attempt("open a connection", lambda: socket.socket())
attempt("read a question", lambda: os.read(0, 1))
attempt("have 300 MB", lambda: bytes(300_000_000))
attempt("have more room", lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_NOFILE, (9, 9)))
if os.getuid():
    attempt("fork", os.fork)
    os.write(1, b"unprivileged ")
os.write(1, ",".join(escaped).encode())
os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_whoever_breaks_out_has_nothing_to_break_into():
    paths = json.dumps([path for path in sys.path if path])
    ran = subprocess.run(
        [sys.executable, "-I", "-c", CONFINED, paths], input=b"a question", capture_output=True, check=True, env={}
    )
    told = ran.stdout.decode().removeprefix("unprivileged ")
    # A superuser may lift its limits again: no function and no container has one.
    assert told in ("", "have more room") if not os.getuid() else told == ""


def test_no_fault_tells_what_the_values_are():
    def fails(text: str, values: Any, meter: Meter) -> str:
        raise ValueError(f"{text} {values}")

    question = json.dumps({"id": "i", "engine": "e", "texts": ["t"], "values": {"a": "hunter2"}, "most": 9}).encode()
    assert json.loads(answer(question, {"e": fails})) == {"id": "i", "error": "broken", "text": 0, "line": None}


@pytest.mark.parametrize("error", [TooMuch, MemoryError, RecursionError, OverflowError])
def test_whatever_ran_out_is_told_as_too_much(error):
    def fails(text: str, values: Any, meter: Meter) -> str:
        if text == "b":
            raise error
        return text

    question = json.dumps({"id": "i", "engine": "e", "texts": ["a", "b"], "values": {}, "most": 9}).encode()
    assert json.loads(answer(question, {"e": fails})) == {"id": "i", "error": "much", "text": 1, "line": None}


def test_bounds_let_through_what_is_just_within_them(engines):  # noqa: F811
    assert engines.one(f"{{{{ ('a' * {LARGEST})|length }}}}") == str(LARGEST)
    assert engines.one(f"{{{{ 'a'.center({WIDEST})|length }}}}") == str(WIDEST)
    assert engines.one("{{ (15 ** 1024) % 7 }}") == str(15**1024 % 7)
    with pytest.raises(InvalidRequest):
        engines.one("{{ (15 ** 1025) % 7 }}")
    with pytest.raises(InvalidRequest):
        engines.one(f"{{{{ ('a' * {LARGEST + 1})|length }}}}")
    with pytest.raises(InvalidRequest):
        engines.one(f"{{{{ 'a'.center({WIDEST + 1})|length }}}}")


@pytest.mark.parametrize(
    "form", ["100 %", "%d%%", "%-5s|%+.2f|%(a)s|%5.1f", f"%{WIDEST}d", "**%s**", "%% *", "%(a b)s", "%"]
)
def test_ordinary_forms_are_formatted(form):
    check_printf(form)


@pytest.mark.parametrize(
    "form", [f"%{WIDEST + 1}d", "%s %*d", "%-+ #0*d", "%.*f", "%10001.2f", "%1.10001f", "%(a)10001d"]
)
def test_forms_that_pad_without_end_are_not(form):
    with pytest.raises(TooMuch):
        check_printf(form)


def test_a_format_specification_may_be_as_wide_as_a_form():
    check_format(f">{WIDEST}.{WIDEST}f")
    for spec in (f"{WIDEST + 1}", f".{WIDEST + 1}f", "0" * 10):
        with pytest.raises(TooMuch):
            check_format(spec)


def test_engines_are_loaded_in_the_worker_alone():
    program = (
        "import sys, asyncio; from orrery.edge.templating import TemplateWorker\n"
        "w = TemplateWorker()\n"
        "async def main():\n"
        "    print(await w.render(['{{ 1 }}'], {}, 'jinja')); await w.close()\n"
        "asyncio.run(main()); print(sorted({'jinja2', 'pystache', 'markupsafe'} & set(sys.modules)))"
    )
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["['1']", "[]"]


def test_the_kernel_has_the_last_word_on_time():
    assert template_worker.CPU_S <= 4, "a question waits for its time-out longer than it may compute"
