"""The OpenAI SDK's images and videos through `make run`'s server, against an upstream that speaks OpenAI's wire."""

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import openai
import pytest
from openai import OpenAI
from PIL import Image

from orrery.wire.form import read_form
from tests.edge.openai_upstream import Handler, in_front_of, listening
from tests.edge.running import Running

MODEL = "openai/gpt-image-2"
MP4 = b"\x00\x00\x00\x18ftypmp42" * 50_000


def png(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), colour).save(out, "PNG")
    return out.getvalue()


B64 = base64.b64encode(png()).decode()
DETAILS = {"image_tokens": 40, "text_tokens": 10}
USAGE = {"input_tokens": 50, "output_tokens": 50, "total_tokens": 100, "input_tokens_details": DETAILS}
ANSWER = {"created": 1, "data": [{"b64_json": B64}], "usage": USAGE, "size": "1024x1024", "output_format": "png"}
SHOWN = {"b64_json": B64, "created_at": 1, "size": "1024x1024", "quality": "high", "background": "auto"}
SHOWN |= {"output_format": "png"}
JOB = {"id": "video_1", "object": "video", "model": "sora-2", "status": "queued", "progress": 0, "created_at": 1}
JOB |= {"seconds": "4", "size": "720x1280", "completed_at": None, "expires_at": None, "error": None, "prompt": None}


@dataclass
class Upstream:
    """Where it is, and what it was sent: method and path, content type, body."""

    url: str = ""
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)


class _Handler(Handler):
    def do_POST(self) -> None:
        body = self._body()
        if self.path.endswith("/videos"):
            self.answer(json.dumps(JOB).encode())
        elif b'"stream":true' in body or b'name="stream"' in body:
            kind = "image_edit" if "edits" in self.path else "image_generation"
            partial = {"type": f"{kind}.partial_image", "partial_image_index": 0, **SHOWN}
            done = {"type": f"{kind}.completed", "usage": USAGE, **SHOWN}
            events = (f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in (partial, done))
            self.answer(b"".join(events), "text/event-stream")
        else:
            self.answer(json.dumps(ANSWER).encode())

    def do_GET(self) -> None:
        self.upstream.seen.append((f"GET {self.path}", "", b""))
        if "/content" in self.path:
            self.answer(MP4, "video/mp4")
        else:
            self.answer(json.dumps({**JOB, "status": "completed"}).encode())

    def _body(self) -> bytes:
        if "content-length" in self.headers:
            body = self.rfile.read(int(self.headers["content-length"]))
        else:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.upstream.seen.append((f"POST {self.path}", self.headers["content-type"], body))
        return body


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    with listening(_Handler, made):
        yield made


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with in_front_of(upstream, tmp_path_factory.mktemp("state")) as server:
        yield server


@pytest.fixture
def client(server: Running) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url, api_key=server.api_key, max_retries=0) as client:
        yield client


def test_a_picture(client, upstream):
    answer = client.images.generate(model=MODEL, prompt="A cat", size="1024x1024", extra_body={"orq": {"name": "x"}})
    assert base64.b64decode(answer.data[0].b64_json) == png()
    assert answer.usage.total_tokens == 100
    assert json.loads(upstream.seen[-1][2]) == {"model": "gpt-image-2", "prompt": "A cat", "size": "1024x1024"}


def test_partial_pictures_are_typed_events(client):
    with client.images.generate(model=MODEL, prompt="A cat", stream=True, partial_images=1) as stream:
        events = list(stream)
    assert [event.type for event in events] == ["image_generation.partial_image", "image_generation.completed"]
    assert events[1].usage.input_tokens_details.image_tokens == 40


def test_sixteen_files_are_edited_in_their_order(client, upstream):
    files = [png(f"#0000{number:02x}") for number in range(16)]
    client.images.edit(model=MODEL, prompt="One of all", image=[io.BytesIO(file) for file in files], quality="low")
    _, content_type, body = upstream.seen[-1]
    sent = read_form(body, content_type)
    assert [bytes(file.data) for file in sent.files] == files
    assert {file.media_type for file in sent.files} == {"image/png"}
    assert dict(sent.fields) == {"model": "gpt-image-2", "prompt": "One of all", "quality": "low"}


def test_seventeen_files_are_refused(client, upstream):
    before = len(upstream.seen)
    with pytest.raises(openai.APIStatusError) as caught:
        client.images.edit(model=MODEL, prompt="x", image=[png()] * 17)
    assert caught.value.status_code in (400, 413)
    assert len(upstream.seen) == before


def test_an_edit_streams(client):
    events = list(client.images.edit(model=MODEL, prompt="x", image=png(), stream=True, partial_images=1))
    assert [event.type for event in events] == ["image_edit.partial_image", "image_edit.completed"]


def test_what_is_no_picture_is_refused(client, upstream):
    before = len(upstream.seen)
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, prompt="x", image=("cat.png", b"no picture at all"))
    assert (caught.value.param, caught.value.code) == ("image", "invalid_image_file")
    assert len(upstream.seen) == before


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_a_video_from_its_job_to_its_file(client, server, upstream, tmp_path):
    job = client.videos.create(model="openai/sora-2", prompt="A cat")  # type: ignore[arg-type]
    assert job.status == "queued" and job.id != "video_1"
    found = client.videos.retrieve(job.id)
    assert (found.status, found.id) == ("completed", job.id)
    client.videos.download_content(job.id, variant="video").write_to_file(tmp_path / "cat.mp4")
    assert (tmp_path / "cat.mp4").read_bytes() == MP4
    assert upstream.seen[-1][0] == "GET /v1/videos/video_1/content?variant=video"
    for name in ("video_1", job.id[:-2]):
        with pytest.raises(openai.NotFoundError):
            client.videos.retrieve(name)
    with OpenAI(base_url=server.base_url, api_key="orb_nobody", max_retries=0) as nobody:
        with pytest.raises(openai.AuthenticationError):
            nobody.videos.download_content(job.id)
