"""The Lambda side: two of ours behind their streaming door, and the naive stack behind awslambdaric, cold and warm."""

import contextlib
import json
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import machine
from runtime_api import RuntimeApi, runtime_api
from staging import compiled, interpreter, stage
from subjects import AWS_KEYS, BRIDGED, CHATS, ROOT, Asked, asked
from upstream import PEPPER, Upstream

NAIVE = ("aws-lambda-powertools[tracer]", "awslambdaric", "boto3", "fastapi", "httpx", "mangum")
WARM_UP = 50
FREEZE_S = 0.02
"""Between a cold start's answer and its end: the last posts of a function are still under way."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function, staged: the command of its process, the environment that Lambda gives it, and what it is asked."""

    name: str
    command: tuple[str | Path, ...]
    env: Mapping[str, str]
    folder: Path
    asks: Asked = CHATS


@dataclass(frozen=True, slots=True)
class Cold:
    """Seconds from the process's start to the first byte of its first answer; CPU seconds until then, about."""

    first_byte_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Warm:
    """`cpu_s` is for each invocation, the fetching of the event and the posting of the answer included."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    errors: int


def orrery(upstream: Upstream, folder: Path) -> tuple[Function, Function]:
    """The chat and the responses function as they deploy: both layers, compiled, started by the exec wrapper."""
    packages = folder / "orrery/python"
    stage(ROOT / ".venv", _layer(), (ROOT / "layers/orrery/orrery",), packages)
    python = interpreter(folder / "orrery/interpreter")
    chat = _ours("orrery", "chat", CHATS, upstream, python, packages)
    return chat, _ours("responses", "responses", BRIDGED["response"], upstream, python, packages)


def _layer() -> list[str]:
    """What the layer of dependencies is made of."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return list(groups["lambda"])


def _ours(name: str, family: str, asks: Asked, upstream: Upstream, python: Path, packages: Path) -> Function:
    task = packages.parent / f"task-{family}"
    shutil.copytree(ROOT / "functions" / family, task, ignore=shutil.ignore_patterns("__pycache__"))
    compiled(task)
    env = {
        **_variables(upstream, task, packages),
        "ORRERY_TABLE_NAME": "orrery",
        "ORRERY_DYNAMODB_ENDPOINT": upstream.url,
        "ORRERY_KEY_PEPPER": PEPPER,
    }
    door = ROOT / "layers/orrery/streaming-door"
    return Function(name, ("/bin/sh", door, python), env, task, asks)


def naive(upstream: Upstream, folder: Path) -> Function:
    """`naive/app.py` with its packages, compiled as ours are."""
    packages = folder / "naive/python"
    stage(ROOT / ".venv-bench", NAIVE, (), packages)
    task = folder / "naive/task"
    shutil.copytree(ROOT / "bench/naive", task, ignore=shutil.ignore_patterns("__pycache__"))
    compiled(task)
    env = {
        **_variables(upstream, task, packages),
        "TABLE_NAME": "naive",
        "AWS_ENDPOINT_URL_DYNAMODB": upstream.url,
    }
    command = (interpreter(folder / "naive/interpreter"), "-m", "awslambdaric", "app.handler")
    return Function("naive", command, env, task)


def _variables(upstream: Upstream, task: Path, packages: Path) -> dict[str, str]:
    """What Lambda sets, and what both functions need to find the upstream."""
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{task}:{packages}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": "chat",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/chat",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/21/[$LATEST]0",
        "LAMBDA_TASK_ROOT": str(task),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": "app.handler",
        "OPENAI_API_KEY": "sk-upstream",
        "OPENAI_BASE_URL": f"{upstream.url}/v1",
        "DEEPSEEK_API_KEY": "sk-upstream",
        "DEEPSEEK_BASE_URL": f"{upstream.url}/v1",
        **AWS_KEYS,
    }


def event(upstream: Upstream, asks: Asked) -> bytes:
    """A REST API's proxy event (payload 1.0) with a request in it."""
    path = asks.path
    headers = {
        "Authorization": f"Bearer {upstream.token}",
        "Content-Type": "application/json",
        "Host": "abcdefghij.execute-api.us-east-1.amazonaws.com",
        "User-Agent": "bench",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
    }
    return json.dumps(
        {
            "resource": path,
            "path": path,
            "httpMethod": "POST",
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "pathParameters": None,
            "stageVariables": None,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "abcdefghij",
                "httpMethod": "POST",
                "identity": {"sourceIp": "192.0.2.1", "userAgent": "bench"},
                "path": f"/prod{path}",
                "protocol": "HTTP/1.1",
                "requestId": "3f1c7d0e-0000-4000-8000-000000000001",
                "resourcePath": path,
                "stage": "prod",
            },
            "body": asked(asks).decode(),
            "isBase64Encoded": False,
        }
    ).encode()


@contextlib.contextmanager
def _environment(function: Function, api: RuntimeApi) -> Iterator[int]:
    """The function's process, from its start; gives its pid."""
    env = {**function.env, "AWS_LAMBDA_RUNTIME_API": api.address}
    process = machine.start(function.command, env, function.folder, function.folder / "log")
    try:
        yield process.pid
    finally:
        machine.stop(process, patience_s=0.5)


def cold(function: Function, upstream: Upstream) -> Cold:
    """One cold start. Raises `RuntimeError` for any answer but a 200."""
    with runtime_api() as api:
        began = time.perf_counter()
        with _environment(function, api) as pid:
            posted = api.invoke(event(upstream, function.asks))
            cpu_s, peak = machine.cpu_s([pid]), machine.peak_mb([pid])
            time.sleep(FREEZE_S)
        require_ok(function, posted.body)
    return Cold(posted.first_s - began, cpu_s, peak)


def warm(function: Function, upstream: Upstream, invocations: int) -> Warm:
    """Invocations one after the other in one process, after the first ones."""
    told = event(upstream, function.asks)
    errors = 0
    with runtime_api() as api, _environment(function, api) as pid:
        for _ in range(WARM_UP):
            require_ok(function, api.invoke(told).body)
        began, before_s = time.perf_counter(), machine.cpu_s([pid])
        for _ in range(invocations):
            errors += not is_ok(api.invoke(told).body)
        cpu_s, wall_s = machine.cpu_s([pid]) - before_s, time.perf_counter() - began
        return Warm(cpu_s / invocations, wall_s / invocations, machine.peak_mb([pid]), errors)


def tls_context_s(function: Function) -> float:
    """What the first https connection adds to our cold start: the upstream speaks http, and ours builds it lazily.

    The naive stack's client builds its own at import, so its cold start has it.
    """
    program = (
        "import ssl, certifi, time; from orrery.edge.http_tls import tls_context; began = time.perf_counter(); "
        "tls_context(); print(time.perf_counter() - began)"
    )
    with machine.on_core(machine.THEIRS):
        command = [function.command[-1], "-c", program]
        return float(subprocess.run(command, env=dict(function.env), check=True, capture_output=True).stdout)


def is_ok(body: bytes) -> bool:
    """Whether a function answered 200 with a completion or a response, streamed or buffered."""
    head, _, answer = body.partition(bytes(8))
    with contextlib.suppress(ValueError, KeyError):
        said = json.loads(head)
        return bool(said["statusCode"] == 200 and json.loads(answer or said["body"])["usage"])
    return False


def require_ok(function: Function, body: bytes) -> None:
    """Raises `RuntimeError` with what the function said instead."""
    if not is_ok(body):
        log = (function.folder / "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"the {function.name} function did not answer 200: {body[:300]!r}\n{log}")
