"""Picking by weight: how often each is picked, and what chance cannot do."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.flow.balance import pick

PICKS = 20_000


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "weights",
    [
        (0.4, 0.8),
        (0.5, 0.5),
        (1.0,),
        (0.001, 1.0),
        (0.2, 0.3, 0.5),
        (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
        (0.9, 0.05, 0.05),
        (0.001, 0.001, 0.002),
    ],
)
def test_each_is_picked_as_often_as_its_weight_says_within_3_sigma(weights, seed):
    chance = random.Random(seed)
    picks = [pick(weights, chance.random()) for _ in range(PICKS)]
    for number, weight in enumerate(weights):
        share = weight / sum(weights)
        sigma = math.sqrt(PICKS * share * (1 - share))
        assert abs(picks.count(number) - PICKS * share) <= 3 * sigma, (number, picks.count(number))


def test_04_and_08_are_a_third_and_two_thirds():
    assert [pick((0.4, 0.8), chance) for chance in (0.0, 0.333, 0.334, 0.999)] == [0, 0, 1, 1]


def test_one_pick_says_nothing_of_the_next():
    chance = random.Random(3)
    picks = [pick((0.5, 0.5), chance.random()) for _ in range(PICKS)]
    repeats = sum(1 for a, b in pairwise(picks) if a == b)
    assert abs(repeats - (PICKS - 1) / 2) <= 3 * math.sqrt((PICKS - 1) / 4)


WEIGHTS = st.lists(st.floats(0.001, 1), min_size=1, max_size=20)
CHANCES = st.floats(0, 1, exclude_max=True)


@given(WEIGHTS, CHANCES)
def test_a_pick_is_one_of_them_and_lies_where_its_share_lies(weights, chance):
    number = pick(weights, chance)
    point = chance * math.fsum(weights)
    assert 0 <= number < len(weights)
    assert math.fsum(weights[:number]) <= point + 1e-9
    assert point <= math.fsum(weights[: number + 1]) + 1e-9


@given(WEIGHTS, CHANCES, st.sampled_from([0.25, 0.5, 2.0, 1024.0]))
def test_only_the_proportion_of_weights_matters(weights, chance, times):
    assert pick([weight * times for weight in weights], chance) == pick(weights, chance)


def test_rounding_never_picks_what_is_not_there():
    almost = math.nextafter(1.0, 0.0)
    assert [pick([0.1] * size, almost) for size in range(1, 50)] == list(range(49))


def test_what_weighs_nothing_is_never_picked():
    assert [pick((0.0, 1.0, 0.0, 1.0), chance) for chance in (0.0, 0.5, 0.99)] == [1, 3, 3]
    assert pick((0.0, 0.0), 0.5) in (0, 1), "unless nothing weighs anything"
