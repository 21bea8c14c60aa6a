"""Jinja and mustache in their own process, as callers meet them: what they can do, and what becomes of the process."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvloop

from orrery.core.errors import InvalidRequest, Unavailable
from orrery.edge import templating
from orrery.edge.templating import TemplateWorker
from tests.edge.engines import engines  # noqa: F401 - a fixture

LONG = "{% for a in range(9999) %}{% for b in range(300) %}{% endfor %}{% endfor %}x"
"""Some tenths of a second."""

ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


@pytest.fixture
async def worker():
    made = TemplateWorker(render_s=60.0)
    yield made
    await made.close()


async def one(worker: TemplateWorker, text: str, engine: Any = "jinja", **values: Any) -> str:
    return (await worker.render([text], values, engine))[0]


def process_of(worker: TemplateWorker) -> psutil.Process:
    assert worker._process is not None
    return psutil.Process(worker._process.pid)


async def asking(worker: TemplateWorker, text: str) -> tuple["asyncio.Task[str]", psutil.Process]:
    """A question under way, and the process that answers it."""
    process = process_of(worker)
    before = process.children()  # that of the last question may not be gone yet
    task = asyncio.create_task(one(worker, text))
    while not (children := [c for c in process.children() if c not in before]):  # noqa: ASYNC110 - nobody tells of forks
        await asyncio.sleep(0)
    return task, children[0]


ORDER = {"id": 7, "lines": [{"name": "Tea", "price": 2.5}, {"name": "<Cake>", "price": 4.0}], "paid": False}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ order.id }} {{ order['id'] }} {{ order.lines[1].name }}", "7 7 <Cake>"),
        (
            "{% for line in order.lines %}{{ loop.index }}/{{ loop.length }} {{ line.name }};{% endfor %}",
            "1/2 Tea;2/2 <Cake>;",
        ),
        ("{% for line in order.lines %}{{ line.name }}{% if not loop.last %}, {% endif %}{% endfor %}", "Tea, <Cake>"),
        ("{% if order.paid %}paid{% else %}open{% endif %}", "open"),
        ("{% for key, value in order.items() %}{{ key }} {% endfor %}", "id lines paid "),
        ("{{ order.lines|map(attribute='name')|join(', ') }}", "Tea, <Cake>"),
        ("{{ order.lines|join('+', attribute='price') }}", "2.5+4.0"),
        ("{{ order.lines|sum(attribute='price') }} {{ 2 * 3 + 2 ** 8 - 7 % 4 }}", "6.5 259"),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice('ab') }}", "abab"),
        ("{% set ns = namespace(n=0) %}{% for x in range(5) %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}", "10"),
        (
            "{% for group in order.lines|groupby('price') %}{{ group.grouper }}={{ group.list|length }} {% endfor %}",
            "2.5=1 4.0=1 ",
        ),
        ("{{ 'a' ~ 1 ~ missing ~ none ~ true }}", "a1true"),
        ("{{ missing }}{{ missing.at.all }}{{ missing['x'] }}{{ none }}|{{ missing|default('d') }}", "|d"),
        ("{{ order.paid }} {{ order.lines[0] }} {{ ['é', none] }}", 'false {"name": "Tea", "price": 2.5} ["é", null]'),
        (
            "{{ order.lines|tojson(indent=1) }}",
            '[\n {\n  "name": "Tea",\n  "price": 2.5\n },\n {\n  "name": "<Cake>",\n  "price": 4.0\n }\n]',
        ),
        ("{{ '%s: %05.1f %%' % ('x', 3.14159) }} {{ '%(a)s'|format(a=1) }}", "x: 003.1 % 1"),
        ("{{ '{:>6}|{:.2f}|{a[k]}'.format('ab', 2.0, a={'k': 'v'}) }}", "    ab|2.00|v"),
        (
            "{{ 'a-b'.replace('-', '+') }} {{ '-'.join(['a', 'b']) }} {{ 'x'.center(3) }}{{ '7'.zfill(3) }}",
            "a+b a-b  x 007",
        ),
        ("{{ 'aXbX'|replace('X', '-') }} {{ 'aXbX'|replace('X', '-', 1) }} {{ 'x'|center(3) }}|", "a-b- a-bX  x |"),
        ("{{ 'a\nb'|indent(2) }} {{ 'a\nb'|indent('> ', first=true) }}", "a\n  b > a\n> b"),
        (
            "{{ 'aa bb'|wordwrap(2) }} {{ 2.567|round(1) }} {{ [1,2,3]|batch(2, 0)|list }}",
            "aa\nbb 2.6 [[1, 2], [3, 0]]",
        ),
        ("{{ [1,2,3]|slice(2)|list }} {{ 'a b'|title|trim|upper }} {{ 'x y'|urlencode }}", "[[1, 2], [3]] A B x%20y"),
        (
            "{{ [3,1,2]|sort|first }} {{ 'abc'|truncate(3) }} {{ '<b>x</b>'|striptags }} {{ ['b','a']|unique|list }}",
            '1 abc x ["b", "a"]',
        ),
        ("{{ 'A, b'.lower().split(', ') }} {{ [1, 2].index(2) }}", '["a", "b"] 1'),
        ("{# gone #}kept\n", "kept\n"),
        ("{% raw %}{{ a }}{% endraw %}", "{{ a }}"),
        ("{% block b %}B{% endblock %}{{ self.b() }} {% filter upper %}f{% endfilter %}", "BB F"),
        ("{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}", "aba"),
    ],
)  # fmt: skip
def test_jinja(engines, template, text):  # noqa: F811
    assert engines.one(template, order=ORDER) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{order.id}} {{{order.id}}} {{&order.id}}", "7 7 7"),
        ("{{#order.lines}}{{name}}: {{price}};{{/order.lines}}", "Tea: 2.5;<Cake>: 4.0;"),
        ("{{^order.paid}}open{{/order.paid}}{{#order.paid}}paid{{/order.paid}}", "open"),
        ("{{#order}}{{id}}{{/order}}", "7"),
        ("{{missing}}{{missing.at.all}}{{#missing}}x{{/missing}}{{order.none}}|", "|"),
        ("{{order.paid}} {{order.lines.x}}{{#tags}}{{.}},{{/tags}} {{tags}}", 'false a,b, ["a", "b"]'),
        ("{{! gone }}{{=<% %>=}}<% order.id %>{{order.id}}", "7{{order.id}}"),
        ("{{> partial}}|", "|"),
        ("{{mark}} & <b>", "a & 'b' <c> & <b>"),
        ("{{nested}}", "{{order.id}}"),
    ],
)  # fmt: skip
def test_mustache(engines, template, text):  # noqa: F811
    values = {"order": ORDER | {"none": None}, "tags": ["a", "b"], "mark": "a & 'b' <c>", "nested": "{{order.id}}"}
    assert engines.texts([template], values, "mustache") == [text]


@pytest.mark.parametrize(
    ("engine", "template", "line"),
    [
        ("jinja", "{{", 1),
        ("jinja", "a\n{% if x %}\n", 2),
        ("jinja", "a\n{{ x|nofilter }}", 2),
        ("jinja", "{% include 'x' %}", None),
        ("jinja", "{% import '/etc/passwd' as p %}", None),
        ("jinja", "{{ 1 / 0 }}", None),
        ("jinja", "{{ 'a' + 1 }}", None),
        ("jinja", "{{ nothing() }}", None),
        ("jinja", r"{{ '\ud800' }}", None),
        ("jinja", "{{ [1]|random }}", 1),
        ("jinja", "{{ lipsum() }}", None),
        ("mustache", "{{#a}}", None),
        ("mustache", "{{/a}}", None),
        ("mustache", "{{#a}}{{/b}}", None),
        ("mustache", "{{=<%=}}", None),
    ],
)
def test_a_broken_template_is_the_callers_to_mend(engines, engine, template, line):  # noqa: F811
    with pytest.raises(InvalidRequest) as raised:
        engines.texts(["fine {{ x }}", template], {"x": "hunter2"}, engine)
    assert raised.value.param == "1"
    where = f" (line {line})" if line else ""
    assert raised.value.message == f"The template is not valid{where}."


async def test_values_are_never_rendered(worker):
    for engine in ("jinja", "mustache"):
        assert await one(worker, "{{a}}", engine, a="{{b}}{% if b %}", b="B") == "{{b}}{% if b %}"


async def test_texts_keep_their_places(worker):
    assert await worker.render(["a", "{{x}}", "{ b }", "{{x}}{{x}}"], {"x": 1}, "jinja") == ["a", "1", "{ b }", "11"]


async def test_without_a_template_no_process_is_started(worker):
    for engine in ("jinja", "mustache"):
        assert await worker.render(["a", "{ b }"], {}, engine) == ["a", "{ b }"]
    assert worker._process is None


async def test_one_worker_is_kept(worker):
    await one(worker, "{{ 1 }}")
    first = process_of(worker).pid
    assert await one(worker, "{{ a }}", "mustache", a=2) == "2"
    with pytest.raises(InvalidRequest):
        await one(worker, "{{ 'a' * 10 ** 9 }}")
    assert process_of(worker).pid == first


async def test_nothing_of_one_tenant_is_there_for_the_next(worker):
    ours = "{% set kept = x %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% set ns = namespace(v=x) %}{{ ns.v }}"
    assert await one(worker, ours, x="first") == "firstfirst"
    assert await one(worker, "{{ kept }}{{ m }}{{ ns }}{{ ns.v }}{{ x }}|") == "|"
    assert await one(worker, "{{x}}|", "mustache") == "|"


async def test_a_broken_out_template_could_not_be_there_for_the_next_either(worker):
    await one(worker, "{{ 1 }}")
    before = process_of(worker).memory_info().rss
    for _ in range(20):
        with pytest.raises(InvalidRequest):
            await one(worker, "{% set x = 'a' * 8000000 %}{{ x }}")
    assert process_of(worker).memory_info().rss < before + 4_000_000, "children took it with them"


async def test_several_at_once_get_their_own_answers(worker):
    texts = await asyncio.gather(*(one(worker, "{{ n }}", n=n) for n in range(20)))
    assert texts == [str(n) for n in range(20)]


async def test_what_takes_too_long_is_killed_and_the_next_one_served(worker, monkeypatch):
    patient = "from orrery.edge import template_worker as w; w.CPU_S = 3600; w.main()"  # the kernel would be quicker
    monkeypatch.setattr(templating, "PROGRAM", f"import json, sys; sys.path[:] = json.loads(sys.argv[1]); {patient}")
    await one(worker, "{{ 1 }}")
    first = process_of(worker)
    worker._render_s = 0.3
    task, child = await asking(worker, ENDLESS)
    with pytest.raises(InvalidRequest, match=r"longer than 0\.3 s"):
        await task
    assert psutil.wait_procs([first, child], timeout=60)[1] == []
    worker._render_s = 60
    assert await one(worker, "{{ 2 }}") == "2"


async def test_a_caller_that_goes_leaves_no_answer_to_the_next(worker):
    await one(worker, "{{ 1 }}")
    going, _ = await asking(worker, ENDLESS)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert worker._process is None
    assert await one(worker, "{{ 'theirs' }}") == "theirs"


async def test_a_caller_that_goes_while_it_waits_harms_nobody(worker):
    await one(worker, "{{ 1 }}")
    first = process_of(worker).pid
    serving = asyncio.create_task(one(worker, "{% for a in range(9999) %}{% endfor %}mine"))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(one(worker, "{{ 2 }}"))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await serving == "mine"
    assert process_of(worker).pid == first


@pytest.mark.parametrize("whom", ["worker", "child"])
async def test_a_process_killed_in_the_middle_is_replaced(worker, whom):
    await one(worker, "{{ 1 }}")
    process = process_of(worker)
    task, child = await asking(worker, LONG if whom == "worker" else ENDLESS)
    os.kill(process.pid if whom == "worker" else child.pid, signal.SIGKILL)
    if whom == "worker":
        assert await task == "x"
    else:
        with pytest.raises(InvalidRequest):
            await task
        assert process_of(worker).pid == process.pid
    assert await one(worker, "{{ 2 }}") == "2"


async def test_a_worker_killed_while_nobody_asks_is_replaced(worker):
    await one(worker, "{{ 1 }}")
    first = process_of(worker)
    first.kill()
    assert await one(worker, "{{ 2 }}") == "2"
    assert process_of(worker).pid != first.pid


async def test_the_worker_ends_with_the_pipe(worker):
    await one(worker, "{{ 1 }}")
    process = worker._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert await process.wait() == 0


def held_by(process: psutil.Process) -> tuple[bytes, list[Path]]:
    """Its environment, and what its open files are."""
    folder = Path(f"/proc/{process.pid}")
    return (folder / "environ").read_bytes(), [link.readlink() for link in (folder / "fd").iterdir()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_worker_has_nothing_of_ours(worker, monkeypatch):
    monkeypatch.setenv("ORRERY_CANARY", "hunter2")
    ours = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(ours, True)
    await one(worker, "{{ 1 }}")
    os.close(ours)
    environment, files = held_by(process_of(worker))
    assert b"hunter2" not in environment
    assert b"PATH" not in environment
    assert Path(__file__) not in files
    assert len(files) == 3


async def test_a_worker_that_does_not_start_is_said_to_be_unavailable(monkeypatch):
    monkeypatch.setattr(templating, "PROGRAM", "raise SystemExit(1)")
    worker = TemplateWorker()
    with pytest.raises(Unavailable):
        await one(worker, "{{ 1 }}")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Unavailable):
        await one(worker, "{{ 1 }}")
    await worker.close()


FORGER = """
import json, os, sys
from orrery.edge.template_worker import receive, send
send(b"ready")
while (question := receive()) is not None:
    asked = json.loads(question)
    send(ANSWER)
"""


@pytest.mark.parametrize(
    "answer",
    ["b'nonsense'", "b'[]'", "b'null'", 'json.dumps({"id": "other", "texts": ["x"]}).encode()',
    'json.dumps({"texts": ["x"]}).encode()'],
)  # fmt: skip
async def test_answers_to_no_question_are_not_taken(monkeypatch, answer):
    program = "import sys, json; sys.path[:] = json.loads(sys.argv[1])" + FORGER.replace("ANSWER", answer)
    monkeypatch.setattr(templating, "PROGRAM", program)
    worker = TemplateWorker()
    with pytest.raises(Unavailable):
        await one(worker, "{{ 1 }}")
    await worker.close()


@pytest.mark.parametrize(
    "answer",
    ['{"texts": []}', '{"texts": ["a", "b"]}', '{"texts": [1]}', '{"texts": "x"}', '{"error": "much", "text": 9}',
     '{"error": "much", "text": -1}', '{"error": "much", "text": "0"}', "{}"],
)  # fmt: skip
async def test_an_answer_of_the_wrong_shape_is_a_refusal_without_a_place(monkeypatch, answer):
    forged = f'json.dumps({{"id": asked["id"], **json.loads({answer!r})}}).encode()'
    program = "import sys, json; sys.path[:] = json.loads(sys.argv[1])" + FORGER.replace("ANSWER", forged)
    monkeypatch.setattr(templating, "PROGRAM", program)
    worker = TemplateWorker()
    with pytest.raises(InvalidRequest) as raised:
        await one(worker, "{{ 1 }}")
    assert raised.value.param is None
    await worker.close()


async def test_an_answer_that_is_announced_too_large_is_not_read(monkeypatch, worker):
    monkeypatch.setattr(templating, "LARGEST_ANSWER_BYTES", 100)
    with pytest.raises(Unavailable):
        await one(worker, "{{ 'x' * 200 }}")


def test_it_works_on_uvloop_too():
    async def ask() -> list[str]:
        worker = TemplateWorker(render_s=1.0)
        try:
            texts = [await one(worker, "{{ a }}", "jinja", a=1), await one(worker, "{{a}}", "mustache", a=2)]
            with pytest.raises(InvalidRequest):
                await one(worker, ENDLESS)
            return [*texts, await one(worker, "{{ a }}", "jinja", a=3)]
        finally:
            await worker.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(ask()) == ["1", "2", "3"]
