"""The OpenAI SDK's transcriptions through `make run`'s server, against an upstream that speaks OpenAI's wire."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types.audio import TranscriptionTextDeltaEvent, TranscriptionTextDoneEvent

from orrery.core.dialect import Form
from orrery.wire.form import read_form
from tests.edge.openai_upstream import Handler, in_front_of, listening
from tests.edge.running import Running
from tests.wire.test_sound import wav

GPT, WHISPER = "openai/gpt-4o-transcribe", "openai/whisper-1"
SEGMENT = {"id": 0, "seek": 0, "start": 0.0, "end": 2.0, "text": " Hello.", "tokens": [1], "temperature": 0.0}
SEGMENT |= {"avg_logprob": -0.3, "compression_ratio": 1.2, "no_speech_prob": 0.01}
SRT = "1\n00:00:00,000 --> 00:00:02,000\nHello.\n\n"
TOKENS = {"type": "tokens", "input_tokens": 20, "output_tokens": 2, "total_tokens": 22}
ANSWERS: dict[str, Any] = {
    "json": {"text": "Hello.", "usage": TOKENS},
    "text": "Hello.\n",
    "srt": SRT,
    "vtt": "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nHello.\n\n",
    "verbose_json": {
        "task": "transcribe",
        "language": "english",
        "duration": 2.0,
        "text": "Hello.",
        "segments": [SEGMENT],
    },
}
EVENTS = [
    {"type": "transcript.text.delta", "delta": "Hel"},
    {"type": "transcript.text.delta", "delta": "lo."},
    {"type": "transcript.text.done", "text": "Hello.", "usage": TOKENS},
]


@dataclass
class Upstream:
    """Where it is, and the forms that it was sent, by path."""

    url: str = ""
    seen: list[tuple[str, Form]] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.seen[-1][1].fields)


class _Handler(Handler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        form = read_form(body, self.headers["content-type"])
        self.upstream.seen.append((self.path, form))
        fields = dict(form.fields)
        if fields.get("stream") == "true":
            self.answer("".join(f"data: {json.dumps(event)}\n\n" for event in EVENTS).encode(), "text/event-stream")
            return
        answer = ANSWERS[fields.get("response_format", "json")]
        if isinstance(answer, str):
            self.answer(answer.encode(), "text/plain; charset=utf-8")
        else:
            self.answer(json.dumps(answer).encode())


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


def test_a_file_from_a_disk(client, upstream, tmp_path):
    path = tmp_path / "my secret talk.wav"
    path.write_bytes(wav(2.0))
    with path.open("rb") as file:
        answer = client.audio.transcriptions.create(
            model=GPT, file=file, language="en", include=["logprobs"], extra_body={"orq": {"retry": {"count": 1}}}
        )
    assert answer.text == "Hello." and answer.usage.total_tokens == 22
    path_, form = upstream.seen[-1]
    assert path_ == "/v1/audio/transcriptions"
    assert dict(form.fields) == {"include[]": "logprobs", "language": "en", "model": "gpt-4o-transcribe"}
    assert (form.files[0].name, form.files[0].data) == ("file.wav", wav(2.0))


@pytest.mark.parametrize("form", ["text", "srt", "vtt"])
def test_texts_come_as_texts(client, form):
    raw = client.audio.transcriptions.with_raw_response.create(
        model=WHISPER, file=("a.wav", wav(1)), response_format=form
    )
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert raw.text == raw.parse() == ANSWERS[form]


def test_the_verbose_form_is_typed(client, upstream):
    answer = client.audio.transcriptions.create(
        model=WHISPER,
        file=("a.wav", wav(1)),
        response_format="verbose_json",
        timestamp_granularities=["segment", "word"],
    )
    assert (answer.duration, answer.segments[0].text) == (2.0, " Hello.")
    granularities = [text for name, text in upstream.seen[-1][1].fields if name == "timestamp_granularities[]"]
    assert granularities == ["segment", "word"]


def test_a_stream_is_of_typed_events(client):
    with client.audio.transcriptions.create(model=GPT, file=("a.wav", wav(1)), stream=True) as stream:
        events = list(stream)
    assert [type(event) for event in events] == [TranscriptionTextDeltaEvent] * 2 + [TranscriptionTextDoneEvent]
    assert events[-1].text == "Hello." and events[-1].usage.total_tokens == 22


def test_whisper_1_answers_whole_whatever_was_asked(client, upstream):
    raw = client.audio.transcriptions.with_raw_response.create(model=WHISPER, file=("a.wav", wav(1)), stream=True)
    assert raw.headers["content-type"] == "application/json"
    assert "stream" not in upstream.fields


def test_nested_parameters_and_options_arrive(client, upstream):
    client.audio.transcriptions.create(
        model=GPT,
        file=("a.wav", wav(1)),
        chunking_strategy={"type": "server_vad", "threshold": 0.4},
        extra_body={"retry": {"count": 1, "on_codes": [503]}, "fallbacks": [{"model": WHISPER}]},
    )
    assert upstream.fields["chunking_strategy[type]"] == "server_vad"
    assert upstream.fields["chunking_strategy[threshold]"] == "0.4"
    assert not [name for name in upstream.fields if name.startswith(("retry", "fallbacks"))]


def test_a_translation(client, upstream):
    with pytest.warns(DeprecationWarning):  # of the SDK's: OpenAI has put the endpoint on its way out
        answer = client.audio.translations.create(model=WHISPER, file=io.BytesIO(wav(1)), prompt="A talk")
    assert answer.text == "Hello."
    assert (upstream.seen[-1][0], upstream.fields["prompt"]) == ("/v1/audio/translations", "A talk")


def test_a_recording_alone_is_a_request(server, upstream):
    answer = httpx.post(
        f"{server.base_url}/audio/transcriptions?model={GPT}&language=en",
        content=wav(1),
        headers={"authorization": f"Bearer {server.api_key}", "content-type": "audio/wav"},
    )
    assert answer.json()["text"] == "Hello."
    assert upstream.fields == {"model": "gpt-4o-transcribe", "language": "en"}
    assert answer.headers["x-orrery-model"] == "gpt-4o-transcribe"


@pytest.mark.parametrize(
    ("more", "param"), [({"temperature": 3}, "temperature"), ({"response_format": "xml"}, "response_format")]
)
def test_bad_requests_are_the_sdks_typed_errors(client, more, param):
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.transcriptions.create(**{"model": GPT, "file": ("a.wav", wav(1)), **more})
    assert caught.value.param == param
