"""Moderations, judged by the vendors' SDKs: their types take what is sent and the replies, OpenAI's client what is
answered."""

from typing import Any

import httpx
import openai
import pytest
from mistralai.client.models import ClassificationRequest, ModerationResponse
from openai.types import ModerationCreateParams, ModerationCreateResponse
from pydantic import TypeAdapter

from tests.providers.families import Case, all_cases

CASES = [case for case in all_cases() if case.text_of("operation") == "moderation"]


def each(*files: str, of: str = "") -> Any:
    cases = [case for case in CASES if case.has(*files) and of in ("", case.provider)]
    return pytest.mark.parametrize("case", cases, ids=lambda case: f"{case.provider}/{case.name}")


@each("request.json", of="openai")
def test_openai_takes_what_is_sent(case: Case) -> None:
    TypeAdapter(ModerationCreateParams).validate_python(case.json_of("request.json"))


@each("request.json", of="mistral")
def test_mistral_takes_what_is_sent(case: Case) -> None:
    asked = case.json_of("request.json")
    assert ClassificationRequest.model_validate(asked).model_dump(by_alias=True) == asked


@each("reply.json", "answer.json", of="mistral")
def test_mistrals_sdk_reads_the_replies(case: Case) -> None:
    ModerationResponse.model_validate(case.json_of("reply.json"))


@each("answer.json", of="openai")
def test_openais_types_take_every_answer(case: Case) -> None:
    answer = case.json_of("answer.json")
    # The document's own example of the older model lacks the fields that its schema requires of the newer.
    old = answer["model"].startswith("text-moderation")
    if not old:
        ModerationCreateResponse.model_validate(answer, strict=True)
    assert old == (case.name == "moderation_text")


@each("answer.json")
def test_openais_client_reads_what_is_flagged(case: Case) -> None:
    answer = case.json_of("answer.json")
    http = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=answer)))
    client = openai.OpenAI(base_url="http://gateway.test/v1", api_key="orb_x", max_retries=0, http_client=http)
    read = client.moderations.create(input="x")
    assert [result.flagged for result in read.results] == [result["flagged"] for result in answer["results"]]
    if case.provider == "mistral":
        assert [result.flagged for result in read.results] == [any(r["categories"].values()) for r in answer["results"]]
