"""The process that runs one piece of code, behind the walls of `interpreting_walls.py`; a program, not a module.

`interpreting_run.py` starts it, with an empty environment, in an empty directory, which becomes the only one that it
may write. It reads what to do from its standard input (JSON: `code`, `walls_files`, `seconds`), says on a pipe
that its walls stand, or why they do not, and becomes the code. A value in the code's last line is printed, as an
interactive Python does.
"""

import ast
import io
import json
import linecache
import os
import signal
import sys
import traceback
from importlib import import_module

NAME = "<code>"


def main() -> None:
    """Never returns."""
    sys.path.insert(0, sys.argv[1])
    walls = import_module("interpreting_walls")
    tell = int(sys.argv[2])
    asked = json.loads(sys.stdin.buffer.read())
    sys.path[0] = room = os.getcwd()  # noqa: PTH109 - starts every time, and imports little
    try:
        walls.wall_in(room, files=asked["walls_files"], seconds=asked["seconds"])
    except walls.Unwalled as err:
        os.write(tell, str(err).encode())
        os._exit(0)
    os.write(tell, b"walled")
    os.close(tell)
    sys.stdin = io.TextIOWrapper(io.BytesIO())
    sys.argv = [NAME]
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run(asked["code"]))


def run(code: str) -> int:
    """The exit status. What the code raises is told as Python tells it, without this file."""
    names = {"__name__": "__main__", "__builtins__": __builtins__}
    linecache.cache[NAME] = (len(code), None, code.splitlines(keepends=True), NAME)
    try:
        tree = ast.parse(code, NAME)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, NAME, "exec"), names)  # noqa: S102 - what this process is for
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), NAME, "eval"), names)  # noqa: S307 - as above
            if value is not None:
                print(repr(value))  # noqa: T201 - as above
    except SystemExit:
        raise
    except BaseException as err:  # noqa: BLE001 - as above
        sys.stdout.flush()
        ours = err.__traceback__
        traceback.print_exception(type(err), err, ours.tb_next if ours else None)
        return 1
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    main()
