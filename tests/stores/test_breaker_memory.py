"""When a breaker opens, for how long, and when it closes: without a table, in made-up time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.stores.breaker_memory import FRESH_MS, IN_A_ROW, LONGEST_MS, SLACK_MS, Breaker

NOW = 1_800_000_000_000


def after_row(now_ms: int = NOW, failures: int = IN_A_ROW) -> Breaker:
    breaker = Breaker()
    for _ in range(failures):
        breaker.fails(now_ms, None)
    return breaker


def test_five_failures_in_a_row_open_it_for_ten_seconds() -> None:
    breaker = after_row(failures=4)
    assert not breaker.is_open(NOW)
    assert breaker.fails(NOW, None)
    assert breaker.is_open(NOW + 9_999)
    assert not breaker.is_open(NOW + 10_000)


def test_a_success_ends_the_row() -> None:
    breaker = after_row(failures=4)
    breaker.works(NOW)
    assert [breaker.fails(NOW, None) for _ in range(5)] == [False] * 4 + [True]


def test_while_the_first_request_after_cooling_fails_again_the_time_doubles_up_to_two_minutes() -> None:
    breaker, lengths = after_row(), []
    for _ in range(2_000):
        now = breaker.until_ms
        assert breaker.fails(now, None)
        lengths.append(breaker.until_ms - now)
    assert lengths[:5] == [20_000, 40_000, 80_000, 120_000, 120_000]
    assert set(lengths[3:]) == {LONGEST_MS}


def test_the_first_success_after_cooling_closes_it() -> None:
    breaker = after_row()
    breaker.works(NOW + 10_000)
    assert [breaker.fails(NOW + 10_000, None) for _ in range(5)] == [False] * 4 + [True]
    assert breaker.until_ms == NOW + 20_000


def test_what_was_under_way_when_it_opened_neither_closes_nor_lengthens_it() -> None:
    breaker = after_row()
    breaker.works(NOW + 1)
    assert breaker.is_open(NOW + 1)
    assert not any(breaker.fails(NOW + 1, None) for _ in range(20))
    assert breaker.until_ms == NOW + 10_000
    assert breaker.fails(NOW + 10_000, None)
    assert breaker.until_ms == NOW + 30_000


def test_after_two_quiet_minutes_a_failure_is_the_first_of_a_row() -> None:
    late = NOW + 10_000 + LONGEST_MS
    assert after_row().fails(late - 1, None)
    breaker = after_row()
    assert [breaker.fails(late, None) for _ in range(5)] == [False] * 4 + [True]
    assert breaker.until_ms == late + 10_000


@pytest.mark.parametrize(
    ("asked_s", "spared_ms"),
    [(7.0, 7_000), (1.5, 1_500), (0.0, 1_000), (0.2, 1_000), (119.0, 119_000), (3_600.0, 120_000), (1e300, 120_000)],
)
def test_a_429_that_says_how_long_opens_at_once_for_1_to_120_seconds(asked_s: float, spared_ms: int) -> None:
    breaker = Breaker()
    assert breaker.fails(NOW, asked_s)
    assert breaker.until_ms == NOW + spared_ms


def test_a_429_is_one_failure_of_a_row_too_but_no_reason_to_double() -> None:
    breaker = Breaker()
    for number in range(4):
        breaker.fails(NOW + 2_000 * number, 1.0)
    assert breaker.fails(NOW + 8_000, None)
    assert breaker.until_ms == NOW + 18_000
    refused = Breaker()
    refused.fails(NOW, 1.0)
    assert not refused.fails(NOW + 1_000, None)


def test_a_storm_of_refusals_moves_it_only_now_and_then() -> None:
    breaker = Breaker()
    moved = [breaker.fails(NOW + 100 * number, 60.0) for number in range(200)]
    assert sum(moved) == 4
    assert breaker.until_ms == NOW + 15_000 + 60_000


def test_a_refusal_never_shortens_it() -> None:
    breaker = Breaker()
    breaker.fails(NOW, 100.0)
    assert not breaker.fails(NOW + 1_000, 2.0)
    assert breaker.until_ms == NOW + 100_000


def test_it_learns_of_later_openings_only() -> None:
    breaker = after_row()
    breaker.learn(NOW + 9_000, 7, NOW)
    assert (breaker.until_ms, breaker.opened) == (NOW + 10_000, 1)
    breaker.learn(NOW + 20_000, 3, NOW)
    assert (breaker.until_ms, breaker.opened) == (NOW + 20_000, 3)
    assert breaker.fails(NOW + 20_000, None)
    assert breaker.until_ms == NOW + 20_000 + 80_000


def test_an_opening_that_closed_here_is_not_learned_again() -> None:
    breaker = after_row()
    breaker.works(NOW + 10_000)
    breaker.learn(NOW + 10_000, 1, NOW + 11_000)
    assert not breaker.fails(NOW + 11_000, None)


def test_a_clock_that_is_wrong_elsewhere_is_not_believed() -> None:
    breaker = Breaker()
    breaker.learn(NOW + LONGEST_MS + SLACK_MS + 1, 1, NOW)
    assert (breaker.until_ms, breaker.opened) == (0, 0)
    breaker.learn(NOW + LONGEST_MS + SLACK_MS, 1, NOW)
    assert breaker.is_open(NOW)


def test_a_clock_that_is_set_back_does_not_spare_for_an_hour() -> None:
    breaker = after_row()
    earlier = NOW - 3_600_000
    assert not breaker.is_open(earlier)
    assert breaker.fails(earlier, None)
    assert breaker.is_open(earlier)


def test_the_table_is_asked_every_few_seconds_but_not_of_what_is_open() -> None:
    breaker = Breaker()
    assert breaker.is_stale(NOW)
    breaker.read_ms = NOW
    assert [breaker.is_stale(NOW + ms) for ms in (-1, 0, FRESH_MS - 1, FRESH_MS)] == [True, False, False, True]
    opened = after_row()
    assert [opened.is_stale(NOW + ms) for ms in (0, 9_999, 10_000)] == [False, False, True]


@given(st.lists(st.tuples(st.integers(0, 200_000), st.sampled_from([None, "ok", 0.0, 3.0, 60.0, 1e9])), max_size=60))
def test_whatever_happens_it_is_never_spared_for_more_than_two_minutes_nor_for_nothing(steps: list) -> None:
    breaker, now, row, half_open = Breaker(), NOW, 0, False
    for pause_ms, what in steps:
        now += pause_ms
        was_open, until_ms = breaker.is_open(now), breaker.until_ms
        if what == "ok":
            breaker.works(now)
            row, moved, half_open = 0, False, half_open and was_open
        else:
            moved = breaker.fails(now, what)
            row += 1
        assert breaker.until_ms <= now + LONGEST_MS
        assert breaker.until_ms >= until_ms, "an opening is never shortened"
        assert breaker.is_open(now) == (was_open or moved)
        assert moved == (breaker.until_ms != until_ms)
        if moved and what is None:
            assert not was_open and (half_open or row >= IN_A_ROW)
            half_open = True
