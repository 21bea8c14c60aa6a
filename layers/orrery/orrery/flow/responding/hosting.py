"""Calls of hosted tools within a response: which run, which wait for the caller, and what the next turn hears."""

from collections.abc import Sequence
from dataclasses import replace

from orrery.core.tools import HostedTool, Outcome
from orrery.core.types import Json
from orrery.flow.responding.asked import Asked
from orrery.flow.responding.calling import Called, called, refused, run_all
from orrery.wire.composer import Composer, Turn

NOT_ALLOWED = "This tool may not be called now."
GONE = "This tool is not among those of this request."
NAMELESS = frozenset({"message", "function_call"})
ENOUGH = "No more tools may be called for this response."


class Hosting:
    """`produced` is what models get of this response so far: its items, and what tools said.

    `waits`: the caller must answer before it can go on, with a function's output or an approval.
    """

    def __init__(self, asked: Asked, composer: Composer) -> None:
        self.produced: list[Json] = []
        self.waits = False
        self._asked, self._composer = asked, composer
        self._mine: list[tuple[Json, HostedTool]] = []
        self._refused: Sequence[Json] = ()
        self._approved: list[Json] = []
        self._calls = 0

    def opening(self) -> list[Json]:
        """The events of what tools tell before the first turn."""
        items = [*self._asked.tools.items, *self._approved]
        return [event for item in items for event in self._composer.add(item)]

    async def approve(self) -> None:
        """Runs what an earlier response waited for, where its caller has approved it: the first turn hears of it."""
        running = []
        for decision in self._asked.decided:
            if not decision.approved:
                continue
            tool = self._asked.tools.named(decision.request)
            if tool is None:
                self.produced.append(refused(decision.call, GONE))
            else:
                running.append((decision.call, tool))
        for done in await run_all(running, self._asked.setting):
            self.produced.append(done.output)
            self._approved.append({**done.shown, "approval_request_id": done.call["approval_request_id"]})

    def heard(self, turn: Turn) -> None:
        """What a turn gave."""
        self.produced += map(_nameless, turn.items)
        hosted = self._asked.tools.hosted
        self._mine = [(call, hosted[call["name"]]) for call in turn.calls if call["name"] in hosted]
        self._refused = turn.refused_calls
        self.waits = any(call["name"] not in hosted for call in turn.calls)

    @property
    def has_work(self) -> bool:
        """Whether calls of the last turn are to be run, or answered, here."""
        return bool(self._mine or self._refused)

    async def run(self, left_s: float) -> list[Json]:
        """Runs them; the events that show it."""
        events: list[Json] = []
        for call in self._refused:
            self.produced += [call, refused(call, NOT_ALLOWED)]
        running = []
        for call, tool in self._mine:
            if not self._may_run():
                events += self.shown(called(call, tool, Outcome(ENOUGH, failed=True)))
            elif tool.approval:
                self.waits = True
                events += self._composer.add(tool.asked(call))
            else:
                self._calls += 1
                running.append((call, tool))
        setting = self._asked.setting
        setting = replace(
            setting,
            timeout_s=min(setting.timeout_s, left_s),
            transcript=[*self._asked.input, *self.produced],
        )
        for done in await run_all(running, setting):
            events += self.shown(done)
        return events

    def shown(self, done: Called) -> list[Json]:
        """The events of a call that has run, which the next turn hears of."""
        self.produced.append(done.output)
        return self._composer.add(done.shown)

    def _may_run(self) -> bool:
        most = self._asked.responding.max_tool_calls
        return most is None or self._calls < most


def _nameless(item: Json) -> Json:
    """Without its id where that says nothing to a model: a turn that is the same as one before is in the cache."""
    if item["type"] not in NAMELESS:
        return item
    return {name: value for name, value in item.items() if name != "id"}
