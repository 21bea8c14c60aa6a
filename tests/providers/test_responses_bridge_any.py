"""Any answer at all, of any provider that chats, as a response: the same, well told, and able to go back."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orrery.core.errors import GatewayError, Truncated, UpstreamError
from orrery.providers.bridge.responses import over
from orrery.wire.composer import Composer
from tests.providers.cases import chunks_of, fold
from tests.providers.replaying import assert_goes_back, message_of
from tests.providers.responding import Replayed, call, payloads, told_by, told_by_chat
from tests.providers.test_any_dialect import GROUPS, adapter, events_of, frames_of, spoil, streams_of

each = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0] if len(group) == 1 else "rows")
asked = settings(
    deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def responded(provider: str, events: list[Any], **fields: Any) -> list[Any]:
    decoder = over(adapter(provider)).decoder
    assert decoder is not None
    decoding = decoder(call({"model": f"{provider}/m", "input": "Hi", **fields}, provider, stream=True))
    frames = [frame for event in events for frame in decoding.feed(event)]
    return payloads(frames if decoding.done else [*frames, *decoding.close()])


def first_choice(answer: Any) -> Any:
    return answer | {"choices": [choice for choice in answer["choices"] if choice["index"] == 0]}


@each
@asked
@given(st.data())
def test_a_stream_and_a_whole_answer_tell_what_the_chats_do(group: tuple[str, ...], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(group))
    stream, reply = data.draw(streams_of(provider))
    events = events_of(provider, stream, len(stream) or 1)
    summary = data.draw(st.sampled_from([{}, {"reasoning": {"summary": "auto"}}]))
    told = responded(provider, events, **summary)
    Replayed().all(told)
    whole: Any = (
        over(adapter(provider)).decode(reply, call({"model": f"{provider}/m", "input": "Hi"}, provider)).payload
    )
    chat = first_choice(fold(chunks_of(frames_of(provider, events))))
    assert told_by(told[-1]["response"]) == told_by(whole) == told_by_chat(chat)


@each
@asked
@given(st.data())
def test_what_was_streamed_goes_back_as_the_chats_message_does(group: tuple[str, ...], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(group))
    stream, _ = data.draw(streams_of(provider))
    events = events_of(provider, stream, len(stream) or 1)
    chat = first_choice(fold(chunks_of(frames_of(provider, events))))
    told = responded(provider, events)
    if told[-1]["type"] == "response.incomplete":
        return  # its signatures are lost
    composer = Composer({"output": []})
    composer.open_turn()
    for event in told:
        composer.feed(event)
    composer.finish("completed", now=1)
    assert_goes_back(provider, "m", message_of(chat), composer.resource["output"])


@each
@asked
@given(st.data())
def test_a_cut_stream_never_looks_complete(group: tuple[str, ...], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(group))
    stream, _ = data.draw(streams_of(provider))
    events = events_of(provider, stream, len(stream) or 1)
    kept = events[: data.draw(st.integers(0, len(events)))]
    try:
        frames_of(provider, kept)
    except Truncated:
        with pytest.raises(Truncated):
            responded(provider, kept)
        return
    Replayed().all(responded(provider, kept))


@each
@asked
@given(st.data())
def test_spoilt_bytes_raise_nothing_but_our_own_errors(group: tuple[str, ...], data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(group))
    stream, reply = data.draw(streams_of(provider))
    whole = call({"model": f"{provider}/m", "input": "Hi"}, provider)
    for read in (
        lambda: responded(provider, events_of(provider, spoil(stream, data), 64)),
        lambda: over(adapter(provider)).decode(spoil(reply, data), whole),
    ):
        try:
            read()
        except GatewayError as err:
            assert isinstance(err, UpstreamError)
