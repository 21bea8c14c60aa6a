"""One answer, streamed well or badly or not at all, is the same answer."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.types import Json
from orrery.wire.composer import Composer
from tests.wire.composing import USAGE, judge, resource

TEXTS = st.text("ab\u00e9 ", min_size=1, max_size=6)
URL = {"type": "url_citation", "url": "https://a.example", "start_index": 0, "end_index": 1, "title": "A"}
TOLD = st.fixed_dictionaries(
    {"type": st.just("output_text"), "text": TEXTS, "annotations": st.sampled_from([[], [], [URL]])}
)
REFUSED = st.fixed_dictionaries({"type": st.just("refusal"), "refusal": TEXTS})
SUMMARIES = st.lists(st.fixed_dictionaries({"type": st.just("summary_text"), "text": TEXTS}), max_size=2)
RAW = st.lists(st.fixed_dictionaries({"type": st.just("reasoning_text"), "text": TEXTS}), min_size=1, max_size=2)
ITEMS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("message"), "content": st.lists(TOLD | REFUSED, min_size=1, max_size=2)},
        optional={"phase": st.just("commentary")},
    ),
    st.fixed_dictionaries({"type": st.just("function_call"), "name": st.just("f"), "arguments": TEXTS}),
    st.fixed_dictionaries(
        {"type": st.just("reasoning"), "summary": SUMMARIES},
        optional={"content": RAW, "encrypted_content": TEXTS},
    ),
    st.fixed_dictionaries(
        {"type": st.just("web_search_call"), "action": st.just({"type": "search", "query": "q"})},
    ),
)


def whole_item(number: int, item: Json) -> Json:
    found = {"id": f"id_{number}", **item}
    if item["type"] != "reasoning":
        found["status"] = "completed"
    if item["type"] == "function_call":
        found["call_id"] = f"call_{number}"
    return found | ({"role": "assistant"} if item["type"] == "message" else {})


ANSWERS = st.lists(ITEMS, min_size=1, max_size=4).map(lambda items: [whole_item(*each) for each in enumerate(items)])


def of_part(part: Json, index: str, place: int) -> Iterator[Json]:
    field = "refusal" if part["type"] == "refusal" else "text"
    stem = {"output_text": "output_text", "refusal": "refusal", "summary_text": "reasoning_summary_text"}.get(
        part["type"], "reasoning_text"
    )
    around = "reasoning_summary_part" if part["type"] == "summary_text" else "content_part"
    empty = part | {field: ""} | ({"annotations": []} if "annotations" in part else {})
    yield {"type": f"response.{around}.added", index: place, "part": empty}
    for letter in part[field]:
        yield {"type": f"response.{stem}.delta", index: place, "delta": letter}
    for number, annotation in enumerate(part.get("annotations", ())):
        told = {"annotation_index": number, "annotation": annotation}
        yield {"type": "response.output_text.annotation.added", index: place, **told}
    yield {"type": f"response.{stem}.done", index: place, field: part[field]}
    yield {"type": f"response.{around}.done", index: place, "part": part}


def of_item(item: Json) -> Iterator[Json]:
    """The events of an item as the specification has them, without their place."""
    begun = {name: value for name, value in item.items() if name != "encrypted_content"}
    if "status" in item:
        begun["status"] = "in_progress"
    blank: Json = {"message": {"content": []}, "function_call": {"arguments": ""}, "reasoning": {"summary": []}}
    begun |= blank.get(item["type"], {})
    if item["type"] == "reasoning":
        begun.pop("content", None)
    yield {"type": "response.output_item.added", "item": begun}
    for place, part in enumerate(item.get("summary", ())):
        yield from of_part(part, "summary_index", place)
    for place, part in enumerate(item.get("content", ())):
        yield from of_part(part, "content_index", place)
    for letter in item.get("arguments", ""):
        yield {"type": "response.function_call_arguments.delta", "delta": letter}
    if item["type"] == "function_call":
        yield {"type": "response.function_call_arguments.done", "arguments": item["arguments"], "name": item["name"]}
    if item["type"] == "web_search_call":
        for step in ("in_progress", "searching", "completed"):
            yield {"type": f"response.web_search_call.{step}"}
    yield {"type": "response.output_item.done", "item": item}


@dataclass(frozen=True)
class Manner:
    """How badly an answer is streamed."""

    drops: frozenset[str]
    ids: str
    indexes: bool
    mixed: bool
    repeats: frozenset[str]
    cut: bool
    output: bool

    def stream(self, answer: list[Json]) -> list[Json]:
        lanes = [list(self._lane(place, item)) for place, item in enumerate(answer)]
        if self.mixed:
            told = [event for row in itertools.zip_longest(*lanes) for event in row if event is not None]
        else:
            told = [event for lane in lanes for event in lane]
        reply = {"output": answer if self.output else [], "status": "completed"}
        return [*told, {"type": "response.completed", "response": reply}]

    def _lane(self, place: int, item: Json) -> Iterator[Json]:
        numbers = itertools.count()
        said = False
        for event in of_item(item):
            name = event["type"].removeprefix("response.")
            told = dict(event)
            if name.endswith(".delta") and self.cut:
                if said:
                    continue
                said = True
            if name.endswith(".done"):
                said = False
            if any(name.replace("refusal.done", "text.done").endswith(end) for end in self.drops):
                continue
            if ".delta" in self.drops and "annotation" in name:
                continue
            if self.indexes:
                told["output_index"] = place
            if self.ids == "kept" and "item" not in told:
                told["item_id"] = item["id"]
            if self.ids == "changing":
                told["item_id"] = f"odd_{place}_{next(numbers)}"
            if "item" in told and self.ids != "kept":
                told["item"] = {name: value for name, value in told["item"].items() if name != "id"}
                if self.ids == "changing":
                    told["item"]["id"] = f"odd_{place}_{next(numbers)}"
            yield told
            if any(name.endswith(end) for end in self.repeats):
                yield told


ENDS = [
    "item.added",
    "item.done",
    "part.added",
    "part.done",
    "text.done",
    "arguments.done",
    ".delta",
    "annotation.added",
]
MANNERS = st.builds(
    Manner,
    drops=st.frozensets(st.sampled_from(ENDS), max_size=5),
    ids=st.sampled_from(["kept", "none", "changing"]),
    indexes=st.booleans(),
    mixed=st.booleans(),
    repeats=st.frozensets(st.sampled_from(["item.added", "part.added", ".done", "completed"]), max_size=2),
    cut=st.booleans(),
    output=st.booleans(),
)


def is_enough(answer: list[Json], manner: Manner) -> bool:
    """Nothing is lost: what it is about can be known, and all of it is said somewhere."""
    if {"item.added", "item.done", ".delta"} <= manner.drops:
        return False  # an item of which nothing is streamed comes after those that were
    thinks = any(item["type"] == "reasoning" for item in answer)
    if thinks and "item.added" in manner.drops and (manner.mixed or "item.done" in manner.drops):
        return False  # reasoning that is not announced ends where something else begins
    if not manner.indexes and (manner.ids != "kept" or manner.mixed):
        # Then only order tells items apart: each must have its beginning and its end.
        return not manner.mixed and manner.ids != "changing" and not (manner.drops | manner.repeats)
    return manner.output or "item.done" not in manner.drops


def nameless(items: list[Json]) -> list[Json]:
    return [{name: value for name, value in item.items() if name != "id"} for item in items]


def answered(events: list[Json]) -> tuple[list[Json], list[Json]]:
    composer = Composer(resource(), reveals=["reasoning.encrypted_content"])
    told = composer.begin()
    composer.open_turn()
    for event in events:
        told += composer.feed(event)
    more, turn = composer.close_turn()
    told += more + composer.finish("completed", now=1, usage=USAGE)
    final = judge(told)
    assert turn.status == "completed" and turn.items == final["output"]
    return told, final["output"]


@settings(max_examples=100)
@given(st.tuples(ANSWERS, MANNERS).filter(lambda both: is_enough(*both)))
def test_an_answer_that_is_badly_streamed_is_the_same_answer(both: tuple[list[Json], Manner]) -> None:
    answer, manner = both
    _, output = answered(manner.stream(answer))
    assert nameless(output) == nameless(answer)
    if manner.ids == "kept":
        assert output == answer


@settings(max_examples=30)
@given(ANSWERS)
def test_a_whole_answer_is_told_as_the_streamed_one(answer: list[Json]) -> None:
    good = Manner(frozenset(), "kept", True, False, frozenset(), False, True)
    composer = Composer(resource(), reveals=["reasoning.encrypted_content"])
    told = composer.begin()
    composer.open_turn()
    told += composer.whole({"output": answer, "status": "completed", "usage": USAGE, "model": "m"})
    more, turn = composer.close_turn()
    told += more + composer.finish("completed", now=1, usage=USAGE)
    streamed, _ = answered(good.stream(answer))
    assert judge(told) == judge(streamed) and judge(told)["output"] == answer == turn.items
    assert (turn.usage, turn.model) == (USAGE, "m")

    def kinds(events: list[Json]) -> list[Any]:
        deltas = ("response.function_call_arguments.delta", "response.output_text.delta", "response.refusal.delta")
        summary = "response.reasoning_summary_text.delta"
        return [k for k, _ in itertools.groupby(event["type"] for event in events) if k not in (*deltas, summary)]

    assert kinds(told) == kinds(streamed)
