"""Stored prompts in a chat: before its messages, or in their place; and what they bring along."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.errors import GatewayError, InvalidRequest, NotFound, Unavailable
from orrery.core.options import Options, Retry, Weighted
from orrery.core.records import Prompt
from orrery.core.types import Call, Operation
from orrery.flow.prompting import prompted
from orrery.wire.chat import read_chat
from tests.fakes import Room

SYSTEM = {"role": "system", "content": "Be kind to {{name}}."}
HI = {"role": "user", "content": "hi"}


@dataclass
class FakePrompts:
    """Prompts by organization and id; `fault` is raised instead."""

    known: Mapping[tuple[str, str], Prompt] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    fault: GatewayError | None = None

    async def published(self, organization: str, prompt: str) -> Prompt | None:
        self.asked.append((organization, prompt))
        if self.fault:
            raise self.fault
        return self.known.get((organization, prompt))


@dataclass
class Asked:
    """What became of a call."""

    call: Call
    headers: dict[str, str]

    @property
    def contents(self) -> list[str]:
        return [message["content"] for message in self.call.body["messages"]]


def a_call(prompt: str = "", registered: str = "", **body: Any) -> Call:
    asked = {"model": "openai/gpt-4o-mini", "messages": [HI], **body}
    call = read_chat(orjson.dumps({name: value for name, value in asked.items() if value is not None}))
    return replace(call, options=replace(call.options, prompt=prompt, registered_prompt=registered), received_at=7)


def a_prompt(prompt: str = "kind", version: int = 3, /, model: str = "", text: str = "", **parameters: Any) -> Prompt:
    messages = [{"role": "system", "content": text} if text else SYSTEM]
    return Prompt(prompt, version, messages, model, parameters)


async def ask(call: Call, *prompts: Prompt) -> Asked:
    fake = FakePrompts({("org-a", prompt.id): prompt for prompt in prompts})
    headers: dict[str, str] = {}
    gateway = Room(extras=SimpleNamespace(prompts=fake)).gateway()
    return Asked(await prompted(call, "org-a", headers, gateway), headers)


async def test_a_prompt_of_the_body_is_prepended() -> None:
    asked = await ask(a_call("kind"), a_prompt())
    assert asked.call.body["messages"] == [SYSTEM, HI]
    assert asked.headers == {"x-orq-prompt": "kind@3"}
    assert asked.call.model == asked.call.body["model"] == "openai/gpt-4o-mini"


async def test_a_prompt_of_the_header_takes_the_place_of_the_messages() -> None:
    asked = await ask(a_call(registered="kind"), a_prompt())
    assert asked.call.body["messages"] == [SYSTEM]
    assert asked.headers == {"x-orq-prompt": "kind@3"}


@pytest.mark.parametrize("where", ["prompt", "registered"])
async def test_its_model_replaces_the_requested_one(where: str) -> None:
    asked = await ask(a_call(**{where: "kind"}), a_prompt(model="anthropic/claude-x"))
    assert asked.call.model == asked.call.body["model"] == "anthropic/claude-x"


async def test_both_at_once() -> None:
    before = a_prompt("before", 1, text="before", top_p=0.1, seed=1)
    instead = a_prompt("instead", 2, "groq/x", "instead", top_p=0.2, n=2)
    asked = await ask(a_call("before", "instead"), before, instead)
    assert asked.contents == ["before", "instead"]
    assert asked.call.model == "groq/x"
    assert asked.headers == {"x-orq-prompt": "instead@2, before@1"}
    assert {name: asked.call.body[name] for name in ("top_p", "seed", "n")} == {"top_p": 0.1, "seed": 1, "n": 2}
    asked = await ask(a_call("before", "instead"), replace(before, model="openai/a"), instead)
    assert asked.call.model == "openai/a"


async def test_one_of_the_body_that_is_not_there_changes_nothing_but_a_header() -> None:
    call = a_call("nobody")
    asked = await ask(call)
    assert asked.call is call
    assert asked.headers == {"x-orq-prompt": "not_found"}
    asked = await ask(a_call("nobody", "kind"), a_prompt())
    assert (asked.contents, asked.headers) == ([SYSTEM["content"]], {"x-orq-prompt": "kind@3, not_found"})


async def test_one_of_the_header_that_is_not_there_is_404() -> None:
    with pytest.raises(NotFound) as refused:
        await ask(a_call("kind", "x" * 500), a_prompt())
    assert (refused.value.status, refused.value.code) == (404, "prompt_not_found")
    assert len(refused.value.message) < 150


async def test_another_organizations_prompt_is_not_there() -> None:
    fake = FakePrompts({("org-a", "kind"): a_prompt()})
    gateway = Room(extras=SimpleNamespace(prompts=fake)).gateway()
    headers: dict[str, str] = {}
    call = a_call("kind")
    assert await prompted(call, "org-b", headers, gateway) is call
    assert (headers, fake.asked) == ({"x-orq-prompt": "not_found"}, [("org-b", "kind")])


async def test_a_gateway_without_prompts_has_none() -> None:
    call, headers = a_call("kind"), dict[str, str]()
    assert await prompted(call, "org-a", headers, Room().gateway()) is call
    with pytest.raises(NotFound):
        await prompted(a_call(registered="kind"), "org-a", headers, Room().gateway())


@pytest.mark.parametrize("where", ["prompt", "registered"])
async def test_a_table_that_fails_is_no_missing_prompt(where: str) -> None:
    fake = FakePrompts(fault=Unavailable("down"))
    gateway = Room(extras=SimpleNamespace(prompts=fake)).gateway()
    with pytest.raises(Unavailable):
        await prompted(a_call(**{where: "kind"}), "org-a", {}, gateway)


@pytest.mark.parametrize("operation", [each for each in Operation if each is not Operation.CHAT])
async def test_only_chats_take_prompts(operation: Operation) -> None:
    call = replace(a_call("kind", "kind"), operation=operation)
    asked = await ask(call, a_prompt(model="groq/x"))
    assert asked.call is call
    assert asked.headers == {}


async def test_a_call_without_prompts_is_left_alone() -> None:
    call = a_call()
    asked = await ask(call, a_prompt())
    assert asked.call is call
    assert asked.headers == {}


async def test_what_came_with_the_call_stays() -> None:
    call = replace(a_call("kind", unknown={"a": None}, user=None, stop=["x"]), strict=True, answer_id="a1")
    asked = await ask(call, a_prompt(unknown={"b": 1}, stop="y", extra=[1]))
    assert (asked.call.received_at, asked.call.strict, asked.call.answer_id) == (7, True, "a1")
    assert asked.call.body["unknown"] == {"a": None}
    assert (asked.call.body["stop"], asked.call.body["extra"]) == (["x"], [1])
    assert asked.call.options.prompt == "kind"


async def test_the_size_is_that_of_what_is_sent() -> None:
    long = "x" * 5_000
    asked = await ask(a_call("kind"), a_prompt(text=long))
    assert len(orjson.dumps(asked.call.body)) == asked.call.body_bytes > 5_000
    asked = await ask(a_call(registered="kind", messages=[{"role": "user", "content": long}]), a_prompt())
    assert asked.call.body_bytes < 500


async def test_placeholders_are_left_to_whoever_knows_the_variables() -> None:
    asked = await ask(a_call("kind"), a_prompt())
    assert asked.contents[0] == "Be kind to {{name}}."


async def test_parameters_fill_in_what_the_request_lacks() -> None:
    prompt = a_prompt(temperature=0.1, top_p=0.2, seed=None, metadata={"k": "v"})
    body = (await ask(a_call("kind", temperature=0.9), prompt)).call.body
    assert (body["temperature"], body["top_p"], body["metadata"]) == (0.9, 0.2, {"k": "v"})
    assert "seed" not in body
    call = a_call("kind")
    call.body["temperature"] = None  # as SDKs leave things out
    assert (await ask(call, prompt)).call.body["temperature"] == 0.1
    call.body["temperature"] = 0
    assert (await ask(call, prompt)).call.body["temperature"] == 0


TOOL = {"type": "function", "function": {"name": "f"}}
OWN_TOOL = {"type": "function", "function": {"name": "own"}}
CHOICE = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("asked", "stored", "absent"),
    [
        ({"max_tokens": 5}, {"max_completion_tokens": 9}, "max_completion_tokens"),
        ({"max_completion_tokens": 5}, {"max_tokens": 9}, "max_tokens"),
        ({"reasoning_effort": "low"}, {"thinking": {"type": "enabled", "budget_tokens": 2000}}, "thinking"),
        ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "low"}, "reasoning_effort"),
        ({"logprobs": False}, {"logprobs": True, "top_logprobs": 2}, "top_logprobs"),
        ({"tools": [OWN_TOOL]}, {"tools": [TOOL], "tool_choice": CHOICE}, "tool_choice"),
        ({"tools": [OWN_TOOL]}, {"functions": [{"name": "f"}]}, "functions"),
        ({"functions": [{"name": "own"}]}, {"tools": [TOOL]}, "tools"),
        ({"functions": [{"name": "own"}]}, {"function_call": {"name": "f"}}, "function_call"),
        ({"tools": [OWN_TOOL]}, {"parallel_tool_calls": False}, "parallel_tool_calls"),
    ],
)
async def test_what_contradicts_the_request_stays_out(
    asked: dict[str, Any], stored: dict[str, Any], absent: str
) -> None:
    body = (await ask(a_call("kind", **asked), a_prompt(**stored))).call.body
    assert absent not in body
    assert {name: body[name] for name in asked} == asked


async def test_a_prompt_brings_its_tools_whole() -> None:
    stored: dict[str, Any] = {"tools": [TOOL], "tool_choice": CHOICE, "logprobs": True, "top_logprobs": 2}
    body = (await ask(a_call("kind"), a_prompt(**stored))).call.body
    assert {name: body[name] for name in stored} == stored
    body = (await ask(a_call("kind", tool_choice="none"), a_prompt(**stored))).call.body
    assert (body["tools"], body["tool_choice"]) == ([TOOL], "none")


async def test_how_the_answer_comes_is_the_requests_to_say() -> None:
    prompt = a_prompt(stream=True, stream_options={"include_usage": True})
    call = (await ask(a_call("kind"), prompt)).call
    assert (call.stream, call.wants_usage) == (False, False)
    assert not {"stream", "stream_options"} & set(call.body)
    call = (await ask(a_call("kind", stream=True), prompt)).call
    assert (call.stream, call.wants_usage) == (True, True)
    call = (await ask(a_call("kind", stream=True, stream_options={"include_usage": False}), prompt)).call
    assert (call.stream, call.wants_usage) == (True, False)


async def test_what_does_not_go_together_is_refused_as_if_it_had_been_posted() -> None:
    prompt = a_prompt(thinking={"type": "enabled", "budget_tokens": 2000})
    with pytest.raises(InvalidRequest) as refused:
        await ask(a_call("kind", max_tokens=1000), prompt)
    assert refused.value.param == "thinking.budget_tokens"


STORED: dict[str, Any] = {
    "retry": {"count": 2, "on_codes": [500]},
    "fallbacks": [{"model": "groq/x"}],
    "timeout": {"call_timeout": 9000},
    "cache": {"type": "exact_match", "ttl": 60},
    "load_balancer": [{"model": "openai/a", "weight": 0.5}],
    "name": "stored",
}
OF_PROMPT = Options(
    Retry(2, frozenset({500})), ("groq/x",), 9.0, balance=(Weighted("openai/a", 0.5),), cache_ttl_s=60, name="stored"
)


async def test_gateway_options_of_a_prompt_count_where_the_request_has_none() -> None:
    asked = await ask(a_call("kind"), a_prompt(**STORED))
    assert asked.call.options == replace(OF_PROMPT, prompt="kind")
    assert not set(STORED) & set(asked.call.body)


async def test_the_requests_own_come_first_one_by_one() -> None:
    own: dict[str, Any] = {
        "retry": {"count": 1},
        "fallbacks": [{"model": "own/f"}],
        "timeout": {"call_timeout": 1000},
        "cache": {"type": "exact_match", "ttl": 1},
        "load_balancer": [{"model": "own/b"}],
        "name": "own",
    }
    fields = {
        "retry": "retry",
        "fallbacks": "fallbacks",
        "timeout": "call_timeout_s",
        "cache": "cache_ttl_s",
        "load_balancer": "balance",
        "name": "name",
    }
    for name, value in own.items():
        call = a_call("kind", **{name: value})
        expected = replace(OF_PROMPT, prompt="kind", **{fields[name]: getattr(call.options, fields[name])})
        assert expected != replace(OF_PROMPT, prompt="kind")
        assert (await ask(call, a_prompt(**STORED))).call.options == expected


async def test_a_prompts_model_replaces_what_the_request_balances() -> None:
    balanced: dict[str, Any] = {"load_balancer": [{"model": "own/b"}]}
    assert (await ask(a_call("kind", **balanced), a_prompt(model="groq/x"))).call.options.balance == ()
    asked = await ask(a_call("kind", **balanced), a_prompt(model="groq/x", **STORED))
    assert asked.call.options.balance == OF_PROMPT.balance
    assert (await ask(a_call("kind", **balanced), a_prompt())).call.options.balance == (Weighted("own/b"),)


async def test_a_request_may_leave_messages_and_model_to_the_prompt() -> None:
    bare = replace(a_call(registered="kind"), model="", body={"model": "", "messages": []})
    asked = await ask(bare, a_prompt(model="groq/x"))
    assert (asked.call.model, asked.call.body["model"], asked.contents) == ("groq/x", "groq/x", [SYSTEM["content"]])
    with pytest.raises(InvalidRequest) as refused:
        await ask(bare, a_prompt())
    assert (refused.value.param, refused.value.message) == ("model", "Missing required parameter: 'model'.")


@pytest.mark.parametrize("where", ["prompt", "registered"])
async def test_a_key_of_the_request_is_led_to_no_other_provider(where: str) -> None:
    call = a_call(**{where: "kind"}, api_key="sk-canary-0123456789")
    assert call.options.credentials is not None
    with pytest.raises(InvalidRequest) as refused:
        await ask(call, a_prompt(model="mallory/x"))
    assert refused.value.param == "model"
    assert "canary" not in refused.value.message
    assert (await ask(call, a_prompt(model="openai/other"))).call.options.credentials == call.options.credentials
    assert (await ask(call, a_prompt())).call.options.credentials == call.options.credentials
    with pytest.raises(InvalidRequest):
        await ask(replace(call, model="gpt-4o"), a_prompt(model="gpt-5"))
    assert (await ask(replace(call, model="gpt-4o"), a_prompt(model="gpt-4o"))).call.model == "gpt-4o"
    assert (await ask(replace(call, model=""), a_prompt(model="groq/x"))).call.model == "groq/x"


TEXT = st.text(max_size=20)
MESSAGES = st.lists(
    st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["system", "user"]), TEXT),
    min_size=1,
    max_size=4,
)


@given(MESSAGES, MESSAGES, MESSAGES, st.booleans(), st.booleans())
def test_no_message_is_lost_or_made_up(
    own: list[Any], first: list[Any], second: list[Any], has_first: bool, has_second: bool
) -> None:
    call = a_call("first" if has_first else "", "second" if has_second else "", messages=own)
    before = orjson.dumps(call.body)
    prompts = [Prompt("first", 1, first, "groq/x", {"seed": 1}), Prompt("second", 1, second, "", {"n": 2})]
    asked = asyncio.run(ask(call, *prompts))
    assert asked.call.body["messages"] == [*(first if has_first else []), *(second if has_second else own)]
    assert orjson.dumps(call.body) == before
