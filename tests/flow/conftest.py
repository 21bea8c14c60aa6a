"""A table for what the flow keeps: the embedded DynamoDB of `make run`, one for all tests, a new table for each."""

import itertools
from collections.abc import Iterator

import pytest

from orrery.edge.embedded.engine import Engine
from orrery.stores.definition import DEFINITION, TIME_TO_LIVE
from orrery.stores.table import Table

_numbers = itertools.count()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("dynamodb") / "journal")
    yield engine
    engine.close()


@pytest.fixture
def table(engine: Engine) -> Table:
    name = f"flow{next(_numbers)}"
    engine.run("CreateTable", DEFINITION | {"TableName": name})
    engine.run("UpdateTimeToLive", {"TableName": name, "TimeToLiveSpecification": TIME_TO_LIVE})
    return Table(engine.call, name)
