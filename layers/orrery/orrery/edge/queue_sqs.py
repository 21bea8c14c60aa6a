"""`core.keeping.Queue` on AWS: SQS. Source: botocore 1.44.5, data/sqs/2012-11-05, read 2026-11-21."""

import orjson

from orrery.core.errors import AwsFault, Unavailable
from orrery.core.ports import AwsCall
from orrery.core.responses import Work


class SqsQueue:
    """`call` is one of the service "sqs"."""

    def __init__(self, call: AwsCall, url: str) -> None:
        self._call, self._url = call, url

    async def send(self, work: Work) -> None:
        """Raises `Unavailable`. A message that arrives twice is worked on once: work is claimed."""
        try:
            await self._call("SendMessage", {"QueueUrl": self._url, "MessageBody": orjson.dumps(dict(work)).decode()})
        except AwsFault as err:
            raise Unavailable(f"the queue took no message: {err.kind}", retry_after_s=1.0) from err


class NoQueue:
    """Where nothing would work on what is queued."""

    async def send(self, work: Work) -> None:
        """Raises `Unavailable`, always."""
        raise Unavailable("This gateway has no queue: nothing runs in the background here.")
