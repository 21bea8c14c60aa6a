"""Requests with labels leave a step behind, whatever becomes of them, and never fail because of it."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from orrery.core.credentials import OrganizationSettings
from orrery.core.errors import GatewayError
from orrery.core.options import Attribution, Identity, Thread
from orrery.core.types import Call
from orrery.flow.serve import serve
from tests.fakes import ALICE, DONE, FakeKeys, FakeTransport, Room, chunk, completion, json_reply, stream
from tests.flow.asking import HELLO, arrive, ask, heard, read
from tests.flow.remembering import FakeExtras

RUN = Attribution(run="run-1", session="s", step=2, parent="req_0", end_user="eve", metadata={"k": "v"})


def room(*replies: Any, **more: Any) -> Room:
    return Room(transport=FakeTransport(*replies), extras=FakeExtras(), **more)


class Keeping:
    """An organization that keeps what is said."""

    def prepare(self, organization: str) -> None:
        pass

    async def find(self, organization: str) -> OrganizationSettings:
        return OrganizationSettings(keeps_transcripts=True)


async def labelled(at: Room, attribution: Attribution | None = RUN, parent: str = "", **body: Any) -> None:
    def with_labels(_: object) -> Call:
        call = read(HELLO | body)
        return replace(call, options=replace(call.options, attribution=attribution))

    arrival = replace(await arrive(), parent_span_id=parent)
    await heard(await serve("good", with_labels, arrival, at.gateway()))


async def test_a_request_without_labels_leaves_nothing():
    at = room(completion())
    await ask(at, metadata={"k": "v"})
    assert at.extras.steps.added == []


async def test_a_step_says_who_and_where_and_what_it_cost():
    at = room(completion())
    await labelled(at, name="greeting", identity={"id": "i", "email": "a@b.c"}, thread={"id": "t", "tags": ["x"]})
    (step,) = at.extras.steps.added
    assert (step.run, step.session, step.step, step.parent, step.end_user) == ("run-1", "s", 2, "req_0", "eve")
    assert (step.identity, step.identity_profile, step.thread, step.thread_tags) == (
        "i",
        {"email": "a@b.c"},
        "t",
        ("x",),
    )
    assert (step.name, step.metadata, step.key_id, step.user) == ("greeting", {"k": "v"}, "alicealice", "alice")
    assert (step.provider, step.model, step.status, step.input_tokens, step.output_tokens) == (
        "openai",
        "gpt-4o-mini",
        200,
        10,
        5,
    )
    assert step.cost_nano == at.logged[0].receipt.cost_nano > 0 and step.transcript is None


async def test_a_trace_is_a_run_and_its_span_the_step_before():
    at = room(completion())
    await labelled(at, None, parent="00f067aa0ba902b7")
    (step,) = at.extras.steps.added
    assert (step.run, step.parent, step.step) == ("0" * 31 + "1", "00f067aa0ba902b7", None)


async def test_an_identity_of_a_header_changes_nothing_of_what_is_known():
    def named(_: object) -> Call:
        call = read(HELLO)
        return replace(call, options=replace(call.options, identity=Identity("i"), thread=Thread("t")))

    at = room(completion())
    await heard(await serve("good", named, await arrive(), at.gateway()))
    assert (at.extras.steps.added[0].identity, at.extras.steps.added[0].identity_profile) == ("i", None)


@pytest.mark.parametrize("status", [400, 503])
async def test_a_failure_is_a_step_too(status: int):
    at = room(json_reply({"error": {"message": "no"}}, status=status))
    with pytest.raises(GatewayError):
        await labelled(at)
    assert [(step.status, step.cost_nano) for step in at.extras.steps.added] == [(status, 0)]


async def test_a_refusal_for_want_of_credit_is_a_step_too():
    at = room()
    at.ledger.balance_nano = 0
    with pytest.raises(GatewayError):
        await labelled(at)
    assert [(step.status, step.cost_nano) for step in at.extras.steps.added] == [(402, 0)]


async def test_a_hit_is_a_step_that_cost_nothing():
    at = room(completion())
    for _ in range(2):
        await labelled(at, cache={"type": "exact_match"})
    assert [(step.cached, step.cost_nano > 0) for step in at.extras.steps.added] == [(False, True), (True, False)]


async def test_a_table_that_is_away_fails_no_request():
    at = room(completion())
    at.extras.steps.broken = True
    await labelled(at)
    assert at.logged[0].outcome == "completed"


@pytest.mark.parametrize("streams", [True, False])
async def test_what_is_said_is_kept_where_its_organization_wants_that(streams: bool):
    reply = stream(chunk({"content": "hel"}), chunk({"content": "lo"}), chunk({}, "stop"), DONE)
    at = room(reply if streams else completion("hello"), own=Keeping())
    secret = {"value": "4711-geheim", "secret": True}
    asked = [{"role": "user", "content": "I am {{code}}"}]
    await labelled(at, thread={"id": "t"}, messages=asked, variables={"code": secret}, stream=streams)
    kept = orjson.loads(at.extras.steps.added[0].transcript)
    assert kept["messages"] == [{"role": "user", "content": "I am ***"}]
    assert kept["choices"][0]["message"]["content"] == "hello"
    assert "4711-geheim" in str(at.transport.body()) and "4711-geheim" not in str(at.extras.steps.added)


async def test_nothing_is_kept_of_what_belongs_to_no_thread():
    at = room(completion(), own=Keeping())
    await labelled(at)
    assert at.extras.steps.added[0].transcript is None


async def test_a_revoked_key_has_nothing_rendered():
    at = room(keys=FakeKeys(fresh=False))
    at.keys.revoked.add(ALICE.key_id)
    with pytest.raises(GatewayError) as caught:
        await labelled(
            at, variables={"a": 1}, template_engine="jinja", messages=[{"role": "user", "content": "{{ a }}"}]
        )
    assert caught.value.status == 401  # the engine of these tests would have failed
