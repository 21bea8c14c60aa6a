"""What each family of models takes over Converse, by the name of its maker and its own.

Converse is one wire for many models, and answers with a 400 to whatever a model does not know. Sources, read
2026-11-21: the documentation in botocore 1.44.5's service model (tool choice, `status`, images in tool results); "Get
validated JSON results from models", "Prompt caching" and "Adaptive thinking" (docs.aws.amazon.com/bedrock); "Extended
thinking in Amazon Nova 2" (docs.aws.amazon.com/nova). Where these are silent, what two clients found out at the live
service and keep as recordings or tables: github.com/pydantic/pydantic-ai (providers/bedrock.py, 2026-08-22) and
github.com/langchain-ai/langchain-aws (chat_models/bedrock_converse.py, 2026-08-20); stop sequences:
crewAIInc/crewAI#3317 and langgenius/dify-official-plugins#1767.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from orrery.providers.anthropic.models import Traits as ClaudeTraits
from orrery.providers.anthropic.models import traits_of as claude_traits_of
from orrery.providers.anthropic.models import version_of

ALL: frozenset[str] = frozenset({"text", "image", "document", "video", "audio"})
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model takes; everything else is a 400.

    `maker` is "" where the name does not tell. `claude`: what Anthropic's own dialect knows of it. `choices`: kinds of
    `toolChoice`. `beside`: content that may share a turn with tool results; `within`: what a result may hold beside
    text. `status`: results may be errors. `begins`: a conversation may begin with the assistant. `thinking`: how it is
    told to think. `caches`: where `cachePoint` may stand. `structured`: JSON schemas and strict tools. `stops`: stop
    sequences. `top_k`: as Nova has it. `nine`: ids of nine letters and digits.
    """

    maker: str = ""
    claude: ClaudeTraits | None = None
    choices: frozenset[str] = frozenset({"any", "tool"})
    beside: frozenset[str] = ALL
    within: frozenset[str] = frozenset({"image"})
    status: bool = False
    begins: bool = False
    thinking: Literal["claude", "nova", "openai", "qwen", "kimi"] | None = None
    caches: frozenset[str] = NONE
    structured: bool = False
    stops: bool = True
    top_k: bool = False
    nine: bool = False


UNKNOWN = Traits(
    within=frozenset({"image", "document", "video"}),
    status=True,
    begins=True,
    caches=frozenset({"system", "messages", "tools"}),
    structured=True,
)
"""An ARN or a name that does not tell whose model it is: nothing is withheld, its server decides."""

_CLAUDE = Traits(
    maker="anthropic",
    beside=frozenset({"text", "image"}),
    within=frozenset({"image", "document"}),
    status=True,
    begins=True,
    thinking="claude",
    caches=frozenset({"system", "messages", "tools", "1h"}),
)
_NOVA = Traits(maker="amazon", status=True, caches=frozenset({"system", "messages"}), top_k=True)
_LLAMA = Traits(maker="meta", choices=NONE, beside=NONE, within=frozenset({"image", "document"}))
_MISTRAL = Traits(maker="mistral", choices=NONE, beside=NONE, within=frozenset({"document"}), nine=True)
_QWEN = Traits(maker="qwen", choices=NONE, within=NONE, begins=True, stops=False)
_KIMI = Traits(maker="moonshotai", within=NONE, begins=True, thinking="kimi", structured=True)

ROWS: tuple[tuple[str, str, Traits], ...] = (
    ("anthropic", "", _CLAUDE),
    ("amazon", "nova-2", replace(_NOVA, thinking="nova")),
    ("amazon", "nova", _NOVA),
    ("amazon", "", Traits(maker="amazon", choices=NONE)),
    ("meta", "", _LLAMA),
    ("mistral", "mistral-large-3", replace(_MISTRAL, choices=frozenset({"any"}), structured=True)),
    ("mistral", "mistral-large", replace(_MISTRAL, choices=frozenset({"any"}))),
    ("mistral", "magistral-small", replace(_MISTRAL, structured=True)),
    ("mistral", "ministral-3", replace(_MISTRAL, structured=True)),
    ("mistral", "voxtral", replace(_MISTRAL, structured=True)),
    ("mistral", "", _MISTRAL),
    ("qwen", "qwen3", replace(_QWEN, thinking="qwen", structured=True)),
    ("qwen", "", _QWEN),
    ("moonshotai", "", _KIMI),
    ("moonshot", "", _KIMI),
    ("openai", "gpt-oss", Traits(maker="openai", thinking="openai", structured=True, stops=False)),
    ("openai", "", Traits(maker="openai", structured=True, stops=False)),
    ("deepseek", "r1", Traits(maker="deepseek", choices=NONE)),
    ("deepseek", "v3-v1", Traits(maker="deepseek", choices=frozenset({"any"}), structured=True)),
    ("deepseek", "v3", Traits(maker="deepseek", structured=True)),
    ("deepseek", "", Traits(maker="deepseek", choices=NONE)),
    ("zai", "", Traits(maker="zai", begins=True, structured=True)),
    ("google", "gemma-3-12b", Traits(maker="google", choices=NONE, structured=True)),
    ("google", "gemma-3-27b", Traits(maker="google", choices=NONE, structured=True)),
    ("google", "", Traits(maker="google", choices=NONE)),
    ("nvidia", "nemotron-nano", Traits(maker="nvidia", choices=NONE, structured=True)),
    ("nvidia", "", Traits(maker="nvidia", choices=NONE)),
    ("minimax", "minimax-m2", Traits(maker="minimax", choices=NONE, structured=True)),
    ("minimax", "", Traits(maker="minimax", choices=NONE)),
    ("writer", "", Traits(maker="writer", choices=NONE, beside=NONE)),
    ("cohere", "", Traits(maker="cohere", choices=NONE)),
    ("ai21", "", Traits(maker="ai21", choices=NONE)),
    ("xai", "", Traits(maker="xai")),
)
"""The first row whose maker made the model and whose word is in its name."""

MAKERS = frozenset(maker for maker, _, _ in ROWS)

STRUCTURED_CLAUDES = frozenset({(4, 5), (4, 6)})
"""Versions with JSON schemas and strict tools here. Newer ones answer "output_config.format: Extra inputs are not
permitted" (presenton/presenton#939, 2026-09-18; anthropics/anthropic-sdk-python#1759, 2026-07-15)."""

_ARN_NAME = re.compile(r"arn:aws[a-z-]*:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(.+)")


def base_name(model: str) -> str:
    """A model's own name, `maker.model`, without region, inference profile and ARN; other ARNs as they are."""
    arn = _ARN_NAME.fullmatch(model)
    name = arn[1] if arn else model.rpartition("/")[2] if not model.startswith("arn:") else model
    first, _, rest = name.partition(".")
    return rest if first not in MAKERS and rest.partition(".")[0] in MAKERS else name


@lru_cache(maxsize=256)
def traits_of(model: str) -> Traits:
    """What `model` takes: a name, an inference profile's (`us.…`, `global.…`), or an ARN that holds either."""
    maker, _, name = base_name(model.lower()).partition(".")
    for made_by, word, traits in ROWS:
        if maker == made_by and word in name:
            return _as_claude(traits, name) if made_by == "anthropic" else traits
    return UNKNOWN


def _as_claude(traits: Traits, name: str) -> Traits:
    """With what Anthropic's dialect knows of the model, as far as it holds here.

    Effort is documented for models that measure their thinking themselves; the longer cache for 4.5 and newer ("1 hour
    TTL", aws.amazon.com/about-aws/whats-new/2026/01/amazon-bedrock-one-hour-duration-prompt-caching).
    """
    known = claude_traits_of(name)
    version = version_of(name)
    if not known.adaptive:
        known = replace(known, efforts=())
    is_old = version is not None and version < (4, 5)
    return replace(
        traits,
        claude=known,
        structured=version in STRUCTURED_CLAUDES,
        caches=traits.caches - {"1h"} if is_old else traits.caches,
    )
