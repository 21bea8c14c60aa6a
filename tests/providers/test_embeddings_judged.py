"""Embeddings, judged by the vendors' SDKs: their types take what is sent and the replies it is tested with; OpenAI's
client reads what is answered, by base64 as it does unless told otherwise."""

from array import array
from dataclasses import replace
from typing import Any

import cohere
import httpx
import openai
import orjson
import pytest
from cohere.core.unchecked_base_model import construct_type
from google.genai import models as genai
from google.genai import types as google
from mistralai.client.models import EmbeddingRequest, EmbeddingResponse
from openai.types import CreateEmbeddingResponse, EmbeddingCreateParams
from pydantic import TypeAdapter

from orrery.wire.embeddings import inputs_of
from tests.providers.families import Case, all_cases, parts_of, reply_of, said

CASES = [case for case in all_cases() if case.text_of("operation") == "embeddings"]


def each(*files: str, of: str = "") -> Any:
    cases = [case for case in CASES if case.has(*files) and of in ("", case.provider)]
    return pytest.mark.parametrize("case", cases, ids=lambda case: f"{case.provider}/{case.name}")


def client(answer: bytes, seen: list[httpx.Request]) -> openai.OpenAI:
    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, headers={"content-type": "application/json"}, content=answer)

    http = httpx.Client(transport=httpx.MockTransport(respond))
    return openai.OpenAI(base_url="http://gateway.test/v1", api_key="orb_x", max_retries=0, http_client=http)


@each("answer.json")
def test_openais_client_reads_the_floats_of_every_answer(case: Case) -> None:
    floats, by_base64 = (_read(case, encoding) for encoding in ("float", "base64"))
    for plain, decoded in zip(floats.data, by_base64.data, strict=True):
        assert decoded.embedding == array("f", plain.embedding).tolist()
    assert floats.usage == by_base64.usage and floats.model == by_base64.model


def _read(case: Case, encoding: str) -> CreateEmbeddingResponse:
    """What OpenAI's client makes of the case's answer; base64 is what it asks for by itself."""
    call = case.call()
    call = replace(call, body={**call.body, "encoding_format": encoding})
    answer = orjson.dumps(case.adapter().decode(reply_of(case), call).payload)
    asked: Any = {} if encoding == "base64" else {"encoding_format": "float"}
    seen: list[httpx.Request] = []
    read = client(answer, seen).embeddings.create(model=call.model, input="x", **asked)
    assert orjson.loads(seen[0].content)["encoding_format"] == encoding
    return CreateEmbeddingResponse.model_validate(read.model_dump(), strict=True)


@each("request.json", of="openai")
def test_openai_takes_what_is_sent(case: Case) -> None:
    TypeAdapter(EmbeddingCreateParams).validate_python(case.json_of("request.json"))


@each("request.json", of="mistral")
def test_mistral_takes_what_is_sent(case: Case) -> None:
    request = case.json_of("request.json")
    assert EmbeddingRequest.model_validate(request).model_dump(by_alias=True) == request


@each("reply.json", of="mistral")
def test_mistrals_sdk_reads_the_replies_that_have_floats(case: Case) -> None:
    reply = case.json_of("reply.json")
    if isinstance(reply["data"][0]["embedding"], list):
        EmbeddingResponse.model_validate({"id": "e1", **reply})


@each("request.json", of="cohere")
def test_coheres_sdk_sends_the_same(case: Case) -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"id": "e", "embeddings": {}})

    http = httpx.Client(transport=httpx.MockTransport(respond))
    cohere.ClientV2(api_key="k", httpx_client=http).embed(**case.json_of("request.json"))
    assert orjson.loads(seen[0].content) == case.json_of("request.json")
    assert seen[0].url.path == "/v2/embed"


@each("reply.json", of="cohere")
def test_coheres_sdk_reads_the_replies(case: Case) -> None:
    read = construct_type(type_=cohere.EmbedByTypeResponse, object_=case.json_of("reply.json"))
    assert isinstance(read, cohere.EmbedByTypeResponse) and read.meta is not None


@each("request.json", of="google")
def test_google_takes_what_is_sent(case: Case) -> None:
    call = parts_of(case)[0]
    asked = said(case.adapter().encode(call, case.target()))
    for request, text in zip(asked["requests"], inputs_of(call), strict=True):
        assert google.Content.model_validate(request["content"]) == google.Content(parts=[google.Part(text=text)])
        own = {name: value for name, value in request.items() if name not in ("model", "content")}
        google.EmbedContentConfig.model_validate(own)


@each("reply.json", of="google")
def test_googles_sdk_reads_the_replies(case: Case) -> None:
    read = google.EmbedContentResponse.model_validate(
        genai._EmbedContentResponse_from_mldev(case.json_of("reply.json"))
    )
    vectors = [embedding.values for embedding in read.embeddings or ()]
    answer = case.adapter().decode(reply_of(case), case.call()).payload
    assert isinstance(answer, dict) and len(vectors) == len(answer["data"])


@each("reply.json", of="vertex")
def test_googles_sdk_reads_vertexs_replies(case: Case) -> None:
    kind = "PREDICT" if "predict" in case.text_of("path.txt") else "EMBED_CONTENT"
    root = {"embedding_api_type": kind}
    read = genai._EmbedContentResponse_from_vertex(case.json_of("reply.json"), None, root)
    answer = case.adapter().decode(reply_of(case), case.call())
    assert isinstance(answer.payload, dict) and answer.usage is not None
    assert [e["values"] for e in read["embeddings"]] == [row["embedding"] for row in answer.payload["data"]]
    assert sum(e["statistics"]["token_count"] for e in read["embeddings"]) == answer.usage.prompt


@each("request.json", of="vertex")
def test_googles_sdk_writes_vertexs_requests_alike(case: Case) -> None:
    call, asked = parts_of(case)[0], case.json_of("request.json")
    is_predicted = "instances" in asked
    each_own = asked["instances"][0] if is_predicted else asked.get("embedContentConfig", {})
    shared = asked.get("parameters", {}) if is_predicted else each_own
    root = {"embedding_api_type": "PREDICT" if is_predicted else "EMBED_CONTENT"}
    config = {
        "task_type": each_own.get("task_type"),
        "output_dimensionality": shared.get("outputDimensionality"),
        "auto_truncate": shared.get("autoTruncate"),
    }
    texts = inputs_of(call)
    written: Any = {"instances": [{"content": text} for text in texts]} if is_predicted else {}
    genai._EmbedContentConfig_to_vertex({k: v for k, v in config.items() if v is not None}, written, root)
    written |= {} if is_predicted else {"content": {"parts": [{"text": texts[0]}]}}
    assert said(case.adapter().encode(call, case.target())) == written
