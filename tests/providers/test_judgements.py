"""What is refused of replies to moderations and OCR: a missing judgement must not pass for a good one."""

from typing import Any

import orjson
import pytest

from orrery.core.dialect import Frame
from orrery.core.errors import UpstreamError
from orrery.core.types import Call
from orrery.providers.compatible import moderations, ocr
from orrery.wire.moderations import read_moderation
from orrery.wire.ocr import read_ocr
from orrery.wire.posted import Posted

PDF = {"type": "document_url", "document_url": "https://example.com/a.pdf"}
PAGE = {"index": 0, "markdown": "hi"}


def judged(result: Any, **more: Any) -> Frame:
    call = read_moderation(Posted(b'{"input": "a"}'))
    return moderations.decode(orjson.dumps({"id": "m", "model": "m", "results": [result]} | more), call)


def asked(**more: Any) -> Call:
    return read_ocr(Posted(orjson.dumps({"model": "mistral/m", "document": PDF} | more)))


def pages(found: Any, **more: Any) -> Any:
    return ocr.decode(orjson.dumps({"pages": found} | more), asked()).payload


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        {"flagged": False},
        {"flagged": False, "categories": {}, "category_scores": {}},
        {"flagged": False, "categories": {"a": False}},
        {"flagged": False, "categories": {"a": "no"}, "category_scores": {"a": 0.1}},
        {"flagged": False, "categories": {"a": 0}, "category_scores": {"a": 0.1}},
        {"flagged": False, "categories": {"a": False}, "category_scores": {"a": "low"}},
        {"flagged": False, "categories": {"a": False}, "category_scores": {"a": True}},
    ],
)
def test_a_result_that_judges_nothing_is_none(result: Any) -> None:
    with pytest.raises(UpstreamError):
        judged(result)


@pytest.mark.parametrize(("held", "flagged"), [({"a": True, "b": False}, True), ({"a": False, "b": None}, False)])
def test_what_is_flagged_follows_from_the_categories_where_it_is_not_told(held: Any, flagged: bool) -> None:
    payload = judged({"categories": held, "category_scores": {"a": 0.5}}).payload
    assert isinstance(payload, dict) and payload["results"][0]["flagged"] is flagged


def test_a_verdict_that_was_told_stands_and_goes_on_as_it_came() -> None:
    payload = judged({"flagged": False, "categories": {"a": True}, "category_scores": {"a": 0.4}}).payload
    assert isinstance(payload, bytes) and not orjson.loads(payload)["results"][0]["flagged"]


@pytest.mark.parametrize(
    "reply", [b"{}", b'{"results": {}}', b"[]", b"no", b'{"error": {"message": "x"}, "results": []}']
)
def test_what_holds_no_results_is_no_answer(reply: bytes) -> None:
    with pytest.raises(UpstreamError):
        moderations.decode(reply, read_moderation(Posted(b'{"input": "a"}')))


def test_an_error_under_status_200_is_one() -> None:
    reply = b'{"error": {"message": "overloaded", "code": 503}}'
    for decode, call in ((moderations.decode, read_moderation(Posted(b'{"input": "a"}'))), (ocr.decode, asked())):
        with pytest.raises(UpstreamError, match="overloaded"):
            decode(reply, call)


@pytest.mark.parametrize(
    "found",
    [
        None,
        {},
        ["page"],
        [{"markdown": "hi"}],
        [{"index": "0", "markdown": "hi"}],
        [{"index": 0}],
        [PAGE | {"images": "none"}],
        [PAGE | {"images": ["data"]}],
        [PAGE, PAGE],
    ],
)
def test_what_are_no_pages_is_no_answer(found: Any) -> None:
    with pytest.raises(UpstreamError):
        pages(found)


def test_pages_get_what_they_always_have() -> None:
    assert pages([PAGE | {"images": None}])["pages"] == [PAGE | {"images": [], "dimensions": None}]
    assert pages([PAGE])["model"] == "mistral/m" and pages([])["usage"]["pages_processed"] == 0


def test_no_more_pages_are_held_than_a_document_may_have() -> None:
    held = [ocr.most(asked(**more), TARGET).units for more in ({"pages": "0-99999"}, {}, {"pages": [3]})]
    assert held == [{"page": 1000}, {"page": 1000}, {"page": 1}]


TARGET: Any = None  # which target it is, changes nothing
