"""Replies and streams of Anthropic's that are not as they should be: other servers speak this wire too."""

import pytest

from orrery.core.dialect import Event
from orrery.core.errors import Truncated, UpstreamError
from orrery.core.types import Call, Operation
from orrery.providers.anthropic.decode import decode
from orrery.providers.anthropic.stream import StreamDecoder


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"content": "text"}', b"<html>", b'{"content": null}'])
def test_a_reply_that_is_no_message_is_an_upstream_error(body: bytes) -> None:
    with pytest.raises(UpstreamError, match="not a message"):
        decode(body, Call(Operation.CHAT, "m", {}))


def test_an_error_under_status_200_is_raised_as_what_it_is() -> None:
    with pytest.raises(UpstreamError) as caught:
        decode(b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}', streaming())
    assert caught.value.status == 503


def streaming() -> Call:
    return Call(Operation.CHAT, "m", {}, stream=True, wants_usage=True)


STRANGE = [
    b'{"type": "content_block_delta", "index": 4, "delta": {"type": "text_delta", "text": "lost"}}',
    b'{"type": "content_block_delta"}',
    b'{"type": "content_block_start", "index": {}, "content_block": {"type": "tool_use"}}',
    b'{"type": "content_block_start", "content_block": {"type": []}}',
    b'{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": 7}}',
    b'{"type": "content_block_stop", "index": 9}',
    b'{"type": "message_start", "message": []}',
    b'{"type": "message_delta", "delta": {"stop_reason": {}}, "usage": {"output_tokens": -1, "input_tokens": true}}',
    b'{"type": ["x"]}',
    b'{"no": "type"}',
]


@pytest.mark.parametrize("data", STRANGE)
def test_strange_events_break_nothing(data: bytes) -> None:
    decoder = StreamDecoder(streaming())
    list(decoder.feed(Event("", data)))
    frames = list(decoder.feed(Event("message_stop", b'{"type": "message_stop"}')))
    assert decoder.done and frames[-1].payload["choices"][0]["finish_reason"] == "stop"  # type: ignore[index]


@pytest.mark.parametrize("data", [b"[DONE]", b"{", b"[]"])
def test_an_event_that_is_no_object_is_an_upstream_error(data: bytes) -> None:
    with pytest.raises(UpstreamError, match="not a JSON object"):
        list(StreamDecoder(streaming()).feed(Event("", data)))


def test_nothing_is_said_before_the_first_words() -> None:
    decoder = StreamDecoder(streaming())
    start = b'{"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}}'
    frames = [*decoder.feed(Event("message_start", start)), *decoder.feed(Event("ping", b"not even JSON"))]
    assert [frame.payload for frame in frames] == [None] and frames[0].usage is not None
    with pytest.raises(Truncated):
        decoder.close()


def test_what_follows_the_end_is_not_read() -> None:
    decoder = StreamDecoder(streaming())
    assert list(decoder.feed(Event("message_stop", b'{"type": "message_stop"}')))
    assert not list(decoder.feed(Event("", b"[DONE]"))) and not list(decoder.close())
