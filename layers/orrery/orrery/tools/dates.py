"""`orq:current_date`: what a model cannot know by itself.

Zones come from the machine's own database: the Python 3.13 runtime of Lambda is Amazon Linux 2023, whose runtime image
has it since 2023.3.20231218 (aws/aws-lambda-dotnet#1620, amazonlinux/amazon-linux-2023#615, read 2026-11-21). Where it
is missing, there is UTC.
"""

from datetime import UTC, datetime, tzinfo

from orrery.core.tools import Opened, Outcome, Setting
from orrery.core.types import Json
from orrery.tools.functions import Tool, failed, function, text, words
from orrery.tools.outfit import Outfit
from orrery.tools.texts import line
from orrery.wire.body import dumps

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LONGEST_NAME = 64

FUNCTION = function(
    "current_date",
    "Tells the current date, time and weekday, in UTC or in a time zone.",
    {"timezone": text("A time zone of the IANA database, such as 'Europe/Budapest'. UTC where it is left out.")},
)


async def opened(spec: Json, setting: Setting, outfit: Outfit) -> Opened:
    """The clock takes no settings."""
    return Opened(tools=(Tool("orq:current_date", FUNCTION, tell),))


async def tell(arguments: Json, setting: Setting) -> Outcome:
    """`{date, time, weekday, timezone, utc_offset, iso}` as JSON. A zone that is none: in UTC, as failed."""
    name = words(arguments, "timezone", LONGEST_NAME) or "UTC"
    zone = _zone(name)
    if zone is None:
        now = dumps(_told(setting.now, UTC, "UTC")).decode()
        return failed(f"there is no time zone '{line(name, LONGEST_NAME)}'. In UTC it is {now}")
    return Outcome(dumps(_told(setting.now, zone, name)).decode())


def _told(now: float, zone: tzinfo, name: str) -> Json:
    there = datetime.fromtimestamp(now, zone).replace(microsecond=0)
    return {
        "date": there.date().isoformat(),
        "time": there.time().isoformat(),
        "weekday": WEEKDAYS[there.weekday()],  # strftime would say it in the machine's language
        "timezone": name,
        "utc_offset": there.strftime("%:z"),
        "iso": there.isoformat(),
    }


def _zone(name: str) -> tzinfo | None:
    """None for a name that is none: one that nobody knows, a path, a folder, or a file that is no zone."""
    from zoneinfo import ZoneInfo

    if name.upper() in ("UTC", "Z", "GMT"):
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
