"""Providers of embeddings and reranking, which serve no chat."""

from orrery.core.types import Operation
from orrery.providers.compatible import Row
from orrery.providers.rows.makers import READ

VECTORS = (
    Row(
        name="voyage",
        base_url="https://api.voyageai.com/v1",
        source="docs.voyageai.com/reference/embeddings-api; voyageai 0.5.0 (Python SDK)",
        checked=READ,
        serves=frozenset({Operation.EMBEDDINGS, Operation.RERANK}),
    ),
    Row(
        name="jina",
        base_url="https://api.jina.ai/v1",
        source="Jina Search Foundation API (api.jina.ai)",
        checked=READ,
        serves=frozenset({Operation.EMBEDDINGS, Operation.RERANK}),
    ),
    Row(
        name="nomic",
        base_url="https://api-atlas.nomic.ai/v1",
        source="nomic SDK for Python, embed.py and cli.py",
        checked=READ,
        serves=frozenset({Operation.EMBEDDINGS}),
    ),
    Row(
        name="mixedbread",
        base_url="https://api.mixedbread.com/v1",
        source="mixedbread 0.54.0 (Python SDK)",
        checked=READ,
        serves=frozenset({Operation.EMBEDDINGS, Operation.RERANK}),
    ),
)
