"""Mistral's embeddings: OpenAI's wire, with a name of its own for the dimensions."""

from orrery.providers.compatible.embedding_facts import AS_GIVEN, Facts
from orrery.providers.compatible.embeddings import adapter_of
from orrery.providers.vectors import Limits

FACTS = Facts(
    "`EmbeddingRequest` of the mistralai Python SDK 3.7: text only, output_dimension, output_dtype, both encodings; "
    "256 inputs: rig-core 0.42, tried live there; 16,000 tokens in all: langchain-mistralai; read 2026-11-21",
    limits=(("", Limits(256, 16_000)),),
    encodings=AS_GIVEN,
    rename={"dimensions": "output_dimension"},
    drop=frozenset({"user"}),
)

ADAPTER = adapter_of("mistral", FACTS)
