"""The choices of the Bedrock dialect that depend on a place, a credential or a model; plain cases are in folders."""

from typing import Any

import pytest

from orrery.core.credentials import AwsCredentials
from orrery.core.dialect import Encoded, Frame, UpstreamRequest
from orrery.core.errors import InvalidRequest, Truncated, UpstreamError
from orrery.core.types import Call, Operation, Target, Usage
from orrery.providers.bedrock import PROVIDER, sign
from orrery.providers.bedrock.decode import decode
from orrery.providers.bedrock.encode import encode
from orrery.providers.bedrock.models import UNKNOWN, base_name, traits_of
from orrery.providers.bedrock.places import BASE_URL, locate, path
from orrery.providers.bedrock.stream import StreamDecoder
from orrery.wire.eventstream import Reader
from tests.providers.bedrock_judge import request_of
from tests.providers.eventstream_writer import frames
from tests.providers.test_signing import KEYS, judged

HI: dict[str, Any] = {"role": "user", "content": "Hi"}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA2 = "us.amazon.nova-2-lite-v1:0"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/mi1dadi0g15f"


def encoded(model: str = CLAUDE, **body: Any) -> Encoded:
    body = {"model": f"bedrock/{model}", "messages": [HI], **body}
    result = encode(Call(Operation.CHAT, body["model"], body), Target("bedrock", model, BASE_URL))
    request_of(model, result.body, stream=False)
    return result


def target(model: str = CLAUDE, region: str = "us-east-1", base_url: str = BASE_URL, **more: Any) -> Target:
    return Target("bedrock", model, base_url, region, **more)


PLACES = [
    (CLAUDE, "us-east-1", CLAUDE, "us-east-1", "https://bedrock-runtime.us-east-1.amazonaws.com"),
    (f"eu-west-1/{CLAUDE}", "us-east-1", CLAUDE, "eu-west-1", "https://bedrock-runtime.eu-west-1.amazonaws.com"),
    (f"us-gov-west-1/{CLAUDE}", "", CLAUDE, "us-gov-west-1", "https://bedrock-runtime.us-gov-west-1.amazonaws.com"),
    ("m", "cn-north-1", "m", "cn-north-1", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"),
    ("m", "eusc-de-east-1", "m", "eusc-de-east-1", "https://bedrock-runtime.eusc-de-east-1.amazonaws.eu"),
    (ARN, "us-east-1", ARN, "eu-central-1", "https://bedrock-runtime.eu-central-1.amazonaws.com"),
]


@pytest.mark.parametrize(("asked", "region", "model", "found", "base_url"), PLACES)
def test_a_model_is_found_in_its_region(asked: str, region: str, model: str, found: str, base_url: str) -> None:
    located = locate(target(asked, region))
    assert (located.model, located.region, located.base_url) == (model, found, base_url)


ARNS = [
    "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
    "arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.anthropic.claude-opus-5",
    "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:provisioned-model/abcdefghij12",
    "arn:aws:bedrock:us-west-2:123456789012:imported-model/abcdefghij12",
    "arn:aws:bedrock:us-west-2:123456789012:custom-model-deployment/abcdefghij12",
    "arn:aws:bedrock:us-west-2:123456789012:default-prompt-router/anthropic.claude:1",
    "arn:aws:sagemaker:us-west-2:123456789012:endpoint/my-endpoint",
]


@pytest.mark.parametrize("arn", ARNS)
def test_an_arn_of_any_kind_of_model_names_its_region(arn: str) -> None:
    assert locate(target(arn, "eu-west-1")).region == arn.split(":")[3]


@pytest.mark.parametrize("arn", [*ARNS, ARN, CLAUDE, "m/with/slashes:and colons"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_path_is_escaped_as_botocore_does_it(arn: str, stream: bool) -> None:
    body = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    if " " not in arn and "imported" not in arn:
        expected = request_of(arn, body, stream=stream)["url_path"]
        assert path(Call(Operation.CHAT, "m", {}, stream=stream), target(arn)) == expected
    assert "/" not in path(Call(Operation.CHAT, "m", {}), target(arn)).removeprefix("/model/").removesuffix("/converse")


NOWHERE = [
    (CLAUDE, "", BASE_URL),
    (CLAUDE, "evil.example/", BASE_URL),
    ("arn:aws:bedrock:us-east-1:123456789012:prompt/PROMPT1234:1", "us-east-1", BASE_URL),
    ("arn:aws:s3:::bucket", "us-east-1", BASE_URL),
    ("arn:aws:bedrock:x.evil:123456789012:inference-profile/a", "us-east-1", BASE_URL),
    (CLAUDE, "", "https://proxy.example"),
]


@pytest.mark.parametrize(("model", "region", "base_url"), NOWHERE)
def test_what_is_nowhere_is_a_400_that_blames_the_model(model: str, region: str, base_url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        locate(target(model, region, base_url))
    assert caught.value.param == "model"


def test_an_operators_address_stays_but_for_its_region() -> None:
    vpc = "https://vpce-1.bedrock-runtime.{region}.vpce.amazonaws.com"
    assert locate(target(f"eu-west-1/{CLAUDE}", base_url=vpc)).base_url == vpc.replace("{region}", "eu-west-1")
    mock = locate(target(f"eu-west-1/{CLAUDE}", base_url="http://localhost:9/x"))
    assert (mock.base_url, mock.region) == ("http://localhost:9/x", "eu-west-1")
    told = locate(target("m", "", "https://bedrock-runtime-fips.us-west-2.amazonaws.com"))
    assert told.region == "us-west-2"


def test_an_api_key_needs_no_region_where_the_address_has_none() -> None:
    assert locate(target("m", "", "https://proxy.example", secret="k")).base_url == "https://proxy.example"
    request = UpstreamRequest("POST", "https://proxy.example", {})
    aws = AwsCredentials("AKIDEXAMPLE", "s")
    assert sign(request, target(secret="k", aws=aws), 0.0) == {"authorization": "Bearer k"}
    assert sign(request, target(), 0.0) == {}


@pytest.mark.parametrize("token", ["", "session+token=="])
@pytest.mark.parametrize("model", [CLAUDE, ARN, *ARNS])
def test_a_role_signs_as_botocore_does(model: str, token: str) -> None:
    place = locate(target(model, aws=AwsCredentials(KEYS["access_key"], KEYS["secret_key"], token)))
    url = place.base_url + path(Call(Operation.CHAT, "m", {}, stream=True), place)
    headers = {
        "Content-Type": "application/json",
        "accept": "application/vnd.amazon.eventstream",
        "user-agent": "orrery",
    }
    ours = sign(UpstreamRequest("POST", url, headers, b'{"a":1}'), place, 1_795_219_200.0)
    who: dict[str, Any] = {"service": "bedrock", "region": place.region, "session_token": token, **KEYS}
    assert ours["authorization"] == judged("POST", url, headers, b'{"a":1}', now=1_795_219_200.0, **who)
    assert set(ours) == {"authorization", "x-amz-date"} | ({"x-amz-security-token"} if token else set())


BASES = [
    ("us.anthropic.claude-opus-5", "anthropic.claude-opus-5"),
    ("global.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0"),
    ("us-gov.anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"),
    ("deepseek.v3.2", "deepseek.v3.2"),
    ("eu-west-1/eu.mistral.pixtral-large-2502-v1:0", "mistral.pixtral-large-2502-v1:0"),
    (ARNS[0], "anthropic.claude-3-haiku-20240307-v1:0"),
    (ARNS[1], "anthropic.claude-opus-5"),
    (ARN, ARN),
    ("some-model", "some-model"),
]


@pytest.mark.parametrize(("model", "base"), BASES)
def test_a_models_own_name_is_found_in_all_of_its_names(model: str, base: str) -> None:
    assert base_name(model) == base


@pytest.mark.parametrize("model", [ARN, ARNS[2], "some-model", "unheard.of-1"])
def test_of_unknown_models_nothing_is_withheld(model: str) -> None:
    assert traits_of(model) is UNKNOWN


THINKING = [
    # model, parameters → additionalModelRequestFields, lost
    (CLAUDE, {"reasoning_effort": "low"}, {"thinking": {"type": "enabled", "budget_tokens": 3276}}, ()),
    ("us.anthropic.claude-opus-4-5-20251101-v1:0", {"reasoning_effort": "low", "max_tokens": 8000}, "budget", ()),
    ("us.anthropic.claude-opus-5", {"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}}, ()),
    (CLAUDE, {"top_k": 5}, {"top_k": 5}, ()),
    (NOVA2, {"reasoning_effort": "low"}, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}, ()),
    (NOVA2, {"reasoning_effort": "none"}, None, ()),
    (NOVA2, {"thinking": {"type": "enabled", "budget_tokens": 2000}}, "medium", ("thinking.budget_tokens",)),
    (NOVA2, {"reasoning_effort": "high"}, "high", ()),
    (NOVA2, {"reasoning_effort": "high", "temperature": 0}, "medium", ("reasoning_effort",)),
    (NOVA2, {"reasoning_effort": "minimal"}, "low", ("reasoning_effort",)),
    ("amazon.nova-pro-v1:0", {"reasoning_effort": "low"}, None, ("reasoning_effort",)),
    ("openai.gpt-oss-20b-1:0", {"reasoning_effort": "medium"}, {"reasoning_effort": "medium"}, ()),
    ("openai.gpt-oss-20b-1:0", {"reasoning_effort": "none"}, None, ("reasoning_effort",)),
    ("qwen.qwen3-32b-v1:0", {"reasoning_effort": "medium"}, {"reasoning_config": "low"}, ("reasoning_effort",)),
    ("moonshotai.kimi-k2.5", {"reasoning_effort": "max"}, {"reasoning_effort": "max"}, ()),
    ("meta.llama3-1-8b-instruct-v1:0", {"thinking": {"type": "disabled"}}, None, ()),
    ("meta.llama3-1-8b-instruct-v1:0", {"thinking": {"type": "adaptive"}, "top_k": 3}, None, ("top_k", "thinking")),
    (ARN, {"reasoning_effort": "default"}, None, ()),
]


@pytest.mark.parametrize(("model", "asked", "sent", "lost"), THINKING)
def test_each_family_thinks_in_its_own_words(model: str, asked: Any, sent: Any, lost: tuple[str, ...]) -> None:
    found = encoded(model, **asked)
    more = found.body.get("additionalModelRequestFields")
    if sent == "budget":  # Opus 4.5 has no effort here: its thinking has a budget, and nothing is beside it
        assert set(more) == {"thinking"} and more["thinking"]["budget_tokens"] == 1600
    elif isinstance(sent, str):
        assert more["reasoningConfig"]["maxReasoningEffort"] == sent
    else:
        assert more == sent
    assert found.dropped == lost


STRUCTURED = [
    ("us.anthropic.claude-sonnet-4-6", True),
    ("us.anthropic.claude-opus-4-7", False),
    ("us.anthropic.claude-sonnet-5", False),
    ("zai.glm-4.7", True),
    ("amazon.nova-pro-v1:0", False),
    (ARN, True),
]


@pytest.mark.parametrize(("model", "can"), STRUCTURED)
def test_schemas_are_sent_where_they_are_taken(model: str, can: bool) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    strict = [{"type": "function", "function": {"name": "f", "strict": True}}]
    sent = encoded(model, response_format=wanted, tools=strict)
    assert ("outputConfig" in sent.body) is can
    assert ("strict" in sent.body["toolConfig"]["tools"][0]["toolSpec"]) is can
    assert sent.dropped == (() if can else ("tools.strict", "response_format"))


CHOICES = [
    (CLAUDE, "required", {"any": {}}, ()),
    ("us.anthropic.claude-opus-5-5", "required", None, ("tool_choice",)),
    ("deepseek.v3-v1:0", {"type": "function", "function": {"name": "look"}}, {"any": {}}, ()),
    ("meta.llama3-1-8b-instruct-v1:0", "required", None, ("tool_choice",)),
    (CLAUDE, {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOOL]}}, None, ()),
]


@pytest.mark.parametrize(("model", "choice", "sent", "lost"), CHOICES)
def test_a_choice_is_sent_as_the_model_knows_it(model: str, choice: Any, sent: Any, lost: tuple[str, ...]) -> None:
    found = encoded(model, tools=[TOOL, {"type": "function", "function": {"name": "other"}}], tool_choice=choice)
    assert found.body["toolConfig"].get("toolChoice") == sent and found.dropped == lost
    names = [tool["toolSpec"]["name"] for tool in found.body["toolConfig"]["tools"]]
    assert names == (["look", "other"] if isinstance(choice, str) else ["look"])


def test_a_choice_without_tools_is_lost() -> None:
    assert encoded(tool_choice="required").dropped == ("tool_choice",)
    assert encoded(tool_choice="none", parallel_tool_calls=False).dropped == ()


@pytest.mark.parametrize(("model", "given", "sent"), [(CLAUDE, None, 16_384), (CLAUDE, 7, 7), (NOVA2, None, None)])
def test_claudes_answers_always_have_a_limit(model: str, given: Any, sent: Any) -> None:
    assert encoded(model, max_tokens=given).body.get("inferenceConfig", {}).get("maxTokens") == sent


GUARDRAILS: list[Any] = ["gr", {"guardrailIdentifier": 1}, {"guardrailIdentifier": "a", "price": "0"}]


@pytest.mark.parametrize("given", GUARDRAILS)
def test_a_guardrail_that_is_none_is_lost(given: Any) -> None:
    sent = encoded(guardrailConfig=given)
    assert sent.dropped == ("guardrailConfig",) and "guardrailConfig" not in sent.body


def streamed(*events: tuple[str, dict[str, Any]], model: str = "bedrock/m") -> tuple[StreamDecoder, list[Frame]]:
    decoder = StreamDecoder(Call(Operation.CHAT, model, {}, stream=True, wants_usage=True))
    return decoder, [frame for event in Reader().feed(frames(events)) for frame in decoder.feed(event)]


DELTA = ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}})
STOP = ("messageStop", {"stopReason": "end_turn"})
USAGE = ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}})


def test_an_answer_is_not_done_before_its_usage() -> None:
    decoder, said = streamed(("messageStart", {"role": "assistant"}), DELTA, STOP)
    assert not decoder.done and len(said) == 2
    decoder, said = streamed(DELTA, STOP, USAGE, DELTA)
    assert decoder.done and said[-1].usage == Usage(prompt=3, completion=2) and len(said) == 4


def test_an_answer_that_ended_is_whole_without_its_usage() -> None:
    decoder, _ = streamed(DELTA, STOP)
    last = list(decoder.close())[-1].payload
    assert isinstance(last, dict) and last["choices"][0]["finish_reason"] == "stop" and decoder.done
    with pytest.raises(Truncated):
        list(streamed(DELTA)[0].close())


def test_usage_that_comes_early_is_kept_for_who_is_cut_off() -> None:
    _, said = streamed(DELTA, USAGE)
    assert said[-1].usage == Usage(prompt=3, completion=2) and said[-1].payload is None


def test_the_first_chunk_waits_for_the_first_words() -> None:
    assert streamed(("messageStart", {"role": "assistant"}), ("contentBlockStop", {"contentBlockIndex": 0}))[1] == []


def test_an_answer_names_the_target_and_gets_the_gateways_id() -> None:
    """Converse tells neither."""
    call = Call(Operation.CHAT, "bedrock/m", {}, answer_id="chatcmpl-1")
    whole = decode(b'{"output": {"message": {"content": [{"text": "a"}]}}}', call).payload
    assert (whole["model"], whole["id"]) == ("m", "chatcmpl-1")  # type: ignore[index,call-overload]


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'{"output": {"message": {}}}', b'{"message": "x"}'])
def test_a_reply_that_is_no_message_is_an_error(body: bytes) -> None:
    with pytest.raises(UpstreamError, match="not a message"):
        decode(body, Call(Operation.CHAT, "m", {}))


def test_the_provider_is_what_the_flow_needs() -> None:
    assert (PROVIDER.credential, PROVIDER.needs_key, PROVIDER.base_url) == ("aws", True, BASE_URL)
    needs_bytes = PROVIDER.adapters[Operation.CHAT].needs_bytes
    assert needs_bytes is not None
    assert needs_bytes("image_url", "https://a.example/b.png") and not needs_bytes("file", "s3://b/c.pdf")
