"""Answers that go back: the next request is the one that a chat's client would have sent, byte for byte."""

from typing import Any

from orrery.wire.composer import Composer
from tests.providers.cases import Case, chunks_of, events_of, fold, frames_of, with_files
from tests.providers.cases import streamed as with_stream
from tests.providers.replaying import assert_goes_back, message_of
from tests.providers.responding import decoded, payloads, streamed, varied
from tests.providers.test_cases import each


def assert_same(case: Case, message: Any, output: list[Any]) -> None:
    assert_goes_back(case.provider, case.call().model.partition("/")[2], message, output)


@each(varied(with_files("reply.json", "answer.json")))
def test_a_whole_answer_goes_back_as_the_chats_message_does(case: Case) -> None:
    response: Any = decoded(case).payload
    assert_same(case, message_of(case.json_of("answer.json")), response["output"])


@each(varied(with_stream("answer.json")))
def test_a_streamed_answer_goes_back_as_the_chats_message_does(case: Case) -> None:
    """Also through the hands of the gateway, which writes the response down in its own order, with its own ids."""
    message = message_of(fold(chunks_of(frames_of(case, events_of(case)))))
    events = payloads(streamed(case))
    composer = Composer({"output": []})
    composer.open_turn()
    for event in events:
        composer.feed(event)
    _, turn = composer.close_turn()
    composer.finish(turn.status, now=1)
    assert_same(case, message, events[-1]["response"]["output"])
    assert_same(case, message, list(composer.resource["output"]))
