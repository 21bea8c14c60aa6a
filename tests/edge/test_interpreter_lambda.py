"""The code interpreter on AWS: one signed call of its function, every failure an error that says nothing of ours."""

import json
from typing import Any

import orjson
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import get_session

from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault, InvalidRequest, Unavailable
from orrery.edge import interpreting_lambda
from orrery.edge.http_pool import Pool
from orrery.edge.interpreting_lambda import LambdaInterpreter
from tests.edge.faulty import answers, serve, then_closes, then_hangs

WHO = AwsCredentials("AKIDEXAMPLE", "secret", "token")
NAME = "orrery-Interpreter-AbC123"
RAN = {"stdout": "hi\n", "stderr": "", "error": None}


def reply(body: Any, status: int = 200, more: bytes = b"") -> bytes:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return b"HTTP/1.1 %d X\r\n%bcontent-length: %d\r\n\r\n%b" % (status, more, len(raw), raw)


async def run(behaviour: Any, *, timeout_s: float = 20.0, name: str = NAME, credentials: Any = WHO, **more: Any) -> Any:
    pool = Pool()
    async with serve(behaviour) as server:
        place = LambdaInterpreter(
            pool,
            function=name,
            region="eu-west-1",
            credentials=credentials,
            endpoint=server.url,
            clock=lambda: 1_795_219_200.0,
        )
        given = {"code": "print('hi')", "files": {}, "tenant": "org-alice", **more}
        try:
            return await place.run(given["code"], given["files"], timeout_s=timeout_s, tenant=given["tenant"]), server
        finally:
            await pool.close()


async def test_a_run_is_one_signed_invocation_for_its_tenant():
    found, server = await run(answers(reply(RAN)), timeout_s=25, files={"a.csv": b"1"})
    assert found == RAN
    [request] = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    sent = dict(line.split(": ", 1) for line in lines[1:])
    assert lines[0] == f"POST /2015-03-31/functions/{NAME}/invocations HTTP/1.1"
    assert json.loads(body) == {"code": "print('hi')", "files": {"a.csv": "MQ=="}, "seconds": 20.0}
    assert sent["x-amz-invocation-type"] == "RequestResponse"
    assert len(sent["x-amz-tenant-id"]) == 64
    assert "alice" not in head.decode()
    signed = AWSRequest(
        "POST", f"{server.url.rstrip('/')}/2015-03-31/functions/{NAME}/invocations", data=body,
        headers={name: sent[name] for name in ("content-type", "x-amz-invocation-type", "x-amz-tenant-id")},
    )  # fmt: skip
    auth = SigV4Auth(Credentials("AKIDEXAMPLE", "secret", "token"), "lambda", "eu-west-1")
    signed.context["timestamp"] = sent["x-amz-date"]
    signed.headers["X-Amz-Date"] = sent["x-amz-date"]
    signed.headers["X-Amz-Security-Token"] = "token"
    signature = auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed)
    assert sent["authorization"].endswith(f"Signature={signature}")


def test_names_are_those_of_botocore():
    model = get_session().get_service_model("lambda").operation_model("Invoke")
    assert model.http["requestUri"] == "/2015-03-31/functions/{FunctionName}/invocations"
    members = model.input_shape.members
    assert members["TenantId"].serialization["name"] == "X-Amz-Tenant-Id"
    assert members["InvocationType"].serialization["name"] == "X-Amz-Invocation-Type"
    assert model.output_shape.members["FunctionError"].serialization["name"] == "X-Amz-Function-Error"


async def test_tenants_have_different_names():
    names = set()
    for tenant in ("org-alice", "org-bob"):
        _, server = await run(answers(reply(RAN)), tenant=tenant)
        names.add(server.requests[0].partition(b"x-amz-tenant-id: ")[2][:64])
    assert len(names) == 2


async def test_without_a_tenant_none_is_named():
    _, server = await run(answers(reply(RAN)), tenant="")
    assert b"tenant" not in server.requests[0]


@pytest.mark.parametrize(("timeout_s", "seconds"), [(25, 20), (6.5, 1.5), (3, 1), (900, 60)])
async def test_the_code_has_less_time_than_the_call(timeout_s, seconds):
    _, server = await run(answers(reply(RAN)), timeout_s=timeout_s)
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2])["seconds"] == seconds


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(reply({"errorMessage": "secret"}, more=b"X-Amz-Function-Error: Unhandled\r\n")),
        answers(reply(RAN, more=b"X-Amz-Function-Error: Handled\r\n")),
        answers(reply(RAN, 202)),
        answers(reply({"Message": "secret: no permission"}, 403)),
        answers(reply({"Message": "secret"}, 429)),
        answers(reply({"Message": "secret"}, 500)),
        answers(reply(b"secret")),
        answers(reply(b"")),
        answers(reply([1])),
        answers(reply({})),
        answers(reply({"stdout": 5})),
        answers(reply({"stdout": "x" * (interpreting_lambda.LARGEST_ANSWER)})),
        then_closes(),
    ],
)
async def test_what_fails_is_unavailable_and_says_nothing_of_ours(behaviour):
    with pytest.raises(Unavailable) as raised:
        await run(behaviour)
    assert "secret" not in raised.value.message
    assert NAME not in raised.value.message


async def test_a_function_that_hangs_is_given_up():
    with pytest.raises(Unavailable, match="does not answer"):
        await run(then_hangs(), timeout_s=0.1)


async def test_without_credentials_nothing_is_sent():
    async def none() -> AwsCredentials:
        raise AwsFault("NoCredentials")

    with pytest.raises(Unavailable, match="NoCredentials"):
        await run(answers(reply(RAN)), credentials=none)


async def test_what_the_function_refuses_cannot_be_had():
    with pytest.raises(InvalidRequest, match="not available: no walls") as raised:
        await run(answers(reply({"refused": "no walls"})))
    assert raised.value.code == "unsupported_parameter"


async def test_more_than_an_event_takes_is_refused_before_it_is_sent():
    with pytest.raises(InvalidRequest, match="too large"):
        await run(answers(), files={"a": bytes(5 * 1024 * 1024)})


async def test_answers_are_taken_with_care():
    found, _ = await run(answers(reply({"stdout": "a", "stderr": None, "error": "x" * 9_000, "more": {}})))
    assert found == {"stdout": "a", "stderr": "", "error": "x" * 500}
