"""What a provider's own responses become: whole or streamed the same, sealed for their issuer, and counted."""

from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.errors import BadCredential, Truncated, UpstreamError
from orrery.core.types import Json, Usage
from orrery.providers.layout import seal
from tests.providers.native import (
    HEAD,
    NATIVE,
    SEALING,
    adapter,
    call,
    events,
    function_call,
    heard,
    items,
    last,
    message,
    payloads,
    reasoning,
    refusal,
    resource,
    sse,
    whole,
)

each_native = pytest.mark.parametrize("provider", NATIVE)
BEFORE = {"response.created", "response.queued", "response.in_progress"}
ANSWER = resource(reasoning("why", secret="gAAA"), message("Hello there."), function_call('{"a":1}'))

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
outputs = st.lists(
    st.one_of(
        texts.map(message),
        texts.map(refusal),
        texts.map(function_call),
        st.builds(reasoning, texts, st.just(""), st.sampled_from(["", "gAAA", "x:y"])),
        st.builds(reasoning, st.just(""), texts),
    ),
    min_size=1,
    max_size=4,
).map(lambda found: [{**item, "id": f"item_{number}"} for number, item in enumerate(found)])
resources = st.builds(
    lambda output, status: resource(*output, status=status), outputs, st.sampled_from(["completed", "incomplete"])
)


def text_of(told: list[Any]) -> str:
    return "".join(event["delta"] for event in told if event["type"].endswith(".delta"))


class TestStreaming:
    @settings(deadline=None, max_examples=60)
    @given(st.sampled_from(NATIVE), resources, st.integers(1, 5), st.data())
    def test_streamed_is_as_buffered_however_the_bytes_are_cut(self, provider, found, size, data):
        stream = sse(events(found, size))
        cuts = data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=8))
        frames, buffered = heard(provider, stream, cuts), whole(provider, found)
        assert last(frames) == buffered.payload
        assert frames[-1].usage == buffered.usage == Usage(prompt=11, completion=7)
        assert sum(frame.output_chars for frame in frames) == buffered.output_chars > 0
        told = payloads(frames)
        assert told[-1]["type"] == f"response.{found['status']}"
        assert [event["type"] for event in told] == [
            event["type"] for event in events(found, size) if event["type"] not in BEFORE
        ]

    @settings(deadline=None, max_examples=40)
    @given(resources, st.data())
    def test_a_stream_cut_before_its_last_event_is_not_whole(self, found, data):
        told = events(found)
        kept = data.draw(st.integers(0, len(told) - 1))
        with pytest.raises(Truncated):
            heard("openai", sse(told[:kept]))
        end = sse(told)[:-1]
        cut = data.draw(st.integers(len(sse(told[:-1])), len(end) - 2))
        with pytest.raises(Truncated):
            heard("openai", end[:cut])

    @each_native
    def test_any_byte_may_be_the_last_of_a_chunk(self, provider):
        stream = sse(events(ANSWER))
        expected = payloads(heard(provider, stream))
        assert payloads(heard(provider, stream, range(1, len(stream)))) == expected

    def test_nothing_is_told_before_the_first_words(self):
        told = events(resource(message("Hello")))
        for kept in range(4):
            decoder = adapter("openai").decoder(call("openai", stream=True))  # type: ignore[misc]
            frames = [frame for event in told[: kept + 1] for frame in decoder.feed(_event(event))]
            assert payloads(frames) == []
            assert frames, "each event is heard, so that a silent provider is told from a slow one"
        frames = list(decoder.feed(_event(told[4])))
        assert [frame.payload["type"].removeprefix("response.") for frame in frames] == [
            "output_item.added",
            "content_part.added",
            "output_text.delta",
        ]

    def test_a_call_is_words_enough(self):
        decoder = adapter("openai").decoder(call("openai", stream=True))  # type: ignore[misc]
        told = events(resource(function_call("{}")))
        assert len(payloads(f for event in told[:3] for f in decoder.feed(_event(event)))) == 1

    def test_what_comes_after_the_end_is_not_read(self):
        stream = sse(events(ANSWER)) + b"data: [DONE]\n\n" + sse([{"type": "error", "message": "late"}])
        assert last(heard("openai", stream)) == whole("openai", ANSWER).payload

    def test_an_answer_of_nothing_is_whole(self):
        frames = heard("openai", sse(events(resource())))
        assert [event["type"] for event in payloads(frames)] == ["response.completed"]

    def test_the_names_of_events_may_stand_beside_their_data(self):
        stream = b"".join(
            b"event: %b\ndata: %b\n\n" % (event.pop("type").encode(), orjson.dumps(event)) for event in events(ANSWER)
        )
        assert last(heard("openai", stream)) == whole("openai", ANSWER).payload

    def test_events_of_others_are_left_out(self):
        told = events(ANSWER)
        foreign = {"type": "keepalive", "sequence_number": 3}
        searching = {"type": "response.web_search_call.searching", "item_id": "ws_1", "output_index": 0}
        found = payloads(heard("openai", sse([*told[:3], foreign, searching, *told[3:]])))
        assert "keepalive" not in {event["type"] for event in found}
        assert searching in found

    @pytest.mark.parametrize(
        "data", [b"{", b"[]", b"null", b'"a"', b"3", b"\xff", b'{"type":"response.output_text.delta","delta":"a"']
    )
    def test_what_is_no_event_is_an_error(self, data):
        with pytest.raises(UpstreamError) as caught:
            heard("openai", sse(events(ANSWER)[:2]) + b"data: %b\n\n" % data)
        assert caught.value.status == 502

    @settings(deadline=None, max_examples=60)
    @given(st.data())
    def test_any_nonsense_is_told_or_is_an_error(self, data):
        values = st.one_of(
            st.none(), st.integers(-1, 3), texts, st.just([]), st.just({}), st.just([{}]), st.just({"a": 1})
        )
        told = deepcopy(events(ANSWER, size=6))
        for event in data.draw(st.lists(st.sampled_from(told), max_size=4)):
            name = data.draw(st.sampled_from(sorted(event)))
            event[name] = data.draw(values)
        try:
            frames = heard("openai", sse([event for event in told if isinstance(event["type"], str)]))
        except UpstreamError as err:
            assert err.status >= 400
        else:
            assert payloads(frames)[-1]["type"] in ("response.completed", "response.incomplete")
            assert isinstance(last(frames)["output"], list)


def _event(told: Json) -> Any:
    from orrery.core.dialect import Event

    return Event(told["type"], orjson.dumps(told))


class TestImitators:
    """Servers that leave something out."""

    @settings(deadline=None, max_examples=40)
    @given(outputs)
    def test_an_output_that_the_end_lacks_is_that_of_the_events(self, output):
        full = resource(*output)
        expected = whole("groq", full).payload["output"]  # type: ignore[index]
        for end in ({**full, "output": []}, {name: value for name, value in full.items() if name != "output"}):
            told = [*events(full)[:-1], {"type": "response.completed", "response": end}]
            assert last(heard("groq", sse(told)))["output"] == expected

    def test_items_without_indexes_are_told_apart_by_their_ids(self):
        output = [reasoning("why"), message("Hello"), function_call('{"a":1}')]
        told = [{name: value for name, value in e.items() if name != "output_index"} for e in events(resource(*output))]
        assert last(heard("groq", sse([*told[:-1], {"type": "response.completed"}])))["output"] == output

    def test_what_waits_for_words_comes_before_the_end_at_the_latest(self):
        told = events(resource(message("Hello")))
        found = payloads(heard("groq", sse([*told[:4], told[-1]])))
        assert [event["type"].removeprefix("response.") for event in found] == [
            "output_item.added",
            "content_part.added",
            "completed",
        ]

    def test_characters_that_only_a_whole_item_has_count_with_it(self):
        told = events(resource(message("Hello")), size=3)
        lacking = [event for event in told if event.get("delta") != "lo"]
        assert [frame.output_chars for frame in heard("groq", sse(lacking)) if frame.output_chars] == [3, 2]

    def test_items_that_nothing_ended_are_made_of_their_pieces(self):
        told = [e for e in events(resource(reasoning("why"), message("Hello"), function_call('{"a":1}')))]
        kept = [event for event in told[:-1] if not event["type"].endswith(".done")]
        found = last(heard("vllm", sse([*kept, {"type": "response.completed"}])))
        assert found["output"] == [
            {**reasoning("why"), "status": "completed"},
            message("Hello"),
            function_call('{"a":1}'),
        ]
        assert (found["id"], found["status"], found["model"]) == ("resp_1", "completed", "some-model")

    def test_pieces_that_nothing_announced_are_an_item(self):
        said = [{"type": "response.output_text.delta", "delta": piece} for piece in ("Hel", "lo")]
        (found,) = last(heard("vllm", sse([*said, {"type": "response.completed", "response": {}}])))["output"]
        assert (found["type"], found["content"][0]["text"]) == ("message", "Hello")

    def test_a_stream_may_end_with_done_alone(self):
        told = events(ANSWER)
        found = heard("groq", sse(told[:-1]) + b"data: [DONE]\n\n")
        assert last(found)["output"] == whole("groq", ANSWER).payload["output"]  # type: ignore[index]
        assert payloads(found)[-1]["type"] == "response.completed"
        with pytest.raises(Truncated):
            heard("groq", sse(told[:-2]) + b"data: [DONE]\n\n")
        with pytest.raises(Truncated):
            heard("groq", b"data: [DONE]\n\n")

    @each_native
    def test_a_whole_response_has_what_some_leave_out(self, provider):
        found = whole(provider, {"output": [message("a")]}).payload
        assert isinstance(found, dict)
        assert {name: found[name] for name in ("id", "object", "created_at", "model", "status")} == {
            "id": "resp_o",
            "object": "response",
            "created_at": 1_795_219_201,
            "model": f"{provider}/some-model",
            "status": "completed",
        }

    def test_the_status_at_the_end_is_that_of_the_event(self):
        told = [*events(ANSWER)[:-1], {"type": "response.incomplete", "response": {**ANSWER, "status": "in_progress"}}]
        assert last(heard("openai", sse(told)))["status"] == "incomplete"


class TestSealing:
    @pytest.mark.parametrize("provider", SEALING)
    def test_reasoning_goes_round(self, provider):
        found = whole(provider, ANSWER).payload
        assert isinstance(found, dict)
        assert found["output"][0]["encrypted_content"] == seal(provider, "gAAA")
        assert items(provider, *found["output"])[0]["encrypted_content"] == "gAAA"

    @each_native
    def test_a_secret_never_goes_out_unsealed(self, provider):
        frames = heard(provider, sse(events(ANSWER)))
        secrets = [
            part["encrypted_content"]
            for event in payloads(frames)
            for part in _items_of(event)
            if "encrypted_content" in part
        ]
        assert len(secrets) == 2 and set(secrets) == {seal(provider, "gAAA")}

    def test_no_secret_is_no_field(self):
        found = whole("openai", resource({**reasoning("a"), "encrypted_content": None})).payload
        assert isinstance(found, dict) and "encrypted_content" not in found["output"][0]

    def test_a_compaction_is_its_issuer_s(self):
        item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"}
        found = whole("openai", resource(item)).payload
        assert isinstance(found, dict) and found["output"][0]["encrypted_content"] == "openai:gAAA"


def _items_of(event: Json) -> list[Json]:
    return [event["item"]] if "item" in event else event.get("response", {}).get("output", [])


class TestCounting:
    """What it cost."""

    @pytest.mark.parametrize(
        ("usage", "expected"),
        [
            (
                {
                    "input_tokens": 100,
                    "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 20},
                    "output_tokens": 30,
                    "output_tokens_details": {"reasoning_tokens": 12},
                },
                Usage(prompt=100, completion=30, cache_read=60, cache_write=20, reasoning=12),
            ),
            (
                {"input_tokens": 40, "input_tokens_details": {"cached_tokens": 60}, "output_tokens": 5},
                Usage(100, 5, 60),
            ),
            ({"input_tokens": 0, "output_tokens": 0}, Usage()),
            ({"input_tokens": 4, "output_tokens": None}, Usage(prompt=4)),
            (
                {
                    "input_tokens": 1,
                    "output_tokens": 1,
                    "server_side_tool_usage_details": {"x_search_calls": 3, "mcp_calls": 2, "web_search_calls": 0},
                },
                Usage(1, 1, units={"x_search": 3}),
            ),
            (None, None),
            ([], None),
            ({"input_tokens": -1, "output_tokens": 1}, None),
            ({"output_tokens": 1}, None),
        ],
    )
    def test_usage_is_read_as_it_is_told(self, usage, expected):
        found = resource(message("a"), usage=usage)
        assert whole("xai", found).usage == expected
        assert heard("xai", sse(events(found)))[-1].usage == expected

    def test_hosted_tools_are_counted(self):
        searches = [{"type": "web_search_call", "id": f"ws_{n}", "status": "completed"} for n in range(2)]
        found = resource(*searches, {"type": "x_search_call", "id": "xs"}, function_call(), message("a"))
        assert whole("openai", found).usage == Usage(11, 7, units={"web_search": 2, "x_search": 1})

    def test_what_the_provider_counts_is_more_than_what_is_shown(self):
        told = {"input_tokens": 1, "output_tokens": 1, "server_side_tool_usage_details": {"web_search_calls": 5}}
        found = resource({"type": "web_search_call", "id": "ws"}, message("a"), usage=told)
        assert whole("xai", found).usage == Usage(1, 1, units={"web_search": 5})

    def test_characters_are_those_of_texts_thoughts_and_calls(self):
        found = resource(reasoning("why", "how"), message("Hello"), refusal("No"), function_call('{"a":1}'))
        assert whole("vllm", found).output_chars == 3 + 3 + 5 + 2 + len("look") + len('{"a":1}')

    def test_each_character_counts_when_it_comes(self):
        frames = heard("openai", sse(events(resource(message("Hello")), size=2)))
        assert [frame.output_chars for frame in frames if frame.output_chars] == [2, 2, 1]

    def test_words_that_only_the_end_has_count_there(self):
        frames = heard("openai", sse([{"type": "response.completed", "response": resource(message("Hello"))}]))
        assert [frame.output_chars for frame in frames] == [5]

    def test_groq_s_tiers_are_openai_s(self):
        found = whole("groq", resource(message("a"), service_tier="on_demand")).payload
        assert isinstance(found, dict) and found["service_tier"] == "default"


FAILURES: list[tuple[Json, int, str | None]] = [
    ({"code": "server_error", "message": "m"}, 500, "server_error"),
    ({"code": "rate_limit_exceeded", "message": "m"}, 429, "rate_limit_exceeded"),
    ({"code": "insufficient_quota", "message": "m"}, 429, "insufficient_quota"),
    ({"code": "invalid_prompt", "message": "m"}, 400, "invalid_prompt"),
    ({"code": "context_length_exceeded", "message": "m"}, 400, "context_length_exceeded"),
    ({"code": "image_content_policy_violation", "message": "m"}, 400, "image_content_policy_violation"),
    ({"code": "failed_to_download_image", "message": "m"}, 400, "failed_to_download_image"),
    ({"code": "vector_store_timeout", "message": "m"}, 504, "vector_store_timeout"),
    ({"code": "never_heard_of", "message": "m"}, 502, "never_heard_of"),
    ({"message": "m"}, 502, None),
]


class TestFailing:
    @pytest.mark.parametrize(("error", "status", "code"), FAILURES)
    def test_a_failure_has_the_status_that_fits(self, error, status, code):
        found = resource(status="failed", error=error)
        streams = [
            [{"type": "response.failed", "response": found}],
            [{"type": "error", "param": None, "sequence_number": 3, **error}],
            [{"type": "error", "error": {"type": "error", **error}}],
            [{"type": "response.completed", "response": found}],
        ]
        for told in streams:
            with pytest.raises(UpstreamError) as caught:
                heard("openai", sse([*events(ANSWER)[:2], *told]))
            assert (caught.value.status, caught.value.message) == (status, "m")
            assert code is None or caught.value.code == code
            assert caught.value.type not in ("error", "response.failed")
        with pytest.raises(UpstreamError) as caught:
            whole("openai", found)
        assert (caught.value.status, caught.value.message) == (status, "m")

    def test_an_answer_that_was_cancelled_is_none(self):
        told = {"type": "response.completed", "response": resource(message("a"), status="cancelled")}
        with pytest.raises(UpstreamError):
            heard("openai", sse([told]))

    def test_a_failure_after_words_comes_after_them(self):
        told = events(ANSWER)
        decoder = adapter("openai").decoder(call("openai", stream=True))  # type: ignore[misc]
        assert payloads(frame for event in told[:6] for frame in decoder.feed(_event(event)))
        with pytest.raises(UpstreamError):
            list(decoder.feed(_event({"type": "response.failed", "response": {"error": None, "status": "failed"}})))

    @pytest.mark.parametrize(
        "reply",
        [
            {**HEAD},
            {**HEAD, "output": None},
            {**HEAD, "output": {}},
            resource(status="in_progress"),
            resource(status="queued"),
            resource(status="cancelled"),
            resource(error={"message": "m"}),
            {"error": {"message": "m"}},
            {"error": "m"},
            [],
        ],
    )
    def test_what_is_no_whole_response_is_an_error(self, reply):
        with pytest.raises(UpstreamError) as caught:
            whole("openai", reply)
        assert caught.value.status == 502

    def test_keys_in_messages_are_hidden(self):
        told = [{"type": "error", "code": "server_error", "message": "Bad key sk-abcdefgh12345678 given"}]
        with pytest.raises(UpstreamError) as caught:
            heard("openai", sse(told))
        assert caught.value.message == "Bad key [key] given"

    def test_a_refused_key_is_ours(self):
        with pytest.raises(BadCredential):
            heard("openai", sse([{"type": "error", "error": {"type": "authentication_error", "message": "m"}}]))
