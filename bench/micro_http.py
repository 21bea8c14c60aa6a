#!/usr/bin/env python3
"""CPU of one upstream request and of one streamed chunk, by client, side by side in one run (decisions 0002, 0003).

    cc -O2 -o /tmp/mock bench/mock.c
    python bench/micro_http.py --mock /tmp/mock [--rounds 5] [--loop uvloop] [--only http|dynamodb|imports]

Clients whose package is missing are left out: httpx-aiohttp and aiohttp are no dependencies of ours, so run this in a
virtual environment that has them too. CPU time of this process only; medians over interleaved rounds. The client is
pinned to the last core, the mock to the first.
"""

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers/orrery"))

MESSAGES = [{"role": "user", "content": "Say something about gateways. " * 20}]
HEADERS = {"authorization": "Bearer sk-test", "content-type": "application/json", "user-agent": "bench"}
GET_ITEM = {
    "TableName": "orrery",
    "Key": {"pk": {"S": "KEY#0123456789abcdef"}, "sk": {"S": "META"}},
    "ConsistentRead": True,
}

type Ask = Callable[[bytes], Awaitable[int]]  # posts a body, reads the answer to its end, gives the bytes read


@contextlib.asynccontextmanager
async def httpx_own(url: str) -> AsyncIterator[Ask]:
    import httpx

    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        yield httpx_ask(client, url)


@contextlib.asynccontextmanager
async def httpx_aiohttp(url: str) -> AsyncIterator[Ask]:
    import httpx
    from httpx_aiohttp import AiohttpTransport

    async with httpx.AsyncClient(timeout=30, trust_env=False, transport=AiohttpTransport()) as client:
        yield httpx_ask(client, url)


@contextlib.asynccontextmanager
async def aiohttp_bare(url: str) -> AsyncIterator[Ask]:
    import aiohttp

    async with aiohttp.ClientSession() as session:

        async def ask(body: bytes) -> int:
            async with session.post(url, data=body, headers=HEADERS) as response:
                return sum([len(chunk) async for chunk in response.content.iter_any()])

        yield ask


@contextlib.asynccontextmanager
async def httpx_thin(url: str) -> AsyncIterator[Ask]:
    import httpx

    from orrery.edge.http import ThinTransport

    async with httpx.AsyncClient(timeout=30, trust_env=False, transport=ThinTransport()) as client:
        yield httpx_ask(client, url)


@contextlib.asynccontextmanager
async def port(url: str) -> AsyncIterator[Ask]:
    from orrery.core.dialect import UpstreamRequest
    from orrery.edge.http import HttpTransport

    transport = HttpTransport()

    async def ask(body: bytes) -> int:
        async with transport.send(UpstreamRequest("POST", url, HEADERS, body), 30) as reply:
            return sum([len(chunk) async for chunk in reply.chunks()])

    yield ask
    await transport.aclose()


@contextlib.asynccontextmanager
async def pool(url: str) -> AsyncIterator[Ask]:
    from orrery.edge.http_pool import Origin, Pool, Timeouts

    kept = Pool()
    origin = Origin("http", "127.0.0.1", int(url.split("/")[2].partition(":")[2]))
    target = ("/" + url.split("/", 3)[3]).encode()
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def ask(body: bytes) -> int:
        exchange = await kept.send(origin, b"POST", target, headers, body, timeouts=Timeouts.all(30))
        size = 0
        while chunk := await exchange.read():
            size += len(chunk)
        exchange.close()
        return size

    yield ask
    await kept.close()


def httpx_ask(client, url: str) -> Ask:  # type: ignore[no-untyped-def]  # httpx is imported where it is measured
    async def ask(body: bytes) -> int:
        async with client.stream("POST", url, content=body, headers=HEADERS) as response:
            return sum([len(chunk) async for chunk in response.aiter_raw()])

    return ask


@contextlib.asynccontextmanager
async def boto3_threads(endpoint: str) -> AsyncIterator[Ask]:
    import boto3

    client = boto3.client(
        "dynamodb", region_name="us-east-1", endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="s"
    )

    async def ask(_: bytes) -> int:
        return len(await asyncio.to_thread(client.get_item, **GET_ITEM))

    yield ask


@contextlib.asynccontextmanager
async def signed(endpoint: str) -> AsyncIterator[Ask]:
    from orrery.core.credentials import AwsCredentials
    from orrery.edge.aws import aws_call
    from orrery.edge.http_pool import Pool

    kept = Pool()
    call = aws_call(
        kept,
        service="dynamodb",
        region="us-east-1",
        credentials=AwsCredentials("a", "s"),
        endpoint=endpoint,
        timeout_s=30,
    )

    async def ask(_: bytes) -> int:
        return len(await call("GetItem", GET_ITEM))

    yield ask
    await kept.close()


@contextlib.asynccontextmanager
async def botocore_signer(endpoint: str) -> AsyncIterator[Ask]:
    import orjson
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import AwsCredentials

    async with pool(endpoint + "/") as _:
        pass
    from orrery.edge.http_pool import Origin, Pool, Timeouts

    kept, origin = Pool(), Origin("http", "127.0.0.1", int(endpoint.rsplit(":", 1)[1]))
    signer = SigV4Auth(AwsCredentials("a", "s"), "dynamodb", "us-east-1")
    fixed = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.GetItem"}

    async def ask(_: bytes) -> int:
        body = orjson.dumps(GET_ITEM)
        request = AWSRequest("POST", endpoint + "/", data=body, headers=fixed)
        signer.add_auth(request)
        headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
        async with asyncio.timeout(30):
            exchange = await kept.send(origin, b"POST", b"/", headers, body, timeouts=Timeouts.all(30))
            answer = await exchange.read()
            exchange.close()
        return len(orjson.loads(answer))

    yield ask
    await kept.close()


@contextlib.asynccontextmanager
async def signed_httpx(endpoint: str) -> AsyncIterator[Ask]:
    import orjson

    from orrery.core.dialect import UpstreamRequest
    from orrery.edge.http import HttpTransport, read_all
    from orrery.providers.signing import sign_v4

    transport = HttpTransport()
    fixed = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.GetItem"}
    who = {"service": "dynamodb", "region": "us-east-1", "access_key": "a", "secret_key": "s"}

    async def ask(_: bytes) -> int:
        body = orjson.dumps(GET_ITEM)
        headers = sign_v4("POST", endpoint + "/", fixed, body, **who, now=time.time())
        async with (
            asyncio.timeout(30),
            transport.send(UpstreamRequest("POST", endpoint + "/", headers, body), 30) as reply,
        ):
            return len(orjson.loads(await read_all(reply, 1 << 24)))

    yield ask
    await transport.aclose()


HTTP_CLIENTS = {
    "httpx, its own transport": (httpx_own, ("httpx",)),
    "httpx over httpx-aiohttp": (httpx_aiohttp, ("httpx_aiohttp",)),
    "aiohttp, bare": (aiohttp_bare, ("aiohttp",)),
    "httpx over ours": (httpx_thin, ("httpx",)),
    "HttpTransport (the port)": (port, ("httpx",)),
    "our pool, bare": (pool, ()),
}
DYNAMODB_CLIENTS = {
    "boto3 in threads": (boto3_threads, ("boto3",)),
    "botocore's signer, our pool": (botocore_signer, ("botocore",)),
    "own signer, httpx over ours": (signed_httpx, ("httpx",)),
    "own signer, our pool": (signed, ()),
}
IMPORTS = {
    "asyncio alone": "import asyncio",
    "our pool": "import asyncio, orrery.edge.http_pool",
    "our pool, TLS context from certifi": "import orrery.edge.http_tls as t; t.tls_context()",
    "our pool, TLS context from a small file": "import orrery.edge.http_tls as t; t.tls_context(CA)",
    "AWS calls on our pool": "import orrery.edge.aws",
    "httpx": "import httpx",
    "HttpTransport": "import orrery.edge.http as h; h.HttpTransport()",
    "httpx with its own client": "import httpx; httpx.AsyncClient(trust_env=False)",
    "httpx-aiohttp": "import httpx, httpx_aiohttp",
    "aiohttp": "import aiohttp",
    "botocore's signer": "import botocore.auth, botocore.awsrequest, botocore.credentials",
    "boto3 with a client": "import boto3; boto3.client('dynamodb', 'us-east-1')",
}


def chat(**more: object) -> bytes:
    return json.dumps({"model": "gpt-4o-mini", "messages": MESSAGES, **more}).encode()


def stream(count: int, gap_us: int) -> bytes:
    return chat(stream=True, metadata={"tag": f"@mock n={count} gap={gap_us} delay=0"})


async def many(ask: Ask, body: bytes, count: int, at_once: int) -> None:
    async def worker() -> None:
        for _ in range(count // at_once):
            assert await ask(body) > 0

    await asyncio.gather(*[worker() for _ in range(at_once)])


WORK = {  # what: (body, requests, at once, units, name of unit)
    "request c1, us": (chat(), 600, 1, 600),
    "request c16, us": (chat(), 800, 16, 800),
    "request c64, us": (chat(), 1280, 64, 1280),
    "chunk burst, us": (stream(2000, 0), 5, 1, 10_000),
    "chunk paced, us": (stream(300, 1000), 1, 1, 300),
}
CALLS = {"call c1, us": (b"", 500, 1, 500), "call c4, us": (b"", 800, 4, 800)}


async def measure(client, url: str, work) -> dict[str, float]:  # type: ignore[no-untyped-def]  # rows of the tables above
    figures = {}
    async with client(url) as ask:
        for what, (body, count, at_once, units) in work.items():
            await many(ask, body, at_once, at_once)
            before = time.process_time()
            await many(ask, body, count, at_once)
            figures[what] = (time.process_time() - before) * 1e6 / units
    return figures


def compare(clients, url: str, work, rounds: int, factory) -> None:  # type: ignore[no-untyped-def]  # as above
    present = {name: row[0] for name, row in clients.items() if all(importlib.util.find_spec(need) for need in row[1])}
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in present}
    for _ in range(rounds):
        for name, client in present.items():
            with asyncio.Runner(loop_factory=factory) as runner:
                seen[name].append(runner.run(measure(client, url, work)))
    print(f"{'':30}" + "".join(f"{what:>18}" for what in work))
    for name, runs in seen.items():
        print(f"{name:30}" + "".join(f"{statistics.median(run[what] for run in runs):18.1f}" for what in work))


def imports(rounds: int, ca: str) -> None:
    print(f"{'import, ms of CPU':42}")
    for name, code in IMPORTS.items():
        runs = []
        for _ in range(rounds):
            code = code.replace("CA", repr(ca))
            told = "print((time.process_time() - began) * 1e3, len(sys.modules))"
            script = f"import time, sys; began = time.process_time()\n{code}\n{told}"
            done = subprocess.run(
                [sys.executable, "-c", script],
                capture_output=True,
                text=True,
                env={**os.environ, "PYTHONPATH": sys.path[0]},
            )
            if done.returncode:
                break
            runs.append([float(x) for x in done.stdout.split()])
        if runs:
            print(f"{name:42}{statistics.median(run[0] for run in runs):8.1f} ms {runs[0][1]:6.0f} modules")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--mock", required=True, help="the compiled upstream, bench/mock.c")
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    ask.add_argument("--only", choices=["http", "dynamodb", "imports"])
    ask.add_argument("--small-ca", default="", help="a PEM file with a few certificates, for the import table")
    given = ask.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    port_number = free_port()
    mock = subprocess.Popen([given.mock, str(port_number)], preexec_fn=lambda: os.sched_setaffinity(0, cores[:1]))
    os.sched_setaffinity(0, cores[-1:])
    factory = None
    if given.loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    try:
        time.sleep(0.2)
        endpoint = f"http://127.0.0.1:{port_number}"
        if given.only in (None, "http"):
            compare(HTTP_CLIENTS, endpoint + "/v1/chat/completions", WORK, given.rounds, factory)
        if given.only in (None, "dynamodb"):
            compare(DYNAMODB_CLIENTS, endpoint, CALLS, given.rounds, factory)
        if given.only in (None, "imports"):
            imports(given.rounds, given.small_ca)
    finally:
        mock.terminate()
        mock.wait()


if __name__ == "__main__":
    main()
