"""Steps that labelled requests leave behind: what is in them, when there are any, and that they fail no request."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest

from orrery.core.credentials import OrganizationSettings
from orrery.core.errors import GatewayError, OutOfCredit, Unavailable
from orrery.core.exchange import Arrival
from orrery.core.options import Attribution, Identity
from orrery.core.records import Step
from orrery.core.types import Call, Principal
from orrery.flow.serve import serve
from orrery.wire.embeddings import read_embeddings
from orrery.wire.posted import Posted
from tests.fakes import DONE, FakeTransport, Room, chunk, completion, json_reply, stream, usage_chunk
from tests.flow.asking import HELLO, Told, arrive, heard, read
from tests.flow.remembering import FakeExtras

THREAD = {"thread": {"id": "t"}}
NOW_MS = 1_800_000_000_000


@dataclass
class Opinion:
    """What an organization decided; the first `faults` times nobody can say so."""

    keeps: bool = True
    faults: int = 0

    def prepare(self, organization: str) -> None: ...

    async def find(self, organization: str) -> OrganizationSettings:
        if self.faults:
            self.faults -= 1
            raise Unavailable("away")
        return OrganizationSettings(keeps_transcripts=self.keeps)


def room(*replies: Any, keeps: bool | None = None, **more: Any) -> Room:
    own = None if keeps is None else Opinion(keeps)
    return Room(transport=FakeTransport(*replies), extras=FakeExtras(), own=own, **more)


async def ask(
    at: Room,
    attribution: Attribution | None = None,
    identity: Identity | None = None,
    key: str = "",
    parent_span: str = "",
    call: Call | None = None,
    **body: Any,
) -> Told:
    """The whole way, with what headers say."""

    def reading(_: Principal) -> Call:
        found = call or read(HELLO | body)
        options = replace(
            found.options,
            attribution=attribution,
            identity=found.options.identity or identity,
            idempotency_key=key,
        )
        return replace(found, options=options)

    arrival: Arrival = replace(await arrive(), parent_span_id=parent_span)
    answer = await serve("good", reading, arrival, at.gateway())
    return await heard(answer)


def added(at: Room) -> list[Step]:
    return list(at.extras.steps.added)


def step(at: Room) -> Step:
    (found,) = added(at)
    return found


async def tracked(at: Room, attribution: Attribution | None = None, **more: Any) -> Step:
    await ask(at, attribution, **more)
    return step(at)


async def test_a_plain_request_leaves_nothing() -> None:
    at = room(completion(), completion())
    await ask(at)
    await ask(at, metadata={"a": "b"})
    assert added(at) == []


@pytest.mark.parametrize(
    "label",
    [
        {"attribution": Attribution(end_user="e")},
        {"attribution": Attribution(step=0)},
        {"attribution": Attribution(metadata={"a": "b"})},
        {"identity": Identity("i")},
        {"parent_span": "b" * 16},
        {"name": "n"},
        {"contact": {"id": "i"}},
        THREAD,
    ],
)
async def test_any_label_leaves_one_step(label: Mapping[str, Any]) -> None:
    at = room(completion())
    await ask(at, **label)
    assert len(added(at)) == 1


async def test_a_step_says_who_where_and_at_what_cost() -> None:
    told = Attribution(
        run="run", session="s", end_user="e", customer="c", tenant="t", parent="p", step=0, metadata={"k": "v"}
    )
    at = room(completion(prompt=1000, output=50))
    found = await tracked(
        at,
        told,
        parent_span="b" * 16,
        name="n",
        thread={"id": "th", "tags": ["x", "y"]},
        identity=None,
        contact={"id": "i", "email": "e@x.example", "display_name": None},
    )
    assert at.logged[0].receipt is not None
    assert at.logged[0].receipt.cost_nano > 0
    assert found == Step(
        request_id="r1",
        organization="org-alice",
        started_ms=found.started_ms,
        duration_ms=found.duration_ms,
        run="run",
        operation="chat",
        provider="openai",
        model="gpt-4o-mini",
        status=200,
        cost_nano=at.logged[0].receipt.cost_nano,
        input_tokens=1000,
        output_tokens=50,
        key_id="alicealice",
        workflow="main",
        user="alice",
        name="n",
        session="s",
        end_user="e",
        customer="c",
        tenant="t",
        parent="p",
        step=0,
        identity="i",
        identity_profile={"email": "e@x.example"},
        thread="th",
        thread_tags=("x", "y"),
        metadata={"k": "v"},
    )
    assert found.started_ms + found.duration_ms == NOW_MS


async def test_a_trace_is_the_run_where_none_is_named() -> None:
    found = await tracked(room(completion()), Attribution(session="s"), parent_span="b" * 16)
    assert (found.run, found.parent) == ("0" * 31 + "1", "b" * 16)
    found = await tracked(room(completion()), Attribution(run="r", parent="p"), parent_span="b" * 16)
    assert (found.run, found.parent) == ("r", "p")
    found = await tracked(room(completion()), Attribution(run="r"), parent_span="b" * 16)
    assert (found.run, found.parent) == ("r", "b" * 16)


async def test_an_identity_of_the_body_stands_before_that_of_the_header() -> None:
    found = await tracked(room(completion()), identity=Identity("header"), contact={"id": "body", "email": "e"})
    assert (found.identity, found.identity_profile) == ("body", {"email": "e"})
    found = await tracked(room(completion()), identity=Identity("header"))
    assert (found.identity, found.identity_profile) == ("header", None)
    found = await tracked(room(completion()), Attribution(end_user="e"), identity=Identity("i"))
    assert (found.identity, found.end_user) == ("i", "e")


async def test_the_workflow_and_the_user_are_the_keys_unless_somebody_says_more() -> None:
    found = await tracked(room(completion()), Attribution(run="r"))
    assert (found.workflow, found.user) == ("main", "alice")
    found = await tracked(room(completion()), Attribution(workflow="w", user="vera"))
    assert (found.workflow, found.user) == ("w", "vera")


async def test_metadata_of_the_body_is_in_the_step_whatever_the_label_was() -> None:
    found = await tracked(room(completion()), metadata={"a": "b"}, name="n")
    assert found.metadata == {"a": "b"}
    found = await tracked(room(completion()), Attribution(user="vera"), metadata={"a": "b"})
    assert found.metadata == {"a": "b"}
    found = await tracked(room(completion()), Attribution(metadata={"a": "both"}), metadata={"b": "c"})
    assert found.metadata == {"a": "both"}  # `wire.attribution` has put both together


async def test_a_streamed_answer_leaves_its_step_when_it_is_over() -> None:
    at = room(stream(chunk({"content": "hi"}), chunk({}, "stop"), usage_chunk(30, 20), DONE))
    found = await tracked(at, Attribution(run="r"), stream=True)
    assert (found.input_tokens, found.output_tokens, found.status) == (30, 20, 200)


async def test_what_failed_is_a_step_with_its_status() -> None:
    at = room(json_reply({"error": {"message": "no"}}, status=500))
    with pytest.raises(GatewayError) as failed:
        await ask(at, Attribution(run="r"))
    assert (step(at).status, step(at).cost_nano) == (failed.value.status, 0)
    assert step(at).provider == "openai"


async def test_what_was_refused_for_want_of_credit_is_a_step_too() -> None:
    at = room()
    at.ledger.balance_nano = 0
    with pytest.raises(OutOfCredit):
        await ask(at, Attribution(run="r"))
    assert (step(at).status, step(at).cost_nano, step(at).provider) == (402, 0, "")
    assert step(at).model == "openai/gpt-4o-mini"


async def test_an_answer_that_breaks_off_is_one_step() -> None:
    at = room(stream(chunk({"content": "hi"})))
    assert (await ask(at, Attribution(run="r"), stream=True)).error is not None
    assert step(at).status == 502


async def test_a_caller_who_leaves_leaves_a_step() -> None:
    at = room(stream(chunk({"content": "hi"}), chunk({"content": "ho"}), usage_chunk(), DONE))

    def reading(_: Principal) -> Call:
        call = read(HELLO | {"stream": True})
        return replace(call, options=replace(call.options, attribution=Attribution(run="r")))

    answer = await serve("good", reading, await arrive(), at.gateway())
    await anext(answer.batches)
    await answer.batches.aclose()
    await answer.close()
    assert step(at).status == 499


async def test_a_cached_answer_is_a_step_that_costs_nothing() -> None:
    at = room(completion())
    cache = {"type": "exact_match", "ttl": 60}
    for _ in range(2):
        await ask(at, Attribution(run="r"), cache=cache)
    first, second = added(at)
    assert (first.cached, second.cached) == (False, True)
    assert (second.cost_nano, second.input_tokens, second.provider, second.model) == (0, 0, "openai", "gpt-4o-mini")


async def test_the_same_request_again_is_no_second_step() -> None:
    at = room(completion())
    for _ in range(2):
        await ask(at, Attribution(run="r"), key="once")
    assert len(added(at)) == 1


async def test_a_table_that_is_away_fails_no_request() -> None:
    at = room(completion())
    at.extras.steps.broken = True
    told = await ask(at, Attribution(run="r"))
    assert (told.error, told.payloads[0]["choices"][0]["message"]["content"]) == (None, "hello")
    assert at.ledger.said[-1] == "settle"


def said(found: Step) -> Any:
    return None if found.transcript is None else orjson.loads(found.transcript)


async def test_a_transcript_is_kept_only_where_the_organization_wants_it() -> None:
    for keeps in (None, False):
        assert (await tracked(room(completion(), keeps=keeps), **THREAD)).transcript is None
    assert said(await tracked(room(completion("hello"), keeps=True), **THREAD)) == {
        "messages": HELLO["messages"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
    }


async def test_a_transcript_is_a_threads_alone() -> None:
    assert (await tracked(room(completion(), keeps=True), Attribution(run="r"), name="n")).transcript is None


async def test_a_streamed_transcript_is_the_whole_answer() -> None:
    begun, rest = chunk({"role": "assistant", "content": "he"}), chunk({"content": "llo"})
    at = room(stream(begun, rest, chunk({}, "stop"), usage_chunk(), DONE), keeps=True)
    told = await ask(at, stream=True, **THREAD)
    assert told.text == "hello"
    assert said(step(at))["choices"][0]["message"]["content"] == "hello"


async def test_half_an_answer_is_no_transcript() -> None:
    at = room(stream(chunk({"content": "he"})), keeps=True)
    await ask(at, stream=True, **THREAD)
    assert (step(at).status, step(at).transcript) == (502, None)


async def test_a_cached_answer_has_its_transcript() -> None:
    at = room(completion("hello"), keeps=True)
    for _ in range(2):
        await ask(at, cache={"type": "exact_match", "ttl": 60}, **THREAD)
    first, second = added(at)
    assert second.cached
    assert said(first) == said(second) is not None


async def test_secrets_are_in_no_transcript() -> None:
    canary = "canary-0123456789"
    at = room(completion(f"you said {canary}"), keeps=True)
    variables = {"pin": {"value": canary, "secret": True}, "who": "Vera"}
    messages = [{"role": "user", "content": "{{who}} has {{pin}}"}]
    await ask(at, messages=messages, variables=variables, **THREAD)
    assert canary in at.transport.body()["messages"][0]["content"]
    transcript = said(step(at))
    assert transcript["messages"] == [{"role": "user", "content": "Vera has ***"}]
    assert transcript["choices"][0]["message"]["content"] == "you said ***"
    assert canary not in repr(added(at))


async def test_an_opinion_that_cannot_be_had_keeps_nothing_and_fails_nothing() -> None:
    at = room(completion(), keeps=True)
    at.own.faults = 1
    found = await tracked(at, **THREAD)
    assert (found.status, found.transcript) == (200, None)


async def test_vectors_are_no_transcript() -> None:
    reply = {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    at = room(json_reply(reply | {"usage": {"prompt_tokens": 2, "total_tokens": 2}}), keeps=True)
    body = {"model": "openai/text-embedding-3-small", "input": "hi", **THREAD, "metadata": {"a": "b", "n": 1}}
    found = await tracked(at, call=read_embeddings(Posted(orjson.dumps(body))))
    assert (found.operation, found.transcript, found.metadata) == ("embeddings", None, {"a": "b"})


async def test_many_at_once_leave_one_step_each() -> None:
    at = room(*(completion() for _ in range(32)))
    await asyncio.gather(*(ask(at, Attribution(run=f"run{number}")) for number in range(32)))
    assert {each.run for each in added(at)} == {f"run{number}" for number in range(32)}
