"""What is particular about each provider whose embeddings are on OpenAI's wire, or near it: facts with their sources.

Where no limit is documented, all that may be posted goes in one request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orrery.providers.vectors import Limits

AS_GIVEN = frozenset({"float", "base64"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is particular about a provider's embeddings; each has its `source`, with the day it was read.

    `limits`: of a request, for the first of these words that is in the model's name. `tokens`: it takes tokens for
    text. `encodings`: what it takes as `encoding_format`; another is left out, and vectors are written here as they
    were asked for. `input_types`: its words for them, by their meaning, under the name `input_type`; None: as given.
    `dtype`: its name for the kind of numbers. `rename`, `drop`: as in a row. `defaults`: what it insists on.
    """

    source: str
    path: str = "/embeddings"
    limits: tuple[tuple[str, Limits], ...] = (("", Limits()),)
    tokens: bool = False
    encodings: frozenset[str] = frozenset()
    input_types: Mapping[str, str] | None = field(default_factory=dict)
    input_type: str = "input_type"
    dtype: str = "output_dtype"
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    defaults: Mapping[str, str] = field(default_factory=dict)


ANY = Facts("a server of the operator's own", tokens=True, encodings=AS_GIVEN, input_types=None)
"""Nothing is known of it, so nothing is changed."""

OPENAI = Facts(
    "OpenAI API document 2.3.0: at most 2048 inputs and 300,000 tokens in all; read 2026-11-21",
    limits=(("", Limits(2048, 300_000)),),
    tokens=True,
    encodings=AS_GIVEN,
)
QUERIES_ONLY = {"query": "query", "document": "document"}

FACTS: Mapping[str, Facts] = {
    "sandbox": Facts("Orrery's own practice provider", tokens=True, encodings=AS_GIVEN),
    "openai": OPENAI,
    "azure": OPENAI,  # whose models it serves
    "voyage": Facts(
        "docs.voyageai.com/reference/embeddings-api; voyageai 0.5.0 (Python SDK), which reads base64 as floats of 32 "
        "bits; read 2026-11-21",
        limits=(
            ("-lite", Limits(1000, 1_000_000)),
            ("-large", Limits(1000, 120_000)),
            ("-code-", Limits(1000, 120_000)),
            ("-finance-", Limits(1000, 120_000)),
            ("-law-", Limits(1000, 120_000)),
            ("-multilingual-", Limits(1000, 120_000)),
            ("", Limits(1000, 320_000)),
        ),
        encodings=frozenset({"base64"}),
        input_types=QUERIES_ONLY,
        rename={"dimensions": "output_dimension"},
        drop=frozenset({"user"}),
    ),
    "jina": Facts(
        "Jina's models as Qdrant documents them (qdrant.tech/documentation/embeddings/jina-embeddings): tasks, "
        "dimensions; JinaEmbedding of camel-ai for embedding_type; the tasks for code are v4's alone, and left out; "
        "read 2026-11-21",
        input_types={
            "query": "retrieval.query",
            "document": "retrieval.passage",
            "classification": "classification",
            "clustering": "separation",
            "similarity": "text-matching",
        },
        input_type="task",
        dtype="embedding_type",
        drop=frozenset({"user"}),
    ),
    "nomic": Facts(
        "nomic SDK for Python, embed.py: path, names, ten texts in a request; 'Text Embedding' (docs.nomic.ai) for the "
        "task types, and that documents are the default; read 2026-11-21",
        path="/embedding/text",
        limits=(("", Limits(10)),),
        input_types={
            "query": "search_query",
            "document": "search_document",
            "classification": "classification",
            "clustering": "clustering",
            "similarity": "search_document",
        },
        input_type="task_type",
        rename={"input": "texts", "dimensions": "dimensionality"},
        drop=frozenset({"user"}),
        defaults={"task_type": "search_document"},
    ),
    "mixedbread": Facts(
        "mixedbread 0.54.0 (Python SDK), EmbeddingCreateParams; @langchain/mixedbread-ai for 256 inputs; read "
        "2026-11-21",
        limits=(("", Limits(256)),),
        drop=frozenset({"user"}),
    ),
    "together": Facts(
        "together 3.1.1 (Python SDK), EmbeddingCreateParams: model and input are all; read 2026-11-21",
        drop=frozenset({"dimensions", "user"}),
    ),
    "fireworks": Facts(
        "docs.fireworks.ai, 'Create embeddings': a closed schema, 2048 inputs, text only; read 2026-11-21",
        drop=frozenset({"user"}),
    ),
    "deepinfra": Facts(
        "@langchain/community, DeepInfraEmbeddings: 1024 inputs; so github.com/deepinfra/deepinfra-node/issues/62; "
        "read 2026-11-21",
        limits=(("", Limits(1024)),),
    ),
    "nebius": Facts("llama-index-embeddings-nebius, and docs.agno.com: as OpenAI's; read 2026-11-21"),
    "novita": Facts(
        "novita.ai/docs, 'Create embeddings': input, model and encoding_format are all; read 2026-11-21",
        path="/v1/embeddings",
        drop=frozenset({"dimensions", "user"}),
    ),
    "openrouter": Facts(
        "openrouter 1.3.84 (Python SDK), CreateEmbeddingsRequestBody: tokens, base64, dimensions, user and input_type "
        "'(e.g. search_query, search_document)'; read 2026-11-21",
        tokens=True,
        encodings=AS_GIVEN,
        input_types={"query": "search_query", "document": "search_document"},
    ),
    "nvidia": Facts(
        "docs.nvidia.com/nim/nemo-retriever/text-embedding: input is text, input_type; read 2026-11-21",
        input_types={"query": "query", "document": "passage"},
    ),
    "cloudflare": Facts(
        "developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility; CloudflareEmbedding of LlamaIndex "
        "for 100 inputs; read 2026-11-21",
        limits=(("", Limits(100)),),
    ),
    "databricks": Facts("docs.databricks.com, 'Query an embedding model', by OpenAI's SDK; read 2026-11-21"),
    "qwen": Facts(
        "alibabacloud.com/help/en/model-studio/text-embedding-synchronous-api: 10 inputs, 25 of v1 and v2; read "
        "2026-11-21",
        limits=(("embedding-v1", Limits(25)), ("embedding-v2", Limits(25)), ("", Limits(10))),
    ),
    "zhipu": Facts(
        "docs.bigmodel.cn, 'Text embeddings': 64 inputs, of embedding-2 8K tokens in all; read 2026-11-21",
        limits=(("embedding-2", Limits(64, 8_000)), ("", Limits(64))),
        drop=frozenset({"user"}),
    ),
    "ollama": Facts(
        "github.com/ollama/ollama, openai/openai.go, EmbedRequest: what it lacks is not read; read 2026-11-21",
        encodings=AS_GIVEN,
    ),
    "vllm": Facts(
        "github.com/vllm-project/vllm, EmbeddingCompletionRequest: tokens, dimensions, both encodings; read 2026-11-21",
        tokens=True,
        encodings=AS_GIVEN,
    ),
}
"""By provider; of others, servers of the operator's own, nothing is known."""
