"""What code could try to get out, look around, or stay; each succeeds in an ordinary process, or needs rights there.

`PRELUDE` gives the attacks `PARENT` (a process to leave alone), `PORT` (a listener), `SECRET` (a file), and `call`.
"""

PRELUDE = """
import ctypes, mmap, os, platform, resource, signal, socket, struct, subprocess, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
ARM = platform.machine() == "aarch64"
def call(x86, arm, *arguments):
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    found = libc.syscall(ctypes.c_long(arm if ARM else x86), *wide)
    if found < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return found
def child():
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
"""

NETWORK = {
    "tcp to a listener here": "socket.create_connection(('127.0.0.1', PORT), 1)",
    "tcp to the metadata": "socket.create_connection(('169.254.169.254', 80), 1)",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
    "tcp over ipv6": "socket.socket(socket.AF_INET6)",
    "a name": "socket.getaddrinfo('localhost.test', 80) and None",
    "a unix socket": "socket.socket(socket.AF_UNIX)",
    "a pair of them": "socket.socketpair()",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "vsock": "socket.socket(40, socket.SOCK_STREAM)",
    "the kernel's ciphers": "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
    "raw packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "a socket by number": "call(41, 198, 2, 1, 0)",
    "io_uring": "call(425, 425, 1, ctypes.create_string_buffer(120))",
    "to listen": "socket.create_server(('127.0.0.1', 0))",
}

PROCESSES = {
    "fork": "child()",
    "vfork": "call(58, 220, *((17, 0, 0, 0, 0) if ARM else ())) or os._exit(0)",
    "clone3": "call(435, 435, struct.pack('11Q', 0, 0, 0, 0, 17, *[0] * 6), 88) or os._exit(0)",
    "a program": "subprocess.run(['/bin/true'])",
    "a spawned program": "os.posix_spawn('/bin/true', ['true'], {})",
    "a program in its place": "os.execv('/bin/true', ['true'])",
    "a program by descriptor": "call(322, 281, -100, b'/bin/true', None, None, 0)",
    "a process pool": "__import__('multiprocessing').Pool(1)",
    "a terminal": "os.openpty()",
    "memory without a name": "os.memfd_create('x')",
}

SIGNALS = {
    "to the parent": "os.kill(PARENT, 0)",
    "to everybody": "os.kill(-1, 0)",
    "to its group": "os.killpg(0, 0)",
    "to a thread of the parent": "call(234, 131, PARENT, PARENT, 0)",
    "to a thread": "call(200, 130, PARENT, 0)",
    "with a value": "call(129, 138, PARENT, 10, ctypes.create_string_buffer(128))",
    "by a descriptor": "signal.pidfd_send_signal(os.pidfd_open(PARENT), 0)",
    "by a pipe": "__import__('fcntl').fcntl(0, 8, PARENT)",
    "another by a pipe": "__import__('fcntl').fcntl(0, 10, 9)",
    "by a pipe, the other way": "__import__('fcntl').ioctl(0, 0x8901, struct.pack('i', PARENT))",
    "its limits": "resource.prlimit(PARENT, resource.RLIMIT_NOFILE, (64, 64))",
    "its place in the queue": "os.setpriority(os.PRIO_PROCESS, PARENT, 19)",
    "its processors": "os.sched_setaffinity(PARENT, {0})",
    "its memory": "call(310, 270, PARENT, ctypes.create_string_buffer(16), 1, ctypes.create_string_buffer(16), 1, 0)",
    "its steps": "call(101, 117, 16, PARENT, 0, 0)",
    "its files": "call(438, 438, call(434, 434, PARENT, 0), 0, 0)",
}

KERNEL = {
    "more memory": "call(302, 261, 0, int(resource.RLIMIT_AS), struct.pack('QQ', 1 << 40, 1 << 40), None)",
    "more time": "call(160, 164, int(resource.RLIMIT_CPU), struct.pack('QQ', 1 << 40, 1 << 40))",
    "limits behind a pointer that looks like none": (
        "call(302, 261, 0, 7, ctypes.c_void_p(call(9, 222, 0x7000_0000_0000_0000 >> 16 & ~0xFFFFFFFF,"
        " 4096, 3, 0x32, -1, 0)), None)"
    ),
    "a namespace": "os.unshare(os.CLONE_NEWUSER)",
    "a mount": "call(165, 40, b'none', b'/tmp', b'tmpfs', 0, None)",
    "another root": "os.chroot('.')",
    "shared memory": "call(29, 194, 4242, 4096, 0o1600)",
    "a queue": "call(68, 186, 4242, 0o1600)",
    "a semaphore": "call(64, 190, 4242, 1, 0o1600)",
    "a named queue": "call(240, 180, b'orrery-left', 0o102, 0o600, None)",
    "a key": "call(248, 217, b'user', b'orrery', b'left', 4, -3)",
    "bpf": "call(321, 280, 0, ctypes.create_string_buffer(128), 128)",
    "counters": "call(298, 241, ctypes.create_string_buffer(128), 0, -1, -1, 0)",
    "faults": "call(323, 282, 1)",
    "a module": "call(313, 273, 0, b'', 0)",
    "another user": "os.setuid(12345)",
    "other flags": "libc.prctl(4, 1, 0, 0, 0) and call(-1, -1)",
    "another personality": "call(135, 92, 0x0040000)",
    "a number that is none": "call(0x40000000 + 39, 9999)",
    "watching files": "call(253, 26, 0)",
}

FILES = {
    "the users": "open('/etc/passwd').read()",
    "a secret": "open(SECRET).read()",
    "a secret by a link": "os.symlink(SECRET, 'link') or open('link').read()",
    "a secret by a hard link": "os.link(SECRET, 'hard')",
    "a secret moved here": "os.rename(SECRET, 'moved')",
    "a secret's size": "os.truncate(SECRET, 0)",
    "a secret by this directory": "open('/proc/self/cwd/../' + os.path.basename(SECRET)).read()",
    "a secret by the root": "open('/proc/self/root' + SECRET).read()",
    "the directory above": "os.listdir('..')",
    "the root": "os.listdir('/')",
    "every home": "os.listdir('/root' if not os.getuid() else '/home')",
    "the parent's environment": "open(f'/proc/{PARENT}/environ').read()",
    "the parent's memory": "open(f'/proc/{PARENT}/mem', 'rb')",
    "the parent's command": "open(f'/proc/{PARENT}/cmdline').read()",
    "its own memory": "open('/proc/self/mem', 'r+b')",
    "a file beside it": "open('../left', 'w')",
    "a file in the library": "open(os.__file__, 'r+')",
    "a file in shared memory": "open('/dev/shm/left', 'w')",
    "a file of everybody": "open('/var/tmp/left', 'w')",
    "a device": "os.mknod('null', 0o20666, 259)",
    "a named pipe": "os.mkfifo('pipe')",
    "a file opened by number": "call(437, 437, -100, b'/etc/passwd', struct.pack('QQQ', 0, 0, 0), 24)",
    "a directory of everybody": "os.chdir('/') or open('etc/passwd').read()",
}

HARMLESS = {
    "tcp to a listener here", "udp", "a unix socket", "a pair of them", "netlink", "a socket by number",
    "to listen", "fork",
    "a program", "a spawned program", "memory without a name", "to the parent", "to its group",
    "to a thread of the parent", "to a thread", "by a descriptor", "by a pipe", "another by a pipe",
    "the users", "a secret", "a secret by a link", "the directory above", "the root", "the parent's environment",
    "the parent's command", "its own memory", "a named pipe", "a directory of everybody", "watching files",
}  # fmt: skip
"""What any process can do without leaving anything: proof that the attacks are made rightly."""

PERFORM = """
def perform(attacks):
    done = []
    for name, attack in attacks.items():
        here = os.getcwd()
        try:
            exec(attack)
        except (OSError, ValueError, ctypes.ArgumentError) as err:
            if not isinstance(err, OSError):
                done.append(f"{name} is no attack: {err!r}")
        else:
            done.append(name)
        try:
            os.chdir(here)
        except OSError:
            pass
    print(done)
"""


def program(attacks: dict[str, str], *, parent: int, port: int, secret: str) -> str:
    """Code that tries them all, and prints the names of those that succeeded."""
    known = f"PARENT, PORT, SECRET = {parent}, {port}, {secret!r}\n"
    return PRELUDE + known + PERFORM + f"perform({attacks!r})\n"
