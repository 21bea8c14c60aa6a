"""The names of units, as prices and usages write them."""

import pytest

from orrery.catalog.units import UNITS, is_unit, kind_of


@pytest.mark.parametrize(
    "name",
    [
        *UNITS,
        *("image/high", "image/standard/1024x1024", "image/4k/10x99999"),
        *("audio_ms/diarized", "page/annotated", "video_ms/1280x720"),
    ],
)
def test_a_unit_that_a_usage_may_count(name: str) -> None:
    assert is_unit(name)
    assert kind_of(name) in UNITS


@pytest.mark.parametrize(
    "name",
    [
        *("", "images", "image/", "image/high/", "image/high/big", "image/high/1024x", "image/high/0x1", "image/HIGH"),
        *("image/high/1024x1024/b", "audio", "audio_ms/x", "page/2", "search/a", "character/a", "video_ms/high"),
        *("image\n", " image", "image/²", "image/high/１x１"),
    ],
)
def test_what_is_no_unit(name: str) -> None:
    assert not is_unit(name)
