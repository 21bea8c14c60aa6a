"""The clock: what a model is told of now."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.tools.outfits import CALL, Workshop

SPEC = {"type": "orq:current_date"}


async def told(arguments: Any) -> Any:
    outcome = await Workshop().run(SPEC, arguments)
    assert not outcome.failed
    return orjson.loads(outcome.output)


async def test_without_a_zone_it_is_utc() -> None:
    assert await told({}) == {
        "date": "2026-11-21",
        "time": "15:59:59",
        "weekday": "Saturday",
        "timezone": "UTC",
        "utc_offset": "+00:00",
        "iso": "2026-11-21T15:59:59+00:00",
    }


@pytest.mark.parametrize(
    ("zone", "iso", "weekday"),
    [
        ("Europe/Budapest", "2026-11-21T16:59:59+01:00", "Saturday"),
        ("CET", "2026-11-21T16:59:59+01:00", "Saturday"),
        ("Pacific/Kiritimati", "2026-11-22T05:59:59+14:00", "Sunday"),
        ("Asia/Kolkata", "2026-11-21T21:29:59+05:30", "Saturday"),
        (" America/New_York ", "2026-11-21T10:59:59-05:00", "Saturday"),
        ("utc", "2026-11-21T15:59:59+00:00", "Saturday"),
    ],
)
async def test_a_zone_has_its_own_day_and_hour(zone: str, iso: str, weekday: str) -> None:
    now = await told({"timezone": zone})
    assert (now["iso"], now["weekday"], now["timezone"]) == (iso, weekday, zone.strip())


async def test_summer_time_is_known() -> None:
    workshop = Workshop().given(now=1_782_000_000.0)  # 2026-06-21
    outcome = await workshop.run(SPEC, {"timezone": "Europe/Paris"})
    assert orjson.loads(outcome.output)["utc_offset"] == "+02:00"


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe", "zone.tab", "a\0b", "x" * 400, "\ud800", "."]
)
async def test_what_is_no_zone_is_said_so_with_the_time_in_utc(zone: str) -> None:
    outcome = await Workshop().run(SPEC, {"timezone": zone})
    assert outcome.failed and "no time zone" in outcome.output and "15:59:59" in outcome.output
    assert len(outcome.output) < 300 and outcome.output.isprintable()


@pytest.mark.parametrize("zone", [None, 7, ["CET"], {"a": "b"}, True, ""])
async def test_a_zone_that_is_no_text_is_none(zone: Any) -> None:
    assert (await told({"timezone": zone}))["timezone"] == "UTC"


async def test_without_a_database_there_is_still_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import zoneinfo

    zoneinfo.ZoneInfo.clear_cache()
    monkeypatch.setattr(zoneinfo, "TZPATH", ())
    zoneinfo.reset_tzpath(to=[str(Path(__file__).parent)])
    try:
        outcome = await Workshop().run(SPEC, {"timezone": "Europe/Budapest"})
        assert (await told({}))["timezone"] == "UTC"
    finally:
        zoneinfo.reset_tzpath()
    assert outcome.failed and "15:59:59" in outcome.output


async def test_it_is_shown_after_the_call() -> None:
    workshop = Workshop()
    tool = await workshop.tool(SPEC)
    outcome = await tool.run({}, workshop.setting)
    assert tool.shown(CALL, outcome) == {
        "type": "orq:current_date",
        "call_id": "call_1",
        "name": "a_tool",
        "arguments": '{"a":1}',
        "output": outcome.output,
        "status": "completed",
    }
    assert not tool.hidden and not tool.approval
    assert tool.function["name"] == "current_date" and tool.function["parameters"]["required"] == []
