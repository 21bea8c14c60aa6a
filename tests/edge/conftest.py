"""The HTTP client runs on asyncio's loop in Lambda and on uvloop on a laptop: its tests run on both."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

BOTH = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
ONE = {"asyncio": asyncio.new_event_loop}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return BOTH if item.path.name.startswith(("test_http", "test_aws", "test_egress")) else ONE
