"""Code as it is run: what it gives, where it ends, and that nothing of it stays."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from orrery.core.errors import InvalidRequest
from orrery.edge import interpreting_local, interpreting_run
from orrery.edge.interpreting_local import LocalInterpreter
from orrery.edge.interpreting_run import KEPT_BYTES, Refused, Run, clear
from tests.edge.test_interpreter_walls import BESIDE, has_landlock, ran, without_landlock

pytestmark = pytest.mark.skipif(not has_landlock(), reason="no Landlock: test_interpreter_walls asserts the refusal")


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("print('hello')", "hello\n"),
        ("x = 6\nx * 7", "42\n"),
        ("", ""),
        ("'ä🙂'", "'ä🙂'\n"),
        ("print('ä🙂', end='')", "ä🙂"),
        ("import json, math, decimal, statistics, sqlite3, csv, re; math.sqrt(16)", "4.0\n"),
        ("import zoneinfo, datetime; datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo('UTC')).isoformat()", None),
        ("import dataclasses\n@dataclasses.dataclass\nclass A:\n    b: int\nA(1)", "A(b=1)\n"),
        ("import threading\nx = []\nt = threading.Thread(target=x.append, args=(1,))\nt.start(); t.join()\nx", "[1]\n"),
        ("open('a', 'w').write('hi'); open('a').read()", "'hi'\n"),
        ("import os\nos.mkdir('d'); os.rename('d', 'e'); os.listdir()", "['e']\n"),
        ("import tempfile, os\nos.environ['TMPDIR'] = os.getcwd()\ntempfile.TemporaryFile().write(b'x')", "1\n"),
    ],
)
def test_code_gives_what_it_prints_and_its_last_value(code, printed, tmp_path):
    found = ran(code, tmp_path)
    assert (found["stderr"], found["error"]) == ("", None)
    assert printed is None or found["stdout"] == printed


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def f():\n    return g()\nf()", "line 3, in f\n    return g()"),
        ("if", "SyntaxError"),
        ("a = '\\0'\nb = '\0'", "null byte"),
        ("raise SystemExit('over')", "over"),
        ("raise BaseException('all')", "all"),
        ("input()", "EOFError"),
        ("[" * 5_000, ""),
        ("def f(): f()\nf()", "RecursionError"),
    ],
)
def test_what_code_raises_is_told(code, told, tmp_path):
    found = ran(f"print('before')\n{code}", tmp_path)
    assert told in found["stderr"]
    assert found["error"] == "It ended with exit status 1."
    assert "interpreting_child" not in found["stderr"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import os; os._exit(3)", "It ended with exit status 3."),
        ("import os; os.abort()", "It was ended by the system (SIGABRT)."),
        ("import signal; signal.raise_signal(9)", "It was ended by the system (SIGKILL)."),
        ("import signal; signal.setitimer(0, 0.01); signal.pause()", "It was ended by the system (SIGALRM)."),
        ("import ctypes; ctypes.string_at(1)", "It was ended by the system (SIGSEGV)."),
        ("raise SystemExit(7)", "It ended with exit status 7."),
    ],
)
def test_every_end_is_told(code, error, tmp_path):
    assert ran(code, tmp_path)["error"] == error


ENDLESS = [
    "while True: pass",
    "import time\ntime.sleep(10 ** 6)",
    "import signal\nfor n in range(1, 64):\n    try: signal.signal(n, signal.SIG_IGN)\n"
    "    except (OSError, ValueError): pass\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass",
    "import os, time\nfor n in range(3): os.close(n)\ntime.sleep(10 ** 6)",
    "import re; re.match('(a+)+$', 'a' * 60 + '!')",
    "import threading\nthreading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()",
    "import atexit\n@atexit.register\ndef f():\n    while True: pass",
]


@pytest.mark.parametrize("code", ENDLESS)
def test_what_has_no_end_is_ended(code, tmp_path):
    assert ran(code, tmp_path, seconds=0.15)["error"] == "It was ended: it took longer than 0.15 s."


@pytest.mark.parametrize(
    "code",
    [
        "x = []\nwhile True: x.append(bytes(10 ** 8))",
        "bytes(10 ** 10)",
        "import mmap; mmap.mmap(-1, 2 * 1024 ** 3)",
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
    ],
)
def test_memory_has_an_end(code, tmp_path):
    found = ran(code, tmp_path)
    assert found["error"] is not None
    assert re_memory(found["stderr"])


def re_memory(stderr: str) -> bool:
    return any(words in stderr for words in ("MemoryError", "can't start new thread", "Cannot allocate memory"))


def test_the_process_ends_after_its_seconds_of_computing_by_itself(tmp_path):
    """Even if whoever watches is gone."""
    found = ran("import resource; print(resource.getrlimit(resource.RLIMIT_CPU))", tmp_path, seconds=7.5)
    assert found["stdout"] == "(8, 8)\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_output_is_cut(stream, tmp_path):
    found = ran(f"import sys; sys.{stream}.write('ä' * 100_000)", tmp_path)
    text = found["stdout"] if stream == "stdout" else found["stderr"]
    assert text.startswith("ä" * (KEPT_BYTES // 2))
    assert text.endswith("\n[the rest is left out]")
    assert len(text.encode()) < KEPT_BYTES + 100
    assert found["error"] is None


def test_output_of_just_that_size_is_whole(tmp_path):
    assert ran(f"print('x' * {KEPT_BYTES}, end='')", tmp_path)["stdout"] == "x" * KEPT_BYTES


@pytest.mark.parametrize(
    "code",
    [
        "while True: print('x' * 10 ** 6)",
        "import sys\nwhile True: sys.stderr.write('x' * 10 ** 6)",
        "import os\nwhile True: os.write(1, b'\\xff\\x00' * 10 ** 5)",
    ],
)
def test_floods_are_stopped(code, tmp_path):
    found = ran(code, tmp_path)
    assert found["error"] == f"It was ended: it printed more than {interpreting_run.MOST_PRINTED} bytes."
    assert len(found["stdout"]) + len(found["stderr"]) < KEPT_BYTES * 2


@pytest.mark.parametrize(
    "code",
    [
        "for n in range(10 ** 6): open(str(n), 'w')",
        "n = 0\nwhile True:\n    open(str(n := n + 1), 'wb').write(bytes(10 ** 7))",
        "import os\nwhile True:\n    os.mkdir('d' * 200)\n    os.chdir('d' * 200)",
        "import os, time\nos.mkdir('d')\nos.chmod('d', 0o300)\ntime.sleep(99)" if os.getuid() else "1 / 0",
    ],
)
def test_disks_are_not_filled(code, tmp_path):
    assert ran(code, tmp_path)["error"] is not None


def test_one_file_has_a_size(tmp_path):
    found = ran("open('a', 'wb').write(bytes(17 * 1024 * 1024))", tmp_path)
    assert "File too large" in found["stderr"] or "SIGXFSZ" in str(found["error"])


def test_what_is_hidden_from_the_count_counts(tmp_path):
    """A directory that cannot be looked into is too much, as would be one at the end of a path that is too long."""
    deep = tmp_path
    here = Path.cwd()
    try:
        for _ in range(30):
            os.chdir(deep)
            deep = Path("d" * 200)
            deep.mkdir()
    finally:
        os.chdir(here)
    assert interpreting_run._too_much(str(tmp_path))
    clear([tmp_path / ("d" * 200)])
    assert not interpreting_run._too_much(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_whatever_rights_it_had(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    code = f"""
import os
os.makedirs('a/b/c'); open('a/b/c/d', 'w').write('x')
os.symlink({str(outside)!r}, 'a/link'); os.symlink('.', 'a/b/loop')
for path in ('a/b/c/d', 'a/b/c', 'a/b', 'a', '.'): os.chmod(path, 0)
"""
    assert ran(code, tmp_path)["error"] is None
    assert (outside / "kept").read_text() == "kept"
    assert outside.stat().st_mode & 0o700 == 0o700


def test_the_next_one_finds_nothing(tmp_path):
    ran("import builtins, os; builtins.left = 1; open('left', 'w'); os.environ['LEFT'] = '1'", tmp_path)
    found = ran(
        "import os, builtins; print(os.listdir('.'), hasattr(builtins, 'left'), 'LEFT' in os.environ)", tmp_path
    )
    assert found["stdout"] == "[] False False\n"


def test_files_are_there_by_their_own_names_only(tmp_path):
    found = ran(
        "import os; sorted(os.listdir('.')), open('a.csv').read()", tmp_path, **{"a.csv": b"1", "../../b": b"2"}
    )
    assert found["stdout"] == "(['a.csv', 'b'], '1')\n"
    assert not (tmp_path / "b").exists()


def test_saying_that_the_walls_stand_does_not_help(tmp_path):
    """What the code writes is output, whatever it is; nothing that it writes is read as anything else."""
    found = ran(
        "import os\nfor n in range(3, 30):\n    try: os.write(n, b'x')\n    except OSError: pass\nprint('done')",
        tmp_path,
    )
    assert found["stdout"] == "done\n"


async def test_runs_on_this_machine_are_apart(tmp_path):
    place = LocalInterpreter()
    answers = await asyncio.gather(*[place.run(f"print({n})", {}, timeout_s=20, tenant="a") for n in range(6)])
    assert [answer["stdout"] for answer in answers] == [f"{n}\n" for n in range(6)]


async def test_whoever_gives_up_waiting_ends_the_code(monkeypatch, tmp_path):
    monkeypatch.setattr(interpreting_local.tempfile, "gettempdir", lambda: str(tmp_path))
    begun = threading.Event()
    was = interpreting_run._Watch.look

    def look(self: interpreting_run._Watch) -> None:
        was(self)
        if b"begun" in self.out:
            begun.set()

    monkeypatch.setattr(interpreting_run._Watch, "look", look)
    ends: list[str | None] = []
    waited = Run.wait

    def wait(self: Run) -> interpreting_run.Ran:
        found = waited(self)
        ends.append(found["error"])
        return found

    monkeypatch.setattr(Run, "wait", wait)
    task = asyncio.ensure_future(
        LocalInterpreter().run("print('begun', flush=True)\nwhile True: pass", {}, timeout_s=50)
    )
    assert await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ends == ["It was ended."], "not by its time"
    assert list(tmp_path.iterdir()) == [], "it has ended, and its directory is gone"


def test_what_was_given_up_before_it_began_is_ended(tmp_path):
    run = Run("while True: pass", {}, seconds=50, walls_files=True, base=str(tmp_path))
    run.end()
    with suppress(Refused):  # where it was ended before its walls stood
        assert run.wait()["error"] == "It was ended."
    assert list(tmp_path.iterdir()) == []


async def test_a_machine_without_walls_says_so(monkeypatch):
    def refuse(self: Run) -> None:
        raise Refused("no walls")

    monkeypatch.setattr(Run, "wait", refuse)
    with pytest.raises(InvalidRequest, match="not available: no walls") as raised:
        await LocalInterpreter().run("1", {}, timeout_s=5)
    assert raised.value.code == "unsupported_parameter"


HARNESS = """
import base64, json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import app
app.PLACES = (Path(sys.argv[2]),)
for event in json.loads(sys.stdin.read()):
    print(json.dumps(app.handler(event)))
dumpable = __import__("ctypes").CDLL(None).prctl(3, 0, 0, 0, 0)
print(json.dumps({"dumpable": dumpable, "left": os.listdir(sys.argv[2])}))
"""


def handled(tmp_path: Path, *events: dict[str, object], beside: Path = BESIDE) -> list[dict[str, object]]:
    """Answers of the function's handler, in a process of its own; the last says what became of that."""
    place = tmp_path / "place"
    place.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-B", "-c", HARNESS, str(beside), str(place)],
        input=json.dumps(events), env={"AWS_SECRET_ACCESS_KEY": "hunter2"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def event(code: str, seconds: float = 20, **files: str) -> dict[str, object]:
    return {"code": code, "files": files, "seconds": seconds}


def test_the_function_runs_code_and_keeps_nothing(tmp_path):
    code = "import os; print(open('a').read(), [v for v in os.environ.values() if 'hunter2' in v], os.listdir())"
    answers = handled(tmp_path, event(code, a="aGk="), event("while True: pass", 0.2), event("print(1)"))
    assert answers[0] == {"stdout": "hi [] ['a']\n", "stderr": "", "error": None}
    assert answers[1]["error"] == "It was ended: it took longer than 0.2 s."
    assert answers[2]["stdout"] == "1\n"
    assert answers[3] == {"dumpable": 0, "left": []}


def test_the_function_clears_what_lies_beside_the_code(tmp_path):
    """As on a kernel without Landlock, where the code may write beside its directory."""
    beside = tmp_path / "beside"
    beside.mkdir()
    without_landlock(beside)
    shutil.copy(BESIDE / "app.py", beside)
    leave = "import os; os.makedirs('../left/deep'); open('../left/deep/x', 'w').write('x'); os.chmod('../left', 0)"
    answers = handled(
        tmp_path, event(leave), event("import os; os.listdir('..') == [os.getcwd().split('/')[-1]]"), beside=beside
    )
    assert answers[0]["error"] is None
    assert answers[1]["stdout"] == "True\n"
    assert answers[2]["left"] == []


def test_a_place_that_is_not_clean_is_not_used(tmp_path):
    (tmp_path / "place" / "old").mkdir(parents=True)
    assert handled(tmp_path, event("1"))[0] == {"refused": "the place is not clean"}


@pytest.mark.skipif(not os.getuid(), reason="root may look into every process")
def test_the_functions_own_environment_cannot_be_read(tmp_path):
    beside = tmp_path / "beside"
    beside.mkdir()
    without_landlock(beside)
    shutil.copy(BESIDE / "app.py", beside)
    [answer, _] = handled(tmp_path, event("import os; open(f'/proc/{os.getppid()}/environ').read()"), beside=beside)
    assert "PermissionError" in str(answer["stderr"])


async def test_the_code_ends_before_those_who_wait_for_it():
    found = await LocalInterpreter().run("while True: pass", {}, timeout_s=0.5)
    assert found["error"] == "It was ended: it took longer than 0.45 s."
