"""What is measured: a direct call, ours as `make run` starts it, and LiteLLM's proxy, one process each on one core."""

import contextlib
import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import machine
from upstream import PEPPER, Upstream

ROOT = Path(__file__).parent.parent
MODEL = "gpt-4o-mini"
MASTER_KEY = "sk-bench-master-key"
AWS_KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "benchmarks",
    "AWS_REGION": "us-east-1",
}
START_S = 120.0
POLL_S = 0.004


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a server: the route, the model, and what else the body says."""

    path: str
    model: str
    more: Mapping[str, Any] = field(default_factory=dict)


CHATTING = "deepseek/deepseek-chat"
"""The upstream as a provider that has no responses of its own."""

CHATS = Asked("/v1/chat/completions", MODEL, {"temperature": 0.2})
BRIDGED = {
    "chat": Asked("/v1/chat/completions", CHATTING, {"temperature": 0.2}),
    "response": Asked("/v1/responses", CHATTING, {"temperature": 0.2, "store": False}),
    "stored": Asked("/v1/responses", CHATTING, {"temperature": 0.2, "store": True}),
}
"""The same words, asked of the same provider in three ways."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A server: how to start it (nothing for the upstream itself) and how to ask it."""

    name: str
    port: int
    key: str
    command: tuple[str | Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    log: Path = Path("/dev/null")


def direct(upstream: Upstream) -> Subject:
    """The upstream itself: what every other figure is compared with."""
    return Subject("direct", upstream.port, "sk-none")


def orrery(upstream: Upstream, folder: Path) -> Subject:
    """`make run` with its table at the upstream: auth, hold, record, settle and the log line included."""
    port = free_port()
    state = folder / "state"
    state.mkdir(exist_ok=True)
    (state / "connection.json").write_text(json.dumps({"base_url": "", "api_key": upstream.token}))
    env = {
        "PATH": "/usr/bin:/bin",
        "ORRERY_PORT": str(port),
        "ORRERY_STATE": str(state),
        "ORRERY_LOG": "json",
        "ORRERY_DYNAMODB_ENDPOINT": upstream.url,
        "ORRERY_KEY_PEPPER": PEPPER,
        "OPENAI_API_KEY": "sk-upstream",
        "OPENAI_BASE_URL": f"{upstream.url}/v1",
        "DEEPSEEK_API_KEY": "sk-upstream",
        "DEEPSEEK_BASE_URL": f"{upstream.url}/v1",
        **AWS_KEYS,
    }
    python = ROOT / ".venv/bin/python"
    return Subject("orrery", port, upstream.token, (python, "-m", "orrery.edge.local"), env, folder / "orrery.log")


def litellm(upstream: Upstream, folder: Path) -> Subject:
    """LiteLLM's proxy as its documentation starts it: one worker, one model, a master key; no database."""
    port = free_port()
    config = folder / "litellm.yaml"
    parameters = {"model": f"openai/{MODEL}", "api_base": f"{upstream.url}/v1", "api_key": "sk-upstream"}
    settings = {
        "model_list": [{"model_name": MODEL, "litellm_params": parameters}],
        "general_settings": {"master_key": MASTER_KEY},
    }
    config.write_text(json.dumps(settings))  # JSON is YAML
    env = {
        "PATH": f"{ROOT / '.venv-bench/bin'}:/usr/bin:/bin",
        "HOME": str(folder),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches one from the internet at start
        "LITELLM_TELEMETRY": "False",
    }
    command = (
        ROOT / ".venv-bench/bin/litellm",
        "--config",
        config,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--num_workers",
        "1",
    )
    return Subject("litellm", port, MASTER_KEY, command, env, folder / "litellm.log")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def running(subject: Subject, folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", float]]:
    """The process, and the seconds from its start to its first answer. Raises `RuntimeError` when none comes."""
    began = time.perf_counter()
    process = machine.start(subject.command, subject.env, folder, subject.log)
    try:
        yield process, _first_answer(subject, process, began) - began
    finally:
        machine.stop(process)


def _first_answer(subject: Subject, process: "subprocess.Popen[bytes]", began: float) -> float:
    while time.perf_counter() < began + START_S and process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException), asking(subject, chat_body()) as (status, _, _):
            if status == 200:
                return time.perf_counter()
        time.sleep(POLL_S)
    said = subject.log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{subject.name} gave no answer within {START_S:g} s of its start:\n{said}")


@contextlib.contextmanager
def asking(subject: Subject, body: bytes, path: str = CHATS.path) -> Iterator[tuple[int, Mapping[str, str], bytes]]:
    """One request: status, headers (lower case), body. The connection is open until the context is left."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", subject.port, timeout=30)) as connection:
        headers = {"authorization": f"Bearer {subject.key}", "content-type": "application/json"}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        yield answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def chat_body(tag: str = "", *, stream: bool = False) -> bytes:
    """A chat of 0.7 KB, answered with 1.6 KB; `tag` tells the upstream how."""
    return asked(CHATS, tag, stream=stream)


def asked(what: Asked, tag: str = "", *, stream: bool = False) -> bytes:
    """The body: of a chat, or of a response with the same words."""
    messages = [
        {"role": "system", "content": "You are a careful assistant. " * 12},
        {"role": "user", "content": "Say something about gateways. " * 10 + tag},
    ]
    words = "input" if what.path.endswith("/responses") else "messages"
    body = {"model": what.model, words: messages, **what.more}
    return json.dumps(body | {"stream": True} if stream else body).encode()


def version(distribution: str, python_home: Path) -> str:
    """The installed version of a package in a virtual environment."""
    folders = [str(path) for path in python_home.glob("lib/python3*/site-packages")]
    found = next(distributions(name=distribution, path=folders), None)
    return found.version if found else "absent"
