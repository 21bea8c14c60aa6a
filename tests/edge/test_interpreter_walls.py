"""Code that wants out of the process that runs it: to the network, other processes, files, the kernel.

Each attack is made in the process as it is deployed. On a machine that cannot keep code apart, the refusal is tested
instead, and told.
"""

import ast
import ctypes
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from orrery.edge import interpreting_run, interpreting_walls
from orrery.edge.interpreting_run import Ran, Refused, Run
from tests.edge import interpreter_attacks as attacks

BESIDE = Path(__file__).parents[2] / "functions" / "interpreter"
FILES = ["interpreting_run.py", "interpreting_walls.py", "interpreting_child.py"]


def has_landlock() -> bool:
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        return False
    return ctypes.CDLL(None).syscall(ctypes.c_long(444), None, ctypes.c_long(0), ctypes.c_long(1)) >= 1


@pytest.fixture(params=["laptop", "lambda"])
def child(request, tmp_path, monkeypatch):
    """The laptop's walls, all of them; and Lambda's, whose kernel may have neither Landlock nor namespaces."""
    if request.param == "laptop":
        if not has_landlock():
            with pytest.raises(Refused):
                ran("1", tmp_path)
            pytest.skip("no Landlock here: code is refused, which was asserted")
        return request.param
    without_landlock(tmp_path)
    monkeypatch.setattr(interpreting_run, "CHILD", tmp_path / "interpreting_child.py")
    return request.param


def without_landlock(folder: Path) -> None:
    """The function's files, for a kernel that has neither Landlock nor namespaces."""
    for name in FILES:
        shutil.copy(BESIDE / name, folder)
    walls = folder / "interpreting_walls.py"
    text = walls.read_text()
    for was, now in (("    _wall_files(room, needed=files)\n", ""), ("        os.unshare(", "        abs(")):
        assert was in text
        text = text.replace(was, now)
    walls.write_text(text)


def ran(code: str, base: Path, *, seconds: float = 20.0, **files: bytes) -> Ran:
    room = base / "rooms"
    room.mkdir(exist_ok=True)
    found = Run(code, files, seconds=seconds, walls_files=True, base=str(room)).wait()
    assert list(room.iterdir()) == [], "nothing is left"
    return found


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "rooms" / ".orrery"
    path.parent.mkdir()
    path.mkdir()
    (path / "state").write_text("hunter2")
    yield path / "state"
    assert (path / "state").read_text() == "hunter2"


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.setblocking(False)
        yield sock
        with pytest.raises(BlockingIOError):
            sock.accept()


GROUPS = {
    "network": attacks.NETWORK,
    "processes": attacks.PROCESSES,
    "signals": attacks.SIGNALS,
    "kernel": attacks.KERNEL,
}


@pytest.mark.parametrize("group", GROUPS)
def test_no_attack_succeeds(child, group, listener, tmp_path):
    port = listener.getsockname()[1]
    code = attacks.program(GROUPS[group], parent=os.getpid(), port=port, secret="/etc/passwd")
    found = ran(code, tmp_path)
    assert (found["stdout"], found["stderr"], found["error"]) == ("[]\n", "", None)


def test_files_elsewhere_cannot_be_reached(child, secret, listener, tmp_path):
    if child == "lambda":
        pytest.skip("on Lambda without Landlock, what its user may read is there: the function has nothing to hide")
    code = attacks.program(attacks.FILES, parent=os.getpid(), port=0, secret=str(secret))
    found = Run(code, {}, seconds=20, walls_files=True, base=str(secret.parents[1])).wait()
    assert (found["stdout"], found["stderr"], found["error"]) == ("[]\n", "", None)
    assert list(secret.parents[1].iterdir()) == [secret.parent]


def test_the_attacks_are_attacks(secret, tmp_path):
    """Those that need no rights, in an ordinary process."""
    everything = {**attacks.NETWORK, **attacks.PROCESSES, **attacks.SIGNALS, **attacks.KERNEL, **attacks.FILES}
    assert everything.keys() >= attacks.HARMLESS
    mild = {name: attack for name, attack in everything.items() if name in attacks.HARMLESS}
    room = secret.parents[1] / "room"
    room.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = attacks.program(mild, parent=os.getpid(), port=listener.getsockname()[1], secret=str(secret))
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=room, capture_output=True, text=True, check=True, start_new_session=True,
            stdin=subprocess.PIPE,
        )  # fmt: skip
    assert set(ast.literal_eval(done.stdout)) == attacks.HARMLESS


def test_nothing_of_ours_is_in_the_process(child, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    code = """
import os, sys
open_ones = []
for number in range(64):
    try:
        os.fstat(number)
        open_ones.append(number)
    except OSError:
        pass
print(sorted(os.environ.keys() - {"LC_CTYPE", "LD_LIBRARY_PATH"}), open_ones, sys.argv, sys.stdin.read())
print([name for name in sys.path if "site-packages" in name], os.listdir("."))
"""
    found = ran(code, tmp_path)
    assert found["stdout"] == "[] [0, 1, 2] ['<code>'] \n[] []\n"
    assert found["error"] is None


def test_the_kernels_other_languages_are_dead(child, tmp_path):
    """`int 0x80` speaks of the same kernel in 32 bits, with other numbers."""
    if platform.machine() != "x86_64":
        pytest.skip("only x86-64 has it")
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
start = ctypes.addressof(ctypes.c_char.from_buffer(page))
print("escaped", ctypes.CFUNCTYPE(ctypes.c_int)(start)())
"""
    found = ran(code, tmp_path)
    assert "escaped" not in found["stdout"]
    assert found["error"] in ("It was ended by the system (SIGSYS).", "It was ended by the system (SIGSEGV).")


@pytest.mark.skipif(not Path("/usr/include/asm-generic/unistd.h").exists(), reason="no headers of the kernel here")
@pytest.mark.parametrize(
    ("column", "header"),
    [(0, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), (1, "/usr/include/asm-generic/unistd.h")],
)
def test_every_number_is_that_of_its_call(column, header):
    if not Path(header).exists():
        pytest.skip("this header belongs to another architecture")
    numbers = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", Path(header).read_text()))
    numbers.setdefault("newfstatat", numbers.get("fstatat", ""))
    walls = interpreting_walls
    rows = [*walls.CALLS.split(","), *walls.COMMANDS, walls.CLONE, walls.CLONE3, walls.TGKILL, walls.PRLIMIT]
    for name, *told in map(str.split, rows):
        assert told[column] == ("-" if column == 1 and name not in numbers else numbers[name]), name


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filters_are_programs_that_the_kernel_takes(machine):
    program = interpreting_walls.filter_program(machine, 1)
    assert all(len(instruction) == 8 for instruction in program)
    assert len(program) < 4_096
    assert program[-1] == interpreting_walls._return(interpreting_walls.ERRNO | interpreting_walls.EPERM)


@pytest.mark.parametrize(("name", "value"), [("platform", "darwin"), ("machine", "riscv64")])
def test_other_machines_are_refused(name, value, monkeypatch, tmp_path):
    if name == "platform":
        monkeypatch.setattr(sys, "platform", value)
    else:
        monkeypatch.setattr(platform, "machine", lambda: value)
    with pytest.raises(interpreting_walls.Unwalled, match="Linux only"):
        interpreting_walls.wall_in(str(tmp_path), files=True, seconds=1)


@pytest.mark.parametrize("wall", ["landlock", "seccomp", "privileges"])
def test_a_kernel_without_a_wall_is_refused(wall, tmp_path, monkeypatch):
    for name in FILES:
        shutil.copy(BESIDE / name, tmp_path)
    walls = tmp_path / "interpreting_walls.py"
    was, now = {
        "landlock": ("version = _syscall(CREATE_RULESET, None, 0, 1)", "version = -1"),
        "seccomp": ("if _prctl(PR_SET_SECCOMP, 2, form)", "if -1"),
        "privileges": ("if _prctl(PR_SET_NO_NEW_PRIVS, 1)", "if -1"),
    }[wall]
    assert was in walls.read_text()
    walls.write_text(walls.read_text().replace(was, now))
    monkeypatch.setattr(interpreting_run, "CHILD", tmp_path / "interpreting_child.py")
    with pytest.raises(Refused, match=r"This machine"):
        ran("print('ran')", tmp_path)
    assert list((tmp_path / "rooms").iterdir()) == []


def test_a_child_that_does_not_start_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreting_run, "CHILD", tmp_path / "missing.py")
    with pytest.raises(Refused, match="does not start"):
        ran("1", tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_the_function_has_the_same_files(name):
    ours = Path(interpreting_run.__file__).with_name(name)
    assert (BESIDE / name).read_bytes() == ours.read_bytes()
