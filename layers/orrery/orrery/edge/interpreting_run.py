"""Runs one piece of code in a process of its own, bounded on every side, and leaves nothing of it.

Standard library only, and no thread of its own: this file also stands beside the function of `functions/interpreter`.
"""

import json
import os
import selectors
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypedDict

KEPT_BYTES = 64 * 1024
"""Of standard output and of standard error, each; what follows is read and dropped."""

MOST_PRINTED = 16 * 1024 * 1024
MOST_WRITTEN = 64 * 1024 * 1024
MOST_FILES = 2_000
"""Bytes of output, and bytes and entries of its directory, at which code is ended."""

START_S = 10.0
"""Seconds until the walls must stand."""

LOOK_S = 0.05
"""Seconds between two looks at the directory."""

CHILD = Path(__file__).with_name("interpreting_child.py")

# Where the loader finds Python's own library, on Lambda; nothing else of the environment is passed on.
PASSED_ON = ("LD_LIBRARY_PATH",)


class Ran(TypedDict):
    """`error`: None, or why the code did not come to its end."""

    stdout: str
    stderr: str
    error: str | None


class Refused(Exception):
    """Code cannot be kept apart here; the message says why, and is for callers."""


class Run:
    """One piece of code. `walls_files`: refuse, where the kernel cannot keep files from it.

    `base`: where its directory is made.
    """

    def __init__(self, code: str, files: Mapping[str, bytes], *, seconds: float, walls_files: bool, base: str) -> None:
        self._asked = {"code": code, "walls_files": walls_files, "seconds": int(seconds) + 1}
        self._files = files
        self._seconds = seconds
        self._base = base
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def end(self) -> None:
        """Ends it at once, from any thread."""
        self._ended = True
        process = self._process
        if process is not None and process.returncode is None:  # else its number may be another's by now
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def wait(self) -> Ran:
        """What became of it. Raises `Refused`."""
        room = tempfile.mkdtemp(prefix="code-", dir=self._base)
        try:
            for name, data in self._files.items():
                (Path(room) / Path(name).name).write_bytes(data)
            return self._watched(room)
        finally:
            clear([Path(room)])

    def _watched(self, room: str) -> Ran:
        told, tell = os.pipe()
        try:
            self._process = process = _start(room, tell)
        except OSError as err:
            os.close(told)
            raise Refused("No process can be started here.") from err
        finally:
            os.close(tell)
        try:
            if self._ended:
                self.end()
            return self._followed(process, told, room)
        finally:
            self.end()
            process.wait()
            os.close(told)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()

    def _followed(self, process: subprocess.Popen[bytes], told: int, room: str) -> Ran:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(self._asked).encode())
            process.stdin.close()
        watch = _Watch((process.stdout.fileno(), process.stderr.fileno()), told)
        try:
            error = self._error(watch, process, room)
        finally:
            watch.close()
        return {"stdout": _text(watch.out), "stderr": _text(watch.err), "error": error}

    def _error(self, watch: "_Watch", process: subprocess.Popen[bytes], room: str) -> str | None:
        starts_until = time.monotonic() + START_S
        while not watch.walled:
            if watch.all_closed or watch.refusal or time.monotonic() > starts_until:
                raise Refused(watch.refusal or "The process that runs code does not start here.")
            watch.look()
        until = time.monotonic() + self._seconds
        while not watch.all_closed:
            watch.look()
            if watch.printed > MOST_PRINTED:
                return f"It was ended: it printed more than {MOST_PRINTED} bytes."
            if _too_much(room):
                return f"It was ended: it wrote more than {MOST_WRITTEN} bytes, or {MOST_FILES} files, or hid them."
            if time.monotonic() > until:
                return f"It was ended: it took longer than {self._seconds:g} s."
        try:  # it may have closed its output and go on
            status = process.wait(timeout=max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return f"It was ended: it took longer than {self._seconds:g} s."
        return _meaning(status, self._ended)


class _Watch:
    """What comes through the pipes of a process."""

    def __init__(self, outputs: tuple[int, int], told: int) -> None:
        self.out, self.err, self.refusal = bytearray(), bytearray(), ""
        self.printed = 0
        self.walled = False
        self._told = bytearray()
        self._selector = selectors.DefaultSelector()
        for descriptor, kept in zip((*outputs, told), (self.out, self.err, self._told), strict=True):
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ, kept)

    @property
    def all_closed(self) -> bool:
        return not self._selector.get_map()

    def look(self) -> None:
        """Reads what is there, waiting for a moment."""
        for key, _ in self._selector.select(LOOK_S):
            kept: bytearray = key.data
            data = os.read(key.fd, 256 * 1024)
            if not data:
                self._selector.unregister(key.fd)
            kept += data[: KEPT_BYTES + 1 - len(kept)] if len(kept) <= KEPT_BYTES else b""
            if kept is self._told:
                self.walled = bytes(self._told) == b"walled"
                if not data and not self.walled:
                    self.refusal = self._told[:500].decode(errors="replace")
            else:
                self.printed += len(data)

    def close(self) -> None:
        self._selector.close()


def _start(room: str, tell: int) -> subprocess.Popen[bytes]:
    """The child, with nothing of ours but four pipes. The interpreter is the one beneath a virtual environment."""
    python = getattr(sys, "_base_executable", None) or sys.executable
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}  # noqa: TID251 - see there
    return subprocess.Popen(  # noqa: S603 - no shell, and nothing of a caller's among the arguments
        [python, "-I", "-S", "-B", "-X", "utf8", str(CHILD), str(CHILD.parent), str(tell)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment, cwd=room, close_fds=True, pass_fds=(tell,), start_new_session=True,
    )  # fmt: skip


def clear(places: Iterable[Path]) -> None:
    """Removes them with all that is in them, whatever rights were taken from it."""
    for place in places:

        def again(remove: Any, path: str, _: BaseException) -> None:
            with suppress(OSError):
                Path(path).parent.chmod(stat.S_IRWXU)
                if not Path(path).is_symlink():
                    Path(path).chmod(stat.S_IRWXU)
                if Path(path).is_dir() and not Path(path).is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    Path(path).unlink()

        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, onexc=again)
        else:
            place.unlink(missing_ok=True)


def _too_much(room: str) -> bool:
    """Whether its directory holds too much, or hides what it holds: behind rights, or at the end of a long path."""
    hidden: list[OSError] = []
    size = count = 0
    for folder, folders, files in os.walk(room, onerror=hidden.append):
        count += len(folders) + len(files)
        if count > MOST_FILES:
            return True
        for name in files:
            with suppress(OSError):
                size += (Path(folder) / name).lstat().st_blocks * 512
        if size > MOST_WRITTEN:
            return True
    return any(not isinstance(err, FileNotFoundError) for err in hidden)


def _meaning(status: int, ended: bool) -> str | None:
    if ended:
        return "It was ended."
    if status >= 0:
        return f"It ended with exit status {status}." if status else None
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"It was ended by the system ({name})."


def _text(kept: bytearray) -> str:
    text = kept[:KEPT_BYTES].decode(errors="replace")
    return f"{text}\n[the rest is left out]" if len(kept) > KEPT_BYTES else text
