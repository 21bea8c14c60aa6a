"""Walls around a process that runs a caller's code, which it puts up around itself and cannot take down again.

System calls: only those that are listed. So there is no socket of any kind, no other process, no program, no signal to
anybody else, and no shared memory, whatever the code tries, as root, too. Files (where the kernel has Landlock): the
standard library may be read, one directory may be written; elsewhere, the process's user must have nothing to hide.
Linux on x86-64 and ARM64, standard library only: this file also stands beside the function of `functions/interpreter`.

Sources: seccomp(2), landlock(7), Linux 6.18's include/uapi and the tables of system calls of both architectures;
Landlock's versions as Documentation/userspace-api/landlock.rst has them, read 2026-11-21.
"""

import contextlib
import ctypes
import os
import platform
import resource
import struct
import sys

ROOM_BYTES = 1024 * 1024 * 1024
"""Of address space, the interpreter's own included: what OpenAI's smallest container has."""

LARGEST_FILE = 16 * 1024 * 1024
MOST_OPEN = 32

# Each call's number on x86-64 and on ARM64 ("-": not there).
CALLS = """
brk 12 214, mmap 9 222, munmap 11 215, mprotect 10 226, mremap 25 216, madvise 28 233, membarrier 324 283,
open 2 -, openat 257 56, openat2 437 437, close 3 57, close_range 436 436, read 0 63, write 1 64, pread64 17 67,
pwrite64 18 68, readv 19 65, writev 20 66, lseek 8 62, stat 4 -, lstat 6 -, fstat 5 80, newfstatat 262 79,
statx 332 291, access 21 -, faccessat 269 48, faccessat2 439 439, readlink 89 -, readlinkat 267 78, getdents 78 -,
getdents64 217 61, getcwd 79 17, statfs 137 43, fstatfs 138 44, chdir 80 49, fchdir 81 50, mkdir 83 -,
mkdirat 258 34, rmdir 84 -, unlink 87 -, unlinkat 263 35, rename 82 -, renameat 264 38, renameat2 316 276,
link 86 -, linkat 265 37, symlink 88 -, symlinkat 266 36, truncate 76 45, ftruncate 77 46, fallocate 285 47,
fsync 74 82, fdatasync 75 83, utimensat 280 88, umask 95 166, sendfile 40 71, copy_file_range 326 285,
fadvise64 221 223, chmod 90 -, fchmod 91 52, fchmodat 268 53, dup 32 23, dup2 33 -, dup3 292 24, pipe 22 -,
pipe2 293 59, poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, epoll_create1 291 20, epoll_ctl 233 21,
epoll_wait 232 -, epoll_pwait 281 22, eventfd2 290 19, rt_sigaction 13 134, rt_sigprocmask 14 135,
rt_sigreturn 15 139, rt_sigpending 127 136, rt_sigtimedwait 128 137, rt_sigsuspend 130 133, sigaltstack 131 132,
pause 34 -, alarm 37 -, getitimer 36 102, setitimer 38 103, clock_gettime 228 113, clock_getres 229 114,
clock_nanosleep 230 115, nanosleep 35 101, gettimeofday 96 169, time 201 -, times 100 153, getpid 39 172,
getppid 110 173, gettid 186 178, getuid 102 174, geteuid 107 175, getgid 104 176, getegid 108 177,
getgroups 115 158, getresuid 118 148, getresgid 120 150, getpgrp 111 -, getpgid 121 155, getsid 124 156,
uname 63 160, sysinfo 99 179, getrusage 98 165, getcpu 309 168, getrlimit 97 163, sched_yield 24 124,
sched_getaffinity 204 123, futex 202 98, futex_waitv 449 449, set_robust_list 273 99, set_tid_address 218 96,
rseq 334 293, arch_prctl 158 -, getrandom 318 278, exit 60 93, exit_group 231 94, restart_syscall 219 128
"""

# Those that may be made in part: which argument, and with which values.
COMMANDS = {
    "fcntl 72 25": (1, (0, 1, 2, 3, 4, 5, 6, 7, 1030)),  # no F_SETOWN and F_SETSIG: they send signals
    "ioctl 16 29": (1, (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)),  # of a terminal its form, FIONREAD, FIO(N)CLEX
}
CLONE = "clone 56 220"  # threads, no processes
CLONE3 = "clone3 435 435"  # its flags cannot be seen: as if it were not there, so that `clone` is taken
TGKILL = "tgkill 234 131"  # to itself
PRLIMIT = "prlimit64 302 261"  # to look, not to set: without new limits

MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH_*

CLONE_THREAD = 0x10000
EPERM, ENOSYS = 1, 38
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, JUMP_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x45, 0x06
NUMBER_AT, MACHINE_AT, ARGUMENTS_AT = 0, 4, 16

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446

# Landlock's rights by its version: EXECUTE … MAKE_SYM, then REFER, TRUNCATE, IOCTL_DEV.
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
READ = 1 << 2 | 1 << 3
NOT_IN_THE_ROOM = 1 << 0 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11  # programs, devices, sockets, named pipes

_libc = ctypes.CDLL(None, use_errno=True)


def _syscall(*arguments: int | bytes | None) -> int:
    """Every number as wide as a register."""
    wide = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    return int(_libc.syscall(*wide))


def _prctl(what: int, *arguments: int | bytes) -> int:
    wide = [ctypes.c_ulong(argument) if isinstance(argument, int) else argument for argument in arguments]
    return int(_libc.prctl(what, *wide, *[ctypes.c_ulong(0)] * (4 - len(wide))))


class Unwalled(Exception):
    """A wall cannot be had here; the message says which, and is for callers."""


def hide() -> None:
    """Keeps this process's memory and environment from others of its user: `/proc/<pid>/environ`, ptrace."""
    if _prctl(PR_SET_DUMPABLE, 0):
        raise Unwalled("This machine does not let a process hide its memory.")


def wall_in(room: str, *, files: bool, seconds: int) -> None:
    """For this process and from now on: `room` is what it may write. `files` False: without Landlock, where the
    kernel has none. `seconds` of computing. Raises `Unwalled`.
    """
    if sys.platform != "linux" or platform.machine() not in MACHINES or sys.maxsize < 2**32:
        raise Unwalled("Code can be kept apart on Linux only, on x86-64 and ARM64.")
    _prctl(PR_SET_PDEATHSIG, 9)
    with contextlib.suppress(OSError):  # one wall more, where it can be had
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET | os.CLONE_NEWIPC)
    if _prctl(PR_SET_NO_NEW_PRIVS, 1):
        raise Unwalled("This machine does not let a process give up its privileges.")
    _wall_files(room, needed=files)
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_NOFILE, MOST_OPEN),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, ROOM_BYTES),
    ):
        resource.setrlimit(what, (most, most))
    _wall_calls()


def readable() -> list[str]:
    """What of this machine the code may read: Python's own library and what that loads."""
    library = os.path.join(sys.base_prefix, "lib")  # noqa: PTH118 - this file imports little: it starts every time
    shared = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo", "/etc/localtime"]
    return [library, *shared, "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"]


def _wall_files(room: str, *, needed: bool) -> None:
    version = _syscall(CREATE_RULESET, None, 0, 1)
    if version < 1:
        if needed:
            raise Unwalled("This machine's kernel cannot keep files from a process (it has no Landlock).")
        return
    handled = (1 << FILE_RIGHTS[min(version, 5)]) - 1
    network, scopes = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    attributes = struct.pack("QQQ", handled, network, scopes)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = _syscall(CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        raise Unwalled("This machine's kernel does not keep files from a process.")
    for path in readable():
        _allow(rules, path, READ)
    _allow(rules, "/dev/null", READ | 1 << 1)
    _allow(rules, room, handled & ~NOT_IN_THE_ROOM)
    walled = _syscall(RESTRICT_SELF, rules, 0)
    os.close(rules)
    if walled:
        raise Unwalled("This machine's kernel does not keep files from a process.")


def _allow(rules: int, path: str, rights: int) -> None:
    """Of a path that is there; what is missing needs no leave."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    on_files = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
    rights = rights if os.path.isdir(path) else rights & on_files  # noqa: PTH112 - as above
    if _syscall(ADD_RULE, rules, 1, struct.pack("=Qi", rights, place), 0):
        raise Unwalled("This machine's kernel does not keep files from a process.")
    os.close(place)


def _wall_calls() -> None:
    program = b"".join(filter_program(platform.machine(), os.getpid()))
    code = ctypes.create_string_buffer(program, len(program))
    form = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if _prctl(PR_SET_SECCOMP, 2, form):
        raise Unwalled("This machine does not let a process give up system calls (seccomp).")


def filter_program(machine: str, pid: int) -> list[bytes]:
    """The filter, as instructions of classic BPF of 8 bytes each: what is not allowed gives EPERM."""
    column, architecture = MACHINES[machine]
    program = [_load(MACHINE_AT), _jump(JUMP_EQUAL, architecture, 1, 0), _return(KILL), _load(NUMBER_AT)]
    for row in CALLS.split(","):
        if (number := _number(row, column)) is not None:
            program += [_jump(JUMP_EQUAL, number, 0, 1), _return(ALLOW)]
    parts = [(row, place, JUMP_EQUAL, values) for row, (place, values) in COMMANDS.items()]
    parts += [(TGKILL, 0, JUMP_EQUAL, (pid,)), (CLONE, 0, JUMP_SET, (CLONE_THREAD,))]
    for row, place, test, values in parts:
        checks = [_load(ARGUMENTS_AT + 8 * place)]
        for value in values:
            checks += [_jump(test, value, 0, 1), _return(ALLOW)]
        checks.append(_return(ERRNO | EPERM))
        program += [_jump(JUMP_EQUAL, _number(row, column) or 0, 0, len(checks)), *checks]
    checks = [_load(ARGUMENTS_AT + 16), _jump(JUMP_EQUAL, 0, 0, 3), _load(ARGUMENTS_AT + 20)]
    checks += [_jump(JUMP_EQUAL, 0, 0, 1), _return(ALLOW), _return(ERRNO | EPERM)]
    program += [_jump(JUMP_EQUAL, _number(PRLIMIT, column) or 0, 0, len(checks)), *checks]
    program += [_jump(JUMP_EQUAL, _number(CLONE3, column) or 0, 0, 1), _return(ERRNO | ENOSYS)]
    return [*program, _return(ERRNO | EPERM)]


def _number(row: str, column: int) -> int | None:
    told = row.split()[1 + column]
    return None if told == "-" else int(told)


def _load(offset: int) -> bytes:
    return struct.pack("HBBI", LOAD, 0, 0, offset)


def _jump(test: int, value: int, yes: int, no: int) -> bytes:
    return struct.pack("HBBI", test, yes, no, value)


def _return(what: int) -> bytes:
    return struct.pack("HBBI", RETURN, 0, 0, what)
