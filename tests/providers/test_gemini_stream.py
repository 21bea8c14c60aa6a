"""Replies and streams of Gemini's that are not as they should be, and where signatures and usage end up."""

from typing import Any

import orjson
import pytest

from orrery.core.dialect import Event, Frame, Reply
from orrery.core.errors import BadCredential, Truncated, UpstreamError
from orrery.core.types import Call, Operation
from orrery.providers.gemini import PROVIDER
from orrery.providers.gemini.answer import FAILED, FINISH_REASON
from tests.providers.cases import chunks_of, fold

CHAT = PROVIDER.adapters[Operation.CHAT]


def streaming(**body: Any) -> Call:
    return Call(Operation.CHAT, "m", body, stream=True, wants_usage=True, received_at=255)


def said(*parts: dict[str, Any], end: str | None = None, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": parts}, **({"finishReason": end} if end else {})}], **more}


def frames_of(*events: Any, call: Call | None = None) -> list[Frame]:
    assert CHAT.decoder is not None
    decoder = CHAT.decoder(call or streaming())
    frames = [frame for event in events for frame in decoder.feed(Event("", orjson.dumps(event)))]
    return [*frames, *decoder.close()]


def message_of(*events: Any) -> Any:
    return fold(chunks_of(frames_of(*events, said(end="STOP", usageMetadata={"promptTokenCount": 1}))))["choices"][0]


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b"<html>", b'{"candidates": {}}', b'{"candidates": [1]}'])
def test_a_reply_without_candidates_is_an_upstream_error(body: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        CHAT.decode(body, streaming())
    assert caught.value.status == 502


@pytest.mark.parametrize("wrap", [lambda error: error, lambda error: [error]])
def test_an_error_under_status_200_is_raised_as_what_it_is(wrap: Any) -> None:
    with pytest.raises(UpstreamError) as caught:
        CHAT.decode(orjson.dumps(wrap({"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}})), streaming())
    assert (caught.value.status, caught.value.code) == (503, "unavailable")


STRANGE: list[Any] = [
    {"candidates": [{"content": {"parts": [{}, 1, {"text": 7}, {"functionCall": 1}, {"inlineData": []}]}}]},
    {"candidates": [{"content": {"parts": {}}, "index": "x"}]},
    {"candidates": [{"content": []}, None]},
    {"candidates": [{"finishReason": 5, "finishMessage": {}}]},
    {"usageMetadata": {"promptTokenCount": -1, "candidatesTokenCount": True, "promptTokensDetails": [1, {}]}},
    {"usageMetadata": [], "promptFeedback": [], "responseId": 5},
    {"something": "new"},
]


@pytest.mark.parametrize("data", STRANGE)
def test_strange_events_break_nothing(data: Any) -> None:
    assert message_of(data, said({"text": "Hi"}))["message"]["content"] == "Hi"


@pytest.mark.parametrize("data", [b"{", b"[]", b"5"])
def test_an_event_that_is_no_object_is_an_upstream_error(data: bytes) -> None:
    assert CHAT.decoder is not None
    with pytest.raises(UpstreamError, match="not a JSON object"):
        list(CHAT.decoder(streaming()).feed(Event("", data)))


def test_nothing_is_said_before_the_first_words() -> None:
    assert CHAT.decoder is not None
    decoder = CHAT.decoder(streaming())
    frames = list(decoder.feed(Event("", orjson.dumps(said(usageMetadata={"promptTokenCount": 5})))))
    assert [frame.payload for frame in frames] == [None] and frames[0].usage is not None
    with pytest.raises(Truncated):
        decoder.close()


def test_a_stream_ends_when_each_candidate_that_was_asked_for_has_ended() -> None:
    first = said({"text": "a"}, end="STOP", modelVersion="gemini-2.5-flash")
    with pytest.raises(Truncated):
        frames_of(first, call=streaming(n=2))
    assert frames_of(first, call=streaming(n=1))
    assert frames_of({**first, "modelVersion": "gemini-3.8-flash"}, call=streaming(n=2))


def test_a_blocked_prompt_is_whole_however_many_answers_were_asked_for() -> None:
    event = {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "gemini-2.5-flash"}
    told = fold(chunks_of(frames_of({**event, "usageMetadata": {"promptTokenCount": 1}}, call=streaming(n=3))))
    assert [choice["finish_reason"] for choice in told["choices"]] == ["content_filter"]


def test_feedback_on_a_prompt_that_was_answered_changes_nothing() -> None:
    feedback = {"promptFeedback": {"blockReason": "SAFETY"}}
    assert message_of(said({"text": "a"}), feedback, said({"text": "b"}))["message"]["content"] == "ab"


def test_candidates_without_a_number_are_numbered_by_their_place() -> None:
    reply = {"candidates": [{"content": {"parts": [{"text": t}]}, "finishReason": "STOP"} for t in "ab"]}
    choices = CHAT.decode(orjson.dumps(reply), streaming()).payload["choices"]  # type: ignore[index]
    assert [(choice["index"], choice["message"]["content"]) for choice in choices] == [(0, "a"), (1, "b")]


def test_a_done_mark_of_other_servers_is_passed_over() -> None:
    assert CHAT.decoder is not None
    decoder = CHAT.decoder(streaming())
    assert not list(decoder.feed(Event("", b"[DONE]"))) and not decoder.done


def test_what_follows_the_end_is_not_read() -> None:
    assert CHAT.decoder is not None
    decoder = CHAT.decoder(streaming())
    list(decoder.feed(Event("", orjson.dumps(said({"text": "a"}, end="STOP")))))
    assert list(decoder.close()) and decoder.done
    assert not list(decoder.feed(Event("", b"{"))) and not list(decoder.close())


def test_usage_that_comes_after_the_end_counts() -> None:
    late = {"usageMetadata": {"candidatesTokenCount": 7, "thoughtsTokenCount": 3}}
    frames = frames_of(said({"text": "a"}, end="STOP", usageMetadata={"promptTokenCount": 5}), late)
    usage = frames[-1].usage
    assert usage is not None and (usage.prompt, usage.completion, usage.reasoning) == (5, 10, 3)


def test_counts_that_are_left_out_later_still_stand() -> None:
    both = {"promptTokenCount": 5, "cachedContentTokenCount": 4, "thoughtsTokenCount": 2}
    less = {"promptTokenCount": 6, "thoughtsTokenCount": 0}
    frames = frames_of(said({"text": "a"}, usageMetadata=both), said(end="STOP", usageMetadata=less))
    usage = frames[-1].usage
    assert usage is not None and (usage.prompt, usage.cache_read, usage.reasoning) == (6, 4, 2)


def test_what_was_counted_so_far_goes_with_the_words() -> None:
    frames = frames_of(said({"text": "a"}, usageMetadata={"promptTokenCount": 5}), said({"text": "b"}, end="STOP"))
    assert [frame.usage.prompt if frame.usage else None for frame in frames] == [None, 5, None, None, 5]


@pytest.mark.parametrize("reason", sorted(FINISH_REASON))
def test_a_call_ends_as_one_only_where_it_was_not_cut(reason: str) -> None:
    choice = fold(chunks_of(frames_of(said({"functionCall": {"name": "f"}}, end=reason))))["choices"][0]
    assert choice["finish_reason"] == ("tool_calls" if reason == "STOP" else FINISH_REASON[reason])


@pytest.mark.parametrize("reason", sorted(FAILED))
def test_an_answer_that_went_wrong_is_an_error(reason: str) -> None:
    for read in (lambda body: frames_of(body), lambda body: CHAT.decode(orjson.dumps(body), streaming())):
        with pytest.raises(UpstreamError) as caught:
            read(said({"text": "x"}, end=reason))
        assert (caught.value.status, caught.value.code) == (502, reason.lower())


def test_a_new_reason_is_an_end_like_any_other() -> None:
    assert fold(chunks_of(frames_of(said({"text": "x"}, end="TIRED"))))["choices"][0]["finish_reason"] == "stop"


def test_a_refusal_that_says_nothing_else_says_its_reason() -> None:
    choice = fold(chunks_of(frames_of(said(end="RECITATION"))))["choices"][0]
    assert choice["message"]["refusal"] == "RECITATION" and choice["finish_reason"] == "content_filter"


def test_ids_are_made_up_alike_each_time_and_are_no_longer_than_openais() -> None:
    event = said({"functionCall": {"name": "f"}}, {"functionCall": {"name": "f"}}, end="STOP", responseId="a/" * 30)
    ids = [call["id"] for call in fold(chunks_of(frames_of(event)))["choices"][0]["message"]["tool_calls"]]
    whole = CHAT.decode(orjson.dumps(event), streaming()).payload
    assert ids == [call["id"] for call in whole["choices"][0]["message"]["tool_calls"]]  # type: ignore[index]
    assert len(set(ids)) == 2 and all(len(id) <= 40 for id in ids)


def test_log_probabilities_come_with_their_words() -> None:
    result = {"chosenCandidates": [{"token": "H", "logProbability": -0.1}]}
    event: Any = said({"text": "H"}, end="STOP")
    event["candidates"][0]["logprobsResult"] = result
    told = [part["logprobs"] for chunk in chunks_of(frames_of(event)) for part in chunk["choices"]]
    assert [logprobs["content"][0]["token"] for logprobs in told if logprobs] == ["H"]


ERRORS: list[tuple[int, Any, dict[str, Any]]] = [
    (400, {"error": {"code": 400, "status": "FAILED_PRECONDITION", "message": "m"}}, {"code": "failed_precondition"}),
    (402, {"error": {"code": 402, "status": "RESOURCE_EXHAUSTED"}}, {"status": 502, "code": "provider_billing"}),
    (429, {"error": {"details": [{"retryDelay": "3s"}, {"retryDelay": "9s"}]}}, {"retry_after_s": 3.0}),
    (429, {"error": {"details": [{"retryDelay": "soon"}, 5, {}]}}, {"retry_after_s": None}),
    (429, {"error": {"details": {}, "status": 5, "message": []}}, {"code": "rate_limit_exceeded"}),
    (504, {"error": {"code": 504, "status": "DEADLINE_EXCEEDED"}}, {"status": 504, "code": "deadline_exceeded"}),
    (500, "nonsense", {"status": 500, "type": "api_error"}),
]


@pytest.mark.parametrize(("status", "body", "expected"), ERRORS)
def test_errors_keep_their_status_and_word(status: int, body: Any, expected: dict[str, Any]) -> None:
    err = PROVIDER.explain(Reply(status, {}, orjson.dumps(body)))
    assert {name: getattr(err, name) for name in expected} == expected


def test_a_wait_in_the_header_comes_first() -> None:
    body = {"error": {"details": [{"retryDelay": "3s"}]}}
    assert PROVIDER.explain(Reply(429, {"retry-after": "5"}, orjson.dumps(body))).retry_after_s == 5.0


def test_a_bad_key_is_ours_and_does_not_show() -> None:
    error = {"message": "Bad key AIzaSyD4k8s9d0f1g2h3j4k5l6m7n8b9v0c1x2", "details": [{"reason": "API_KEY_INVALID"}]}
    err = PROVIDER.explain(Reply(400, {}, orjson.dumps({"error": error})))
    assert isinstance(err, BadCredential) and err.status == 422 and "AIza" not in err.message
