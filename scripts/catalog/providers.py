"""Which of our providers is which of the sources'."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sources:
    """Where a provider's rows come from.

    `genai`: providers of genai-prices, the first to know a name decides. `litellm`: values of `litellm_provider`, with
    what its names begin with there. `rows`: LiteLLM adds models and prices; else it only adds facts to genai-prices'
    models. `exact`: its names are the provider's own, so each is a row even where a rule of genai-prices takes it; and
    of two prices for a name, the dearer counts. `note` says why there is nothing.
    """

    genai: tuple[str, ...] = ()
    litellm: tuple[tuple[str, str], ...] = ()
    rows: bool = True
    exact: bool = False
    note: str = ""


def _same(name: str) -> tuple[tuple[str, str], ...]:
    return ((name, f"{name}/"),)


_ROUTED = ("cerebras", "fireworks-ai", "groq", "hyperbolic", "nebius", "novita", "nscale", "ovhcloud", "publicai")
ROUTED = tuple(f"huggingface_{host}" for host in (*_ROUTED, "sambanova", "together"))

PROVIDERS = {
    "openai": Sources(("openai",), (("openai", ""),)),
    "anthropic": Sources(("anthropic",), (("anthropic", ""),)),
    "google": Sources(("google",), (("gemini", "gemini/"),)),
    "vertex": Sources(("google",), (("vertex_ai", "vertex_ai/"), ("vertex_ai-language-models", "vertex_ai/"))),
    "bedrock": Sources(("aws",), (("bedrock_converse", "bedrock/"), ("bedrock", "bedrock/")), exact=True),
    "azure": Sources(("azure",), (*_same("azure"), *_same("azure_ai")), exact=True),
    "cohere": Sources(("cohere",), (("cohere_chat", ""), ("cohere", "cohere/"))),
    "mistral": Sources(("mistral",), _same("mistral")),
    "groq": Sources(("groq",), _same("groq")),
    "deepseek": Sources(("deepseek",), _same("deepseek")),
    "xai": Sources(("x-ai",), _same("xai")),
    "together": Sources(("together",), (("together_ai", "together_ai/"),)),
    "fireworks": Sources(("fireworks",), (("fireworks_ai", "fireworks_ai/"),)),
    "openrouter": Sources(("openrouter",)),
    "perplexity": Sources(("perplexity",), _same("perplexity"), rows=False),
    "cerebras": Sources(("cerebras",), _same("cerebras")),
    "nvidia": Sources(note="no price per token of build.nvidia.com is in any source; its trial runs on credits"),
    "sambanova": Sources((), _same("sambanova")),
    "moonshot": Sources(("moonshotai",), _same("moonshot")),
    "qwen": Sources((), _same("dashscope")),
    "zhipu": Sources(("zai", "zhipuai"), _same("zai")),
    "minimax": Sources(("minimax",), _same("minimax"), rows=False),
    "huggingface": Sources(ROUTED),
    "cloudflare": Sources(("cloudflare",), _same("cloudflare")),
    "databricks": Sources(("databricks",), _same("databricks")),
    "github": Sources(
        note="GitHub Models ended on 2026-07-30 (github.com/orgs/community/discussions/203602, read 2026-11-21)"
    ),
    "ai21": Sources(),
    "voyage": Sources((), _same("voyage")),
    "jina": Sources((), (("jina_ai", "jina_ai/"),)),
    "nomic": Sources(note="no source that we read says what its embeddings cost"),
    "mixedbread": Sources(note="no source that we read says what its models cost"),
    "stability": Sources((), _same("stability")),
    "elevenlabs": Sources((), _same("elevenlabs")),
    "deepgram": Sources((), _same("deepgram")),
    "novita": Sources(("novita",), _same("novita")),
    "deepinfra": Sources((), _same("deepinfra")),
    "hyperbolic": Sources(("huggingface_hyperbolic",)),
    "nebius": Sources(("huggingface_nebius",), _same("nebius"), exact=True),
}
"""Ours, by theirs: genai-prices 0.2.3 and LiteLLM 1.106.2, read 2026-11-21.

`huggingface_<host>` is what Hugging Face's router charges for a host's models. "No markup" is added to the host's own
price (huggingface.co/docs/api-inference/pricing, read 2026-11-21), and Hyperbolic and Nebius name models as it does: so
it stands for Hyperbolic, too, and for models of Nebius that LiteLLM lacks.
"""
