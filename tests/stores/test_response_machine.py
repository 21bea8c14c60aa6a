"""Any order of anything that happens to responses, with deaths and lost answers around every write.

What has ended never changes, except that a cancelled one gets what it had said; nobody works on what another works on;
what was saved or finished, and said to be so, is there until it is deleted; what is deleted is gone.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from orrery.core.errors import InvalidRequest, NotFound, Unavailable
from orrery.core.responses import ENDED, StoredResponse
from orrery.stores.responses import ResponseStore
from orrery.stores.table import Table
from tests.stores.blobs import MemoryBlobs
from tests.stores.books import Clock, quick_table
from tests.stores.faults import Crash, Faulty
from tests.stores.responding import ORG, in_progress, queued, saying, words_in

FAULTS = st.just([]) | st.lists(
    st.sampled_from(["", "lose", "duplicate", "drop", "straggle", "before", "after"]), min_size=1, max_size=5
)
WORKERS = st.sampled_from(["one", "two"])
LEASE_S = 30.0


@dataclass
class Life:
    """What is known of a response.

    `written`: what it may say, the newest last; `sure`: the first of these that it may be left with. `told`: how its
    worker heard that it ended. `doomed`: somebody tried to delete it, and did not hear whether it is `gone`.
    """

    response: StoredResponse
    written: list[str] = field(default_factory=lambda: [""])
    sure: int = 0
    worker: str = ""
    final: tuple[str, str] | None = None
    told: tuple[str, str] | None = None
    there: bool = False
    doomed: bool = False
    gone: bool = False


class Lives(RuleBasedStateMachine):
    table: Table  # set by the test
    numbers = iter(range(10**9))

    lives = Bundle("lives")

    @initialize()
    def begin_all(self) -> None:
        self.clock = Clock()
        self.faulty = Faulty(self.table._call)
        self.blobs = MemoryBlobs()
        self.all: list[Life] = []
        self.calm = self.store(self.table._call)
        self.shaken = self.store(self.faulty)

    def store(self, call: Any) -> ResponseStore:
        return ResponseStore(quick_table(call, self.table.name), self.blobs, clock=self.clock)

    def run(self, step: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(step)

    def attempt(self, step: Coroutine[Any, Any, Any], faults: list[str]) -> Any:
        """What came of it; None where nobody heard."""
        self.faulty.plan = list(faults)
        try:
            return self.run(step)
        except (Crash, Unavailable):
            assert faults
            self.shaken = self.store(self.faulty)
            return None
        finally:
            self.faulty.plan = []

    @rule(target=lives, background=st.booleans(), lasts_s=st.sampled_from([0.0, 40.0, 100.0]), faults=FAULTS)
    def begin(self, background: bool, lasts_s: float, faults: list[str]) -> Life:
        deadline = self.clock.now + lasts_s if lasts_s else 0.0
        id = self.calm.new_id()
        life = Life(queued(id, deadline=deadline) if background else in_progress(id, "?", deadline=deadline))
        self.attempt(self.shaken.begin(life.response), faults)
        self.all.append(life)
        return life

    @rule(life=lives, faults=FAULTS)
    def begin_again(self, life: Life, faults: list[str]) -> None:
        self.attempt(self.shaken.begin(life.response), faults)

    @rule(life=lives, faults=FAULTS)
    def save(self, life: Life, faults: list[str]) -> None:
        words, place = self.words(life)
        heard = self.attempt(self.shaken.save(saying(life.response, words)), faults)
        if heard:
            life.sure = place
        assert not (heard and (life.final or life.gone))

    @rule(life=lives, status=st.sampled_from(["completed", "incomplete", "failed", "cancelled"]), faults=FAULTS)
    def finish(self, life: Life, status: str, faults: list[str]) -> None:
        words, _ = self.words(life)
        if self.attempt(self.shaken.finish(saying(life.response, words, status)), faults):
            assert not life.final and not life.gone
            life.told = (status, words)

    @rule(life=lives, faults=FAULTS)
    def cancel(self, life: Life, faults: list[str]) -> None:
        try:
            found = self.attempt(self.shaken.cancel(ORG, life.response.id), faults)
        except InvalidRequest:
            assert life.response.status == "in_progress"
        except NotFound:
            assert self.look(life) is None
        else:
            assert found is None or found.status in ENDED

    @rule(life=lives, faults=FAULTS)
    def delete(self, life: Life, faults: list[str]) -> None:
        async def deleted() -> bool:
            await self.shaken.delete(ORG, life.response.id)
            return True

        life.doomed = True
        try:
            if self.attempt(deleted(), faults):
                life.there = life.gone = True
        except NotFound:
            assert self.look(life) is None

    @rule(life=lives, worker=WORKERS, faults=FAULTS)
    def claim(self, life: Life, worker: str, faults: list[str]) -> None:
        found = self.attempt(self.shaken.claim(ORG, life.response.id, owner=worker, lease_s=LEASE_S), faults)
        if found is not None:
            assert not life.worker and not life.final and not life.gone
            assert found.status == "in_progress" and found.request == life.response.request
            life.worker = worker

    @rule(life=lives, worker=WORKERS, faults=FAULTS)
    def beat(self, life: Life, worker: str, faults: list[str]) -> None:
        if self.attempt(self.shaken.beat(ORG, life.response.id, owner=worker, lease_s=LEASE_S), faults):
            assert life.worker in ("", worker)  # "": it claimed, and did not hear that it had
            assert not life.final and not life.gone
            found = self.look(life)
            late = 0 < life.response.deadline <= self.clock.now
            assert found is not None and found.status == ("failed" if late else "in_progress")

    @rule(seconds=st.sampled_from([0.001, 1.0, 20.0, 31.0, 200.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    @precondition(lambda self: self.faulty.stragglers)
    def stragglers_arrive(self) -> None:
        self.run(self.faulty.arrive())

    def words(self, life: Life) -> tuple[str, int]:
        life.written.append(f"words {next(self.numbers)}")
        return life.written[-1], len(life.written) - 1

    def look(self, life: Life) -> StoredResponse | None:
        try:
            found: StoredResponse = self.run(self.calm.read(ORG, life.response.id))
        except NotFound:
            return None
        return found

    @invariant()
    def each_is_as_it_must_be(self) -> None:
        for life in getattr(self, "all", []):
            self.check(life)

    def check(self, life: Life) -> None:
        found = self.look(life)
        if found is None:
            assert life.gone or life.doomed or not life.there
            life.gone = life.there
            return
        assert not life.gone
        life.there = True
        said = "".join(words_in(found.output))
        assert found.status == found.shown["status"]
        assert life.written.index(said) >= life.sure
        if life.told:
            assert (found.status, said) == life.told
        if found.status in ENDED:
            if life.final and life.final != (found.status, said):
                assert life.final[0] == found.status == "cancelled"
                assert life.written.index(said) > life.written.index(life.final[1])
            life.final = (found.status, said)
        else:
            assert life.final is None
            late = 0 < life.response.deadline <= self.clock.now
            assert not late


def test_what_happens_to_responses(table: Table) -> None:
    class TheseLives(Lives):
        pass

    TheseLives.table = table
    TheseLives.TestCase.settings = settings(
        max_examples=15,
        phases=[Phase.generate],
        stateful_step_count=30,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    TheseLives.TestCase("runTest").runTest()
