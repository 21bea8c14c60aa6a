"""The embedded DynamoDB over HTTP, as its clients see it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import pytest_asyncio
from botocore.config import Config
from botocore.exceptions import ClientError

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault
from orrery.edge.embedded.engine import Engine
from orrery.edge.embedded.opening import open_remote
from orrery.edge.embedded.server import BODY_BYTES, serving
from tests.edge.embedded_tables import TABLE, get, key, put, spend, topped_up

KEY_ID = "ORRERYTESTKEY"


@pytest_asyncio.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    engine = Engine(tmp_path / "dynamodb.jsonl")
    engine.run("CreateTable", TABLE)
    async with serving(engine, KEY_ID) as url:
        yield url
    engine.close()


async def with_boto3(url: str, use: Callable[[Any], Any], key_id: str = KEY_ID) -> Any:
    """boto3 in a thread: the server runs on this loop."""

    def run() -> Any:
        session = boto3.Session(aws_access_key_id=key_id, aws_secret_access_key="any", region_name="eu-west-1")
        client = session.client("dynamodb", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))
        try:
            return use(client)
        finally:
            client.close()

    return await asyncio.to_thread(run)


async def test_boto3_reads_what_it_wrote(url: str) -> None:
    def use(client: Any) -> Any:
        client.put_item(**put(n={"N": "5"}, b={"B": b"\x00\xff"}, deep={"L": [{"B": b"\x01"}]}))
        client.get_waiter("table_exists").wait(TableName="t")
        return client.get_item(**get())["Item"]

    item = await with_boto3(url, use)
    assert item == {**key(), "n": {"N": "5"}, "b": {"B": b"\x00\xff"}, "deep": {"L": [{"B": b"\x01"}]}}


async def test_boto3_gets_its_own_exceptions_with_the_old_item(url: str) -> None:
    def use(client: Any) -> Any:
        client.put_item(**put(bal={"N": "1"}, spent={"N": "0"}))
        with pytest.raises(client.exceptions.ConditionalCheckFailedException) as caught:
            client.update_item(**spend(2))
        return caught.value.response

    assert (await with_boto3(url, use))["Item"]["bal"] == {"N": "1"}


async def test_boto3_gets_the_reasons_of_a_cancelled_transaction(url: str) -> None:
    def use(client: Any) -> Any:
        client.put_item(**put(bal={"N": "1"}, granted={"N": "1"}))
        client.transact_write_items(TransactItems=topped_up("e", 1))
        with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
            client.transact_write_items(TransactItems=topped_up("e", 1))
        return caught.value.response["CancellationReasons"]

    assert [reason["Code"] for reason in await with_boto3(url, use)] == ["ConditionalCheckFailed", "None"]


async def test_boto3_reads_the_table_description(url: str) -> None:
    described = await with_boto3(url, lambda client: client.describe_table(TableName="t"))
    assert described["Table"]["CreationDateTime"].year >= 2026


async def test_our_own_client_speaks_to_it(url: str) -> None:
    async with open_remote(region="eu-west-1", endpoint=url, credentials=AwsCredentials(KEY_ID, "any")) as there:
        await there.call("PutItem", put(bal={"N": "9"}, spent={"N": "0"}))
        with pytest.raises(AwsFault) as caught:
            await there.call("UpdateItem", spend(10))
    assert (caught.value.kind, caught.value.body["Item"]["bal"]) == ("ConditionalCheckFailedException", {"N": "9"})


@pytest.mark.parametrize("key_id", ["AKIAIOSFODNN7EXAMPLE", KEY_ID + "X", KEY_ID[:-1], ""])
async def test_a_credential_of_another_folder_is_refused(url: str, key_id: str) -> None:
    def use(client: Any) -> Any:
        with pytest.raises(ClientError) as caught:
            client.get_item(**get())
        return caught.value.response["Error"]["Code"]

    if key_id:
        assert await with_boto3(url, use, key_id) == "UnrecognizedClientException"
    async with httpx.AsyncClient() as client:
        headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Authorization": key_id}
        answer = await client.post(url, headers=headers, json={})
    assert answer.status_code == 400
    assert answer.json()["__type"] == "com.amazon.coral.service#UnrecognizedClientException"


async def test_an_action_that_is_not_listed_is_refused(url: str) -> None:
    def use(client: Any) -> Any:
        with pytest.raises(ClientError) as caught:
            client.delete_table(TableName="t")
        return caught.value.response["Error"]["Code"]

    assert await with_boto3(url, use) == "UnknownOperationException"


AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20261121/us-east-1/dynamodb/aws4_request, Signature=x"


@pytest.mark.parametrize(
    ("method", "target", "body", "kind"),
    [
        ("POST", "DynamoDB_20120810.ListTables", b"{", "SerializationException"),
        ("POST", "DynamoDB_20120810.ListTables", b"[]", "SerializationException"),
        ("POST", "DynamoDB_20120810.ListTables", b" " * (BODY_BYTES + 1), "RequestTooLarge"),
        ("POST", "DynamoDBStreams_20120810.ListStreams", b"{}", "UnknownOperationException"),
        ("POST", "", b"{}", "UnknownOperationException"),
        ("GET", "DynamoDB_20120810.ListTables", b"{}", "UnknownOperationException"),
    ],
)
async def test_a_wrong_request_is_answered_in_dynamodbs_shape(
    url: str, method: str, target: str, body: bytes, kind: str
) -> None:
    async with httpx.AsyncClient() as client:
        headers = {"X-Amz-Target": target, "Authorization": AUTHORIZATION}
        answer = await client.request(method, url, headers=headers, content=body)
    assert answer.status_code in (400, 413)
    assert answer.json()["__type"].endswith(f"#{kind}")


async def test_a_taken_port_is_the_systems_own_error(url: str, tmp_path: Path) -> None:
    engine = Engine(tmp_path / "other.jsonl")
    with pytest.raises(OSError, match="in use"):
        async with serving(engine, KEY_ID, port=int(url.rpartition(":")[2])):
            pass
    engine.close()
