"""What is particular about each provider's Responses API.

Whoever is not here but serves it gets what comes, as it comes. Not served natively, though a document has it, and why:
`ollama` (since 0.13.3; without `tool_choice`, and nothing tells the version) and servers that operators name (most have
chat only); `deepseek` (a beta of one model); `databricks` (OpenAI's models only); `perplexity` (an agent with fields of
its own, and models of others); `huggingface` (it translates into chat itself: github.com/huggingface/responses.js);
`fireworks` (it refuses unknown fields, and which it knows here is in none of its SDKs). Their chat is bridged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

READ = "read 2026-11-21"

INCLUDED = "reasoning.encrypted_content"
"""What asks for reasoning in a form that can be sent back."""

SEARCHES = frozenset({"web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11"})
"""OpenAI's names for one tool (API document 2.3.0, WebSearchTool and WebSearchPreviewTool)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is particular about a provider's Responses API; each has its `source`, with the day it was read.

    `lacks`: parameters that it refuses or does not have, removed and named to the caller. `spare`: others that it does
    not have, and that change nothing about the answer. `rename`: parameters that it knows by another name. `includes`:
    what it can be asked to include.

    `encrypted`: when reasoning is asked for in a form to send back: of models that reason, of all, or never.
    `replay`: what earlier reasoning it takes: what it encrypted itself, plain text, or none. `bare`: items go without
    id and status: it looks ids up among what it stored, and stores nothing here. `phases`: it knows a message's phase.
    `allows`: it knows the tool choice `allowed_tools`; others are sent those tools alone.
    `tools`: the hosted tools that it runs itself. `by_content`: kinds of content parts that it takes with their content
    only, not by URL.
    """

    source: str
    lacks: frozenset[str] = frozenset()
    spare: frozenset[str] = frozenset()
    rename: Mapping[str, str] | None = None
    includes: frozenset[str] = frozenset()
    encrypted: Literal["where it reasons", "always", "never"] = "never"
    replay: Literal["encrypted", "plain", "none"] = "none"
    bare: bool = False
    phases: bool = False
    allows: bool = False
    tools: frozenset[str] = frozenset()
    by_content: frozenset[str] = frozenset()


ANY = Facts("a server of the operator's own")

_PENALTIES = frozenset({"frequency_penalty", "presence_penalty"})
_SAMPLING = frozenset({"cache_control", "stop_sequences", "top_k"})
_INCLUDES = frozenset(
    {"file_search_call.results", "code_interpreter_call.outputs", "message.input_image.image_url", INCLUDED}
    | {"computer_call_output.output.image_url"}
)
_OF_OPENAI = _INCLUDES | {"message.output_text.logprobs", "web_search_call.action.sources", "web_search_call.results"}

FACTS: Mapping[str, Facts] = {
    "openai": Facts(
        # Models that do not reason: "Encrypted content is not supported with this model", 400. Ids: "Items are not
        # persisted when `store` is set to false". File search and code run in stores and containers of the account,
        # which all who share its key would share: they are not passed on.
        "OpenAI API document 2.3.0, CreateResponse, which has no penalties, `top_k` and stop sequences; "
        "github.com/pydantic/pydantic-ai/issues/2865 (2025-09-11); github.com/langchain-ai/langchain/pull/38372 "
        f"(2026-06-22) for ids; {READ}",
        lacks=_PENALTIES | _SAMPLING,
        includes=_OF_OPENAI,
        encrypted="where it reasons",
        replay="encrypted",
        bare=True,
        phases=True,
        allows=True,
        tools=SEARCHES,
    ),
    "azure": Facts(
        # The same 400 for encrypted content; an id on a reasoning item is refused, too. Files by URL and searches are
        # not in its documents as read.
        "OpenAI's, as Azure's v1 API; github.com/pydantic/pydantic-ai/issues/2865 (2025-09-11, on Azure); "
        f"github.com/vercel/ai/pull/12689 (2026-02-19) for ids; {READ}",
        lacks=_PENALTIES | _SAMPLING,
        includes=_OF_OPENAI,
        encrypted="where it reasons",
        replay="encrypted",
        bare=True,
        phases=True,
        allows=True,
        by_content=frozenset({"input_file"}),
    ),
    "xai": Facts(
        # `metadata` is not supported, and is told to the caller by this gateway anyhow. `service_tier` "is not
        # supported, maintained for compatibility". A file's content is taken by URL or id only.
        "github.com/vercel/ai, packages/xai/src/responses (2026-08): tools, tool choices, items, encrypted reasoning "
        "asked for wherever nothing is stored; github.com/BerriAI/litellm, llms/xai/responses (2026), for metadata; "
        f"XAIResponsesCreateParams (reference.langchain.com) for parameters; {READ}",
        lacks=_PENALTIES | _SAMPLING,
        spare=frozenset({"metadata", "safety_identifier"}),
        includes=frozenset({INCLUDED}),
        encrypted="always",
        replay="encrypted",
        tools=frozenset({"web_search", "x_search"}),
    ),
    "groq": Facts(
        # That reasoning may go back is not documented. Its browser search runs with the gpt-oss models only.
        "console.groq.com/docs/responses-api, 'Unsupported Features' and 'Built-In Tools'; "
        f"its schemas are closed, see `rows.hosts`; {READ}",
        lacks=_PENALTIES | _SAMPLING | {"prompt", "truncation", "top_logprobs"},
        spare=frozenset({"store", "safety_identifier", "prompt_cache_key"}),
        tools=frozenset({"browser_search"}),
    ),
    "openrouter": Facts(
        # It has no place for stop sequences but `stop`.
        "openrouter 1.3.84 (Python SDK), ResponsesRequest: its parameters, `store` always false, includes, tools, no "
        f"`allowed_tools`; ReasoningItem: its signature and format; {READ}",
        rename={"stop_sequences": "stop"},
        includes=_INCLUDES,
        encrypted="where it reasons",
        replay="encrypted",
        tools=SEARCHES,
    ),
    "vllm": Facts(
        # What is encrypted is refused as input. Fields that it does not have are ignored.
        "github.com/vllm-project/vllm, entrypoints/openai/responses/protocol.py and utils.py (2026): parameters, and "
        f"plain reasoning in the history; {READ}",
        rename={"stop_sequences": "stop"},
        includes=frozenset({"message.output_text.logprobs"}),
        replay="plain",
    ),
}
"""By provider."""

NOT_BY: Mapping[str, tuple[str, ...]] = {"openai": ("*audio*", "*-search-preview*", "*-search-api*")}
"""Models that a provider serves as a chat only, by name.

Sound: developers.openai.com/api/docs/models/gpt-4o-audio-preview, where Responses are "Not supported". The searching
ones belong to chat completions' own way to search, and are in no document of Responses (read 2026-11-21).
"""


def native_tools(provider: str) -> frozenset[str]:
    """The types of hosted tools that a provider runs itself, in its own Responses API; the gateway runs all others.

    Only tools without a memory are here: what lives in files, stores and containers of an account would be shared by
    all who are served with its key. So is `mcp` missing, whose calls are approved here.
    """
    return FACTS[provider].tools if provider in FACTS else frozenset()
