"""A request to compact what was said: what it needs, and what goes on."""

from typing import Any

import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.responses import Responding
from orrery.core.types import Operation
from tests.wire.responding import MINIMAL, compaction


def test_a_compaction_is_stored_nowhere() -> None:
    call = compaction(previous_response_id="resp_1", instructions="short", stream=True, retry={"count": 2})
    assert call.operation is Operation.RESPONSES
    assert call.body == {**MINIMAL, "instructions": "short"}
    assert not call.stream
    assert call.options.retry.count == 2
    assert call.options.responding == Responding(store=False, previous="resp_1", compacts=True)


@pytest.mark.parametrize(
    ("fields", "param"), [({"model": None}, "model"), ({"input": None}, "input"), ({"input": [{}]}, "input[0].role")]
)
def test_a_compaction_needs_a_model_and_something_to_compact(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        compaction(**fields)
    assert caught.value.param == param


def test_a_compaction_of_what_came_before_needs_no_input() -> None:
    assert compaction(input=None, previous_response_id="resp_1").options.responding == Responding(
        store=False, previous="resp_1", compacts=True
    )
