"""Recorded answers: what is kept is what is given, in its time, in its organization; or nothing is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core import extras
from orrery.core.errors import InvalidRequest, Unavailable
from orrery.core.ports import Blobs
from orrery.core.records import Recording
from orrery.stores import answers
from orrery.stores.answers import INLINE_BYTES, LARGEST_BYTES, packed, unpacked
from orrery.stores.recordings import RecordingStore, key_of
from orrery.stores.table import Table
from tests.stores.blobs import HEADERS, MEGABYTE, WORDS, MemoryBlobs, noise, sound
from tests.stores.books import NOW, Clock, quick_table
from tests.stores.faults import Faulty

NAME = "0f" * 32
RECORDINGS = st.builds(
    Recording,
    st.booleans(),
    st.text(max_size=9),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    st.lists(st.binary(max_size=40) | st.binary(max_size=2).map(lambda some: some * 2000), max_size=6),
)


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def store(table: Table, blobs: MemoryBlobs, clock: Clock) -> RecordingStore:
    return RecordingStore(table, blobs, clock=clock)


async def item_of(table: Table, name: str = NAME) -> dict[str, object]:
    return await table.get(key_of("org-a", name)) or {}


def test_it_is_what_options_expect(store: RecordingStore) -> None:
    recordings: extras.Recordings = store
    place: Blobs = MemoryBlobs()
    assert recordings is store and place


@given(RECORDINGS)
def test_what_was_packed_is_unpacked(recording: Recording) -> None:
    assert unpacked(packed(recording)) == recording


@pytest.mark.parametrize("payloads", [[], [b""], [b"abc", b"", b"defgh"], [b"word " * 400, b"more " * 400]])
def test_an_answer_that_is_cut_anywhere_is_none(payloads: list[bytes]) -> None:
    whole = packed(Recording(True, "audio/mpeg", HEADERS, payloads))
    assert [size for size in range(len(whole)) if unpacked(whole[:size]) is not None] == []
    assert unpacked(whole) is not None


def test_an_answer_that_goes_on_after_its_end_is_none() -> None:
    assert unpacked(packed(WORDS) + b"x") is None


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda some: b"\x01{}" + some))
def test_bytes_that_are_no_answer_are_none(data: bytes) -> None:
    assert unpacked(data) is None


@pytest.mark.parametrize(
    "line", [b"[]", b"7", b"{}", b'{"stream":1,"media_type":"","headers":{},"sizes":null}', b'"\\ud800"', b"{"]
)
def test_a_line_that_says_nothing_is_no_answer(line: bytes) -> None:
    assert unpacked(b"\x01" + line + b"\n") is None
    assert unpacked(b"\x03" + packed(WORDS)[1:]) is None


def test_text_gets_smaller_and_what_does_not_get_smaller_stays_as_it_is() -> None:
    text = Recording(True, "", HEADERS, [b'{"delta":{"content":"word"}}'] * 2000)
    assert len(packed(text)) < text.size_bytes / 20
    file = sound(50_000)
    assert len(packed(file)) < file.size_bytes + 200 and packed(file).endswith(file.payloads[1])
    assert packed(WORDS).endswith(WORDS.payloads[0])


async def test_what_was_kept_is_given(store: RecordingStore) -> None:
    stream = Recording(True, "", HEADERS, [b'{"n":1}', b"", b'{"n":2}'])
    await store.keep("org-a", NAME, WORDS, 60)
    await store.keep("org-a", "other", stream, 60)
    assert await store.load("org-a", NAME) == WORDS
    assert await store.load("org-a", "other") == stream
    assert await store.load("org-a", "nothing") is None


async def test_organizations_have_answers_of_their_own(store: RecordingStore, blobs: MemoryBlobs) -> None:
    for recording in (WORDS, sound(MEGABYTE)):
        await store.keep("org-a", NAME, recording, 60)
        assert await store.load("org-b", NAME) is None
    assert [organization for organization, _ in blobs.all] == ["org-a"]
    with pytest.raises(InvalidRequest):
        await store.load("org-a#x", NAME)
    with pytest.raises(InvalidRequest):
        await store.keep("org-a#x", NAME, WORDS, 60)


async def test_an_answer_ends_with_its_time_though_its_item_stays(store: RecordingStore, clock: Clock) -> None:
    clock.now = NOW + 0.5
    await store.keep("org-a", NAME, WORDS, 60)
    clock.now = NOW + 59.9
    assert await store.load("org-a", NAME) == WORDS
    clock.now = NOW + 60
    assert await store.load("org-a", NAME) is None


async def test_the_table_may_forget_it_when_its_time_is_over(store: RecordingStore, table: Table) -> None:
    await store.keep("org-a", NAME, WORDS, 3600)
    assert (await item_of(table))["ttl"] == NOW + 3600


async def test_the_last_one_stays_with_its_own_time(store: RecordingStore, clock: Clock) -> None:
    await store.keep("org-a", NAME, sound(MEGABYTE), 600)
    clock.now += 0.002
    await store.keep("org-a", NAME, WORDS, 60)
    assert await store.load("org-a", NAME) == WORDS
    clock.now += 61
    assert await store.load("org-a", NAME) is None


async def test_a_write_that_arrives_late_does_not_replace_a_newer_one(table: Table, clock: Clock) -> None:
    faulty = Faulty(table._call, ["straggle"])
    late = RecordingStore(quick_table(faulty, table.name), None, clock=clock)
    await late.keep("org-a", NAME, WORDS, 60)
    clock.now += 0.002
    newer = Recording(False, "", {}, [b"newer"])
    await late.keep("org-a", NAME, newer, 60)
    await faulty.arrive()
    assert await late.load("org-a", NAME) == newer
    clock.now -= 0.002
    await late.keep("org-a", NAME, WORDS, 60)
    assert await late.load("org-a", NAME) == newer


@pytest.mark.parametrize("fault", ["lose", "duplicate", "drop", "throttle"])
async def test_a_write_that_comes_twice_is_one(table: Table, clock: Clock, fault: str) -> None:
    faulty = Faulty(table._call, [fault])
    store = RecordingStore(quick_table(faulty, table.name), None, clock=clock)
    await store.keep("org-a", NAME, WORDS, 60)
    assert await store.load("org-a", NAME) == WORDS


async def test_answers_are_read_at_half_the_price(table: Table, clock: Clock) -> None:
    faulty = Faulty(table._call)
    await RecordingStore(quick_table(faulty, table.name), None, clock=clock).load("org-a", NAME)
    ((action, body),) = faulty.calls
    assert action == "GetItem" and not body.get("ConsistentRead")


def fitting(size: int) -> Recording:
    """Noise that takes exactly so many bytes, stored."""
    recording = Recording(False, "", {}, [noise(size)])
    over = len(packed(recording)) - size
    found = Recording(False, "", {}, [noise(size - over)])
    assert len(packed(found)) == size
    return found


@pytest.mark.parametrize(("more", "puts"), [(0, 0), (1, 1)])
async def test_what_fits_into_an_item_lies_in_it_and_more_beside(
    store: RecordingStore, table: Table, blobs: MemoryBlobs, more: int, puts: int
) -> None:
    recording = fitting(INLINE_BYTES + more)
    await store.keep("org-a", NAME, recording, 60)
    assert blobs.puts == puts and ("b" in await item_of(table)) == (puts == 0)
    assert await store.load("org-a", NAME) == recording


async def test_text_that_is_large_as_it_is_fits_when_it_is_compressed(
    store: RecordingStore, blobs: MemoryBlobs
) -> None:
    text = Recording(True, "", HEADERS, [b'{"delta":{"content":"word"}}'] * 100_000)
    await store.keep("org-a", NAME, text, 60)
    assert blobs.puts == 0 and await store.load("org-a", NAME) == text


@pytest.mark.parametrize(("more", "is_kept"), [(0, True), (1, False)])
async def test_eight_megabytes_are_kept_and_not_a_byte_more(
    store: RecordingStore, blobs: MemoryBlobs, more: int, is_kept: bool
) -> None:
    recording = Recording(False, "", {}, [b"x" * (LARGEST_BYTES + more)])
    await store.keep("org-a", NAME, recording, 60)
    assert (await store.load("org-a", NAME) == recording) == is_kept
    assert LARGEST_BYTES == 8 * MEGABYTE


async def test_eight_megabytes_that_cannot_be_compressed_are_not_stored_with_their_head(
    store: RecordingStore, blobs: MemoryBlobs
) -> None:
    await store.keep("org-a", NAME, sound(LARGEST_BYTES), 60)
    assert blobs.puts == 0 and await store.load("org-a", NAME) is None
    await store.keep("org-a", NAME, sound(LARGEST_BYTES - 300), 60)
    assert blobs.puts == 1 and await store.load("org-a", NAME) is not None


async def test_without_blobs_only_what_fits_is_kept(table: Table, clock: Clock) -> None:
    store = RecordingStore(table, None, clock=clock)
    await store.keep("org-a", NAME, sound(MEGABYTE), 60)
    assert await store.load("org-a", NAME) is None
    assert await item_of(table) == {}


async def test_no_item_names_a_blob_that_is_not_there(store: RecordingStore, table: Table, blobs: MemoryBlobs) -> None:
    blobs.fails = True
    with pytest.raises(Unavailable):
        await store.keep("org-a", NAME, sound(MEGABYTE), 60)
    assert await item_of(table) == {}


async def test_a_blob_is_as_it_was_or_the_answer_is_lost(store: RecordingStore, blobs: MemoryBlobs) -> None:
    recording = sound(MEGABYTE)
    await store.keep("org-a", NAME, recording, 60)
    (whole,) = blobs.all.values()
    assert await store.load("org-a", NAME) == recording
    for other in (b"", whole[:-1], whole + b"x", whole[:-1] + bytes([whole[-1] ^ 1]), packed(sound(MEGABYTE, 2))):
        blobs.change(other)
        assert await store.load("org-a", NAME) is None
    blobs.all.clear()
    assert await store.load("org-a", NAME) is None


async def test_a_bucket_that_does_not_answer_is_not_an_answer_that_is_lost(
    store: RecordingStore, blobs: MemoryBlobs
) -> None:
    await store.keep("org-a", NAME, sound(MEGABYTE), 60)
    blobs.fails = True
    with pytest.raises(Unavailable):
        await store.load("org-a", NAME)


async def test_answers_that_lie_beside_are_lost_to_who_has_no_blobs(store: RecordingStore, table: Table) -> None:
    await store.keep("org-a", NAME, sound(MEGABYTE), 60)
    assert await RecordingStore(table, None, clock=Clock()).load("org-a", NAME) is None


async def test_two_at_once_are_each_whole(store: RecordingStore, table: Table, blobs: MemoryBlobs) -> None:
    first, second = sound(MEGABYTE, 1), sound(MEGABYTE, 2)
    await store.keep("org-a", NAME, first, 60)
    seen = await item_of(table)
    await store.keep("org-a", NAME, second, 60)
    assert await store.load("org-a", NAME) == second
    assert await answers.Shelf(blobs).get("org-a", seen) == first


async def test_a_table_that_fails_is_unavailable(table: Table, clock: Clock) -> None:
    store = RecordingStore(quick_table(Faulty(table._call, ["drop"] * 8), table.name), None, clock=clock)
    with pytest.raises(Unavailable):
        await store.load("org-a", NAME)
    with pytest.raises(Unavailable):
        await store.keep("org-a", NAME, WORDS, 60)
