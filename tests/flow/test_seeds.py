"""The requests of the gateways that this one stands in for, as their own pages print them."""

import pytest

from tests.fakes import FakeTransport, Room, completion, json_reply
from tests.flow.asking import ask
from tests.flow.remembering import FakeExtras
from tests.wire.bodies import SEED

SEED_001 = {
    "model": "openai/gpt-4o-mini",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What can you help me with today?"},
    ],
    "identity": {"id": "user-123", "display_name": "Jane Doe", "email": "jane.doe@example.com"},
    "thread": {"id": "thread-001", "tags": ["support", "v3"]},
    "stream": False,
}
FILLED = {"model": "openai/gpt-4o", "messages": [{"role": "system", "content": "{{customer_name}}", "name": "desk"}]}


def room(*replies: object) -> Room:
    return Room(transport=FakeTransport(*replies), extras=FakeExtras())


async def test_seed_001_is_answered_and_tracked():
    at = room(completion())
    await ask(at, **SEED_001)
    assert at.transport.body() == {"model": "gpt-4o-mini", "messages": SEED_001["messages"], "stream": False}
    (step,) = at.extras.steps.added
    assert (step.identity, step.thread, step.thread_tags) == ("user-123", "thread-001", ("support", "v3"))
    assert step.identity_profile == {"display_name": "Jane Doe", "email": "jane.doe@example.com"}


@pytest.mark.parametrize("nested", [True, False])
async def test_seed_003_does_all_that_it_says_nested_and_at_the_top(nested: bool):
    busy = json_reply({"error": {"message": "busy"}}, status=500)
    at = room(busy, busy, busy, busy, completion("from the fallback"))
    options = SEED["orq"]
    body = {**SEED, **FILLED} if nested else {**{k: v for k, v in SEED.items() if k != "orq"}, **FILLED, **options}
    first, second = await ask(at, **body), await ask(at, **body)
    tried = [(attempt.provider, attempt.model, attempt.status) for attempt in at.logged[0].attempts]
    assert tried == [("openai", "gpt-4o", 500)] * 4 + [("openai", "gpt-5", 200)]
    assert at.transport.body()["messages"][0]["content"] == "John Smith"
    assert (first.answer.headers["x-orq-cache"], second.answer.headers["x-orq-cache"]) == ("MISS", "HIT")
    assert [(step.identity, step.thread) for step in at.extras.steps.added] == [("contact_01", "thread_01")] * 2
