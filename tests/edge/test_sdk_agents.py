"""OpenAI's Agents SDK against the server of `make run`, by `OpenAIResponsesModel`; all on the wire is judged."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from agents import (
    Agent,
    ModelSettings,
    OpenAIConversationsSession,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    SQLiteSession,
    function_tool,
    handoff,
)
from agents.memory import OpenAIResponsesCompactionSession
from openai import AsyncOpenAI
from openai.types.shared import Reasoning
from pydantic import BaseModel

from tests.edge.responses_judge import async_judged
from tests.edge.running import Running, running

MODEL = "sandbox/echo"
QUIET = RunConfig(tracing_disabled=True)
CALL = 'call get_weather {"city": "Oslo"}'


class Planet(BaseModel):
    name: str
    moons: int


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


@function_tool
def get_broken() -> str:
    """A tool that breaks."""
    raise RuntimeError("nothing works")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("state")) as server:
        yield server


@pytest.fixture
async def client(server: Running) -> AsyncIterator[AsyncOpenAI]:
    async with async_judged(server) as client:
        yield client


def agent(client: AsyncOpenAI, name: str = "Comet", **more: Any) -> Agent:
    return Agent(name=name, model=OpenAIResponsesModel(MODEL, client), instructions=f"You are {name}.", **more)


async def run(asking: Agent, said: Any, **more: Any) -> Any:
    return await Runner.run(asking, said, run_config=QUIET, **more)


async def run_streamed(asking: Agent, said: Any, **more: Any) -> Any:
    result = Runner.run_streamed(asking, said, run_config=QUIET, **more)
    events = [event async for event in result.stream_events()]
    raw = [event.data for event in events if event.type == "raw_response_event"]
    assert raw[-1].type == "response.completed"
    deltas = "".join(event.delta for event in raw if event.type == "response.output_text.delta")
    assert deltas.endswith(result.final_output if isinstance(result.final_output, str) else "}")
    return result


each_way = pytest.mark.parametrize("go", [run, run_streamed])
type Go = Callable[..., Awaitable[Any]]


@each_way
async def test_an_agent_answers(client: AsyncOpenAI, go: Go) -> None:
    result = await go(agent(client), "Hello, planets")
    assert result.final_output == "Hello, planets"
    usage = result.context_wrapper.usage
    assert (usage.requests, usage.total_tokens) == (1, usage.input_tokens + usage.output_tokens)
    assert usage.input_tokens == 5, "instructions and the question"


@each_way
async def test_functions_are_called_and_their_answers_heard(client: AsyncOpenAI, go: Go) -> None:
    asking = agent(client, tools=[get_weather])
    result = await go(asking, f'{CALL}\ncall get_weather {{"city": "Rome"}}')
    assert result.final_output == "get_weather said: rain in Oslo\nget_weather said: rain in Rome"
    kinds = [item.type for item in result.new_items]
    assert kinds == [
        "tool_call_item",
        "tool_call_item",
        "tool_call_output_item",
        "tool_call_output_item",
        "message_output_item",
    ]
    assert [len(reply.output) for reply in result.raw_responses] == [2, 1]
    again = await go(asking, [*result.to_input_list(), {"role": "user", "content": CALL}])
    assert again.final_output == "get_weather said: rain in Oslo"


@each_way
async def test_what_was_thought_goes_along_without_state(client: AsyncOpenAI, go: Go) -> None:
    settings = ModelSettings(
        store=False,
        response_include=["reasoning.encrypted_content"],
        reasoning=Reasoning(effort="low"),
        parallel_tool_calls=False,
        metadata={"topic": "weather"},
    )
    asking = agent(client, tools=[get_weather], model_settings=settings)
    result = await go(asking, f"think of Norway\n{CALL}\n{CALL}")
    assert result.final_output == "get_weather said: rain in Oslo"
    thought = result.raw_responses[0].output[0]
    assert thought.type == "reasoning" and thought.encrypted_content


@each_way
async def test_a_function_that_breaks_is_heard_as_such(client: AsyncOpenAI, go: Go) -> None:
    result = await go(agent(client, tools=[get_broken]), "call get_broken {}")
    assert result.final_output.startswith("get_broken said: An error occurred")


@each_way
async def test_one_agent_hands_over_to_another(client: AsyncOpenAI, go: Go) -> None:
    pluto = agent(client, "Pluto", tools=[get_weather], handoff_description="Knows dwarf planets")
    result = await go(agent(client, handoffs=[handoff(pluto)]), "call transfer_to_pluto {}")
    assert result.last_agent.name == "Pluto"
    assert result.final_output == 'transfer_to_pluto said: {"assistant": "Pluto"}'
    further = await go(result.last_agent, [*result.to_input_list(), {"role": "user", "content": CALL}])
    assert further.final_output == "get_weather said: rain in Oslo"


@each_way
async def test_an_agent_is_a_tool_of_another(client: AsyncOpenAI, go: Go) -> None:
    inner = agent(client, "Inner").as_tool("ask_inner", "Asks the inner one", custom_output_extractor=None)
    result = await go(agent(client, tools=[inner]), 'call ask_inner {"input": "What is deep?"}')
    assert result.final_output == "ask_inner said: What is deep?"


@each_way
async def test_a_session_remembers(client: AsyncOpenAI, go: Go) -> None:
    session = SQLiteSession("planets")
    asking = agent(client, tools=[get_weather])
    await go(asking, CALL, session=session)
    result = await go(asking, "Thank you", session=session)
    assert result.final_output == "Thank you"
    items = await session.get_items()
    assert [item.get("type", item.get("role")) for item in items] == [
        *("user", "function_call", "function_call_output", "message"),
        *("user", "message"),
    ]
    session.close()


@each_way
async def test_a_session_is_a_conversation_of_the_gateway(client: AsyncOpenAI, go: Go) -> None:
    session = OpenAIConversationsSession(openai_client=client)
    asking = agent(client, tools=[get_weather])
    await go(asking, f"think of Norway\n{CALL}", session=session)
    result = await go(asking, "Thank you", session=session)
    assert result.final_output == "Thank you"
    kinds = [item["type"] for item in await session.get_items()]
    assert kinds == [
        *("message", "reasoning", "function_call", "function_call_output", "message"),
        *("message", "message"),
    ]
    assert [item["content"][0]["text"] for item in await session.get_items(limit=2)] == ["Thank you"] * 2
    await session.clear_session()


@each_way
async def test_the_gateway_keeps_the_conversation(client: AsyncOpenAI, go: Go) -> None:
    made = await client.conversations.create()
    asking = agent(client, tools=[get_weather])
    await go(asking, CALL, conversation_id=made.id)
    await go(asking, "Thank you", conversation_id=made.id)
    kinds = [item.type async for item in client.conversations.items.list(made.id, order="asc")]
    assert kinds == ["message", "function_call", "function_call_output", "message", "message", "message"]


@each_way
async def test_each_response_continues_the_one_before(client: AsyncOpenAI, go: Go) -> None:
    asking = agent(client, tools=[get_weather])
    first = await go(asking, CALL, auto_previous_response_id=True)
    assert first.final_output == "get_weather said: rain in Oslo"
    second = await go(asking, "Thank you", previous_response_id=first.last_response_id)
    ids = [reply.response_id for reply in (*first.raw_responses, *second.raw_responses)]
    before = [(await client.responses.retrieve(id)).previous_response_id for id in ids]
    assert before == [None, *ids[:-1]]
    listed = [item.type async for item in client.responses.input_items.list(ids[1])]
    assert listed == ["function_call_output"], "what came before is not sent again"


@each_way
async def test_structured_output_is_the_agents_type(client: AsyncOpenAI, go: Go) -> None:
    result = await go(agent(client, output_type=Planet, tools=[get_weather]), "Which planet?")
    assert isinstance(result.final_output_as(Planet, raise_if_incorrect_type=True), Planet)


async def test_a_long_session_is_made_short(client: AsyncOpenAI) -> None:
    """By `responses.compact`, in the two ways that the SDK has: with what was said, and with a response's id."""
    for mode in ("input", "previous_response_id"):
        kept = SQLiteSession(mode)
        session = OpenAIResponsesCompactionSession(
            mode, kept, client=client, compaction_mode=mode, should_trigger_compaction=lambda told: True
        )
        session.model = MODEL  # the constructor takes OpenAI's names only
        await run(agent(client), "one two three", session=session)
        assert [item["type"] for item in await session.get_items()] == ["compaction"]
        result = await run(agent(client), "four", session=session)
        assert result.final_output == "four"
        kept.close()


async def test_many_agents_run_side_by_side(client: AsyncOpenAI) -> None:
    asking = agent(client, tools=[get_weather])

    async def one(number: int) -> str:
        go = (run, run_streamed)[number % 2]
        said = f"call get_weather {json.dumps({'city': f'city {number}'})}"
        return str((await go(asking, said)).final_output)

    told = await asyncio.gather(*map(one, range(8)))
    assert told == [f"get_weather said: rain in city {number}" for number in range(8)]
