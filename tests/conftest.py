"""What every test stands on: no socket beyond this machine, no environment of the person who runs it."""

import ipaddress
import os
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Tests never time: a machine that is slow today is no fault of what they look at.
settings.register_profile("patient", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
# For a search in depth: make test ARGS=--hypothesis-profile=thorough
settings.register_profile("thorough", settings.get_profile("patient"), max_examples=1000)
settings.load_profile("patient")

OWN_VARIABLES = ("_API_KEY", "_BASE_URL")


class BeyondLoopback(AssertionError):
    """A test tried to reach another machine."""


def _is_local(host: Any) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def _guard(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook, so that nothing in the process gets round it by holding an unpatched function."""
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        if not isinstance(address, tuple):  # a Unix socket's path
            return
        host = address[0]
    else:
        return
    if not _is_local(host):
        raise BeyondLoopback(f"{event} to {host!r}: tests stay on this machine")


sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def _no_environment_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys and settings of whoever runs the tests change nothing."""
    for name in list(os.environ):
        if name.endswith(OWN_VARIABLES) or name.startswith(("ORRERY_", "AWS_")) or name == "OLLAMA_HOST":
            monkeypatch.delenv(name)
