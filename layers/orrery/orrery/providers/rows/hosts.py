"""Providers that serve models of others."""

from orrery.core.types import Operation
from orrery.providers.compatible import NOT_OPENAI, Controls, Row
from orrery.providers.compatible.row import CHAT_AND_EMBEDDINGS, EFFORTS, HEARING, MARKS
from orrery.providers.rows.makers import LIMIT, READ

NONE = {"reasoning_effort": "none"}
THREE = ("low", "medium", "high")
BARE: frozenset[str] = frozenset()
"""No marks: a closed schema knows none."""

HOSTS = (
    Row(
        name="groq",
        base_url="https://api.groq.com/openai/v1",
        # Its schema is closed ("property 'x' is unsupported"), in messages too: a `name` there is a 400. Which of
        # OpenAI's newer parameters it lacks is not documented, so they go on. `n` other than 1 is its own 400.
        # Qwen's reasoning stands in tags unless `reasoning_format` says otherwise.
        source="console.groq.com/docs/openai, 'Currently Unsupported OpenAI Features'; that it takes `stream_options` "
        "(refused in 2024): github.com/withceleste/celeste-python/pull/351 (2026-08-27, tried live); groq 1.7.0 "
        "(Python SDK) for efforts and reasoning in the history; langchain-groq (reference.langchain.com) for the tags",
        checked=READ,
        drop=(NOT_OPENAI - {"thinking"}) | {"logprobs", "top_logprobs", "logit_bias"},
        controls=Controls(off=NONE, efforts=("none", "default", *THREE)),
        replay="reasoning",
        marks=BARE,
        tiers={"on_demand": "default", "performance": "priority"},
        thinks_in_tags=True,
        serves=HEARING | frozenset({Operation.CHAT, Operation.RESPONSES, Operation.SPEECH}),
    ),
    Row(
        name="together",
        base_url="https://api.together.ai/v1",
        source="together 3.1.1 (Python SDK): base URL, parameters, finish reasons, reasoning in the history; "
        "stream_options: @ai-sdk/togetherai 2.0.84; docs.together.ai/docs/deepseek-r1 for the tags",
        checked=READ,
        drop=NOT_OPENAI - {"top_k", "thinking"},
        rename=LIMIT,
        controls=Controls(on={"reasoning": {"enabled": True}}, off={"reasoning": {"enabled": False}}, efforts=THREE),
        replay="reasoning",
        finish_reasons={"eos": "stop"},
        thinks_in_tags=True,
        serves=frozenset(
            {
                Operation.CHAT,
                Operation.COMPLETIONS,
                Operation.EMBEDDINGS,
                Operation.RERANK,
                Operation.IMAGES,
                Operation.IMAGE_EDITS,
                Operation.SPEECH,
            }
        )
        | HEARING,
    ),
    Row(
        name="fireworks",
        base_url="https://api.fireworks.ai/inference/v1",
        # It "rejects unknown body fields outright"; these are in no parameter list of its SDK. `stream_options` is not
        # either and was refused in 2024 (github.com/FlowiseAI/Flowise/issues/2866); usage comes unasked in the last
        # chunk ("OpenAI compatibility", docs.fireworks.ai), so nothing is lost by not asking.
        source="fireworks-ai 1.2.30 (Python SDK), its tags and reasoning in the history, too; github.com/vercel/ai/"
        "pull/18306 (2026-08-01, tried live); Bifrost's page on Fireworks for store, verbosity, web_search_options, "
        "prompt_cache_retention",
        checked=READ,
        drop=frozenset({"audio", "cache_control", "modalities", "moderation", "prompt_cache_options", "store"})
        | {"prompt_cache_retention", "safety_identifier", "verbosity", "web_search_options"},
        stream_usage=False,
        controls=Controls(
            on={"thinking": {"type": "enabled"}},
            off={"thinking": {"type": "disabled"}},
            budget="thinking.budget_tokens",
            efforts=("none", *THREE),
            either=True,
        ),
        replay="reasoning_content",
        marks=BARE,
        thinks_in_tags=True,
        serves=CHAT_AND_EMBEDDINGS | {Operation.COMPLETIONS, Operation.RERANK, Operation.IMAGES},
    ),
    Row(
        name="openrouter",
        base_url="https://openrouter.ai/api/v1",
        source="openrouter 1.3.84 (Python SDK), ChatRequest: cache_control and top_k are in it, thinking is not; "
        "ReasoningDetailUnion; 'Reasoning tokens' (openrouter.ai/docs) for enabled, max_tokens and one of both",
        checked=READ,
        drop=frozenset(),
        controls=Controls(
            on={"reasoning": {"enabled": True}},
            off={"reasoning": {"effort": "none"}},
            adaptive={"reasoning": {"enabled": True}},
            budget="reasoning.max_tokens",
            efforts=("none", "minimal", *THREE, "xhigh", "max"),
            either=True,
        ),
        replay="reasoning",
        marks=MARKS,
        details="reasoning_details",
        serves=CHAT_AND_EMBEDDINGS | {Operation.RERANK, Operation.RESPONSES},
    ),
    Row(
        name="cerebras",
        base_url="https://api.cerebras.ai/v1",
        # Older documents list five more as refused (both penalties, logit_bias, parallel_tool_calls, service_tier);
        # the SDK of today has them all, so they go on.
        source="'property body.store is unsupported', 422: github.com/Gitlawb/openclaude/issues/740 (2026-04-17); "
        "cerebras-cloud-sdk 1.91.0, ChatCompletion: efforts, and reasoning in the history",
        checked=READ,
        drop=(NOT_OPENAI - {"thinking"}) | {"store"},
        controls=Controls(off=NONE, efforts=("none", *THREE)),
        replay="reasoning",
        marks=BARE,
    ),
    Row(
        name="nvidia",
        base_url="https://integrate.api.nvidia.com/v1",
        # Each model has a closed schema of its own ("Extra inputs are not permitted"), so no list fits all of them:
        # this holds what was reported, and the rest goes on. So it is with efforts.
        source="github.com/sipeed/picoclaw/issues/1019 (2026-03-03); github.com/NVIDIA/garak/issues/748 (2024-06-19)",
        checked=READ,
        drop=NOT_OPENAI | {"prompt_cache_key"},
        rename=LIMIT,
        marks=BARE,
        serves=CHAT_AND_EMBEDDINGS,
    ),
    Row(
        name="sambanova",
        base_url="https://api.sambanova.ai/v1",
        source="sambanova 1.13.0 (Python SDK): base URL, parameters, the switch, efforts, reasoning in the history, "
        "pictures by content; docs.sambanova.ai/docs/en/build/reasoning for the tags",
        checked=READ,
        drop=frozenset({"cache_control"}),
        controls=Controls(
            on={"chat_template_kwargs": {"enable_thinking": True}},
            off={"chat_template_kwargs": {"enable_thinking": False}},
            efforts=THREE,
        ),
        replay="reasoning",
        by_content=frozenset({"image_url"}),
        thinks_in_tags=True,
    ),
    Row(
        name="huggingface",
        base_url="https://router.huggingface.co/v1",
        # The router hands each call to another host, with rules of its own.
        source="huggingface_hub 2.4.0 (Python SDK): parameters; models.dev (2026-07-02) for the base URL and efforts, "
        "after huggingface.co/docs/inference-providers",
        checked=READ,
        drop=NOT_OPENAI - {"thinking"},
        rename=LIMIT,
        controls=Controls(off=NONE, efforts=("none", "minimal", *THREE, "xhigh")),
        finish_reasons={"eos_token": "stop", "stop_sequence": "stop"},
    ),
    Row(
        name="cloudflare",
        base_url="https://api.cloudflare.com/client/v4/accounts/{account_id}/ai/v1",
        # Each model has a schema of its own; how its thinking is switched differs, too.
        source="developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility; models.dev (2026-07-02) for "
        "efforts; cloudflare 5.9.0 (Python SDK), AIRunParams, for max_tokens and top_k",
        checked=READ,
        drop=frozenset({"cache_control"}),
        rename=LIMIT,
        controls=Controls(efforts=THREE),
        serves=CHAT_AND_EMBEDDINGS,
    ),
    Row(
        name="databricks",
        base_url="https://{host}/serving-endpoints",
        # 'json: unknown field "stream_options"', 400; usage comes unasked. Budgets are Claude's and Gemini 2.5's,
        # efforts GPT's and Gemini 3's; which levels is each model's matter.
        source="github.com/continuedev/continue/issues/12936 (2026-07-07); 'Foundation model REST API reference' and "
        "'Query reasoning models' (docs.databricks.com)",
        checked=READ,
        drop=frozenset({"cache_control"}),
        rename=LIMIT,
        stream_usage=False,
        controls=Controls(
            on={"thinking": {"type": "enabled"}},
            budget="thinking.budget_tokens",
            efforts=EFFORTS,
        ),
        marks=frozenset({"cache_control"}),
        details="content",
        serves=CHAT_AND_EMBEDDINGS,
    ),
    Row(
        name="github",
        base_url="https://models.github.ai/inference",
        # GitHub Models was retired on 2026-07-30 (github.blog/changelog/2026-07-30-github-models-is-now-retired), and
        # answers 410 since (github.com/tidyverse/ellmer/pull/1072). The row tells callers so in GitHub's own words.
        source="docs.github.com/en/rest/models/inference; models.dev (2026-07-02)",
        checked=READ,
        drop=NOT_OPENAI - {"thinking"},
        controls=Controls(),
    ),
    Row(
        name="novita",
        base_url="https://api.novita.ai/openai",
        # Its switch is documented for GLM-4.5 and DeepSeek V3.1/V3.2.
        source="novita.ai/docs/guides/llm-reasoning (base URL, reasoning_content) and llm-interleaved-thinking "
        "(reasoning goes back with tool results); models.dev (2026-07-02) for the switch",
        checked=READ,
        drop=frozenset({"cache_control"}),
        rename=LIMIT,
        controls=Controls(on={"enable_thinking": True}, off={"enable_thinking": False}),
        replay="reasoning_content",
        details="reasoning_details",
        serves=CHAT_AND_EMBEDDINGS | {Operation.COMPLETIONS, Operation.RERANK},
    ),
    Row(
        name="deepinfra",
        base_url="https://api.deepinfra.com/v1/openai",
        # Of Gemini and Gemma it counts reasoning apart, and of no other.
        source="@ai-sdk/deepinfra (github.com/vercel/ai, 2026-08-22): base URL, counting; models.dev (2026-07-02) for "
        "the switch, efforts and reasoning_content, after docs.deepinfra.com/chat/reasoning",
        checked=READ,
        drop=frozenset({"cache_control"}),
        rename=LIMIT,
        controls=Controls(on={"reasoning": {"enabled": True}}, off=NONE, efforts=("none", *THREE, "xhigh")),
        replay="reasoning_content",
        reasoning_apart="where larger",
        serves=CHAT_AND_EMBEDDINGS | {Operation.COMPLETIONS, Operation.SPEECH, Operation.TRANSCRIPTIONS},
    ),
    Row(
        name="hyperbolic",
        base_url="https://api.hyperbolic.xyz/v1",
        # Hugging Face dropped it as dead on 2026-06-29 (github.com/huggingface/huggingface_hub/pull/4447); others added
        # it a month later, after its own documents (github.com/lidge-jun/opencodex/pull/751). How it takes wishes for
        # reasoning is in none of them.
        source="docs.hyperbolic.xyz, as quoted there",
        checked=READ,
        drop=frozenset({"cache_control"}),
        rename=LIMIT,
        controls=Controls(),
    ),
    Row(
        name="nebius",
        base_url="https://api.tokenfactory.nebius.com/v1",
        # Fields that its schema does not have are let through to the model.
        source="docs.tokenfactory.nebius.com/api-reference/introduction; models.dev (2026-07-02) for efforts, further "
        "fields and reasoning_content, after its reference of chat completions",
        checked=READ,
        drop=frozenset({"cache_control"}),
        rename=LIMIT,
        controls=Controls(efforts=THREE),
        replay="reasoning_content",
        serves=CHAT_AND_EMBEDDINGS,
    ),
)
