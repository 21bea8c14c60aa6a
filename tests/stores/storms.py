"""Many requests of one organization at once, through every fault there is; replayed exactly by its seed."""

import asyncio
import random
from dataclasses import dataclass, field

from orrery.core.errors import OutOfCredit, Unavailable
from orrery.core.exchange import Hold, Receipt
from orrery.stores.ledger import DynamoLedger
from orrery.stores.table import Table
from tests.stores.books import LONG, NOW, Clock, Requests, assert_closed, quick_table, receipt, receipt_of
from tests.stores.faults import Crash, Storm

REQUESTS = 30
GRANTED = 2000


@dataclass
class Weather:
    """One storm. `final` is the receipt that each living request insists on."""

    table: Table
    die: random.Random
    storm: Storm
    final: dict[str, tuple[Hold, Receipt]] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)

    def ledger(self, skew_s: float = 0.0) -> DynamoLedger:
        """A process of its own."""
        return DynamoLedger(quick_table(self.storm, self.table.name), clock=Clock(NOW + skew_s))


async def run_storm(table: Table, seed: int) -> None:
    """Raises `AssertionError` when the books are wrong afterwards."""
    die = random.Random(seed)
    calm = DynamoLedger(table, clock=Clock())
    organization = await calm.create_organization("acme")
    await calm.grant(organization, GRANTED, "first", "test")
    weather = Weather(table, die, Storm(table._call, die))
    requests = Requests(calm, organization)
    jobs = [_request(weather, requests) for _ in range(REQUESTS)]
    jobs += [_reclaimer(weather) for _ in range(4)] + [_granter(weather, organization) for _ in range(2)]
    await asyncio.gather(*jobs)
    weather.storm.calm = True
    await asyncio.gather(*(weather.ledger(LONG).sweep() for _ in range(3)))
    await weather.storm.arrive()
    for _ in range(2):  # the zombies, twice
        await asyncio.gather(*(weather.ledger().settle(*told) for told in weather.final.values()))
    await weather.storm.arrive()
    await asyncio.gather(*(weather.ledger(LONG).sweep() for _ in range(3)))
    account = await assert_closed(table, requests)
    assert account.granted_nano == GRANTED + 2 * 300
    for hold, told in weather.final.values():
        assert (await receipt_of(table, hold))["cost"] == told.cost_nano


async def _request(weather: Weather, requests: Requests) -> None:
    requests = Requests(weather.ledger(), requests.organization, requests.ids, requests.numbers)
    die = weather.die
    try:
        hold = await requests.hold(die.randrange(1, 300), lifetime_s=die.choice([60.0, -LONG]))
        cost = die.randrange(0, 2 * hold.amount_nano)
        if die.random() < 0.4:
            await requests.ledger.checkpoint(hold, receipt(cost // 3))
            await requests.ledger.checkpoint(hold, receipt(cost // 2))
        told = receipt(cost)
        if die.random() < 0.8:
            await requests.ledger.record(hold, told)
            weather.final[hold.request_id] = hold, told  # the caller has seen the end of the answer
        await requests.ledger.settle(hold, told)
        weather.final[hold.request_id] = hold, told
    except (Crash, Unavailable, OutOfCredit):
        return


async def _reclaimer(weather: Weather) -> None:
    for _ in range(4):
        try:
            await weather.ledger(weather.die.choice([0.0, LONG, -1e9, 1e9])).sweep()
        except (Crash, Unavailable):
            continue


async def _granter(weather: Weather, organization: str) -> None:
    """Two of these grant the same two events, until both are made."""
    for event in ("second", "third"):
        for _ in range(50):
            try:
                await weather.ledger().grant(organization, 300, event, "test")
                break
            except (Crash, Unavailable):
                continue
