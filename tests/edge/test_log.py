"""The canonical line: one per request, ids and numbers, its own metrics, nothing that anyone said."""

import io
import json
from typing import Any

import pytest

from orrery.core.errors import OutOfCredit
from orrery.core.exchange import Arrival
from orrery.edge import log
from tests.fakes import ALICE, FakeTransport, Room, completion, json_reply
from tests.flow.asking import ask

CANARY = "canary-7f3a"
SAID = [{"role": "user", "content": CANARY}]


async def line_of(room: Room, **body: Any) -> dict[str, Any]:
    told = await ask(room, **body)
    return log.exchange_line(told.answer.exchange, told.answer.exchange.arrival.started + 1.5)


async def test_a_line_names_what_happened_in_the_conventions_words():
    line = await line_of(Room(transport=FakeTransport(completion(prompt=10, output=5))))
    assert line["gen_ai.operation.name"] == "chat"
    assert line["gen_ai.provider.name"] == "openai"
    assert line["gen_ai.request.model"] == "gpt-4o-mini"
    assert (line["gen_ai.usage.input_tokens"], line["gen_ai.usage.output_tokens"]) == (10, 5)
    assert line["organization"] == "org-alice"
    assert line["duration_ms"] == 1500.0
    assert line["evidence"] == "provider"


async def test_a_line_holds_nothing_that_was_said_or_secret():
    room = Room(transport=FakeTransport(completion(CANARY)))
    line = await line_of(room, messages=SAID, user=CANARY, metadata={"a": CANARY}, made_up=CANARY)
    text = json.dumps(line)
    assert CANARY not in text
    assert "key-of-openai" not in text


async def test_retries_and_fallbacks_are_counted_apart():
    bad = [json_reply({"error": {"message": "x"}}, 503) for _ in range(3)]
    room = Room(transport=FakeTransport(*bad, completion()))
    fallback = [{"model": "groq/llama-3.3-70b-versatile"}]
    line = await line_of(room, retry={"count": 1, "on_codes": [503]}, fallbacks=fallback)
    assert (line["retries"], line["fallbacks"]) == (2, 1)


def test_a_refusal_has_a_line_without_a_provider():
    arrival = Arrival("r1", "0" * 32, 10.0, 20.0)
    line = log.refused_line(arrival, OutOfCredit(), ALICE, 10.25)
    assert (line["status"], line["error.type"], line["duration_ms"]) == (402, "insufficient_credits", 250.0)


async def test_the_line_is_its_own_embedded_metric():
    line = log.with_metrics(await line_of(Room(transport=FakeTransport(completion()))))
    directive = line["_aws"]["CloudWatchMetrics"][0]
    named = {metric["Name"] for metric in directive["Metrics"]}
    assert {"requests", "input_tokens", "cost_micro_usd", "overhead_ms", "time_to_first_chunk_ms"} <= named
    assert all(isinstance(line[name], int | float) for name in named)
    assert all(isinstance(line[name], str) for names in directive["Dimensions"] for name in names)


def test_dimensions_that_a_line_lacks_are_not_declared():
    line = log.with_metrics({"operation": "sweep", "swept_holds": 0})
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["operation"]]


async def test_powertools_writes_it_as_one_line_of_json(monkeypatch: pytest.MonkeyPatch):
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    log.powertools_writer("test-service")("exchange", await line_of(Room(transport=FakeTransport(completion()))))
    (line,) = out.getvalue().splitlines()
    assert json.loads(line)["message"] == "exchange"
    assert json.loads(line)["_aws"]["CloudWatchMetrics"]


async def test_a_person_sees_a_short_line():
    line = await line_of(Room(transport=FakeTransport(completion(prompt=10, output=5))))
    shown = log.shown("exchange", line)
    assert "200 completed openai/gpt-4o-mini 1500 ms" in shown
    assert "10+5 tokens" in shown
