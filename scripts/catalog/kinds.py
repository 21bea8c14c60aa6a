"""What a model serves, and which names a provider's own API takes: the sources do not say, so names do."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

NOT_THEIRS = {
    "openai": ("gpt-oss-*", "gpt-4o:extended"),  # open weights, hosted by others; a reseller's name
    "google": ("*claude-*", "*-maas"),  # Vertex AI serves these, the Gemini API does not
    "mistral": ("*:free",),  # a reseller's suffix
    # What deployments of every region cost is the price without a prefix; Claude there speaks Anthropic's wire only.
    "azure": (
        *("*:free", "global/*", "global-standard/*", "claude-*", "wizardlm-*", "text-curie*", "text-davinci*"),
        *("speech/*", "doc-intelligence/*"),  # other services of Azure's
    ),
    "deepgram": ("streaming/*",),  # the price list's other half
    "cerebras": ("cerebras/*", "cerebras:*"),  # other gateways' prefixes
    "xai": ("x-ai/*",),
    "openrouter": ("*:batch",),  # the Batch API's price
    "bedrock": ("claude-*", "gpt-*", "*-month-commitment/*", "*/us.*", "*/in.*", "*/global.*", "*@*"),
    "cloudflare": ("clef*", "clairic"),
}
"""Names that the provider's own API does not take, though a source knows them under it."""

ONLY_THEIRS = {
    "fireworks": ("*/*",),
    "together": ("*/*",),
    "openrouter": ("*/*",),  # genai-prices also keeps slugs alone, from its early imports
    "novita": ("*/*",),
    "nebius": ("*/*",),
    "deepinfra": ("*/*",),
    "hyperbolic": ("*/*",),
    "huggingface": ("*/*:*",),
    "vertex": ("gemini-*",),
    "bedrock": ("*.*",),
}
"""Where every name has one form (author/slug, maker.model), what is in another form is none of theirs."""

SPELLED = {"bedrock": (("*claude", "*anthropic.claude"), ("*titan", "*amazon.titan"))}
"""Beginnings of rules that would take other providers' names for theirs, and what to write instead."""

OTHER_KINDS = re.compile(
    r"\b(asr|clef|distilbert|image|imagen|indictrans2|live|lyria|m2m100|marengo|moderation|ocr|orpheus|pegasus|realtime|"
    r"rerank|reranker|sonic|sora|speech|streaming|transcribe|tts|veo|video|whisper)\b"
)
"""Words in the names of models that neither chat nor embed."""

RESPONSES_ONLY = {
    "openai": ("*-pro", "*-pro-20*", "*codex*", "*deep-research*", "computer-use*", "*-cyber", "*-rosalind*"),
    "perplexity": ("perplexity/*",),
}
"""openai: `ResponsesModel` of the openai SDK 3.52.0 and developers.openai.com/api/docs/models/gpt-5.4-pro and others.
perplexity: the Agent API, docs.perplexity.ai/docs/agent-api/migrate-from-sonar/how-to. Both read 2026-11-21."""

COMPLETIONS_ONLY = {"openai": ("ada", "babbage*", "curie", "davinci*", "text-*-00?", "gpt-3.5-turbo-instruct*")}
COMPLETIONS_ONLY["azure"] = COMPLETIONS_ONLY["openai"]
"""`CompletionCreateParams.model` of the openai SDK 3.52.0, and the GPT-3 models before them."""


def is_any(name: str, globs: Iterable[str]) -> bool:
    """Whether one of the globs takes the name, in any case of letters."""
    return any(fnmatchcase(name.lower(), glob) for glob in globs)


def is_theirs(provider: str, name: str) -> bool:
    """Whether the provider's own API takes a name, or names that follow a rule."""
    return not is_any(name, NOT_THEIRS.get(provider, ())) and is_any(name, ONLY_THEIRS.get(provider, ("*",)))


def spelled(provider: str, rule: str) -> str:
    """The rule as this provider's names want it."""
    for theirs, ours in SPELLED.get(provider, ()):
        if rule.startswith(theirs):
            return ours + rule.removeprefix(theirs)
    return rule


def is_other_kind(name: str) -> bool:
    """Whether the name says that the model neither chats nor embeds."""
    return OTHER_KINDS.search(name.lower().replace("_", "-")) is not None


def operations_of(provider: str, name: str, title: str | None) -> tuple[str, ...]:
    """What a model serves, by its name and its title."""
    words = f"{name} {title}".lower()
    if "embed" in words or re.search(r"\b(bge|gte)-", words):
        return ("embeddings",)
    if is_any(name, RESPONSES_ONLY.get(provider, ())):
        return ("responses",)
    if is_any(name, COMPLETIONS_ONLY.get(provider, ())):
        return ("text_completion",)
    return ("chat",)
