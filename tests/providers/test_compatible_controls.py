"""How providers of OpenAI's wire are told how much to think: a row's words for `thinking` and `reasoning_effort`."""

from typing import Any

import orjson
import pytest

from orrery.providers.compatible import Controls, Row
from tests.providers.test_compatible_requests import encode

CONTROLS = Controls(
    on={"think": {"on": True}}, off={"think": {"on": False}}, budget="think.budget", efforts=("low", "high")
)


@pytest.mark.parametrize(
    ("asked", "sent", "lost"),
    [
        ({}, {}, []),
        ({"reasoning_effort": "default"}, {}, []),
        ({"reasoning_effort": "high"}, {"reasoning_effort": "high"}, []),
        ({"reasoning_effort": "medium"}, {"reasoning_effort": "low"}, ["reasoning_effort"]),
        ({"reasoning_effort": "minimal"}, {"reasoning_effort": "low"}, ["reasoning_effort"]),
        ({"reasoning_effort": "max"}, {"reasoning_effort": "high"}, ["reasoning_effort"]),
        ({"reasoning_effort": "none"}, {"think": {"on": False}}, []),
        ({"thinking": {"type": "disabled"}}, {"think": {"on": False}}, []),
        ({"thinking": {"type": "disabled"}, "reasoning_effort": "none"}, {"think": {"on": False}}, []),
        ({"thinking": {"type": "disabled"}, "reasoning_effort": "low"}, {"think": {"on": False}}, ["reasoning_effort"]),
        ({"thinking": {"type": "adaptive"}}, {}, ["thinking"]),
        ({"thinking": {"type": "enabled", "budget_tokens": 2e3}}, {"think": {"on": True, "budget": 2000}}, []),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000, "thinking_level": "low"}},
            {"think": {"on": True}, "reasoning_effort": "low"},
            [],
        ),
        (
            {"thinking": {"type": "enabled", "thinking_level": "high"}},
            {"think": {"on": True}, "reasoning_effort": "high"},
            [],
        ),
        (
            {"thinking": {"type": "enabled", "thinking_level": "high"}, "reasoning_effort": "low"},
            {"think": {"on": True}, "reasoning_effort": "low"},
            ["thinking.thinking_level"],
        ),
        ({"think": {"also": 1}, "thinking": {"type": "disabled"}}, {"think": {"also": 1, "on": False}}, []),
    ],
)
def test_wishes_for_thinking_are_said_in_the_providers_words(asked: Any, sent: Any, lost: list[str]) -> None:
    encoded = encode(Row("own", "", "", "", controls=CONTROLS), **asked)
    assert orjson.loads(orjson.dumps(encoded.body)) == {"model": "m", "messages": [], **sent}
    assert list(encoded.dropped) == lost and b"2000.0" not in orjson.dumps(encoded.body)


@pytest.mark.parametrize(
    ("asked", "lost"),
    [
        ({"reasoning_effort": "low"}, ["reasoning_effort"]),
        ({"reasoning_effort": "none"}, ["reasoning_effort"]),
        ({"thinking": {"type": "disabled"}}, ["thinking"]),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, ["thinking.budget_tokens", "thinking"]),
        ({"thinking": {"type": "enabled", "thinking_level": "low"}}, ["reasoning_effort"]),
    ],
)
def test_wishes_that_no_document_knows_are_named(asked: Any, lost: list[str]) -> None:
    encoded = encode(Row("own", "", "", "", controls=Controls()), **asked)
    assert encoded.body == {"model": "m", "messages": []} and list(encoded.dropped) == lost


def test_an_effort_gives_way_where_only_one_of_both_may_be_said() -> None:
    row = Row("own", "", "", "", controls=Controls(budget="thinking.budget", efforts=("low",), either=True))
    both = {"thinking": {"type": "enabled", "budget_tokens": 2000}, "reasoning_effort": "low"}
    encoded = encode(row, **both)
    assert encoded.body["thinking"] == {"budget": 2000} and encoded.dropped == ("reasoning_effort",)
