"""OCR, judged by Mistral's SDK: it writes what is sent, and reads the replies and what is answered."""

from typing import Any

import pytest
from mistralai.client.models import OCRRequest, OCRResponse

from orrery.providers.mistral.ocr import KNOWN
from tests.providers.families import Case, all_cases

CASES = [case for case in all_cases() if case.text_of("operation") == "ocr"]


def each(*files: str) -> Any:
    cases = [case for case in CASES if case.has(*files)]
    return pytest.mark.parametrize("case", cases, ids=lambda case: f"{case.provider}/{case.name}")


def test_all_that_mistrals_sdk_can_send_goes_on() -> None:
    assert {field.alias or name for name, field in OCRRequest.model_fields.items()} == KNOWN


@each("request.json")
def test_mistrals_sdk_sends_the_same(case: Case) -> None:
    asked = case.json_of("request.json")
    sent = OCRRequest.model_validate(asked).model_dump(by_alias=True, exclude_unset=True)
    assert _without_unset(sent) == asked


def _without_unset(value: Any) -> Any:
    """Without what the SDK adds by itself inside of what was given."""
    if isinstance(value, dict):
        return {name: _without_unset(held) for name, held in value.items() if held is not None}
    return value


WHOLE = [case for case in CASES if case.has("answer.json") and "usage_info" in case.json_of("answer.json")]


@pytest.mark.parametrize("case", [case for case in WHOLE if case.name != "ocr_image_annotated"], ids=lambda c: c.name)
def test_mistrals_sdk_reads_the_replies(case: Case) -> None:
    OCRResponse.model_validate(case.json_of("reply.json"))


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.name)
def test_mistrals_sdk_reads_what_is_answered(case: Case) -> None:
    read, answer = OCRResponse.model_validate(case.json_of("answer.json")), case.json_of("answer.json")
    assert [page.markdown for page in read.pages] == [page["markdown"] for page in answer["pages"]]
    assert read.usage_info.pages_processed == answer["usage"]["pages_processed"]
