"""Signed calls of AWS services: one attempt each, every failure one kind of error."""

import asyncio
import re
from typing import Any

import boto3
import orjson
import pytest
from botocore.session import get_session

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault
from orrery.core.ports import AwsCall
from orrery.edge.aws import SERVICES, aws_call, endpoint_of
from orrery.edge.aws_credentials import KEPT_S, Boto3Credentials
from orrery.edge.http_pool import Pool
from orrery.providers.signing import sign_v4
from tests.edge.faulty import CHUNKED, Server, answers, drips, serve, then_closes, then_hangs, then_resets

WHO = AwsCredentials("AKIDEXAMPLE", "secret", "token")


def json_answer(status: int, body: object, more: bytes = b"") -> bytes:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return b"HTTP/1.1 %d X\r\n%bcontent-length: %d\r\n\r\n%b" % (status, more, len(raw), raw)


def calling(server: Server, pool: Pool, **more: Any) -> AwsCall:
    given: dict[str, Any] = {"service": "dynamodb", "region": "eu-west-1", "credentials": WHO, "timeout_s": 20}
    return aws_call(pool, endpoint=server.url, **(given | more))


async def test_a_call_is_a_signed_post_of_json_and_gives_the_answers_json() -> None:
    pool = Pool()
    async with serve(answers(json_answer(200, {"Item": {"a": {"N": "1"}}}))) as server:
        call = calling(server, pool, clock=lambda: 1_795_219_200.0)
        assert await call("GetItem", {"Key": {"pk": {"S": "ä"}}}) == {"Item": {"a": {"N": "1"}}}
        await pool.close()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert orjson.loads(body) == {"Key": {"pk": {"S": "ä"}}}
    assert lines[0] == "POST / HTTP/1.1"
    sent = dict(line.split(": ", 1) for line in lines[1:])
    assert sent["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert sent["content-type"] == "application/x-amz-json-1.0"
    what = {name: sent[name] for name in ("content-type", "x-amz-target")}
    who: dict[str, Any] = {"access_key": "AKIDEXAMPLE", "secret_key": "secret", "session_token": "token"}
    proof = sign_v4("POST", server.url, what, body, service="dynamodb", region="eu-west-1", now=1_795_219_200.0, **who)
    assert {name: sent[name] for name in proof} == proof


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_named_as_botocore_names_it(service: str) -> None:
    model = get_session().get_service_model(service)
    rules = SERVICES[service]
    assert rules.target_prefix == model.metadata["targetPrefix"]
    assert rules.content_type == f"application/x-amz-json-{model.metadata['jsonVersion']}"
    assert model.signing_name == service


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
@pytest.mark.parametrize("service", SERVICES)
def test_endpoints_are_the_ones_botocore_knows(service: str, region: str) -> None:
    client = boto3.client(service, region_name=region, aws_access_key_id="a", aws_secret_access_key="s")
    assert endpoint_of(service, region).removesuffix("/") == client.meta.endpoint_url


async def test_calls_share_one_connection() -> None:
    pool = Pool()
    async with serve(answers(json_answer(200, {}))) as server:
        call = calling(server, pool)
        assert [await call("GetItem", {}) for _ in range(3)] == [{}] * 3
        assert server.connections == 1
        await pool.close()


CCF = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
ERRORS = {
    "namespaced": (400, {"__type": CCF, "message": "no"}, "ConditionalCheckFailedException", "no"),
    "bare": (400, {"__type": "DecryptionFailure", "Message": "no"}, "DecryptionFailure", "no"),
    "without a name": (500, {"message": None}, "UnknownError", ""),
    "no JSON": (503, b"<html>busy</html>", "Unreadable", "dynamodb GetItem answered 503 without JSON"),
    "no object": (200, b"[1]", "Unreadable", "dynamodb GetItem answered 200 without a JSON object"),
    "empty": (500, b"", "UnknownError", ""),
}


@pytest.mark.parametrize("status, body, kind, message", ERRORS.values(), ids=ERRORS)
async def test_an_error_has_awss_own_name(status: int, body: object, kind: str, message: str) -> None:
    pool = Pool()
    async with serve(answers(json_answer(status, body))) as server:
        with pytest.raises(AwsFault) as caught:
            await calling(server, pool)("GetItem", {})
        await pool.close()
    assert (caught.value.kind, caught.value.message, caught.value.status) == (kind, message, status)
    assert caught.value.body == (body if isinstance(body, dict) else {})


async def test_a_failed_condition_brings_the_old_item() -> None:
    pool = Pool()
    async with serve(answers(json_answer(400, {"__type": CCF, "Item": {"a": {"S": "b"}}}))) as server:
        with pytest.raises(AwsFault) as caught:
            await calling(server, pool)("UpdateItem", {})
        assert caught.value.body["Item"] == {"a": {"S": "b"}}
        await pool.close()


NO_ANSWER = {
    "closed": then_closes(),
    "reset": then_resets(),
    "broken off": then_closes(CHUNKED + b"5\r\n{"),
    "garbage": then_closes(b"garbage\r\n\r\n"),
    "silence": then_hangs(),
    "silence in the middle": then_hangs(CHUNKED + b"1\r\n{\r\n"),
    "a drip": drips(b"1\r\n{\r\n" * 1000, 0.02, CHUNKED),
    "more than any answer": then_closes(b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * (1 << 20)] * 18),
}


@pytest.mark.parametrize("script", NO_ANSWER.items(), ids=NO_ANSWER)
async def test_no_answer_is_unreachable_after_one_attempt(script: Any) -> None:
    what, fault = script
    patience_s = 0.15 if what in ("silence", "silence in the middle", "a drip") else 20
    pool = Pool()
    async with serve(fault) as server:
        with pytest.raises(AwsFault, match=r"^Unreachable: dynamodb did not answer GetItem") as caught:
            await calling(server, pool, timeout_s=patience_s)("GetItem", {})
        assert (caught.value.kind, caught.value.status) == ("Unreachable", 0)
        assert len(server.requests) <= 1
        await pool.close()


async def test_a_closed_port_is_unreachable() -> None:
    pool = Pool()
    async with serve(answers()) as server:
        pass
    with pytest.raises(AwsFault, match="Unreachable"):
        await calling(server, pool)("GetItem", {})


async def test_cancelling_a_call_is_no_fault_and_keeps_no_connection() -> None:
    pool = Pool()
    async with serve(then_hangs()) as server:
        waiting = asyncio.ensure_future(calling(server, pool)("GetItem", {}))
        await server.asked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert pool.idle_count == 0
        await pool.close()


async def test_an_endpoint_with_a_path_is_called_and_signed_there() -> None:
    pool = Pool()
    async with serve(answers(json_answer(200, {}))) as server:
        await aws_call(
            pool, service="kms", region="eu-west-1", credentials=WHO, endpoint=server.url + "/base", timeout_s=20
        )("Decrypt", {})
        assert server.requests[0].startswith(b"POST /base HTTP/1.1\r\n")
        await pool.close()


@pytest.mark.parametrize("endpoint", ["ftp://x", "localhost:8000", "http://", "http://h/?a=1"])
def test_an_endpoint_that_is_no_url_is_refused_at_once(endpoint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(endpoint))):
        aws_call(Pool(), service="kms", region="eu-west-1", credentials=WHO, endpoint=endpoint)


def test_secrets_do_not_show() -> None:
    assert repr(WHO) == "AwsCredentials()"


class Chain:
    """AwsCredentials as botocore keeps them: frozen anew at each asking."""

    token = "t"
    asked = 0

    def get_frozen_credentials(self) -> "Chain":
        self.asked += 1
        self.access_key, self.secret_key = f"key{self.asked}", "secret"
        return self


async def test_boto3s_credentials_are_asked_for_once_a_minute() -> None:
    now = [0.0]
    chain = Chain()
    credentials = Boto3Credentials(clock=lambda: now[0], find=lambda: chain)
    first = await asyncio.gather(*[credentials() for _ in range(5)])
    assert first == [AwsCredentials("key1", "secret", "t")] * 5
    now[0] = KEPT_S
    assert await credentials() == AwsCredentials("key2", "secret", "t")


async def test_no_credentials_is_a_fault_that_says_what_to_do() -> None:
    with pytest.raises(AwsFault, match=r"NoCredentials: .*aws sso login"):
        await Boto3Credentials(find=lambda: None)()


async def test_boto3s_own_chain_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDFROMENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    assert await Boto3Credentials()() == AwsCredentials("AKIDFROMENV", "s", "")


async def test_a_source_of_credentials_is_asked_for_each_call() -> None:
    pool = Pool()
    asked = iter("ab")

    async def source() -> AwsCredentials:
        return AwsCredentials("AKID" + next(asked), "s")

    async with serve(answers(json_answer(200, {}))) as server:
        call = calling(server, pool, credentials=source)
        await call("GetItem", {})
        await call("GetItem", {})
        assert [b"AKIDa/" in server.requests[0], b"AKIDb/" in server.requests[1]] == [True, True]
        assert b"x-amz-security-token" not in server.requests[0]
        await pool.close()
