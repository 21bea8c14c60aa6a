"""Cloud storage that providers would read with the operator's credentials."""

from dataclasses import replace
from typing import Any

import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Link, Operation
from orrery.flow.buckets import bucket_of, refuse_buckets
from tests.fakes import Room
from tests.flow.asking import ask


def call_of(body: dict[str, Any]) -> Call:
    return Call(Operation.CHAT, "m", body)


def saying(kind: str, **held: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "See"}, {"type": kind, kind: held}]}]}


@pytest.mark.parametrize(
    ("kind", "field"), [("file", "uri"), ("file", "file_data"), ("image_url", "url"), ("video_url", "url")]
)
@pytest.mark.parametrize("url", ["gs://secret/a.pdf", "s3://secret/a.pdf", "GS://secret", "S3://SECRET/x"])
def test_a_bucket_is_refused_unless_the_operator_named_it(kind: str, field: str, url: str) -> None:
    with pytest.raises(InvalidRequest, match="ORRERY_MEDIA_BUCKETS") as caught:
        refuse_buckets(call_of(saying(kind, **{field: url})), {"gs://other", "s3://secrets", "gs://secret.com"})
    assert caught.value.param == f"messages[0].content[1].{kind}.{field}"
    refuse_buckets(call_of(saying(kind, **{field: url})), {"gs://secret", "s3://secret"})


@pytest.mark.parametrize("url", ["https://storage.googleapis.com/secret/a", "data:text/plain;base64,YQ==", "", None, 5])
def test_other_addresses_are_not_its_matter(url: object) -> None:
    refuse_buckets(call_of(saying("file", uri=url)), ())
    assert bucket_of(url) == ""


def test_texts_and_bodies_without_messages_pass() -> None:
    refuse_buckets(call_of({"messages": [{"role": "user", "content": "gs://secret/a"}, {"role": "assistant"}]}), ())
    refuse_buckets(call_of({"input": "x"}), ())


def test_a_link_into_a_bucket_is_refused_where_it_stands() -> None:
    call = replace(call_of({}), links=(Link(("document", "document_url"), "gs://secret/a.pdf"),))
    with pytest.raises(InvalidRequest) as caught:
        refuse_buckets(call, ())
    assert caught.value.param == "document.document_url"


async def test_a_request_that_names_a_bucket_is_refused_before_anything_is_held() -> None:
    room = Room()
    messages = saying("file", uri="gs://secret/a.pdf")["messages"]
    with pytest.raises(InvalidRequest, match="does not read gs://secret"):
        await ask(room, messages=messages)
    assert room.ledger.said == [] and room.transport.requests == []
