"""What a file is, from its bytes, its server, its owner and its name; and how it looks as a data URL."""

from base64 import b64encode

import pytest

from orrery.wire.media import as_data_url, data_url, file_name, sniffed

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
HEADS = {
    PNG: "image/png",
    b"\xff\xd8\xff\xe0" + bytes(9): "image/jpeg",
    b"GIF89a" + bytes(9): "image/gif",
    b"RIFF\x24\x01\x02\xffWEBPVP8 ": "image/webp",
    b"%PDF-1.7\n": "application/pdf",
    b"RIFF\x24\x01\x02\xffWAVEfmt ": "",
    b"<html>": "",
    b"": "",
}


@pytest.mark.parametrize("data", HEADS)
def test_common_files_are_known_by_their_first_bytes(data: bytes) -> None:
    assert sniffed(b64encode(data).decode()) == HEADS[data]


@pytest.mark.parametrize(
    ("data", "name", "server_type", "claimed", "expected"),
    [
        (PNG, "x.jpg", "image/jpeg", "image/gif", "image/png"),  # image hosts mislabel
        (b"x", "x.pdf", "text/csv", "text/html", "text/csv"),
        (b"x", "x.pdf", "", "text/html", "text/html"),
        (b"x", "x.pdf", "application/octet-stream", None, "application/pdf"),
        (b"x", "x.md", "binary/octet-stream", "application/octet-stream", "text/plain"),
        (b"x", "x.md", "", "Application/Octet-Stream", "text/plain"),
        (b"x", "x", "", "", "application/octet-stream"),
        (b"x", "", "image/jpg", None, "image/jpeg"),
        (b"x", "x.txt", "", "Text/CSV", "text/csv"),
        (b"x", "x.txt", "", "text/csv;base64,AAAA", "text/plain"),
        (b"x", "x.txt", 'a"b', "nonsense", "text/plain"),
    ],
)
def test_the_content_speaks_first_then_its_server_its_owner_and_its_name(data, name, server_type, claimed, expected):
    assert data_url(as_data_url(data, name, server_type, claimed)) == (expected, b64encode(data).decode())


NAMES = {
    "https://a.example/b/report.pdf?x=y/z#w": "report.pdf",
    "https://a.example/Jahres%20bericht.pdf": "Jahres bericht.pdf",
    "https://a.example/%2e%2e%2f%5Cetc%00%0d%0a%22x": "..etcx",
    "https://a.example/%ff.pdf": "\ufffd.pdf",
    "https://a.example/b/": "",
    "https://a.example": "",
    f"https://a.example/{'x' * 200}.pdf": "x" * 124 + ".pdf",
}


@pytest.mark.parametrize("url", NAMES)
def test_a_files_name_is_the_last_step_of_its_url(url: str) -> None:
    assert file_name(url) == NAMES[url]
