"""Stand-ins for what the flow needs from outside: in memory, without I/O, without clocks that tick by themselves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from orrery import providers
from orrery.core.dialect import Provider, UpstreamRequest
from orrery.core.errors import GatewayError, InvalidRequest, OutOfCredit, Truncated, Unauthenticated
from orrery.core.exchange import Arrival, Exchange, Hold, Receipt
from orrery.core.types import Fetched, Principal, Target
from orrery.flow.gateway import Account, Gateway, Policy
from orrery.providers.compatible import server
from orrery.stores.catalog import OperatorCatalog
from orrery.stores.model_rows import OwnModel

ALICE = Principal(key_id="alicealice", organization="org-alice", workflow="main", user="alice")


class FakeKeys:
    """Tokens by name; `revoked` ones fail on confirmation, as a key that was revoked after it was cached."""

    def __init__(self, known: Mapping[str, Principal] | None = None, *, fresh: bool = True) -> None:
        self.known = dict(known or {"good": ALICE})
        self.fresh = fresh
        self.revoked: set[str] = set()

    async def find(self, token: str) -> tuple[Principal, bool]:
        if token not in self.known:
            raise Unauthenticated
        return self.known[token], self.fresh

    async def confirm(self, principal: Principal) -> None:
        if principal.key_id in self.revoked:
            raise Unauthenticated


@dataclass
class FakeLedger:
    """Balances in a dictionary. `said` lists what was done, in order."""

    balance_nano: int = 10**12
    said: list[str] = field(default_factory=list)
    holds: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    settled: dict[str, Receipt] = field(default_factory=dict)
    checkpoints: list[Receipt] = field(default_factory=list)
    fail_on: set[str] = field(default_factory=set)

    def _do(self, what: str) -> None:
        self.said.append(what)
        if what in self.fail_on:
            raise GatewayError(f"{what} failed")

    async def hold(
        self, *, request_id: str, organization: str, key_id: str, amount_nano: int, lifetime_s: float
    ) -> Hold:
        self._do("hold")
        amount = max(1, amount_nano)
        if amount > self.balance_nano:
            raise OutOfCredit(self.balance_nano)
        self.balance_nano -= amount
        self.holds[request_id] = amount
        return Hold(request_id, organization, 0, amount, 0, f"{amount}|0", key_id)

    async def record(self, hold: Hold, receipt: Receipt) -> None:
        self._do("record")
        self.receipts[hold.request_id] = receipt

    async def checkpoint(self, hold: Hold, receipt: Receipt) -> None:
        self._do("checkpoint")
        self.checkpoints.append(receipt)

    async def settle(self, hold: Hold, receipt: Receipt) -> None:
        self._do("settle")
        if hold.request_id in self.holds:
            self.balance_nano += self.holds.pop(hold.request_id) - receipt.cost_nano
            self.settled[hold.request_id] = receipt


@dataclass
class FakeReply:
    """What an upstream says; a callable or an exception among `parts` is called or raised when its turn comes."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: Iterable[Any] = ()

    async def chunks(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            if isinstance(part, BaseException):
                raise part
            if callable(part):
                await part()
            else:
                yield part


class FakeTransport:
    """Answers each request with the next of `replies` (an exception is raised), and keeps what was asked."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.requests: list[UpstreamRequest] = []
        self.open = 0

    @asynccontextmanager
    async def send(self, request: UpstreamRequest, timeout_s: float) -> AsyncIterator[FakeReply]:
        self.requests.append(request)
        reply = self.replies.pop(0)
        if callable(reply):
            reply = await reply()
        if isinstance(reply, BaseException):
            raise reply
        self.open += 1
        try:
            yield reply
        finally:
            self.open -= 1

    def body(self, number: int = -1) -> dict[str, Any]:
        return dict(orjson.loads(self.requests[number].body))


class FakeAccounts:
    """Every built-in provider with a key, and `own`, a server that an operator named."""

    def __init__(self, *without_key: str) -> None:
        self.without_key = without_key

    def _provider(self, name: str) -> Provider | None:
        return server("own", "http://own.test/v1") if name == "own" else providers.get(name)

    async def find(self, name: str) -> Account | None:
        provider = self._provider(name)
        if provider is None:
            return None
        secret = "" if name in self.without_key else f"key-of-{name}"
        region = {"bedrock": "us-east-1", "vertex": "global"}.get(name, "")
        return Account(provider, provider.base_url or f"http://{name}.test/v1", secret, region)

    async def usable(self) -> tuple[Account, ...]:
        found = [await self.find(name) for name in ("openai", "anthropic", "groq")]
        return tuple(a for a in found if a and a.usable)

    async def authorize(self, target: Target) -> Target:
        return target


@dataclass
class FakeModels:
    """An operator's own models; `fault` is raised instead of giving them."""

    rows: list[OwnModel] = field(default_factory=list)
    fault: GatewayError | None = None

    async def __call__(self) -> list[OwnModel]:
        if self.fault:
            raise self.fault
        return self.rows


@dataclass
class FakeWeb:
    """Pages by URL, and how often each was read."""

    pages: dict[str, Fetched] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)

    async def __call__(self, url: str, *, limit_bytes: int, timeout_s: float) -> Fetched:
        self.read.append(url)
        if url not in self.pages:
            raise InvalidRequest("nothing there")
        return self.pages[url]


@dataclass
class Room:
    """A gateway made of fakes, and the fakes."""

    keys: FakeKeys = field(default_factory=FakeKeys)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    transport: FakeTransport = field(default_factory=FakeTransport)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    policy: Policy = field(default_factory=Policy)
    slept: list[float] = field(default_factory=list)
    logged: list[Exchange] = field(default_factory=list)
    refusals: list[GatewayError] = field(default_factory=list)
    web: FakeWeb = field(default_factory=FakeWeb)
    models: FakeModels = field(default_factory=FakeModels)
    notes: list[str] = field(default_factory=list)
    uploads: Any = None
    own: Any = None
    outside: Any = None
    extras: Any = None

    def gateway(self) -> Gateway:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        def refused(arrival: Arrival, err: GatewayError, principal: Principal | None) -> None:
            self.refusals.append(err)

        return Gateway(
            keys=self.keys,
            ledger=self.ledger,
            transport=self.transport,
            fetch=self.web,
            accounts=self.accounts,
            catalog=OperatorCatalog(self.models, self.notes.append),
            log=self.logged.append,
            refused=refused,
            policy=self.policy,
            uploads=self.uploads,
            own=self.own,
            outside=self.outside,
            extras=self.extras,
            now=lambda: 1_800_000_000.0,
            sleep=sleep,
            random=lambda: 0.5,
        )


def json_reply(body: Any, status: int = 200, **headers: str) -> FakeReply:
    return FakeReply(status, {"content-type": "application/json", **headers}, [orjson.dumps(body)])


def completion(text: str = "hello", prompt: int = 10, output: int = 5, **more: Any) -> FakeReply:
    """A whole chat completion from an OpenAI-speaking upstream."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    return json_reply(
        {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
            "usage": usage,
            **more,
        }
    )


def chunk(delta: Mapping[str, Any] | None, finish_reason: str | None = None, **more: Any) -> bytes:
    """One streamed event; `delta` None makes one without choices."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
    return b"data: " + orjson.dumps(body) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def stream(*parts: Any, status: int = 200) -> FakeReply:
    return FakeReply(status, {"content-type": "text/event-stream"}, parts)


def usage_chunk(prompt: int = 10, output: int = 5) -> bytes:
    usage = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    return chunk(None, usage=usage)


def cut(message: str = "upstream.test broke off in the middle of its answer") -> Truncated:
    return Truncated(message)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer instead of waiting for it: hours pass in no time, and work takes none.

    Only for tests without real I/O: a loop that has nothing to do and no timer would spin for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now = 1_000.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]  # asyncio's own, there is no public one
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def in_virtual_time[T](main: Callable[[], Any]) -> T:
    """Runs a coroutine function on a `VirtualLoop`."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        result: T = runner.run(main())
        return result
