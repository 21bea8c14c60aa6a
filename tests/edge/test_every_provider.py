"""Every provider through `make run`'s server and the OpenAI SDK, each lit up by the environment alone."""

from collections.abc import Iterator

import pytest
from openai import OpenAI

from tests.edge.every_provider import Upstreams, upstreams
from tests.edge.running import Running, running
from tests.edge.test_minting import ACCOUNT, secret
from tests.providers.cases import CHATTING, Case, fold, plain

NAMES = [name for name in CHATTING if name != "sandbox"]

KEYS = {
    "bedrock": {
        "BEDROCK_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "BEDROCK_SECRET_ACCESS_KEY": "s",
        "BEDROCK_REGION": "eu-west-1",
    },
}
"""What is set beside the address, where it is not a plain key."""

PROOF = {
    "anthropic": ("x-api-key", "key-of-anthropic"),
    "azure": ("api-key", "key-of-azure"),
    "bedrock": ("authorization", "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/"),
    "google": ("x-goog-api-key", "key-of-google"),
    "vertex": ("authorization", "Bearer minted"),
}
"""The header that proves who we are, and what it begins with; a bearer token elsewhere."""


def environment(url: str) -> dict[str, str]:
    found = {"ORRERY_ALLOW_UNPRICED_MODELS": "true"}
    found["VERTEX_CREDENTIALS"] = secret(ACCOUNT | {"token_uri": f"{url}/token"})
    for name in NAMES:
        prefix = name.upper()
        found[f"{prefix}_BASE_URL"] = f"{url}/{name}"
        found |= KEYS.get(name, {} if name == "vertex" else {f"{prefix}_API_KEY": f"key-of-{name}"})
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Upstreams, Running]]:
    with upstreams() as there, running(tmp_path_factory.mktemp("state"), environment(there.url)) as server:
        yield there, server


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_answers_whole_and_streamed(world: tuple[Upstreams, Running], name: str) -> None:
    there, server = world
    case = Case(name, "text")
    asked = case.json_of("call.json")
    asked.pop("stream_options", None)
    expected = plain(case.json_of("answer.json"))
    with OpenAI(base_url=server.base_url, api_key=server.api_key, max_retries=0) as client:
        more = {key: value for key, value in asked.items() if key not in ("model", "messages", "stream")}
        whole = client.chat.completions.create(model=asked["model"], messages=asked["messages"], extra_body=more)
        assert timeless(plain(whole.model_dump(exclude_unset=True))) == timeless(expected)
        header, proof = PROOF.get(name, ("authorization", f"Bearer key-of-{name}"))
        assert there.seen[name][1][header].startswith(proof)
        stream = client.chat.completions.create(
            model=asked["model"],
            messages=asked["messages"],
            stream=True,
            stream_options={"include_usage": True},
            extra_body=more,
        )
        chunks = [chunk.model_dump(exclude_unset=True) for chunk in stream]
    assert timeless(plain(fold(chunks))) == timeless(expected)


def timeless(completion: dict) -> dict:
    """Without what differs from one day to the next, and without an id: not every provider gives one."""
    given = {name: value for name, value in completion.items() if name not in ("created", "usage", "id")}
    return given | {"total": completion["usage"]["total_tokens"]}
