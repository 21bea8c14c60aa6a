"""Forms: what they hold arrives byte for byte, whatever else they are is refused."""

import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.dialect import Form
from orrery.core.errors import GatewayError, InvalidRequest, TooLarge
from orrery.core.types import Upload
from orrery.wire.form import LONGEST_FIELD, MOST_FIELDS, MOST_FILES, is_form, read_form, write_form

PLAIN = "multipart/form-data; boundary=b"


def part(name: str, data: bytes = b"1", *, filename: str | None = None, more: bytes = b"") -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n'.encode() + more + b"\r\n" + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\%'), min_size=1, max_size=20)
uploads = st.builds(
    Upload, names, st.just("file.wav"), st.sampled_from(["audio/wav", "image/png"]), st.binary(max_size=300)
)


@given(st.lists(st.tuples(names, st.text(st.characters(exclude_categories=["Cs"])))), st.lists(uploads, max_size=8))
def test_what_is_written_is_read_again(fields: list[tuple[str, str]], files: list[Upload]) -> None:
    fields = fields[:MOST_FIELDS]
    content_type, pieces = write_form(Form(tuple(fields), tuple(files)))
    found = read_form(b"".join(pieces), content_type)
    assert list(found.fields) == fields
    assert [(f.field_name, f.media_type, bytes(f.data)) for f in found.files] == [
        (f.field_name.removesuffix("[]"), f.media_type, f.data) for f in files
    ]


@given(st.binary(max_size=400))
def test_any_bytes_give_a_form_or_a_clear_refusal(raw: bytes) -> None:
    try:
        assert isinstance(read_form(raw, PLAIN), Form)
    except GatewayError as err:
        assert err.status in (400, 413)


@given(st.data())
def test_a_form_that_is_cut_or_spoilt_never_crashes(data: st.DataObject) -> None:
    raw = bytearray(form(part("model", b"m"), part("file", b"RIFF\r\n--b", filename="a.wav")))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_form(bytes(raw[: data.draw(st.integers(0, len(raw)))]), PLAIN)
    except GatewayError as err:
        assert err.status in (400, 413)


def test_a_form_without_its_end_is_refused() -> None:
    raw = form(part("model", b"m"), part("file", b"x" * 1000, filename="a.wav"))
    for cut in range(len(raw) - 4):
        with pytest.raises(InvalidRequest):
            read_form(raw[:cut], PLAIN)


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", f"multipart/form-data; boundary={'x' * 71}"],
)
def test_a_form_without_a_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidRequest, match="boundary"):
        read_form(form(part("model")), content_type)


def test_ten_thousand_parts_are_refused_after_a_few() -> None:
    raw = form(*[part(f"x{number}") for number in range(10_000)])
    tracemalloc.start()
    with pytest.raises(TooLarge):
        read_form(raw, PLAIN)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000


def test_as_many_files_and_fields_as_the_limits_say_and_no_more() -> None:
    fields = [part(f"f{number}") for number in range(MOST_FIELDS)]
    files = [part("image[]", filename=f"{number}.png") for number in range(MOST_FILES)]
    assert len(read_form(form(*fields, *files), PLAIN).files) == MOST_FILES
    for more in (part("one"), part("image", filename="x.png")):
        with pytest.raises(TooLarge):
            read_form(form(*fields, *files, more), PLAIN)


def test_a_field_may_not_be_a_file_in_disguise() -> None:
    assert read_form(form(part("prompt", b"x" * LONGEST_FIELD)), PLAIN).fields
    with pytest.raises(TooLarge) as caught:
        read_form(form(part("prompt", b"x" * (LONGEST_FIELD + 1))), PLAIN)
    assert caught.value.param == "prompt"


@pytest.mark.parametrize("header", [b"X: " + b"a" * 100_000 + b"\r\n", b"X: 1\r\n" * 1000, b"X\x00: 1\r\n", b": 1\r\n"])
def test_headers_without_measure_are_refused(header: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_form(form(part("model", more=header)), PLAIN)


@pytest.mark.parametrize("length", ["0", "5", "99999999999999999999", "-1", "x"])
def test_a_length_that_lies_changes_nothing(length: str) -> None:
    told = f"Content-Length: {length}\r\n".encode()
    (file,) = read_form(form(part("file", b"0123456789", filename="a.wav", more=told)), PLAIN).files
    assert bytes(file.data) == b"0123456789"


@pytest.mark.parametrize(
    "filename",
    ["../../etc/passwd", "..\\x.wav", "a.wav\x00.sh", "/tmp/x.wav", "x" * 5000, "", ".wav", "ü.WAV", "a.w v"],
)
def test_what_a_file_is_called_goes_nowhere_but_for_its_suffix(filename: str) -> None:
    (file,) = read_form(form(part("file", filename=filename)), PLAIN).files if len(filename) < 4000 else _long(filename)
    assert file.name in ("file.wav", "file.bin", "file.sh")


def _long(filename: str) -> tuple[Upload, ...]:
    with pytest.raises(InvalidRequest):
        read_form(form(part("file", filename=filename)), PLAIN)
    return (Upload("file", "file.bin", "", b""),)


def test_a_part_without_a_name_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="name"):
        read_form(form(b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n"), PLAIN)
    with pytest.raises(InvalidRequest, match="name"):
        read_form(form(b"--b\r\n\r\n1\r\n"), PLAIN)


def test_a_field_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="UTF-8") as caught:
        read_form(form(part("prompt", b"\xff\xfe")), PLAIN)
    assert caught.value.param == "prompt"


def test_files_are_views_into_what_was_posted_and_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    raw = form(part("file", bytes(8_000_000), filename="a.wav"))
    tracemalloc.start()
    found = read_form(raw, PLAIN)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found.files[0].data, memoryview) and len(found.files[0].data) == 8_000_000
    assert peak < 100_000
    assert not list(tmp_path.iterdir())


def test_writing_a_form_copies_no_file() -> None:
    data = bytes(8_000_000)
    tracemalloc.start()
    _, pieces = write_form(Form((("model", "m"),), (Upload("file", "file.wav", "audio/wav", memoryview(data)),)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(map(len, pieces)) > 8_000_000 and peak < 100_000


def test_a_name_cannot_write_headers_of_its_own() -> None:
    content_type, pieces = write_form(Form((('a"\r\nx-evil: 1', "v"),), ()))
    assert b"\r\nx-evil" not in b"".join(pieces).lower()
    assert is_form(content_type)
