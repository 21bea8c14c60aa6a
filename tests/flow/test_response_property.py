"""Whatever an upstream does, and however long a tool takes: a response is well formed, and settled."""

import asyncio
from typing import Any

import hypothesis.strategies as st
import orjson
from hypothesis import HealthCheck, given, settings

from orrery.core.errors import GatewayError
from orrery.core.tools import Opened, Outcome
from tests.fakes import DONE, Room, chunk, cut, in_virtual_time, stream, usage_chunk
from tests.flow.responding import FakeTool, Memory, calls, final, function, kinds, respond, said, words
from tests.wire.composing import judge

CLOCK = [{"type": "orq:current_date"}]
TOOLS = [*CLOCK, function()]
NAMES = st.sampled_from(["clock", "get_weather", "unknown", ""])
TEXTS = st.sampled_from(["", "a", "two words ", "☿", "\n\ndata: [DONE]\n\n", '{"a":', "1}"])


class Kept:
    """All that these responses need from outside."""

    def __init__(self, tool: FakeTool) -> None:
        self.responses = Memory()
        self.toolbox = self
        self._tool = tool

    async def open(self, spec: Any, setting: Any) -> Any:
        return Opened([self._tool])


def called(name: str, arguments: str, index: int) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": f"c{index}", "type": "function", "function": function}]}


DELTAS = st.one_of(
    st.builds(lambda text: {"content": text}, TEXTS),
    st.builds(lambda text: {"reasoning_content": text}, TEXTS),
    st.builds(lambda text: {"refusal": text}, TEXTS),
    st.builds(called, NAMES, TEXTS, st.integers(0, 2)),
    st.builds(
        lambda text, index: {"tool_calls": [{"index": index, "function": {"arguments": text}}]},
        TEXTS,
        st.integers(0, 2),
    ),
    st.just({}),
)
REASONS = st.sampled_from([None, None, None, "stop", "length", "tool_calls", "content_filter", "what?"])
PARTS = st.one_of(
    st.builds(chunk, DELTAS, REASONS),
    st.builds(chunk, DELTAS, REASONS),
    st.just(usage_chunk()),
    st.sampled_from([b": ping\n\n", b"data: nonsense\n\n", b"data: {}\n\n", b'data: {"error":{"message":"no"}}\n\n']),
)
ENDS = st.sampled_from(
    [(DONE,), (), (cut(),), (chunk({}, "stop"), DONE), (chunk({}, "tool_calls"), usage_chunk(), DONE)]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(turns=st.lists(st.tuples(st.lists(PARTS, max_size=8), ENDS), min_size=1, max_size=3))
def test_any_upstream_makes_a_well_formed_response(turns: Any) -> None:
    room = Room(extras=Kept(FakeTool()))
    room.transport.replies = [stream(*parts, *end) for parts, end in turns] + [words("done")] * 40

    async def main() -> None:
        body = {"input": "hi", "stream": True, "tools": TOOLS, "limits": {"max_iterations": 4}}
        try:
            told = await respond(room, body)
        except GatewayError:
            assert room.extras.responses.kept == {}  # nothing was said of it yet
        else:
            judge(told.payloads)
            (kept,) = room.extras.responses.kept.values()
            assert (kept.status, kinds(kept.shown)) == (final(told)["status"], kinds(final(told)))
        assert room.ledger.holds == {} and room.transport.open == 0

    asyncio.run(main())


def test_a_tool_that_hangs_is_given_up_and_the_model_hears_of_it() -> None:
    async def hang(*_: object) -> Outcome:
        await asyncio.sleep(3600)
        raise AssertionError("nobody waits so long")

    async def main() -> None:
        room = Room(extras=Kept(FakeTool(does=hang)))
        room.transport.replies = [calls(("clock", "{}")), words("never mind")]
        body = {"input": "hi", "stream": True, "tools": CLOCK, "limits": {"tool_timeout": 7}}
        told = await respond(room, body)
        judge(told.payloads)
        assert said(final(told)) == "never mind"
        heard = orjson.loads(room.transport.requests[-1].body)["messages"][-1]
        assert heard["content"] == "The tool 'clock' gave no answer in 7 s."

    in_virtual_time(main)


def test_a_response_has_no_more_time_than_it_is_given() -> None:
    async def slow(*_: object) -> Outcome:
        await asyncio.sleep(40)
        return Outcome("noon")

    async def main() -> None:
        room = Room(extras=Kept(FakeTool(does=slow)))
        room.transport.replies = [calls(("clock", "{}"), id=f"c{n}") for n in range(9)]
        body = {"input": "hi", "stream": True, "tools": CLOCK, "limits": {"max_execution_time": 100}}
        told = await respond(room, body)
        judge(told.payloads)
        assert final(told)["incomplete_details"] == {"reason": "max_execution_time"}
        assert len(room.transport.requests) == 3

    in_virtual_time(main)
