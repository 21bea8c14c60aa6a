"""What clients post to the images and videos endpoints, and the calls that it makes."""

import base64
import io
from typing import Any

import orjson
import pytest
from PIL import Image

from orrery.core.dialect import Form, Frame
from orrery.core.errors import InvalidRequest, TooLarge, UpstreamError
from orrery.core.types import Call, Operation, Target, Upload, Usage
from orrery.wire.form import write_form
from orrery.wire.image_answers import events_of, in_parts, joined, plain_unit, ratio_of, unit_of
from orrery.wire.images import checked_files, read_edit, read_generation, read_variation
from orrery.wire.posted import Posted
from orrery.wire.videos import read_video

PROMPT = {"model": "openai/gpt-image-2", "prompt": "A cat"}


def png(size: tuple[int, int] = (2, 2)) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", size).save(out, "PNG")
    return out.getvalue()


PNG = png()


def form(fields: dict[str, str], *files: tuple[str, bytes]) -> Posted:
    uploads = tuple(Upload(name, "x.png", "image/png", data) for name, data in files)
    content_type, pieces = write_form(Form(tuple(fields.items()), uploads))
    return Posted(b"".join(pieces), content_type)


def json(**body: Any) -> Posted:
    return Posted(orjson.dumps({**PROMPT, **body}))


def test_a_generation_keeps_what_it_does_not_know():
    call = read_generation(json(seed=3, quality="high", n=None, fallbacks=[{"model": "xai/grok-imagine-image"}]))
    assert call.operation is Operation.IMAGES and not call.stream
    assert call.body == {**PROMPT, "seed": 3, "quality": "high", "n": None}
    assert call.options.fallbacks == ("xai/grok-imagine-image",)


def test_a_prompt_is_the_pictures_and_not_the_gateways():
    assert read_generation(json(orq={"prompt": {"id": "p", "version": "latest"}})).body == PROMPT


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"n": True}, "n"),
        ({"size": "1024"}, "size"),
        ({"size": "0x10"}, "size"),
        ({"size": "100000x1"}, "size"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"model": None}, "model"),
        ({"quality": "best"}, "quality"),
        ({"output_format": "svg"}, "output_format"),
        ({"output_compression": 101}, "output_compression"),
        ({"partial_images": 4}, "partial_images"),
        ({"background": "red"}, "background"),
        ({"moderation": "high"}, "moderation"),
        ({"response_format": "png"}, "response_format"),
        ({"style": "sad"}, "style"),
        ({"retry": {"count": 9}}, "retry.count"),
    ],
)
def test_a_wrong_generation_names_its_offence(body, param):
    with pytest.raises(InvalidRequest) as caught:
        read_generation(json(**body))
    assert caught.value.param == param


def test_a_form_means_what_json_means():
    fields = {**PROMPT, "n": "2", "stream": "true", "size": "1024x1024", "orq": '{"retry":{"count":2}}'}
    call = read_edit(form(fields, ("image[]", PNG), ("image[]", PNG), ("mask", PNG)))
    assert call.body == {**PROMPT, "n": 2, "stream": True, "size": "1024x1024"}
    assert call.stream and call.options.retry.count == 2
    assert [file.field_name for file in call.files] == ["image", "image", "mask"]


def test_a_prompt_in_a_form_is_text_even_where_it_looks_like_json():
    assert read_edit(form({**PROMPT, "prompt": '{"id":1}'}, ("image", PNG))).body["prompt"] == '{"id":1}'


def test_an_edit_in_json_names_its_pictures_by_url():
    url = "https://example.com/a.png"
    call = read_edit(json(images=[{"image_url": url}, {"image_url": "data:,x"}], mask={"image_url": url}))
    assert [(link.param, link.upload) for link in call.links] == [
        ("images[0].image_url", "image"),
        ("images[1].image_url", "image"),
        ("mask.image_url", "mask"),
    ]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "image"),
        ({"images": []}, "images"),
        ({"images": [{}]}, "images[0].image_url"),
        ({"images": [{"file_id": "file-1"}]}, "images[0].file_id"),
        ({"images": [{"image_url": "https://a"}], "mask": {"file_id": "f"}}, "mask.file_id"),
        ({"images": [{"image_url": "https://a"}] * 17}, "images"),
        ({"images": [{"image_url": "https://a"}], "input_fidelity": "max"}, "input_fidelity"),
        ({"images": [{"image_url": 1}]}, "images[0].image_url"),
    ],
)
def test_a_wrong_edit_names_its_offence(body, param):
    with pytest.raises(InvalidRequest) as caught:
        read_edit(json(**body))
    assert caught.value.param == param


def test_sixteen_pictures_are_taken_and_a_seventeenth_is_not():
    assert len(read_edit(form(PROMPT, *[("image[]", PNG)] * 16)).files) == 16
    with pytest.raises((TooLarge, InvalidRequest)):
        read_edit(form(PROMPT, *[("image[]", PNG)] * 17))


def test_a_mask_is_none_of_the_sixteen(monkeypatch):
    monkeypatch.setattr("orrery.wire.form.MOST_FILES", 18)
    assert len(read_edit(form(PROMPT, *[("image[]", PNG)] * 16, ("mask", PNG))).files) == 17
    with pytest.raises(InvalidRequest, match="At most 16"):
        read_edit(form(PROMPT, *[("image[]", PNG)] * 17))


def test_what_is_no_picture_is_refused_before_anything_is_paid():
    with pytest.raises(InvalidRequest) as caught:
        read_edit(form(PROMPT, ("image", b"%PDF-1.7")))
    assert (caught.value.param, caught.value.code) == ("image", "invalid_image_file")


def test_what_came_by_url_is_judged_as_well():
    call = Call(Operation.IMAGE_EDITS, "m", {}, files=(Upload("image", "a", "text/html", b"<html>"),))
    with pytest.raises(InvalidRequest):
        checked_files(call)


def test_a_file_of_another_name_is_refused():
    with pytest.raises(InvalidRequest) as caught:
        read_edit(form(PROMPT, ("image", PNG), ("video", PNG)))
    assert caught.value.param == "video"


def test_a_variation_is_of_one_picture():
    model = {"model": "bedrock/amazon.nova-canvas-v1:0"}
    assert read_variation(form(model, ("image", PNG))).operation is Operation.IMAGE_VARIATIONS
    for files in ([], [("image", PNG)] * 2, [("mask", PNG)]):
        with pytest.raises(InvalidRequest) as caught:
            read_variation(form(model, *files))
        assert caught.value.param == "image"


def test_a_variation_never_streams():
    assert not read_variation(
        form({"model": "bedrock/amazon.nova-canvas-v1:0", "stream": "true"}, ("image", PNG))
    ).stream


def test_a_video_takes_a_picture_by_file_or_by_url():
    fields = {**PROMPT, "seconds": "8"}
    assert read_video(form(fields, ("input_reference", PNG))).files[0].media_type == "image/png"
    call = read_video(json(input_reference={"image_url": "https://example.com/a.png"}))
    assert call.links[0].upload == "input_reference" and not call.stream


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"seconds": 8}, "seconds"),
        ({"seconds": "soon"}, "seconds"),
        ({"size": "wide"}, "size"),
        ({"prompt": None}, "prompt"),
        ({"input_reference": {"file_id": "f"}}, "input_reference.file_id"),
    ],
)
def test_a_wrong_video_names_its_offence(body, param):
    with pytest.raises(InvalidRequest) as caught:
        read_video(json(**body))
    assert caught.value.param == param


def call_of(**body: Any) -> Call:
    return Call(Operation.IMAGES, "p/m", {**PROMPT, **body}, received_at=5)


@pytest.mark.parametrize(
    ("body", "unit"),
    [
        ({}, "image/standard"),
        ({"size": "auto", "quality": "auto"}, "image/standard"),
        ({"size": "10x20"}, "image/standard/10x20"),
        ({"quality": "high"}, "image/high"),
        ({"quality": "high", "size": "10x20"}, "image/high/10x20"),
    ],
)
def test_a_picture_is_charged_by_its_quality_and_its_size(body, unit):
    assert unit_of(call_of(**body)) == unit
    assert plain_unit(call_of(**body)).startswith("image/standard/")


def test_a_model_that_chooses_is_charged_as_the_dearest():
    assert unit_of(call_of(size="10x20"), "") == "image"


@pytest.mark.parametrize(
    ("size", "ratio"), [("1920x1080", "16:9"), ("1024x1024", "1:1"), ("1000x999", ""), ("auto", "")]
)
def test_a_ratio_is_exact_or_none(size, ratio):
    assert ratio_of(call_of(size=size), ("1:1", "16:9")) == ratio


def test_a_call_for_many_becomes_calls_for_as_many_as_there_may_be():
    target = Target("p", "m", "")
    assert [part.body["n"] for part in in_parts(5)(call_of(n=7), target)] == [5, 2]
    assert [part.body["n"] for part in in_parts(1)(call_of(n=3), target)] == [1, 1, 1]
    assert [part.body["n"] for part in in_parts(5)(call_of(n=6), target)] == [5, 1]
    assert in_parts(5)(call_of(n=5), target) == (call_of(n=5),)


def frame_of(usage: Usage, *pictures: Any) -> Frame:
    return Frame({"created": 5, "data": list(pictures)}, usage)


def test_several_answers_become_one_and_their_costs_are_added():
    one = frame_of(Usage(prompt=1, completion=10, image_output=9, reasoning=1, units={"image": 1}), {"b64_json": "AA"})
    two = frame_of(Usage(prompt=1, completion=20, image_output=20, units={"image": 1}), {"b64_json": "BB"})
    frame = joined([one, two], call_of())
    assert frame.usage == Usage(prompt=2, completion=30, image_output=29, reasoning=1, units={"image": 2}, ours=False)
    assert isinstance(frame.payload, dict)
    assert [each["b64_json"] for each in frame.payload["data"]] == ["AA", "BB"]
    assert frame.payload["usage"]["total_tokens"] == 32


def test_events_of_a_whole_answer_say_what_the_pictures_are():
    usage = Usage(units={"image": 2}, ours=True)
    jpeg = base64.b64encode(b"\xff\xd8\xff\xe0" + b"\0" * 20).decode()
    events = events_of(frame_of(usage, {"b64_json": base64.b64encode(PNG).decode()}, {"b64_json": jpeg}), call_of())
    told = [event.payload for event in events]
    assert [each["output_format"] for each in told if isinstance(each, dict)] == ["png", "jpeg"]
    assert [event.usage for event in events] == [None, usage]


def test_an_address_is_no_event():
    with pytest.raises(UpstreamError):
        events_of(frame_of(Usage(), {"url": "https://example.com"}), call_of())
