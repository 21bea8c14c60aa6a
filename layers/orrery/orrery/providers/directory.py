"""What an operator sets to reach each provider: names of environment variables, and what they fill in.

`<PROVIDER>_API_KEY` and `<PROVIDER>_BASE_URL` work for every provider, so only what is customary beside them is here.
A base URL may carry the key as its password (`https://:KEY@host/…`): then one variable is enough for those, too, whose
address is the customer's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider's variables, each list in the order of precedence.

    `fills`: the placeholders of its base URL, and what fills them. `region`: where its calls go, and `home` where they
    go without one ("": where this process runs). `lights`: variables that make it usable without a key.
    """

    keys: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    fills: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    region: tuple[str, ...] = ()
    home: str = ""
    lights: tuple[str, ...] = ()


ENTRIES: Mapping[str, Entry] = {
    "google": Entry(keys=("GOOGLE_API_KEY", "GEMINI_API_KEY")),
    "vertex": Entry(
        keys=("VERTEX_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"),
        fills={"project": ("VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT")},
        region=("VERTEX_REGION", "GOOGLE_CLOUD_LOCATION"),
        home="global",
    ),
    "bedrock": Entry(
        keys=("AWS_BEARER_TOKEN_BEDROCK",),
        region=("BEDROCK_REGION",),
        lights=("BEDROCK_REGION", "BEDROCK_ACCESS_KEY_ID"),
    ),
    "azure": Entry(
        keys=("AZURE_OPENAI_API_KEY",),
        urls=("AZURE_OPENAI_ENDPOINT",),
        fills={"resource": ("AZURE_RESOURCE",)},
        lights=("AZURE_CLIENT_SECRET",),
    ),
    "cohere": Entry(keys=("CO_API_KEY",)),
    "qwen": Entry(keys=("DASHSCOPE_API_KEY",)),
    "mixedbread": Entry(keys=("MXBAI_API_KEY",)),
    "zhipu": Entry(keys=("ZAI_API_KEY", "ZHIPUAI_API_KEY"), urls=("ZAI_BASE_URL",)),
    "huggingface": Entry(keys=("HF_TOKEN",)),
    "cloudflare": Entry(keys=("CLOUDFLARE_API_TOKEN",), fills={"account_id": ("CLOUDFLARE_ACCOUNT_ID",)}),
    "databricks": Entry(keys=("DATABRICKS_TOKEN",), fills={"host": ("DATABRICKS_HOST",)}),
    "ollama": Entry(urls=("OLLAMA_HOST",)),
}
"""Providers with customs of their own.

Sources, read 2026-11-21: google-genai 3.4.0 (both keys, GOOGLE_CLOUD_PROJECT, GOOGLE_CLOUD_LOCATION), google-auth 2.62
(GOOGLE_APPLICATION_CREDENTIALS), botocore 1.44.5 (AWS_BEARER_TOKEN_BEDROCK), openai 3.52 (AZURE_OPENAI_…), cohere
7.3.1, zai-sdk, and models.dev for the others. GITHUB_TOKEN is left out on purpose: CI systems set it everywhere.
"""

ENTRA = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
"""What Microsoft Entra signs an application in with. Source: azure-identity's EnvironmentCredential, 2026-11-21."""

AWS_KEYS = ("BEDROCK_ACCESS_KEY_ID", "BEDROCK_SECRET_ACCESS_KEY", "BEDROCK_SESSION_TOKEN")
"""Credentials for Bedrock alone, where those of this process belong to another account."""

ALIASES: Mapping[str, str] = {
    "gemini": "google",
    "google-ai": "google",
    "google-vertex": "vertex",
    "vertex-ai": "vertex",
    "vertex_ai": "vertex",
    "aws": "bedrock",
    "amazon": "bedrock",
    "azure-openai": "azure",
    "x-ai": "xai",
    "z-ai": "zhipu",
    "zai": "zhipu",
    "alibaba": "qwen",
    "dashscope": "qwen",
    "moonshotai": "moonshot",
    "hf": "huggingface",
    "workers-ai": "cloudflare",
    "fireworks-ai": "fireworks",
    "together-ai": "together",
    "togetherai": "together",
    "voyageai": "voyage",
    "jina-ai": "jina",
    "jina_ai": "jina",
    "mixedbread-ai": "mixedbread",
}
"""What other gateways and catalogs call them."""

NONE = Entry()


def entry_of(name: str) -> Entry:
    """The entry of a provider; an empty one where nothing is particular."""
    return ENTRIES.get(name, NONE)


def keys_of(name: str) -> tuple[str, ...]:
    """Variables that hold a provider's key, in the order of precedence."""
    return (f"{prefix(name)}_API_KEY", *entry_of(name).keys)


def urls_of(name: str) -> tuple[str, ...]:
    """Variables that hold its address."""
    return (f"{prefix(name)}_BASE_URL", *entry_of(name).urls)


def prefix(name: str) -> str:
    """What a provider's variables begin with."""
    return name.upper().replace("-", "_")


def variables() -> frozenset[str]:
    """Every variable above."""
    found = {*ENTRA, *AWS_KEYS}
    for entry in ENTRIES.values():
        found.update(entry.keys, entry.urls, entry.region, entry.lights, *entry.fills.values())
    return frozenset(found)
