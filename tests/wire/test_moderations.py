"""What of a moderation request is refused, and which links it holds."""

from typing import Any

import orjson
import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Link, Operation
from orrery.wire.moderations import DEFAULT_MODEL, read_moderation, results_expected
from orrery.wire.posted import Posted

TEXT = {"type": "text", "text": "a"}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def read(**body: Any) -> Call:
    return read_moderation(Posted(orjson.dumps({"input": "a"} | body)))


@pytest.mark.parametrize(
    ("posted", "count"), [("a", 1), ("", 1), (["a"], 1), (["a", "b"], 2), ([TEXT], 1), ([TEXT, PICTURE], 1)]
)
def test_texts_are_judged_one_by_one_and_parts_together(posted: Any, count: int) -> None:
    assert results_expected(read(input=posted)) == count


@pytest.mark.parametrize(
    ("posted", "param"),
    [
        (None, "input"),
        (7, "input"),
        ([], "input"),
        (TEXT, "input"),
        ([1], "input[0]"),
        ([None], "input[0]"),
        (["a", TEXT], "input[1]"),
        ([TEXT, "a"], "input[1]"),
        ([{"type": "audio"}], "input[0].type"),
        ([{"type": "text"}], "input[0].text"),
        ([{"type": "image_url", "image_url": "https://example.com"}], "input[0].image_url"),
        ([{"type": "image_url", "image_url": {"url": ""}}], "input[0].image_url.url"),
    ],
)
def test_what_cannot_be_judged_is_refused_where_it_stands(posted: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(input=posted)
    assert caught.value.param == param


def test_without_a_model_it_is_openais_default() -> None:
    assert read().model == read(model=None).model == DEFAULT_MODEL == "openai/omni-moderation-latest"
    assert read(model="mistral/x").model == "mistral/x"


@pytest.mark.parametrize("model", ["", 7])
def test_a_model_that_is_no_name_is_refused(model: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(model=model)
    assert caught.value.param == "model"


def test_the_gateways_own_fields_go_no_further() -> None:
    call = read(orq={"fallbacks": [{"model": "mistral/x"}]}, metadata={"a": 1})
    assert call.operation is Operation.MODERATIONS and call.options.fallbacks == ("mistral/x",)
    assert call.body == {"input": "a", "metadata": {"a": 1}}


def test_addresses_of_pictures_are_links_and_content_is_none() -> None:
    inline = {"type": "image_url", "image_url": {"url": "DATA:image/png;base64,iVBORw0KGgo="}}
    links = read(input=[TEXT, inline, PICTURE]).links
    assert links == (Link(("input", 2, "image_url", "url"), "https://example.com/a.png"),)
    assert links[0].param == "input[2].image_url.url"
