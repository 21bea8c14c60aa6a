"""A process of its own, on the table that its parent serves: `python -m tests.stores.process URL TABLE ORGANIZATION …`.

hold THREADS AMOUNT NAME   every thread holds until it is refused; prints how many were admitted
live REQUEST               one request's life; prints a line before and after each call of the table and waits for one
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import OutOfCredit
from orrery.core.ports import AwsCall
from orrery.core.types import Json
from orrery.edge.aws import aws_call
from orrery.edge.http_pool import Pool
from orrery.stores.ledger import DynamoLedger
from orrery.stores.table import Table
from tests.stores.books import receipt

ACCESS_KEY_ID = "AKIAORRERYTESTS"
LIVES = ("hold", "checkpoint", "record", "settle")


def call_of(pool: Pool, url: str) -> AwsCall:
    credentials = AwsCredentials(ACCESS_KEY_ID, "secret")
    return aws_call(pool, service="dynamodb", region="us-east-1", credentials=credentials, endpoint=url, timeout_s=60.0)


async def hold(url: str, table: str, organization: str, name: str, amount_nano: int) -> int:
    pool, admitted = Pool(), 0
    ledger = DynamoLedger(Table(call_of(pool, url), table))
    try:
        while True:
            request_id = f"{name}-{admitted}"
            await ledger.hold(
                request_id=request_id, organization=organization, key_id="", amount_nano=amount_nano, lifetime_s=600
            )
            admitted += 1
    except OutOfCredit:
        return admitted
    finally:
        await pool.close()


async def live(url: str, table: str, organization: str, request_id: str) -> None:
    pool = Pool()
    through = call_of(pool, url)

    def stop() -> None:
        print("here", flush=True)
        sys.stdin.readline()

    async def call(action: str, payload: Json) -> Json:
        stop()
        answer = await through(action, payload)
        stop()
        return answer

    ledger = DynamoLedger(Table(call, table))
    hold = await ledger.hold(
        request_id=request_id, organization=organization, key_id="", amount_nano=300, lifetime_s=60
    )
    await ledger.checkpoint(hold, receipt(50))
    await ledger.record(hold, receipt(120))
    await ledger.settle(hold, receipt(120))
    await pool.close()


def main(url: str, table: str, organization: str, job: str, *more: str) -> None:
    if job == "live":
        asyncio.run(live(url, table, organization, more[0]))
        return
    threads, amount_nano, name = int(more[0]), int(more[1]), more[2]
    with ThreadPoolExecutor(threads) as pool:
        jobs = [
            pool.submit(lambda n=n: asyncio.run(hold(url, table, organization, f"{name}-{n}", amount_nano)))
            for n in range(threads)
        ]
        print(sum(job.result() for job in jobs))


if __name__ == "__main__":
    main(*sys.argv[1:])
