"""Whatever is posted, it is a request for a response, or refused with what is wrong in it."""

import typing
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call
from orrery.wire.options import GATEWAY_FIELDS
from orrery.wire.posted import Posted
from orrery.wire.response_shapes import OURS, PARAMETERS
from orrery.wire.responses import read_compaction, read_response
from tests.wire.responding import MINIMAL

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def judged(reading: typing.Callable[[Posted], Call], body: dict[str, Any]) -> Call | None:
    try:
        return reading(Posted(orjson.dumps(body)))
    except InvalidRequest as err:
        assert err.status == 400
        assert err.param
        return None


@settings(max_examples=100)
@given(st.sampled_from([*PARAMETERS, *sorted(GATEWAY_FIELDS), "model"]), json_values)
def test_any_value_of_any_field_is_accepted_or_named(name: str, value: object) -> None:
    call = judged(read_response, {**MINIMAL, name: value})
    if call is not None:
        assert call.body.keys().isdisjoint(OURS | GATEWAY_FIELDS)
    judged(read_compaction, {**MINIMAL, name: value})


KINDS = st.sampled_from(
    [
        "message",
        "function_call",
        "function_call_output",
        "reasoning",
        "item_reference",
        "mcp_call",
        "orq:x",
        "web_search",
    ]
)
FIELDS = st.sampled_from(
    ["id", "role", "content", "call_id", "name", "arguments", "output", "summary", "approve", "tools", "server_url"]
)
things = st.fixed_dictionaries({}, optional={"type": KINDS | json_values}).flatmap(
    lambda head: st.dictionaries(FIELDS, json_values | st.sampled_from(["user", "assistant"]), max_size=5).map(
        lambda rest: {**rest, **head}
    )
)


@settings(max_examples=80)
@given(st.lists(things, max_size=3), st.lists(things, max_size=2), json_values | things)
def test_any_items_and_tools_are_accepted_or_named(items: Any, tools: Any, choice: Any) -> None:
    judged(read_response, {**MINIMAL, "input": items, "tools": tools, "tool_choice": choice})
    judged(read_response, {**MINIMAL, "prompt": choice, "conversation": choice})


@given(json_values.map(orjson.dumps) | st.binary(max_size=50))
def test_bytes_that_are_no_request_are_refused(raw: bytes) -> None:
    for reading in (read_response, read_compaction):
        with pytest.raises(InvalidRequest):
            reading(Posted(raw))


@given(st.dictionaries(st.text(min_size=1), json_values, max_size=5))
def test_unknown_fields_survive_in_their_order(extra: dict[str, Any]) -> None:
    unknown = {name: value for name, value in extra.items() if name not in {*PARAMETERS, *GATEWAY_FIELDS, "model"}}
    message = {"role": "user", "content": "hi", **{f"x_{name}": value for name, value in unknown.items()}}
    ours = {"model": "m", "input": [message]}
    body = {**unknown, "retry": {}, **ours, "orq": {}, "memory": {"entity_id": "e"}}
    assert orjson.dumps(read_response(Posted(orjson.dumps(body))).body) == orjson.dumps({**unknown, **ours})
