"""How much work a call does, counted instead of timed: the same on every machine, whatever else it is doing."""

import sys
from collections.abc import Callable

_TOOL = 3  # one of the two numbers of `sys.monitoring` that no kind of tool claims


def steps(work: Callable[[], object]) -> int:
    """Calls, branches and turns of loops that Python takes in `work`. What C does inside one call counts as one."""
    taken = 0

    def step(*_: object) -> None:
        nonlocal taken
        taken += 1

    events = sys.monitoring.events
    watched = (events.PY_START, events.PY_RESUME, events.CALL, events.BRANCH, events.JUMP)
    sys.monitoring.use_tool_id(_TOOL, "orrery-steps")
    try:
        for event in watched:
            sys.monitoring.register_callback(_TOOL, event, step)
        sys.monitoring.set_events(_TOOL, sum(watched))
        work()
    finally:
        sys.monitoring.set_events(_TOOL, 0)
        for event in watched:
            sys.monitoring.register_callback(_TOOL, event, None)
        sys.monitoring.free_tool_id(_TOOL)
    return taken
