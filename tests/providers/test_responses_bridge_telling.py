"""What answers of a chat become, piece by piece: citations, probabilities, calls in disorder, pictures, early ends."""

from typing import Any

import orjson
import pytest

from orrery import providers
from orrery.core.dialect import Event, Frame
from orrery.core.types import Operation, Usage
from orrery.providers.bridge.response_reasoning import Thoughts, unsealed
from orrery.providers.bridge.response_stream import ResponseDecoder
from orrery.providers.bridge.responses import over
from tests.providers.responding import ID, Replayed, call, payloads

DONE = b"[DONE]"


def adapter(provider: str) -> Any:
    found = providers.get(provider)
    assert found is not None
    return over(found.adapters[Operation.CHAT])


def frames(*chunks: Any, provider: str = "xai", **fields: Any) -> list[Frame]:
    asked = call({"model": f"{provider}/m", "input": "Hi", **fields}, provider, stream=True)
    decoding = adapter(provider).decoder(asked)
    found: list[Frame] = []
    for chunk in chunks:
        found += decoding.feed(Event("", chunk if isinstance(chunk, bytes) else orjson.dumps(chunk)))
    return found if decoding.done else [*found, *decoding.close()]


def events(*chunks: Any, provider: str = "xai", **fields: Any) -> list[Any]:
    told = payloads(frames(*chunks, DONE, provider=provider, **fields))
    Replayed().all(told)
    return told


def response(*chunks: Any, provider: str = "xai", **fields: Any) -> Any:
    return events(*chunks, provider=provider, **fields)[-1]["response"]


def chunk(delta: Any, reason: str | None = None, logprobs: Any = None, index: int = 0, **more: Any) -> Any:
    choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
    return {
        "id": "chatcmpl-A_b",
        "object": "chat.completion.chunk",
        "created": 5,
        "model": "m-1",
        "choices": [choice],
        **more,
    }


def piece(index: int, id: str = "", arguments: str = "", **more: Any) -> Any:
    named = {"id": id, "type": "function"} if id else {}
    return {
        "tool_calls": [
            {"index": index, **named, "function": {"arguments": arguments, **({"name": "f"} if id else {})}, **more}
        ]
    }


def whole(message: Any, provider: str = "xai", reason: str = "stop", **fields: Any) -> Any:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    answer = {"id": "x", "object": "chat.completion", "created": 5, "model": "m-1", "choices": [choice]}
    asked = call({"model": f"{provider}/m", "input": "Hi", **fields}, provider)
    return adapter(provider).decode(orjson.dumps(answer), asked).payload


def types(told: Any) -> list[str]:
    return [item["type"] for item in told["output"]]


def thoughts(item: Any, provider: str) -> Thoughts:
    found = unsealed(item["encrypted_content"], provider)
    assert found is not None
    return found


END = chunk({}, "stop")


def test_a_text_is_told_as_it_grows() -> None:
    told = events(chunk({"role": "assistant", "content": ""}), chunk({"content": "He"}), chunk({"content": "y"}), END)
    assert [event["type"].removeprefix("response.") for event in told] == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["delta"] for event in told if "delta" in event] == ["He", "y"]
    assert told[-1]["response"]["output"] == [
        {
            "id": "msg_Ab_0",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hey", "annotations": []}],
        }
    ]


def test_a_role_alone_says_nothing_yet() -> None:
    first, *_ = frames(chunk({"role": "assistant", "content": ""}), chunk({"content": "Hey"}), END, DONE)
    assert first.payload is None


def test_the_characters_of_a_chunk_are_counted_once() -> None:
    found = frames(chunk({"role": "assistant", "content": "Hey"}), chunk({"content": "ho"}), END, DONE)
    assert sum(frame.output_chars for frame in found) == 5 and found[0].output_chars == 3


def test_thoughts_stand_where_they_were_asked_for() -> None:
    said = chunk({"reasoning_content": "Hm."}), chunk({"content": "Hey"}), END
    plain, summary = response(*said), response(*said, reasoning={"summary": "concise"})
    assert plain["output"][0]["content"] == [{"type": "reasoning_text", "text": "Hm."}]
    assert plain["output"][0]["summary"] == []
    assert summary["output"][0]["summary"] == [{"type": "summary_text", "text": "Hm."}]
    assert "content" not in summary["output"][0]
    assert response(*said, reasoning={"generate_summary": "auto"})["output"] == summary["output"]
    assert whole({"content": "Hey", "reasoning": "Hm."}, reasoning={"summary": "auto"})["output"][0]["summary"]
    assert types(plain) == ["reasoning", "message"]


def test_thoughts_are_sealed_for_who_had_them() -> None:
    item = response(chunk({"reasoning": "Hm."}), chunk({"content": "Hey"}), END)["output"][0]
    assert item["encrypted_content"].startswith("xai:")
    assert thoughts(item, "xai") == Thoughts({"reasoning": "Hm."})
    first = whole({"content": "Hey", "reasoning": "Hm."})["output"][0]
    assert thoughts(first, "xai") == Thoughts({"reasoning": "Hm."}, said=3)


def test_thoughts_alone_are_sealed_with_all_there_is() -> None:
    told = response(chunk({"reasoning": "Hm."}), chunk({}, "length"))
    assert told["incomplete_details"] == {"reason": "max_output_tokens"} and types(told) == ["reasoning"]
    assert thoughts(told["output"][0], "xai") == Thoughts({"reasoning": "Hm."}, said=0)


def test_thoughts_between_words_part_the_message() -> None:
    told = response(
        chunk({"reasoning": "One."}),
        chunk({"content": "a"}),
        chunk({"reasoning": "Two."}),
        chunk({"content": "b"}),
        END,
    )
    assert types(told) == ["reasoning", "message", "reasoning", "message"]
    assert thoughts(told["output"][2], "xai") == Thoughts({"reasoning": "Two."}, after=True)


def test_signatures_that_come_last_make_an_item_that_shows_nothing() -> None:
    detail = {"type": "reasoning.text", "index": 0, "text": "Hm.", "signature": "sig"}
    said = chunk({"reasoning_details": [detail]}), chunk({"content": "Hey"}), chunk(piece(0, "c1", "{}")), END
    told = response(*said, provider="openrouter")
    assert types(told) == ["reasoning", "message", "function_call", "reasoning"]
    last = told["output"][-1]
    assert last["summary"] == [] and "content" not in last
    found = thoughts(last, "openrouter")
    assert (
        found.after and found.said == 3 and found.calls == {"c1": {}} and set(found.message) == {"reasoning_signature"}
    )


def test_what_is_signed_on_a_call_is_kept() -> None:
    extra = {"google": {"thought_signature": "c2ln"}}
    told = response(chunk(piece(0, "c1", "{}", extra_content=extra)), END)
    assert types(told) == ["function_call", "reasoning"] and "extra_content" not in told["output"][0]
    assert thoughts(told["output"][1], "xai") == Thoughts({}, {"c1": {"extra_content": extra}}, 0, after=True)
    told = whole({"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f"}, "extra_content": extra}]})
    assert types(told) == ["reasoning", "function_call"]
    assert thoughts(told["output"][0], "xai") == Thoughts({}, {"c1": {"extra_content": extra}}, 0)


def test_after_what_was_cut_off_nothing_comes() -> None:
    detail = {"type": "reasoning.text", "index": 0, "text": "Hm.", "signature": "sig"}
    told = response(
        chunk({"reasoning_details": [detail]}), chunk({"content": "He"}), chunk({}, "length"), provider="openrouter"
    )
    assert types(told) == ["reasoning", "message"]
    assert told["status"] == "incomplete" and told["output"][1]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("invented", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_ends_have_a_responses_words(reason: str, status: str, details: Any) -> None:
    streamed = response(chunk({"content": "Hey"}), chunk({}, reason))
    for told in (streamed, whole({"content": "Hey"}, reason=reason)):
        assert (told["status"], told["incomplete_details"]) == (status, details)
        assert told["output"][-1]["status"] == status


def test_only_the_last_item_is_incomplete() -> None:
    told = response(
        chunk({"content": "Hey"}), chunk(piece(0, "a", "{}")), chunk(piece(1, "b", '{"x')), chunk({}, "length")
    )
    assert [item["status"] for item in told["output"]] == ["completed", "completed", "incomplete"]
    assert told["output"][-1]["arguments"] == '{"x'


def test_a_call_without_arguments_has_an_empty_object() -> None:
    told = events(
        chunk(piece(0, "a")), chunk(piece(1, "b", " ")), chunk(piece(2, "c", '{"x":1}')), chunk({}, "tool_calls")
    )
    assert [item["arguments"].strip() for item in told[-1]["response"]["output"]] == ["{}", "{}", '{"x":1}']
    assert (
        whole({"tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]})["output"][
            0
        ]["arguments"]
        == "{}"
    )


def test_calls_that_take_turns_are_told_apart() -> None:
    told = response(
        chunk(piece(0, "a", '{"x"')),
        chunk(piece(1, "b", '{"y"')),
        chunk(piece(0, "", ":1}")),
        chunk(piece(1, "", ":2}")),
        END,
    )
    assert [(item["call_id"], item["arguments"]) for item in told["output"]] == [("a", '{"x":1}'), ("b", '{"y":2}')]


def test_what_comes_after_a_whole_call_is_no_part_of_it() -> None:
    pieces = piece(0, "a", "{}"), piece(1, "b", "{}"), piece(0, "", " ")
    assert [item["arguments"] for item in response(*map(chunk, pieces), END)["output"]] == ["{}", "{}"]


def test_a_call_is_done_when_something_else_begins() -> None:
    told = [event["type"] for event in events(chunk(piece(0, "a", "{}")), chunk({"content": "x"}), END)]
    assert told.index("response.output_item.done") < told.index("response.output_text.delta")


def test_words_after_a_call_are_another_message() -> None:
    told = response(chunk({"content": "a"}), chunk(piece(0, "c", "{}")), chunk({"content": "b"}), END)
    assert types(told) == ["message", "function_call", "message"]
    assert len({item["id"] for item in told["output"]}) == 3


def test_calls_of_other_kinds_are_left_out() -> None:
    custom = {"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "c", "input": "x"}}]}
    assert types(response(chunk(custom), chunk({"content": "b"}), END)) == ["message"]


def test_a_refusal_is_a_part_of_its_own() -> None:
    told = response(chunk({"content": "Well. "}), chunk({"refusal": "I "}), chunk({"refusal": "can't."}), END)
    assert told["output"][0]["content"] == [
        {"type": "output_text", "text": "Well. ", "annotations": []},
        {"type": "refusal", "refusal": "I can't."},
    ]


CITED = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 2}}
CITATION = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 2}


def test_citations_stand_at_their_text() -> None:
    """Also when they come before it; those that lack something are left out."""
    bare = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": None, "end_index": 2}}
    before = events(chunk({"annotations": [CITED]}), chunk({"content": "ab"}), END)
    after = events(chunk({"content": "ab"}), chunk({"annotations": [CITED, bare, "x"]}), END)
    for told in (before, after):
        assert told[-1]["response"]["output"][0]["content"][0]["annotations"] == [CITATION]
        assert [e["annotation"] for e in told if "annotation" in e] == [CITATION]
    assert whole({"content": "ab", "annotations": [CITED]})["output"][0]["content"][0]["annotations"] == [CITATION]
    assert types(response(chunk({"annotations": [CITED]}), chunk({"refusal": "No."}), END)) == ["message"]


def token(text: str, bytes_: Any = None) -> Any:
    top = {"token": text, "logprob": -1.5, "bytes": bytes_}
    return {**top, "top_logprobs": [top]}


def test_probabilities_come_with_their_words() -> None:
    told = events(
        chunk({"content": "a"}, None, {"content": [token("a", [97])]}),
        chunk({"content": ""}, None, {"content": [token("b")]}),
        chunk({"content": "bc"}, None, {"content": [token("c")]}),
        chunk({}, "stop", {"content": [token("d")], "refusal": None}),
    )
    listed = [[entry["token"] for entry in event["logprobs"]] for event in told if event["type"].endswith("text.delta")]
    assert listed == [["a"], ["b", "c"]]
    part = told[-1]["response"]["output"][0]["content"][0]
    assert [entry["token"] for entry in part["logprobs"]] == ["a", "b", "c", "d"]
    assert part["logprobs"][:2] == [token("a", [97]), token("b", [])]


def test_pictures_are_items() -> None:
    def image(url: str) -> Any:
        return {"index": 0, "type": "image_url", "image_url": {"url": url}}

    urls = ["data:image/jpg;base64,AAAA", "https://a.example/b.png", "data:audio/wav;base64,AAAA", "x"]
    told = response(chunk({"content": "Here."}), chunk({"images": [image(url) for url in urls]}), END)
    assert types(told) == ["message", "image_generation_call"]
    assert told["output"][1] == {
        "id": "ig_Ab_1",
        "type": "image_generation_call",
        "status": "completed",
        "output_format": "jpeg",
        "result": "AAAA",
    }
    assert types(whole({"content": "Here.", "images": [image(urls[0])]})) == ["message", "image_generation_call"]


def test_other_choices_are_not_told() -> None:
    told = response(chunk({"content": "a"}), chunk({"content": "b"}, index=1), chunk({}, "stop", index=1), END)
    assert told["output"][0]["content"][0]["text"] == "a"


def test_an_answer_that_says_nothing_is_whole_as_well() -> None:
    assert response(chunk({}, "stop"))["output"] == [] == whole({})["output"]
    assert response()["status"] == "completed"


def test_ids_are_made_of_the_answers() -> None:
    assert response(chunk({"content": "a"}), END)["id"] == "resp_Ab"
    nameless = {**chunk({"content": "a"}), "id": ""}
    assert response(nameless, END)["output"][0]["id"] == f"msg_{ID.replace('-', '')}_0"
    long = {**chunk({"content": "a"}), "id": "x" * 99}
    assert response(long, END)["id"] == f"resp_{'x' * 40}"


def test_a_response_tells_what_its_request_was_but_not_what_its_caller_wrote() -> None:
    """Secrets are in what only providers get."""
    asked = {
        "temperature": 0.5,
        "top_p": None,
        "max_output_tokens": 9,
        "instructions": "secret",
        "metadata": {"a": "secret"},
    }
    told = response(chunk({"content": "a"}, service_tier="flex"), END, **asked)
    assert (told["temperature"], told["top_p"], told["max_output_tokens"]) == (0.5, 1, 9)
    assert (told["service_tier"], told["model"], told["created_at"]) == ("flex", "m-1", 5)
    assert "secret" not in str(told) and told["usage"] is None


class Counting:
    """A chat whose count comes before its words."""

    done = False

    def feed(self, event: Event) -> list[Frame]:
        self.done = True
        return [Frame(None, Usage(prompt=7, completion=2)), Frame(chunk({"content": "a"}, "stop"), None, 1)]

    def close(self) -> list[Frame]:
        return []


def test_the_last_count_is_that_of_the_response() -> None:
    decoding = ResponseDecoder(Counting(), call({"model": "xai/m", "input": "Hi"}, "xai", stream=True))
    *_, last = decoding.feed(Event("", b""))
    assert last.payload["response"]["usage"]["total_tokens"] == 9 and last.usage == Usage(prompt=7, completion=2)  # type: ignore[index,call-overload]
    assert decoding.done and list(decoding.feed(Event("", b""))) == list(decoding.close()) == []
