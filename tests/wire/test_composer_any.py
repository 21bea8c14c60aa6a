"""Whatever upstreams send, in whatever order: a caller gets one well-formed response."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.types import Json
from orrery.wire.composer import Composer, Turn, shown
from tests.wire.composing import USAGE, accumulated, judge, resource

IDS = st.sampled_from(["a", "b", "c", ""])
INDEXES = st.sampled_from([0, 0, 1, 2, 7])
TEXTS = st.sampled_from(["", "a", "ab", "abc", "b", "{}", "\u00e9\U0001f600"])
NAMES = st.sampled_from(["f", "g", "h", ""])
JUNK = st.sampled_from([None, 0, -1, True, 1.5, "x", [], {}, [None, 1, {"type": []}], {"type": "x"}, {"type": None}])
URL = {"type": "url_citation", "url": "https://a.example"}
LOGPROB = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
ANNOTATIONS = st.sampled_from([URL, URL | {"start_index": 1, "end_index": 2, "title": "A"}, {"type": "file_path"}])
STATUSES = st.sampled_from(["in_progress", "completed", "incomplete", "failed", None, "odd"])


def some(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(required, optional=optional)


PARTS = st.one_of(
    some(
        {"type": st.just("output_text"), "text": TEXTS},
        annotations=st.lists(ANNOTATIONS, max_size=2),
        logprobs=st.lists(st.just(LOGPROB), max_size=1),
    ),
    some({"type": st.sampled_from(["refusal", "output_text"])}, refusal=TEXTS, text=TEXTS | JUNK, annotations=JUNK),
    some({"type": st.sampled_from(["summary_text", "reasoning_text", "output_audio"]), "text": TEXTS}),
)
COMMON = {"id": IDS | JUNK, "status": STATUSES}
ITEMS = st.one_of(
    some(
        {"type": st.just("message")},
        **COMMON,
        content=st.lists(PARTS | JUNK, max_size=3) | TEXTS | JUNK,
        phase=st.sampled_from(["commentary", "final_answer", "odd", None]),
    ),
    some(
        {"type": st.just("function_call")},
        **COMMON,
        name=NAMES | JUNK,
        call_id=IDS | JUNK,
        arguments=TEXTS | JUNK,
        namespace=JUNK,
    ),
    some(
        {"type": st.just("reasoning")},
        **COMMON,
        summary=st.lists(PARTS | JUNK, max_size=3) | JUNK,
        content=st.lists(PARTS, max_size=2) | JUNK,
        encrypted_content=TEXTS | JUNK,
    ),
    some(
        {"type": st.just("web_search_call"), "action": st.just({"type": "search", "query": "q"})},
        **COMMON,
        results=st.just([{"title": "t"}]),
    ),
    some(
        {"type": st.just("mcp_call"), "name": st.just("t"), "server_label": st.just("s")},
        **COMMON,
        arguments=TEXTS,
        output=TEXTS,
        error=st.none(),
    ),
    some({"type": st.just("code_interpreter_call"), "container_id": st.just("cntr_1")}, **COMMON, code=TEXTS),
    some({"type": st.just("image_generation_call")}, **COMMON, result=TEXTS),
    some({"type": st.just("custom_tool_call"), "name": st.just("t"), "call_id": IDS}, **COMMON, input=TEXTS),
    some({"type": st.sampled_from(["orq:secret", "strange_call", "", None])}, **COMMON),
)
PLACE: dict[str, Any] = {
    "item_id": IDS | JUNK,
    "output_index": INDEXES | JUNK,
    "content_index": INDEXES | JUNK,
    "summary_index": INDEXES | JUNK,
}
STEMS = [
    "output_text",
    "refusal",
    "reasoning",
    "reasoning_text",
    "reasoning_summary_text",
    "function_call_arguments",
    "mcp_call_arguments",
    "custom_tool_call_input",
    "code_interpreter_call_code",
]
STEPS = [
    f"response.{type_}.{step}"
    for type_ in ("web_search_call", "mcp_call", "code_interpreter_call", "image_generation_call", "strange_call")
    for step in ("in_progress", "searching", "interpreting", "generating", "completed", "failed")
]
WORDS: dict[str, Any] = {name: TEXTS | JUNK for name in ("text", "refusal", "arguments", "input", "code")}
EVENTS = st.one_of(
    some({"type": st.sampled_from([f"response.{stem}.delta" for stem in STEMS]), "delta": TEXTS}, **PLACE, name=NAMES),
    some(
        {"type": st.sampled_from([f"response.{stem}.delta" for stem in STEMS]), "delta": TEXTS}, **PLACE, logprobs=JUNK
    ),
    some({"type": st.sampled_from([f"response.{stem}.done" for stem in STEMS])}, **PLACE, **WORDS, name=NAMES),
    some(
        {"type": st.sampled_from(["response.output_item.added", "response.output_item.done"]), "item": ITEMS}, **PLACE
    ),
    some(
        {"type": st.sampled_from(["response.output_item.added", "response.output_item.done"]), "item": ITEMS}, **PLACE
    ),
    some(
        {
            "type": st.sampled_from(
                [
                    f"response.{part}.{what}"
                    for part in ("content_part", "reasoning_summary_part")
                    for what in ("added", "done")
                ]
            ),
            "part": PARTS | JUNK,
        },
        **PLACE,
    ),
    some({"type": st.just("response.output_text.annotation.added"), "annotation": ANNOTATIONS | JUNK}, **PLACE),
    some({"type": st.sampled_from(STEPS)}, **PLACE),
    some(
        {"type": st.just("response.image_generation_call.partial_image")},
        **PLACE,
        partial_image_b64=TEXTS,
        partial_image_index=INDEXES,
    ),
    some({"type": st.sampled_from(["response.created", "ping", "keepalive", "orq.odd", "error"]) | JUNK}, **PLACE),
)
REPLIES = some(
    {"status": st.sampled_from(["completed", "incomplete", "odd"])},
    output=st.lists(ITEMS | JUNK, max_size=4) | JUNK,
    usage=JUNK,
    model=TEXTS | JUNK,
    incomplete_details=st.just({"reason": "max_output_tokens"}) | JUNK,
)
ENDINGS = st.none() | st.fixed_dictionaries(
    {"type": st.sampled_from(["response.completed", "response.incomplete"]), "response": REPLIES | JUNK}
)
OURS = st.sampled_from(
    [
        {"type": "orq:current_date", "status": "completed", "output": "today"},
        {"type": "function_call", "name": "ours", "call_id": "a", "arguments": "{}"},
        {"type": "message", "content": [{"type": "output_text", "text": "hi"}], "id": "a"},
        {"type": "web_search_call", "action": {"type": "search", "query": "q", "sources": []}, "status": "failed"},
        {"type": "mcp_call", "name": "t", "server_label": "s", "arguments": "{}", "output": "o", "status": "completed"},
        {"type": "mcp_list_tools", "server_label": "s", "tools": []},
    ]
)
TURNS = st.tuples(
    st.lists(EVENTS, max_size=14),
    ENDINGS,
    st.sampled_from([(), ("f",), ("f", "g")]),
    st.sampled_from([None, ("f", "g"), ()]),
    st.lists(OURS, max_size=2),
)
INCLUDES = st.sets(
    st.sampled_from(["reasoning.encrypted_content", "message.output_text.logprobs", "web_search_call.results"])
)
ENDS = st.sampled_from(["completed", "incomplete", "failed", "cancelled"])


def check_turn(turn: Turn, hidden: Any, allowed: Any) -> None:
    assert turn.status in ("completed", "incomplete")
    assert turn.calls == [item for item in turn.items if item["type"] == "function_call"]
    for call in turn.calls:
        assert allowed is None or call["name"] in allowed
    for call in turn.refused_calls:
        assert call["name"] not in allowed and call not in turn.items
    incomplete = [item for item in turn.items[:-1] if item.get("status") == "incomplete"]
    assert not incomplete


def composed(turns: Any, ending: str, include: set[str], *, close: bool) -> tuple[list[Json], Json]:
    composer = Composer(resource(), reveals=include)
    events = composer.begin()
    for number, (told, end, hidden, allowed, ours) in enumerate(turns):
        composer.open_turn(hidden=hidden, allowed=allowed)
        for event in told if end is None else [*told, end]:
            events += composer.feed(event)
        if number == len(turns) - 1 and not close:
            break
        more, turn = composer.close_turn()
        events += more
        check_turn(turn, hidden, allowed)
        for item in ours:
            events += composer.add(item)
    reason = "max_output_tokens" if ending == "incomplete" else ""
    error = {"type": "server_error", "code": "provider_error", "message": "no", "param": None}
    events += composer.finish(ending, now=1_800_000_001, reason=reason, error=error, usage=USAGE)
    return events, composer.resource


@settings(max_examples=80)
@given(st.lists(TURNS, min_size=1, max_size=3), ENDS, INCLUDES, st.booleans())
def test_whatever_upstreams_do_a_response_is_well_formed(
    turns: Any, ending: str, include: set[str], close: bool
) -> None:
    events, kept = composed(turns, ending, include, close=close)
    final = judge(events, typed=False)
    assert shown(kept, include) == final
    assert accumulated(events) == final["output"]
    if len(turns) == 1:
        (_, _, hidden, allowed, _), ours = turns[0], "ours"
        names = [item["name"] for item in final["output"] if item["type"] == "function_call" and item["name"] != ours]
        assert not [name for name in names if name in hidden or (allowed is not None and name not in allowed)]
