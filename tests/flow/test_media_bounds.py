"""How much, how long and how many at once: what the URLs of one request may take."""

import asyncio
from typing import Any

import pytest

from orrery.core.errors import GatewayError, InvalidRequest, TooLarge
from orrery.core.types import Fetched, Json
from tests.fakes import FakeWeb, Room, in_virtual_time
from tests.flow.asking import ask
from tests.flow.needing import NEEDY, image, room, user


class SlowWeb(FakeWeb):
    """Each page takes a second; `most` is how many were under way at once, `limits` what each was allowed."""

    most = running = 0
    size = 1000

    async def __call__(self, url: str, *, limit_bytes: int, timeout_s: float) -> Fetched:
        self.read.append(url)
        self.limits = [*getattr(self, "limits", []), (limit_bytes, round(timeout_s, 1))]
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.sleep(1.0)
        except TimeoutError as err:
            raise InvalidRequest("too slow") from err
        finally:
            self.running -= 1
        if "missing" in url:
            raise InvalidRequest("nothing there")
        if self.size > limit_bytes:
            raise TooLarge("larger than the limit")
        return Fetched("image/png", bytes(self.size))


def pictures(count: int) -> list[Json]:
    return user(*(image(f"https://files.example/{number}.png") for number in range(count)))


def in_a_slow_web(messages: list[Json], **more: Any) -> tuple[Room, GatewayError | None]:
    policy = {name: more.pop(name) for name in ("max_media_bytes", "silence_s") if name in more}

    async def main() -> tuple[Room, GatewayError | None]:
        found = room(web=SlowWeb(), **policy)
        try:
            await ask(found, **NEEDY, messages=messages, **more)
        except GatewayError as err:
            return found, err
        return found, None

    return in_virtual_time(main)


def test_four_urls_are_read_at_once_and_sixteen_at_most():
    found, err = in_a_slow_web(pictures(16))
    assert (err, found.web.most, len(found.web.read)) == (None, 4, 16)
    assert found.web.limits[-1] == (20 * 1024 * 1024 - 12_000, 27.0)
    found, err = in_a_slow_web(pictures(17))
    assert (err.status, err.param, found.web.read) == (400, "messages[0].content[16].image_url.url", [])


def test_all_urls_share_one_budget_of_bytes():
    assert in_a_slow_web(pictures(8), max_media_bytes=8000)[1] is None
    for count, budget in ((8, 7999), (4, 3999), (1, 999), (9, 8000)):
        found, err = in_a_slow_web(pictures(count), max_media_bytes=budget)
        assert (err.status, err.code, found.transport.requests) == (413, "request_too_large", [])
        assert err.message == f"The URLs of one request may bring in {budget} bytes together."
        assert err.param.startswith("messages[0].content[")


def test_a_url_in_many_places_counts_in_each():
    many = user(*(image() for _ in range(8)))
    assert in_a_slow_web(many, max_media_bytes=8000)[1] is None
    found, err = in_a_slow_web(many, max_media_bytes=7999)
    assert (err.status, len(found.web.read)) == (413, 1)


@pytest.mark.parametrize(
    ("bounds", "seconds"),
    [({}, 30.0), ({"deadline_s": 10.0}, 5.0), ({"timeout": {"call_timeout": 4000}}, 2.0), ({"silence_s": 3.0}, 1.5)],
)
def test_reading_takes_at_most_half_of_what_the_attempt_has(bounds, seconds):
    found, err = in_a_slow_web(pictures(1), **bounds)
    assert (err, found.web.limits[0][1]) == (None, seconds)


def test_a_slow_url_is_the_callers_fault_and_not_the_models():
    found, err = in_a_slow_web(pictures(1), timeout={"call_timeout": 1900}, retry={"count": 2, "on_codes": [504]})
    assert (err.status, err.code, err.message) == (400, "invalid_image_url", "too slow")
    assert len(found.web.read) == 1


def test_the_first_failure_ends_the_other_readings():
    found, err = in_a_slow_web(user(image("https://files.example/missing.png"), *pictures(15)[0]["content"]))
    assert (err.message, found.web.running) == ("nothing there", 0)
    assert len(found.web.read) <= 8
