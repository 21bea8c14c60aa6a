"""Agents as they are posted: what is taken, what is refused, and what requests get of them."""

from typing import Any

import pytest

from orrery.core.agents import Agent
from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.responses import Bounds
from orrery.core.types import Json
from orrery.wire.agent_documents import LARGEST_BYTES, read_agent, read_agent_change
from orrery.wire.agent_reading import agent_of

NEW: Json = {
    "key": "kind",
    "role": "Helper",
    "description": "Helps.",
    "instructions": "Be kind.",
    "path": "Default",
    "model": "openai/gpt-4o",
    "settings": {},
}


def read(**more: Any) -> Json:
    return read_agent({**NEW, **more})[1]


def used(**more: Any) -> Agent:
    return agent_of("kind", "1.0.0", read(**more))


def with_model(**parameters: Any) -> Any:
    return used(model={"id": "openai/gpt-4o", "parameters": parameters}).parameters


def tools(*given: Json, **more: Any) -> list[Json]:
    return list(used(settings={"tools": list(given)}, **more).tools)


def refusal(body: Json) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        read_agent(body)
    return refused.value


def test_a_small_agent_has_what_orq_gives_it() -> None:
    assert read_agent(NEW) == ("kind", {name: value for name, value in NEW.items() if name != "key"})
    assert used() == Agent(
        "kind",
        "1.0.0",
        "openai/gpt-4o",
        "Be kind.",
        role="Helper",
        description="Helps.",
        tools=[],
        bounds=Bounds(max_iterations=100, max_execution_s=600.0, max_cost_nano=0),
    )


def test_a_whole_agent_is_used_whole() -> None:
    found = used(
        system_prompt="You are kind.",
        model={"id": "openai/gpt-4o", "parameters": {"temperature": 0.5}, "retry": {"count": 2, "on_codes": [429]}},
        fallback_models=["groq/x", {"id": "xai/y", "retry": {"count": 1}}, "groq/x"],
        settings={"max_iterations": 7, "max_execution_time": 60, "max_cost": 0.1, "tool_approval_required": "all"},
        memory_stores=["people"],
        team_of_agents=[{"key": "writer", "role": "writes"}, {"key": "reader"}],
        variables={"name": "you"},
        engine="jinja",
    )
    assert found.parameters == {"temperature": 0.5}
    assert found.retry == {"count": 2, "on_codes": [429]}
    assert found.fallbacks == ("groq/x", "xai/y")
    assert found.bounds == Bounds(7, 60.0, 100_000_000)
    assert (found.approval, found.engine, found.system_prompt) == ("all", "jinja", "You are kind.")
    assert (found.memory_stores, found.variables) == (("people",), {"name": "you"})
    assert found.team == (("writer", "writes"), ("reader", ""))


@pytest.mark.parametrize(("cost", "nano"), [(0, 0), (1, 10**9), (0.000000001, 1), (19.99, 19_990_000_000)])
def test_money_is_whole_nano_dollars(cost: float, nano: int) -> None:
    assert used(settings={"max_cost": cost}).bounds.max_cost_nano == nano


def test_the_names_of_chats_become_those_of_responses() -> None:
    assert with_model(
        name="label",
        frequency_penalty=0.1,
        presence_penalty=0.2,
        max_tokens=10,
        temperature=0,
        top_p=0.9,
        top_k=5,
        parallel_tool_calls=False,
        prompt_cache_key="k",
        cache_control={"type": "ephemeral"},
        reasoning_effort="low",
        verbosity="high",
        cache={"type": "exact_match", "ttl": 60},
        timeout={"call_timeout": 1000},
        load_balancer=[{"model": "groq/x"}],
        modalities=["text"],
        guardrails=[],
        plugins=[],
        seed=None,
    ) == {
        "name": "label",
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "max_output_tokens": 10,
        "temperature": 0,
        "top_p": 0.9,
        "top_k": 5,
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "cache_control": {"type": "ephemeral"},
        "reasoning": {"effort": "low"},
        "text": {"verbosity": "high"},
        "cache": {"type": "exact_match", "ttl": 60},
        "timeout": {"call_timeout": 1000},
        "load_balancer": [{"model": "groq/x"}],
    }


SCHEMA: Json = {"name": "answer", "schema": {"type": "object"}, "strict": True}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_tokens": 10, "max_completion_tokens": 20}, {"max_output_tokens": 20}),
        ({"response_format": {"type": "text"}}, {"text": {"format": {"type": "text"}}}),
        ({"response_format": {"type": "json_object"}}, {"text": {"format": {"type": "json_object"}}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": SCHEMA}, "verbosity": "low"},
            {"text": {"format": {"type": "json_schema", **SCHEMA}, "verbosity": "low"}},
        ),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["A", "B"]}, {"stop_sequences": ["A", "B"]}),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            {"tool_choice": {"type": "function", "name": "f"}},
        ),
        ({"tool_choice": {"function": {"name": "f"}}}, {"tool_choice": {"type": "function", "name": "f"}}),
        ({"thinking": {"type": "disabled"}}, {"reasoning": {"effort": "none"}}),
        ({"thinking": {"type": "enabled", "thinking_level": "low"}}, {"reasoning": {"effort": "low"}}),
        (
            {"thinking": {"type": "enabled", "thinking_level": "low"}, "reasoning_effort": "high"},
            {"reasoning": {"effort": "high"}},
        ),
        ({"temperature": None, "stop": None, "response_format": None}, {}),
    ],
)
def test_what_a_parameter_becomes(given: Json, said: Json) -> None:
    assert with_model(**given) == said


def test_fallbacks_of_both_kinds_are_joined() -> None:
    model = {"id": "openai/gpt-4o", "parameters": {"fallbacks": [{"model": "xai/y"}, {"model": "groq/x"}]}}
    assert used(model=model, fallback_models=["groq/x"]).fallbacks == ("groq/x", "xai/y")
    assert used(model=model).parameters == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 7),
        ("seed", 0),
        ("modalities", ["text", "audio"]),
        ("thinking", {"type": "enabled", "budget_tokens": 2048}),
        ("thinking", {"type": "adaptive"}),
        ("guardrails", [{"id": "orq_pii_detection", "execute_on": "input"}]),
        ("plugins", [{"id": "response_healing"}]),
    ],
)
def test_what_responses_cannot_say_is_refused(name: str, value: Any) -> None:
    refused = refusal({**NEW, "model": {"id": "openai/gpt-4o", "parameters": {name: value}}})
    assert (refused.param, refused.code) == (f"model.parameters.{name}", "unsupported_parameter")


@pytest.mark.parametrize(
    ("given", "entry"),
    [
        ({"type": "google_search"}, {"type": "orq:google_search"}),
        ({"type": "web_scraper", "requires_approval": False}, {"type": "orq:web_scraper"}),
        ({"type": "current_date", "requires_approval": True}, {"type": "orq:current_date", "requires_approval": True}),
        ({"type": "code_interpreter"}, {"type": "orq:code_interpreter"}),
        (
            {"type": "google_search", "configuration": {"search_context_size": "low"}},
            {"type": "orq:google_search", "search_context_size": "low"},
        ),
        (
            {"type": "advisor", "configuration": {"model": "openai/o", "max_uses": 2}},
            {"type": "orq:advisor", "model": "openai/o", "max_uses": 2},
        ),
        (
            {"type": "sidekick", "configuration": {"model": "openai/o"}, "requires_approval": True},
            {"type": "orq:sidekick", "model": "openai/o", "requires_approval": True},
        ),
        ({"type": "http", "key": "weather", "timeout": 9}, {"type": "orq:http", "tool_id": "weather", "timeout": 9}),
        ({"type": "http", "id": "weather"}, {"type": "orq:http", "tool_id": "weather"}),
        ({"type": "function", "key": "f"}, {"type": "orq:function", "tool_id": "f"}),
        ({"type": "json_schema", "key": "f"}, {"type": "orq:function", "tool_id": "f"}),
        (
            {"type": "code", "key": "f", "requires_approval": True},
            {"type": "orq:function", "tool_id": "f"} | {"requires_approval": True},
        ),
        ({"type": "mcp", "key": "m"}, {"type": "orq:mcp", "tool_id": "m"}),
        (
            {"type": "mcp", "key": "m", "tool_id": "read"},
            {"type": "orq:mcp", "tool_id": "m", "allowed_tools": {"tool_names": ["read"]}},
        ),
        (
            {"type": "call_sub_agent"},
            {"type": "orq:call_sub_agent", "agents": [{"key": "writer", "role": "writes"}, {"key": "b", "role": ""}]},
        ),
        (
            {"type": "retrieve_agents"},
            {"type": "orq:retrieve_agents", "agents": [{"key": "writer", "role": "writes"}, {"key": "b", "role": ""}]},
        ),
        ({"type": "query_memory_store"}, {"type": "orq:query_memory_store", "stores": ["people"]}),
        ({"type": "write_memory_store"}, {"type": "orq:write_memory_store", "stores": ["people"]}),
        ({"type": "retrieve_memory_stores"}, {"type": "orq:retrieve_memory_stores", "stores": ["people"]}),
        ({"type": "delete_memory_document"}, {"type": "orq:delete_memory_document", "stores": ["people"]}),
    ],
)
def test_what_a_tool_becomes(given: Json, entry: Json) -> None:
    team = [{"key": "writer", "role": "writes"}, {"key": "b"}]
    assert tools(given, team_of_agents=team, memory_stores=["people"]) == [entry]


@pytest.mark.parametrize(
    "name", ["retrieve_knowledge_bases", "query_knowledge_base", "openai:web_search", "google:google_search"]
)
def test_tools_that_cannot_be_had_are_refused_by_name(name: str) -> None:
    refused = refusal({**NEW, "settings": {"tools": [{"type": "current_date"}, {"type": name}]}})
    assert (refused.param, refused.code) == ("settings.tools[1].type", "unsupported_parameter")
    with pytest.raises(InvalidRequest) as again:
        read_agent_change("kind", {"settings": {"tools": [{"type": name}]}})
    assert again.value.code == "unsupported_parameter"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("knowledge_bases", [{"knowledge_id": "k"}]),
        ("skills", ["s"]),
        ("settings", {"evaluators": [{"id": "e", "execute_on": "input"}]}),
        ("settings", {"guardrails": [{"id": "e", "execute_on": "output"}]}),
        ("fallback_models", [{"id": "groq/x", "parameters": {"temperature": 1}}]),
    ],
)
def test_what_would_only_seem_to_work_is_refused(field: str, value: Any) -> None:
    assert refusal({**NEW, field: value}).code == "unsupported_parameter"
    with pytest.raises(InvalidRequest) as refused:
        read_agent_change("kind", {field: value})
    assert refused.value.code == "unsupported_parameter"


def test_nothing_of_it_is_no_harm() -> None:
    assert read(knowledge_bases=[], skills=None, settings={"evaluators": [], "guardrails": None}) == {
        **{name: value for name, value in NEW.items() if name != "key"},
        "knowledge_bases": [],
        "settings": {"evaluators": []},
    }


@pytest.mark.parametrize(
    ("change", "param"),
    [
        *(({name: "-"}, name) for name in ("key", "settings", "fallback_models", "variables", "engine", "source")),
        *(({name: ""}, name) for name in ("key", "role", "description", "model", "system_prompt")),
        ({"key": "a--b"}, "key"),
        ({"key": "a" * 256}, "key"),
        ({"key": "1a"}, "key"),
        ({"display_name": "x" * 256}, "display_name"),
        ({"model": "agent/other"}, "model"),
        ({"model": {"id": "agent/other"}}, "model.id"),
        ({"model": {}}, "model.id"),
        ({"model": 7}, "model"),
        ({"model": {"id": "m", "retry": {"count": 6}}}, "model.retry.count"),
        ({"model": {"id": "m", "retry": {"on_codes": []}}}, "model.retry.on_codes"),
        ({"model": {"id": "m", "parameters": {"temperature": 3}}}, "model.parameters.temperature"),
        ({"model": {"id": "m", "parameters": {"verbosity": "loud"}}}, "model.parameters.verbosity"),
        ({"model": {"id": "m", "parameters": {"what": 1}}}, "model.parameters.what"),
        ({"fallback_models": ["m"] * 6}, "fallback_models"),
        ({"fallback_models": ["agent/x"]}, "fallback_models[0]"),
        ({"settings": {"max_iterations": 0}}, "settings.max_iterations"),
        ({"settings": {"max_iterations": 101}}, "settings.max_iterations"),
        ({"settings": {"max_iterations": True}}, "settings.max_iterations"),
        ({"settings": {"max_execution_time": 1}}, "settings.max_execution_time"),
        ({"settings": {"max_execution_time": 601}}, "settings.max_execution_time"),
        ({"settings": {"max_cost": -1}}, "settings.max_cost"),
        ({"settings": {"tool_approval_required": "some"}}, "settings.tool_approval_required"),
        ({"settings": {"max_iteration": 1}}, "settings.max_iteration"),
        ({"settings": {"tools": [{"type": "nothing"}]}}, "settings.tools[0].type"),
        ({"settings": {"tools": [{}]}}, "settings.tools[0].type"),
        ({"settings": {"tools": [{"type": "http"}]}}, "settings.tools[0]"),
        ({"settings": {"tools": [{"type": "http", "key": "k", "timeout": 601}]}}, "settings.tools[0].timeout"),
        ({"settings": {"tools": [{"type": "advisor"}]}}, "settings.tools[0].configuration"),
        ({"settings": {"tools": [{"type": "sidekick", "configuration": {}}]}}, "settings.tools[0].configuration.model"),
        (
            {"settings": {"tools": [{"type": "web_scraper", "configuration": {"type": "orq:http"}}]}},
            "settings.tools[0].configuration.type",
        ),
        (
            {"settings": {"tools": [{"type": "query_memory_store", "configuration": {"stores": ["theirs"]}}]}},
            "settings.tools[0].configuration.stores",
        ),
        (
            {"settings": {"tools": [{"type": "advisor", "configuration": {"model": "m", "requires_approval": False}}]}},
            "settings.tools[0].configuration.requires_approval",
        ),
        ({"settings": {"tools": [{"type": "current_date"}] * 129}}, "settings.tools"),
        ({"memory_stores": ["a-b"]}, "memory_stores[0]"),
        ({"team_of_agents": [{"role": "r"}]}, "team_of_agents[0].key"),
        ({"team_of_agents": [{"key": "a b"}]}, "team_of_agents[0].key"),
        ({"team_of_agents": [{"key": "a"}] * 51}, "team_of_agents"),
        ({"variables": {"token": {"value": "x", "secret": True}}}, "variables"),
    ],
)
def test_what_is_wrong_is_named(change: Json, param: str) -> None:
    assert refusal({**NEW, **change}).param == param


@pytest.mark.parametrize("name", [name for name in NEW])
def test_what_must_be_there_must_be_there(name: str) -> None:
    assert refusal({key: value for key, value in NEW.items() if key != name}).param == name
    assert refusal({**NEW, name: None}).param == name
    if name != "key":
        with pytest.raises(InvalidRequest) as refused:
            read_agent_change("kind", {name: None})
        assert refused.value.param == name


def test_variables_may_be_objects_that_are_no_secret() -> None:
    assert used(variables={"a": {"value": "x", "secret": False}, "b": {"secret": "no"}}).variables["b"] == {
        "secret": "no"
    }


def patched(document: Json, **change: Any) -> Json:
    return read_agent_change("kind", change).apply(document)


def test_a_change_is_laid_over_the_document() -> None:
    document = read(display_name="Kind", settings={"max_iterations": 3, "tools": [{"type": "current_date"}]})
    after = patched(document, role="Other", display_name=None, settings={"max_cost": 1, "tools": None})
    assert after == {**read(role="Other"), "settings": {"max_iterations": 3, "max_cost": 1}}
    assert document["settings"] == {"max_iterations": 3, "tools": [{"type": "current_date"}]}
    assert patched(document) == document


def test_a_model_is_replaced_whole() -> None:
    document = read(model={"id": "openai/gpt-4o", "parameters": {"temperature": 1}})
    assert patched(document, model="groq/x")["model"] == "groq/x"


@pytest.mark.parametrize(
    ("given", "increment", "note"),
    [
        ({}, "patch", ""),
        ({"versionIncrement": "minor", "versionDescription": "n"}, "minor", "n"),
        ({"version_increment": "major", "version_description": "n"}, "major", "n"),
        ({"versionIncrement": None, "version_increment": "major"}, "major", ""),
    ],
)
def test_how_a_version_is_to_be_made(given: Json, increment: str, note: str) -> None:
    change = read_agent_change("kind", given)
    assert (change.increment, change.note) == (increment, note)
    assert change.apply(read()) == read()


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"versionIncrement": "huge"}, "versionIncrement"),
        ({"version_description": "x" * 301}, "version_description"),
        ({"key": "other"}, "key"),
        ({"project_id": "p"}, "project_id"),
        ({"instructions": 7}, "instructions"),
        ({"settings": {"what": 1}}, "settings.what"),
        ({"model": {"id": "m", "parameters": {"seed": 1}}}, "model.parameters.seed"),
    ],
)
def test_a_wrong_change_is_named(given: Json, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_agent_change("kind", given)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("tool", "field"),
    [
        ("call_sub_agent", "team_of_agents"),
        ("retrieve_agents", "team_of_agents"),
        ("query_memory_store", "memory_stores"),
        ("delete_memory_document", "memory_stores"),
    ],
)
def test_tools_that_need_others_are_not_without_them(tool: str, field: str) -> None:
    settings = {"tools": [{"type": tool}]}
    assert refusal({**NEW, "settings": settings}).param == field
    assert refusal({**NEW, "settings": settings, field: []}).param == field
    for document, change in [
        (read(), {"settings": settings}),
        (read(settings=settings, **_some(field)), {field: None}),
    ]:
        with pytest.raises(InvalidRequest) as refused:
            patched(document, **change)
        assert refused.value.param == field


def _some(field: str) -> Json:
    return {field: ["people"] if field == "memory_stores" else [{"key": "writer"}]}


def test_an_agent_has_a_bounded_size() -> None:
    with pytest.raises(TooLarge):
        read(instructions="x" * LARGEST_BYTES)
    document = read(instructions="x" * (LARGEST_BYTES - 1000))
    with pytest.raises(TooLarge):
        patched(document, description="x" * 2000)
