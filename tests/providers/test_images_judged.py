"""Pictures judged by the vendors' own types: what is asked of OpenAI, Google and Together, and what clients get."""

import io
from typing import Any

import orjson
from google.genai import types as google
from openai.types import ImageGenCompletedEvent, ImageGenPartialImageEvent, ImagesResponse, Video
from openai.types.image_generate_params import ImageGenerateParamsNonStreaming, ImageGenerateParamsStreaming
from PIL import Image
from pydantic import TypeAdapter

from orrery.core.dialect import Frame
from orrery.wire.image_answers import events_of
from tests.providers.families import Case, frames_of, parts_of, payloads_of, reply_of, said, stream_of, with_files
from tests.providers.test_families import each

WHOLE: TypeAdapter[Any] = TypeAdapter(ImageGenerateParamsNonStreaming)
STREAMED: TypeAdapter[Any] = TypeAdapter(ImageGenerateParamsStreaming)


def of(provider: str, operation: str, *files: str) -> list[Case]:
    cases = [case for case in with_files(*files) if case.operation.value == operation]
    return [case for case in cases if provider in ("", case.provider)]


def drawn() -> list[Case]:
    return [case for case in with_files("answer.json") if case.operation.value.startswith("image_")]


@each([case for case in of("openai", "image_generation", "request.json") if "seed" not in case.text_of("call.json")])
def test_openais_requests_are_lawful(case: Case) -> None:
    body = case.json_of("request.json")
    judge = STREAMED if body.get("stream") else WHOLE
    assert judge.validate_python(body, strict=True) == body


@each(drawn())
def test_answers_are_openais(case: Case) -> None:
    frame = case.adapter().decode(reply_of(case), case.call())
    (answer,) = payloads_of([frame])
    read = ImagesResponse.model_validate(answer, strict=True)
    assert read.data and all(image.b64_json or image.url for image in read.data)
    assert orjson.loads(read.model_dump_json(exclude_unset=True)) == answer


@each([case for case in drawn() if case.operation.value == "image_generation"])
def test_whole_answers_become_lawful_events(case: Case) -> None:
    frame = case.adapter().decode(reply_of(case), case.call())
    (answer,) = payloads_of([frame])
    for event in payloads_of(list(events_of(Frame(answer, frame.usage), case.call()))):
        ImageGenCompletedEvent.model_validate(event, strict=True)


@each([case for case in of("openai", "image_generation", "stream.sse") if not case.has("raised.json")])
def test_streamed_events_are_openais(case: Case) -> None:
    for event in payloads_of(list(frames_of(case, stream_of(case), []))):
        kind = ImageGenCompletedEvent if event["type"].endswith("completed") else ImageGenPartialImageEvent
        kind.model_validate(event, strict=True)


@each(of("", "video_generation", "answer.json"))
def test_jobs_are_openais(case: Case) -> None:
    (job,) = payloads_of([case.adapter().decode(reply_of(case), case.call())])
    Video.model_validate(job, strict=True)


GEMINI = [case for case in with_files("request.json") if "contents" in case.text_of("request.json")]


@each([case for case in GEMINI if case.operation.value.startswith("image_")])
def test_googles_requests_are_its_types(case: Case) -> None:
    body = said(case.adapter().encode(parts_of(case)[0], case.target()))
    assert body.keys() == {"contents", "generationConfig"}
    for content in body["contents"]:
        google.Content.model_validate(content, extra="forbid")
    google.GenerateContentConfig.model_validate(body["generationConfig"], extra="forbid")


@each([case for case in of("google", "image_generation", "reply.json")])
def test_googles_replies_are_its_types(case: Case) -> None:
    google.GenerateContentResponse.model_validate(case.json_of("reply.json"), extra="forbid")


@each(of("vertex", "image_generation", "request.json"))
def test_imagens_parameters_are_its_types(case: Case) -> None:
    parameters = dict(case.json_of("request.json").get("parameters", {}))
    names = {"sampleCount": "numberOfImages", "sampleImageSize": "imageSize"}
    output = parameters.pop("outputOptions", {})
    named = {names.get(name, name): value for name, value in parameters.items()}
    named |= {"outputMimeType": output.get("mimeType"), "outputCompressionQuality": output.get("compressionQuality")}
    google.GenerateImagesConfig.model_validate(named, extra="forbid")


@each([case for case in drawn() if "b64_json" in case.text_of("answer.json")])
def test_pictures_can_be_opened(case: Case) -> None:
    import base64

    for each_one in case.json_of("answer.json")["data"]:
        with Image.open(io.BytesIO(base64.b64decode(each_one["b64_json"]))) as image:
            assert image.size == (1, 1)
