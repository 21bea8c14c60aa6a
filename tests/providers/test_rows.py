"""The rows themselves: that each says where its facts are from, and that they fit together."""

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from orrery import providers
from orrery.core.types import Operation
from orrery.providers.compatible import Row
from orrery.providers.compatible.row import EFFORTS
from orrery.providers.rows import ROWS
from orrery.wire.chat_parameters import PARAMETERS
from tests.providers.cases import Case, all_cases, chunks_of, events_of, frames_of
from tests.providers.test_cases import each

CASES = [case for case in all_cases() if case.provider in ROWS]
EACH = pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.name)


@EACH
def test_every_row_says_where_its_facts_are_from(row: Row) -> None:
    assert row.source and row.checked.startswith("2026-")
    assert row.base_url.startswith("https://") or not row.needs_key


@EACH
def test_every_row_names_parameters_that_exist(row: Row) -> None:
    assert row.drop <= set(PARAMETERS) and set(row.rename) <= set(PARAMETERS)
    assert not row.drop & set(row.rename), "dropped or renamed, not both"


@EACH
def test_wishes_for_thinking_are_translated_or_dropped_not_both(row: Row) -> None:
    said = {"thinking", "reasoning_effort"}
    assert not row.drop & said if row.controls else row.drop & said <= {"thinking"}
    efforts = [effort for effort in row.controls.efforts if effort != "default"] if row.controls else []
    assert efforts == sorted(efforts, key=EFFORTS.index)


@EACH
def test_what_must_stand_with_calls_has_a_name(row: Row) -> None:
    assert not row.replay_with_calls or row.replay.startswith("reasoning")


def test_every_row_is_a_provider_that_is_made_once() -> None:
    for name in ROWS:
        provider = providers.get(name)
        assert provider is not None and provider.name == name and provider is providers.get(name)
    assert set(ROWS) <= set(providers.names()) and not set(ROWS) & set(providers.DIALECTS)


@pytest.mark.parametrize(
    "name", sorted({row.name for row in ROWS.values() if Operation.CHAT in row.serves} - {"sandbox"})
)
def test_every_row_has_its_cases(name: str) -> None:
    cases = {case.name for case in CASES if case.provider == name}
    assert {"text", "tool_call", "cut_short"} <= cases
    row = ROWS[name]
    if row.replay or row.thinks_in_tags or row.details:
        assert {"reasoning"} <= cases


@each([case for case in CASES if case.has("reply.json", "answer.json")])
def test_answers_are_what_openais_sdk_reads(case: Case) -> None:
    ChatCompletion.model_validate(case.json_of("answer.json"))


@each([case for case in CASES if case.has("stream.sse", "answer.json")])
def test_chunks_are_what_openais_sdk_reads(case: Case) -> None:
    for part in chunks_of(frames_of(case, events_of(case))):
        ChatCompletionChunk.model_validate(part)
