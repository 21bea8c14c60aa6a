"""Callers' own provider keys: whose key signs, where it goes, what it costs, and what the caller is told."""

import pytest

from orrery.core.credentials import AwsCredentials, Credentials
from orrery.core.errors import UpstreamError
from orrery.flow.credentials import hide, own_target
from orrery.flow.gateway import Policy
from orrery.providers import get
from orrery.providers.compatible import server
from tests.fakes import DONE, FakeAccounts, FakeLedger, FakeTransport, Room, chunk, completion, cut, json_reply, stream
from tests.flow.asking import ask, refused
from tests.flow.owning import CANARY, stored

BYOK, REASON = "x-orbitrage-byok", "x-orbitrage-byok-reason"


def says(headers) -> tuple[str, str]:
    return headers[BYOK], headers[REASON]


def signed(room: Room, number: int = -1) -> str:
    return room.transport.requests[number].headers["authorization"].removeprefix("Bearer ")


def fails(status: int, message: str = "no"):
    return json_reply({"error": {"message": message}}, status)


def pooled(*replies) -> Room:
    return Room(transport=FakeTransport(*replies))


async def test_a_stored_key_signs_and_costs_nothing():
    room = stored(completion())
    told = await ask(room)
    assert says(told.answer.headers) == ("openai", "applied")
    assert (signed(room), told.answer.headers["x-orrery-cost-usd"]) == (CANARY, "0")
    assert room.ledger.said == ["record", "settle"]
    receipt = room.ledger.receipts["r1"]
    assert (receipt.cost_nano, receipt.own, receipt.usage.prompt) == (0, True, 10)


async def test_a_key_of_the_request_signs_before_the_stored_one():
    room = stored(completion())
    told = await ask(room, api_key="sk-of-this-request")
    assert (signed(room), says(told.answer.headers)) == ("sk-of-this-request", ("openai", "applied"))
    assert "api_key" not in room.transport.body()


async def test_without_a_key_of_its_own_the_pool_serves_and_says_why():
    room = pooled(completion())
    assert says((await ask(room)).answer.headers) == ("pooled", "no-key-for-provider")
    assert signed(room) == "key-of-openai"
    assert room.ledger.said[0] == "hold"


async def test_another_organizations_key_is_never_used():
    room = stored(completion(), organization="org-mallory")
    assert says((await ask(room)).answer.headers) == ("pooled", "no-key-for-provider")
    assert signed(room) == "key-of-openai"


async def test_a_disabled_key_is_not_used():
    room = stored(completion(), off={"openai"})
    assert says((await ask(room)).answer.headers) == ("pooled", "key-disabled")
    assert signed(room) == "key-of-openai"


async def test_a_key_that_does_not_open_is_the_callers_422():
    room = stored(broken={"openai"})
    err = await refused(room)
    assert (err.status, err.code) == (422, "provider_credential_invalid")
    assert says(err.headers()) == ("openai", "decrypt-failed")
    assert (room.transport.requests, room.ledger.said) == ([], [])


async def test_a_key_that_does_not_open_leaves_the_pool_where_that_may_serve():
    room = stored(completion(), broken={"openai"}, fallback=True)
    assert says((await ask(room)).answer.headers) == ("pooled", "decrypt-failed")
    assert signed(room) == "key-of-openai"


async def test_a_name_that_the_provider_knows_otherwise_is_said_to_be_rewritten():
    key = Credentials(aws=AwsCredentials("AKIACANARY", "secret"))
    target = own_target(get("bedrock"), "eu-west-1/anthropic.claude", key)
    assert (target.reason, target.region) == ("applied-with-model-rewrite", "eu-west-1")


@pytest.mark.parametrize("model", ["no-such-model", "nowhere/model"])
async def test_a_model_that_nobody_has_is_unmapped(model):
    assert says((await refused(stored(), model=model)).headers()) == ("pooled", "unmapped-model")


async def test_the_pools_refusals_say_that_they_are_the_pools():
    broke = Room(ledger=FakeLedger(balance_nano=0))
    assert says((await refused(broke)).headers()) == ("pooled", "no-key-for-provider")
    assert says((await refused(Room(accounts=FakeAccounts("openai")))).headers()) == ("pooled", "no-key-for-provider")
    assert says((await refused(pooled(fails(400)))).headers()) == ("pooled", "no-key-for-provider")


async def test_an_organization_without_credit_calls_with_its_own_key():
    room = stored(completion(), completion())
    room.ledger.balance_nano = 0
    assert (await ask(room)).payloads
    room.own.fallback = True
    assert (await ask(room)).payloads
    assert room.ledger.receipts["r1"].cost_nano == 0


async def test_a_model_without_a_price_and_a_dear_tier_are_the_callers_own_affair():
    room = stored(completion())
    assert (await ask(room, model="openai/no-such-model", service_tier="priority")).payloads
    assert room.transport.body()["service_tier"] == "priority"


async def test_a_dear_tier_is_never_served_for_credit():
    err = await refused(stored(fails(500), completion(), fallback=True), service_tier="priority")
    assert err.status == 500


async def test_a_provider_that_the_operator_has_no_account_at_is_reached_with_an_own_key():
    room = stored(completion())
    room.accounts.without_key = ("openai",)
    assert (await ask(room, model="gpt-4o-mini")).payloads
    assert signed(room) == CANARY


@pytest.mark.parametrize("status", [401, 403, 402, 429, 500, 503])
async def test_what_fails_with_an_own_key_is_tried_for_credit_where_that_is_wanted(status):
    room = stored(fails(status), completion(), fallback=True)
    told = await ask(room)
    assert says(told.answer.headers) == ("pooled", "applied")
    assert [signed(room, 0), signed(room, 1)] == [CANARY, "key-of-openai"]
    receipt = room.ledger.settled["r1"]
    assert receipt.cost_nano > 0 and not receipt.own


async def test_a_request_that_the_provider_finds_wrong_is_not_tried_again_for_credit():
    assert (await refused(stored(fails(400), completion(), fallback=True))).status == 400


@pytest.mark.parametrize(("status", "seen"), [(401, 422), (403, 422), (429, 429), (500, 500)])
async def test_without_that_choice_the_failure_is_the_answer(status, seen):
    room = stored(fails(status), completion())
    err = await refused(room)
    assert (err.status, says(err.headers())) == (seen, ("openai", "applied"))
    assert len(room.transport.requests) == 1


async def test_nothing_is_tried_for_credit_once_the_answer_has_begun():
    room = stored(stream(chunk({"content": "a"}), cut()), stream(chunk({}, "stop"), DONE), fallback=True)
    told = await ask(room, stream=True)
    assert told.error is not None and told.error.code == "provider_truncated"
    assert len(room.transport.requests) == 1


async def test_the_hold_covers_the_pooled_twin_and_comes_back_whole():
    room = stored(completion(), fallback=True)
    before = room.ledger.balance_nano
    await ask(room)
    assert room.ledger.said[0] == "hold"
    assert room.ledger.balance_nano == before


async def test_a_short_balance_never_shortens_a_call_with_an_own_key():
    room = stored(completion(), fallback=True)
    room.ledger.balance_nano = 100_000  # enough for a clamped answer
    await ask(room)
    assert "max_completion_tokens" not in room.transport.body()


async def test_a_pooled_call_is_not_replaced_by_an_own_fallback_for_want_of_credit():
    room = stored(completion(), provider="groq")
    room.ledger.balance_nano = 0
    err = await refused(room, fallbacks=[{"model": "groq/llama-3.3-70b-versatile"}])
    assert err.status == 402


async def test_a_revoked_key_is_refused_without_a_trace_in_the_books():
    room = stored(completion())
    room.keys.fresh = False
    room.keys.revoked.add("alicealice")
    assert (await refused(room)).status == 401
    assert room.ledger.said == []


async def test_a_key_of_the_request_goes_to_the_requested_models_provider_alone():
    room = pooled(fails(500), completion())
    told = await ask(room, api_key=CANARY, fallbacks=[{"model": "groq/llama-3.3-70b-versatile"}])
    assert says(told.answer.headers) == ("pooled", "no-key-for-provider")
    assert [signed(room, 0), signed(room, 1)] == [CANARY, "key-of-groq"]


async def test_it_serves_a_fallback_at_the_same_provider():
    room = pooled(fails(500), completion())
    await ask(room, api_key=CANARY, fallbacks=[{"model": "openai/gpt-4o"}])
    assert [signed(room, 0), signed(room, 1)] == [CANARY, CANARY]


async def test_a_bare_name_means_the_maker_not_whom_the_operator_prefers():
    room = pooled(completion())
    room.accounts.without_key = ("openai",)
    await ask(room, api_key=CANARY, model="gpt-4o-mini")
    assert room.transport.requests[0].url.startswith("https://api.openai.com/")


async def test_a_key_of_the_request_never_goes_to_the_default_provider():
    room = Room(transport=FakeTransport(), policy=Policy(default_provider="own", allow_unpriced=True))
    assert (await refused(room, api_key=CANARY, model="my-model")).status == 400
    assert (await refused(room, api_key=CANARY, model="own/my-model")).param == "api_key"
    real = Room(transport=FakeTransport(completion()), policy=Policy(default_provider="groq", allow_unpriced=True))
    assert (await refused(real, api_key=CANARY, model="my-model")).status == 400
    assert room.transport.requests == real.transport.requests == []


async def test_an_own_key_speaks_the_providers_dialect_whatever_server_the_operator_calls_so():
    class Shadowed(FakeAccounts):
        def _provider(self, name):
            return server("anthropic", "https://proxy.operator.test/v1") if name == "anthropic" else get(name)

    room = stored(fails(400), provider="anthropic")
    room.accounts = Shadowed()
    await refused(room, model="anthropic/claude-haiku-4-5")
    (request,) = room.transport.requests
    assert (request.url, request.headers["x-api-key"]) == ("https://api.anthropic.com/v1/messages", CANARY)


class Proxied(FakeAccounts):
    """An operator who calls OpenAI by way of a proxy."""

    async def find(self, name):
        from dataclasses import replace

        account = await super().find(name)
        return account and replace(account, base_url="https://proxy.operator.test/v1")


@pytest.mark.parametrize("given", [{}, {"api_key": CANARY}])
async def test_an_own_key_goes_to_the_providers_own_address_not_to_the_operators(given):
    room = stored(completion())
    room.accounts = Proxied()
    await ask(room, **given)
    assert room.transport.requests[0].url == "https://api.openai.com/v1/chat/completions"


async def test_a_callers_address_gets_the_callers_key_over_the_guarded_way():
    room = stored(completion())
    await ask(room, api_key="sk-other-key", base_url="https://llm.caller.example/v1")
    assert room.transport.requests == []
    (request,) = room.outside.requests
    assert (request.url, request.headers["authorization"]) == (
        "https://llm.caller.example/v1/chat/completions",
        "Bearer sk-other-key",
    )


@pytest.mark.parametrize("name", ["base_url", "api_base", "aws_region_name"])
async def test_an_address_without_a_key_of_ones_own_is_400(name):
    room = stored()
    err = await refused(room, **{name: "https://sentinel.example/v1"})
    assert (err.status, err.param) == (400, name)


@pytest.mark.parametrize("model", ["azure/my-gpt", "cloudflare/x", "databricks/x", "ollama/x", "vllm/x"])
async def test_a_provider_without_an_address_of_its_own_needs_one(model):
    room = pooled(completion())
    assert (await refused(room, model=model, api_key=CANARY)).param == "base_url"
    room.outside = FakeTransport(completion())
    await ask(room, model=model, api_key=CANARY, base_url="https://mine.example/v1")
    assert room.outside.requests[0].url.startswith("https://mine.example/")


@pytest.mark.parametrize(
    ("model", "given", "param"),
    [
        ("openai/gpt-4o", {"aws_access_key_id": "A", "aws_secret_access_key": "B"}, "aws_access_key_id"),
        ("openai/gpt-4o", {"api_key": '{"type": "service_account"}'}, "api_key"),
        ("vertex/gemini-2.5-flash", {"api_key": "AIza-plain"}, "api_key"),
        ("vertex/gemini-2.5-flash", {"api_key": '{"project_id": "../../x"}'}, "base_url"),
    ],
)
async def test_a_credential_of_the_wrong_kind_is_400(model, given, param):
    err = await refused(pooled(), model=model, **given)
    assert (err.status, err.param) == (400, param)


def test_a_vertex_project_is_the_credential_files_own():
    file = '{"type":"service_account","project_id":"my-project-1"}'
    assert "/projects/my-project-1/" in own_target(get("vertex"), "gemini-2.5-flash", Credentials(file)).base_url


async def test_bedrock_is_signed_with_the_callers_keys_in_the_region_that_they_name():
    room = pooled(fails(403))
    aws = {"aws_access_key_id": "AKIACANARYCANARY", "aws_secret_access_key": CANARY, "aws_session_token": "t" * 20}
    model = "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0"
    await refused(room, model=model, aws_region_name="eu-west-1", **aws)
    (request,) = room.transport.requests
    assert request.url.startswith("https://bedrock-runtime.eu-west-1.amazonaws.com/")
    assert "Credential=AKIACANARYCANARY/" in request.headers["authorization"]
    assert request.headers["x-amz-security-token"] == "t" * 20
    assert not any(name.startswith("aws_") for name in room.transport.body())


@pytest.mark.parametrize("reply", [fails(401, f"bad key {CANARY}!"), json_reply({"error": CANARY}, 500)])
async def test_a_provider_that_repeats_the_key_is_not_repeated(reply):
    err = await refused(stored(reply))
    assert "canary" not in str(err.body()) + str(err) + repr(err)
    assert "[key]" in err.message


def test_a_key_is_taken_out_of_every_word_of_an_error():
    err = UpstreamError(f"{CANARY} is bad", param=CANARY, code=CANARY, type=CANARY)
    hide(err, own_target(get("openai"), "m", Credentials(CANARY)))
    assert "canary" not in str(err.body()) + repr(err)


async def test_a_key_that_fails_in_the_middle_of_a_stream_is_not_repeated():
    failing = b'data: {"error": {"message": "key ' + CANARY.encode() + b' ran out"}}\n\n'
    told = await ask(stored(stream(chunk({"content": "a"}), failing)), stream=True)
    assert told.error is not None and "canary" not in told.error.message


async def test_no_repr_shows_a_key():
    room = stored(completion())
    told = await ask(room, api_key=CANARY)
    assert "canary" not in repr(told.answer) + repr(room.logged)
    assert told.answer.exchange.plan.call.options.credentials is None  # nor could anything forward it
    aws = AwsCredentials(CANARY, CANARY, CANARY)
    assert "canary" not in repr(Credentials(CANARY, aws)) + repr(aws)
