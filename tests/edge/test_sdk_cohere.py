"""Cohere's own client, whose base URL is the gateway's root."""

from collections.abc import Iterator

import cohere
import httpx
import pytest

from tests.edge.running import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("state")) as server:
        yield server


def test_it_ranks(server: Running) -> None:
    documents = ["a blue moon", "the red planet", "a red moon"]
    with httpx.Client(trust_env=False) as http:
        root = server.base_url.removesuffix("/v1")
        client = cohere.ClientV2(base_url=root, api_key=server.api_key, httpx_client=http)
        found = client.rerank(model="sandbox/rerank", query="red planet", documents=documents, top_n=2)
    assert [(row.index, row.relevance_score) for row in found.results] == [(1, 1.0), (2, 0.5)]
