"""An OpenAI SDK against `sam local`: requests of each family, with real bytes.

sam_call.py <base URL> <connection.json>
"""

import base64
import io
import json
import sys
import wave
from pathlib import Path

import openai

TEXT = "Why do planets wander ☿"


def chat(client: openai.OpenAI) -> None:
    asked = {"model": "practice/echo", "messages": [{"role": "user", "content": TEXT}]}
    whole = client.chat.completions.create(**asked)
    assert whole.choices[0].message.content == TEXT, whole
    assert whole.usage is not None
    words = [c.choices[0].delta.content for c in client.chat.completions.create(**asked, stream=True) if c.choices]
    assert "".join(word for word in words if word) == TEXT, words
    assert client.completions.create(model="practice/echo", prompt=TEXT).choices[0].text


def embeddings(client: openai.OpenAI) -> None:
    (row,) = client.embeddings.create(model="practice/embed", input=TEXT, dimensions=16).data
    assert len(row.embedding) == 16
    assert client.moderations.create(model="practice/moderate", input=TEXT).results
    asked = {"model": "practice/rerank", "query": TEXT, "documents": [TEXT, "no"]}
    assert client.post("/rerank", cast_to=dict, body=asked)["results"]


def images(client: openai.OpenAI) -> None:
    (drawn,) = client.images.generate(model="practice/draw", prompt=TEXT, response_format="b64_json").data
    assert drawn.b64_json.startswith("iVBORw0KGgo")
    png = base64.b64decode(drawn.b64_json)
    assert client.images.edit(model="practice/draw", prompt=TEXT, image=[("a.png", png), ("b.png", png)]).data


def audio(client: openai.OpenAI) -> None:
    asked = {"model": "practice/speak", "voice": "alloy", "input": TEXT, "response_format": "wav"}
    # The SDK accepts any octets; sam local turns base64 back into bytes only for a type that is accepted by its name.
    wanted = {"Accept": "audio/wav"}
    with client.audio.speech.with_streaming_response.create(**asked, extra_headers=wanted) as answer:
        speech = answer.read()
    with wave.open(io.BytesIO(speech)) as heard:
        assert heard.getnframes() > 0
    assert client.audio.transcriptions.create(model="practice/listen", file=("a.wav", speech)).text
    large = io.BytesIO()
    with wave.open(large, "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(bytes(4_200_000))
    text = client.audio.transcriptions.create(
        model="practice/listen", file=("a.wav", large.getvalue()), response_format="text"
    )
    assert isinstance(text, str)


def responses(client: openai.OpenAI) -> None:
    asked = {"model": "practice/echo", "input": TEXT}
    first = client.responses.create(**asked)
    assert (first.status, first.output_text) == ("completed", TEXT), first
    again = client.responses.create(**asked, previous_response_id=first.id, tools=[{"type": "orq:current_date"}])
    assert again.usage.input_tokens > first.usage.input_tokens
    assert [event.type for event in client.responses.create(**asked, stream=True)][-1] == "response.completed"
    assert client.responses.retrieve(again.id).output_text == TEXT
    assert [item.role for item in client.responses.input_items.list(again.id)] == ["user"]
    client.responses.delete(first.id)
    try:
        client.responses.create(**asked, previous_response_id=again.id)
    except openai.NotFoundError as err:
        assert err.code == "previous_response_not_found", err
    else:
        raise AssertionError("a chain without its beginning was continued")


def refused(client: openai.OpenAI) -> None:
    assert client.models.list().object == "list"
    stranger = openai.OpenAI(base_url=client.base_url, api_key="orb_wrong", max_retries=0)
    for status, ask in (
        (401, lambda: stranger.chat.completions.create(model="practice/echo", messages=[])),
        (404, client.files.list),
    ):
        try:
            ask()
        except openai.APIStatusError as err:
            assert err.status_code == status, err
        else:
            raise AssertionError(f"{status} was expected")


def main(base_url: str, connection: str) -> None:
    key = json.loads(Path(connection).read_text())["api_key"]
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=120)
    for family in (chat, responses, embeddings, images, audio, refused):
        family(client)
        sys.stdout.write(f"   an OpenAI SDK was answered: {family.__name__}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
