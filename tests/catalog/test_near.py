"""What a mistaken name may have meant, and how little time that may take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.catalog import models
from orrery.catalog.near import LONGEST, MOST, near
from tests.work import steps

KNOWN = {
    "openai": ("gpt-4o", "gpt-4o-mini", "gpt-5.4", "o3"),
    "anthropic": ("claude-haiku-4-5", "claude-sonnet-5"),
    "bedrock": ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-haiku-5-5"),
    "together": ("meta-llama/Llama-3.3-70B-Instruct-Turbo",),
}
EVERYTHING = {provider: models.names(provider) for provider in models.PREFERENCE}


@pytest.mark.parametrize(
    ("model", "first"),
    [
        ("openai/gpt-4o-mni", "openai/gpt-4o-mini"),
        ("openai/GPT4o", "openai/gpt-4o"),
        ("gpt-4o-mni", "openai/gpt-4o-mini"),
        ("opena/gpt-4o", "openai/gpt-4o"),
        ("opena/gpt-4o-mni", "openai/gpt-4o-mini"),
        ("anthropic/gpt-4o", "openai/gpt-4o"),
        ("openai/claude-sonnet-5", "anthropic/claude-sonnet-5"),
        ("claude-sonet-5", "anthropic/claude-sonnet-5"),
        ("bedrock/claude-haiku-4-5", "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("llama-3.3-70b", "together/meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("meta-llama/Llama-3.3-70B-Instruct-Turba", "together/meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ],
)
def test_a_slip_of_the_hand_is_understood(model: str, first: str) -> None:
    assert near(model, KNOWN)[0] == first


@pytest.mark.parametrize("model", ["", "/", "zzz", "no-such-model", "x/y/z", "a" * (LONGEST + 1), "gpt-4o" * 20])
def test_what_is_like_nothing_gets_no_suggestion(model: str) -> None:
    assert near(model, KNOWN) == ()


def test_the_very_name_elsewhere_comes_beside_what_the_asked_provider_has() -> None:
    assert near("bedrock/claude-haiku-4-5", KNOWN)[-1] == "anthropic/claude-haiku-4-5"


def test_it_comes_though_the_asked_provider_has_three_of_its_own() -> None:
    known = {"a": ("model-11", "model-12", "model-13"), "b": ("model-10",)}
    assert near("a/model-10", known) == ("a/model-13", "a/model-12", "b/model-10")


def test_what_begins_alike_is_found_among_very_many_of_its_length() -> None:
    crowd = tuple(f"xy{number:04}-mini" for number in range(2_000))
    assert near("gpt-4o-mni", {"a": (*crowd, "gpt-4o-mini")}) == ("a/gpt-4o-mini",)


def test_a_very_long_name_is_compared_with_nothing() -> None:
    assert near("m" * LONGEST, {"a": ("m" * (LONGEST - 1) + "n",)})
    assert not near("m" * LONGEST + "o", {"a": ("m" * LONGEST + "n",)})


def test_of_very_many_names_that_begin_alike_few_are_compared() -> None:
    known = {"a": tuple(f"model-{number:05}-of-a-very-long-family-of-names" for number in range(5_000))}
    assert steps(lambda: near("model-xxxxx-of-a-very-long-family-of-names", known)) < 1_000_000


def test_nothing_is_suggested_of_nobody() -> None:
    assert near("gpt-4o", {}) == ()


@given(st.text(max_size=300))
def test_any_text_gets_at_most_three_different_models_that_exist(model: str) -> None:
    found = near(model, KNOWN)
    assert len(set(found)) == len(found) <= MOST
    assert {*found} <= {f"{provider}/{name}" for provider, names in KNOWN.items() for name in names}


@pytest.mark.parametrize(
    "model",
    [
        "a" * LONGEST,
        "gpt-" * 25,
        "gpt-4.1-mini-2025-04-1" * 4,
        "openrouter/" + "meta-llama/" * 8,
        "ab" * 50,
        "/" * LONGEST,
    ],
)
def test_a_hostile_name_takes_few_steps(model: str) -> None:
    near("warm", EVERYTHING)
    assert steps(lambda: near(model, EVERYTHING)) < 150_000
