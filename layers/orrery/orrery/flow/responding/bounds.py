"""How far tools may carry a response."""

import asyncio

from orrery.flow.responding.asked import Asked

ITERATIONS = 32
"""Turns of a response where nobody says. Each is a call of a model."""

MOST_ITERATIONS = 100
"""What may be asked for. Source: Orq's field trees, `settings.max_iterations`, read 2026-11-21."""


class Reached:
    """Counts turns, and knows when it is time. `until` is on the event loop's clock."""

    def __init__(self, asked: Asked) -> None:
        bounds = asked.responding.bounds
        self._most_turns = min(bounds.max_iterations or ITERATIONS, MOST_ITERATIONS)
        self._most_nano = bounds.max_cost_nano
        self._turns = 0
        began = asked.visit.arrival.started
        self.until = asked.visit.arrival.deadline
        if bounds.max_execution_s is not None:
            self.until = min(self.until, began + bounds.max_execution_s)

    def bound(self, cost_nano: int) -> str:
        """After a turn: the bound that keeps another from following; "" for none."""
        self._turns += 1
        if self._turns >= self._most_turns:
            return "max_iterations"
        if self._most_nano and cost_nano >= self._most_nano:
            return "max_cost"
        if asyncio.get_running_loop().time() >= self.until:
            return "max_execution_time"
        return ""
