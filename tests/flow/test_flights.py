"""Requests for the same in one process: one leads, the others get what it gets, and nobody is left behind."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core import extras
from orrery.core.records import Recording
from orrery.flow.flights import Flights

ANSWER = Recording(False, "", {}, [b"{}"])
NAME = ("org-a", "n")


async def turn(times: int = 3) -> None:
    """Lets everybody else go on."""
    for _ in range(times):
        await asyncio.sleep(0)


def test_it_is_what_options_expect() -> None:
    flights: extras.Flights = Flights()
    assert flights is not None


async def test_the_first_leads_and_the_others_get_what_it_gets() -> None:
    flights = Flights()
    seats = [flights.board(*NAME) for _ in range(201)]
    assert [seat.leads for seat in seats] == [True] + [False] * 200
    waiting = [asyncio.create_task(seat.landed()) for seat in seats[1:]]
    await turn()
    assert not any(task.done() for task in waiting)
    seats[0].land(ANSWER)
    assert all(found is ANSWER for found in await asyncio.gather(*waiting))
    assert len(flights) == 0


async def test_organizations_and_names_have_flights_of_their_own() -> None:
    flights = Flights()
    seats = [flights.board(*key) for key in [("a", "bc"), ("ab", "c"), ("a", "b"), ("b", "bc")]]
    assert all(seat.leads for seat in seats) and len(flights) == 4
    seats[0].land(ANSWER)
    assert not flights.board("ab", "c").leads
    assert len(flights) == 3


async def test_who_comes_after_the_landing_leads_a_new_flight() -> None:
    flights = Flights()
    flights.board(*NAME).land(ANSWER)
    assert flights.board(*NAME).leads


async def test_a_follower_that_asks_after_the_landing_gets_what_there_was() -> None:
    flights = Flights()
    leader, follower = flights.board(*NAME), flights.board(*NAME)
    leader.land(ANSWER)
    assert await follower.landed() is ANSWER


async def test_landing_again_changes_nothing_of_this_flight_or_the_next() -> None:
    flights = Flights()
    leader, follower = flights.board(*NAME), flights.board(*NAME)
    leader.land(ANSWER)
    second = flights.board(*NAME)
    leader.land(None)
    assert await follower.landed() is ANSWER
    assert not flights.board(*NAME).leads
    second.land(None)


async def test_a_follower_lands_nobodys_flight() -> None:
    flights = Flights()
    leader, follower = flights.board(*NAME), flights.board(*NAME)
    follower.land(None)
    assert not flights.board(*NAME).leads
    leader.land(ANSWER)
    assert await follower.landed() is ANSWER


async def test_a_follower_that_is_cancelled_harms_nobody() -> None:
    flights = Flights()
    leader = flights.board(*NAME)
    gone, stays = (asyncio.create_task(flights.board(*NAME).landed()) for _ in range(2))
    await turn()
    gone.cancel()
    await turn()
    assert gone.cancelled() and not stays.done()
    leader.land(ANSWER)
    assert await stays is ANSWER


async def test_after_a_flight_for_nothing_exactly_one_leads_next() -> None:
    flights, led = Flights(), list[int]()

    async def request(number: int) -> Recording:
        while True:
            seat = flights.board(*NAME)
            if not seat.leads:
                if (found := await seat.landed()) is not None:
                    return found
                continue
            led.append(number)
            await turn()
            if len(led) < 5:
                seat.land(None)
                await turn()
                return ANSWER
            seat.land(ANSWER)
            return ANSWER

    assert await asyncio.gather(*map(request, range(200))) == [ANSWER] * 200
    assert led == [0, 1, 2, 3, 4] and len(flights) == 0


class World:
    """Requests that may be cancelled at any point; the answers of leaders are `outcomes`, None for a failure."""

    def __init__(self, outcomes: list[bool], turns: list[int]) -> None:
        self.flights = Flights()
        self.outcomes = outcomes
        self.turns = turns
        self.leading = 0
        self.most_leading = 0

    async def request(self, number: int) -> Recording | None:
        while True:
            await turn(self.turns[number % len(self.turns)])
            seat = self.flights.board(*NAME)
            if not seat.leads:
                if (found := await seat.landed()) is not None:
                    return found
                continue
            found = None
            self.leading += 1
            self.most_leading = max(self.most_leading, self.leading)
            try:
                await turn(self.turns[-number % len(self.turns)] + 1)
                found = ANSWER if self.outcomes[number % len(self.outcomes)] else None
                return found
            finally:
                self.leading -= 1
                seat.land(found)


CANCELS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9)), max_size=10)


@settings(max_examples=80, deadline=None)
@given(
    outcomes=st.lists(st.booleans(), min_size=1, max_size=5),
    turns=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    cancels=CANCELS,
)
def test_whoever_is_cancelled_and_whenever_the_others_arrive(
    outcomes: list[bool], turns: list[int], cancels: list[tuple[int, int]]
) -> None:
    async def run() -> None:
        world = World(outcomes, turns)
        requests = [asyncio.create_task(world.request(number)) for number in range(10)]
        for moment, who in sorted(cancels):
            await turn(moment)
            requests[who].cancel()
        async with asyncio.timeout(30):  # a flight that never lands
            await asyncio.wait(requests)
        assert all(task.cancelled() or task.result() in (ANSWER, None) for task in requests)
        assert {number for number, task in enumerate(requests) if task.cancelled()} <= {who for _, who in cancels}
        assert world.most_leading <= 1
        assert len(world.flights) == 0

    asyncio.run(run())


async def test_a_leader_that_is_cancelled_wakes_its_followers() -> None:
    flights, begun = Flights(), asyncio.Event()

    async def lead() -> None:
        seat = flights.board(*NAME)
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            seat.land(None)

    leader = asyncio.create_task(lead())
    await begun.wait()
    followers = [asyncio.create_task(flights.board(*NAME).landed()) for _ in range(3)]
    await turn()
    leader.cancel()
    assert await asyncio.gather(*followers) == [None] * 3
    assert leader.cancelled() and len(flights) == 0
