"""Answers kept on their way: nothing of them changes, and only whole ones count."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.flow.recording import LARGEST_BYTES, Recorder


class Answer:
    """Batches, and whether they were closed. `error` comes after them."""

    def __init__(self, *batches: Sequence[bytes], error: BaseException | None = None) -> None:
        self.batches = batches
        self.error = error
        self.closed = False

    async def __call__(self) -> AsyncGenerator[Sequence[bytes]]:
        try:
            for batch in self.batches:
                yield batch
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


async def heard(batches: AsyncGenerator[Sequence[bytes]]) -> list[Sequence[bytes]]:
    return [batch async for batch in batches]


async def test_the_same_batches_pass_and_their_payloads_are_kept() -> None:
    batches = ([b"a", b"b"], [], (b"c",))
    answer, recorder = Answer(*batches), Recorder()
    passed = await heard(recorder.record(answer()))
    assert all(mine is theirs for mine, theirs in zip(passed, batches, strict=True))
    assert recorder.complete and recorder.payloads == [b"a", b"b", b"c"] and answer.closed


async def test_payloads_are_not_copied_and_batches_not_changed() -> None:
    payload, batch = b"x" * 1000, list[bytes]()
    batch.append(payload)
    recorder = Recorder()
    await heard(recorder.record(Answer(batch, [b"y"])()))
    assert recorder.payloads is not None and recorder.payloads[0] is payload
    assert batch == [payload]


async def test_nothing_is_complete_before_its_end_was_seen() -> None:
    recorder = Recorder()
    batches = recorder.record(Answer([b"a"])())
    assert await anext(batches) == [b"a"]
    assert not recorder.complete
    assert await anext(batches, None) is None
    assert recorder.complete


async def test_each_batch_is_handed_on_before_the_next_one_is_asked_for() -> None:
    asked = list[int]()

    async def slow() -> AsyncGenerator[Sequence[bytes]]:
        for number in range(3):
            asked.append(number)
            yield [b"x"]

    batches = Recorder().record(slow())
    await anext(batches)
    assert asked == [0]
    await batches.aclose()


async def test_an_answer_that_breaks_off_is_not_complete() -> None:
    answer, recorder = Answer([b"a"], error=ValueError("gone")), Recorder()
    with pytest.raises(ValueError, match="gone"):
        await heard(recorder.record(answer()))
    assert not recorder.complete and answer.closed


async def test_an_answer_that_nobody_hears_to_its_end_is_not_complete_and_is_closed() -> None:
    answer, recorder = Answer([b"a"], [b"b"]), Recorder()
    batches = recorder.record(answer())
    await anext(batches)
    assert not answer.closed
    await batches.aclose()
    assert answer.closed and not recorder.complete


async def test_an_answer_that_never_began_is_not_complete() -> None:
    recorder = Recorder()
    await recorder.record(Answer([b"a"])()).aclose()
    assert not recorder.complete and recorder.payloads == []


@given(st.lists(st.lists(st.binary(max_size=6), max_size=3), max_size=8), st.integers(0, 40))
async def test_what_is_too_large_is_forgotten_and_still_handed_on(batches: list[list[bytes]], most: int) -> None:
    recorder = Recorder(most)
    passed = await heard(recorder.record(Answer(*batches)()))
    payloads = [payload for batch in batches for payload in batch]
    assert passed == batches and recorder.complete
    assert recorder.payloads == (payloads if sum(map(len, payloads)) <= most else None)


async def test_what_is_forgotten_does_not_come_back() -> None:
    recorder = Recorder(3)
    batches = recorder.record(Answer([b"xxxx"], [b"y"])())
    await anext(batches)
    assert recorder.payloads is None
    assert await heard(batches) == [[b"y"]]
    assert recorder.payloads is None


def test_eight_megabytes_are_the_most() -> None:
    assert LARGEST_BYTES == 8 * 1024 * 1024
    assert Recorder()._largest_bytes == LARGEST_BYTES
