"""Providers that serve models of their own."""

from orrery.core.types import Operation
from orrery.providers.compatible import NOT_OPENAI, Controls, Row
from orrery.providers.compatible.row import CHAT_AND_EMBEDDINGS, EFFORTS, HEARING

READ = "2026-11-21"

LIMIT = {"max_completion_tokens": "max_tokens"}
ON, OFF, ADAPTIVE = ({"thinking": {"type": word}} for word in ("enabled", "disabled", "adaptive"))

MAKERS = (
    Row(
        name="openai",
        base_url="https://api.openai.com/v1",
        # Its thinking has no switch and no budget; which efforts there are is each model's matter.
        source="OpenAI API document 2.3.0; its 400 'Unrecognized request argument supplied: cache_control' is quoted "
        "in github.com/gethnet/litellm-connector-copilot/pull/138 (2026-08-23)",
        checked=READ,
        drop=NOT_OPENAI - {"thinking"},
        controls=Controls(efforts=EFFORTS),
        by_content=frozenset({"file"}),
        serves=frozenset(
            {
                Operation.CHAT,
                Operation.COMPLETIONS,
                Operation.RESPONSES,
                Operation.EMBEDDINGS,
                Operation.IMAGES,
                Operation.IMAGE_EDITS,
                Operation.IMAGE_VARIATIONS,
                Operation.VIDEOS,
                Operation.MODERATIONS,
                Operation.SPEECH,
            }
        )
        | HEARING,
    ),
    Row(
        name="deepseek",
        base_url="https://api.deepseek.com",
        # Parameters that its thinking mode cannot use are documented as ignored, and so is earlier reasoning but where
        # tools were called: there, missing reasoning is a 400, be there any or not. Efforts are mapped on its side.
        source="api-docs.deepseek.com/guides/thinking_mode; @ai-sdk/deepseek 2.0.69 for max_tokens, stream_options, "
        "adaptive thinking and insufficient_system_resource; github.com/deepseek-ai/deepseek-harness/discussions/739",
        checked=READ,
        drop=NOT_OPENAI - {"thinking"},
        rename=LIMIT,
        controls=Controls(
            on=ON, off=OFF, adaptive=ADAPTIVE, efforts=("minimal", "low", "medium", "high", "xhigh", "max")
        ),
        replay="reasoning_content",
        replay_with_calls=True,
        failures={"insufficient_system_resource": 503},
        serves=frozenset({Operation.CHAT, Operation.COMPLETIONS}),
    ),
    Row(
        name="xai",
        base_url="https://api.x.ai/v1",
        # Reasoning models refuse `stop` as well, and some `reasoning_effort`; others take them, so both go on. The
        # effort "none" is known to grok-4.3 and newer.
        source="'Model … does not support parameter presencePenalty', for reasoning models and others alike: "
        "github.com/miaoxworld/NativeTavern/issues/83 (2026-09-15); both penalties, efforts and counting in "
        "@ai-sdk/xai 3.0.138",
        checked=READ,
        drop=(NOT_OPENAI - {"thinking"}) | {"presence_penalty", "frequency_penalty"},
        controls=Controls(off={"reasoning_effort": "none"}, efforts=("none", "low", "medium", "high", "xhigh")),
        reasoning_apart="always",
        serves=frozenset({Operation.CHAT, Operation.RESPONSES, Operation.IMAGES, Operation.IMAGE_EDITS}),
    ),
    Row(
        name="perplexity",
        base_url="https://api.perplexity.ai",
        # Perplexity announced the end of this API for 2026-09-27 (docs.perplexity.ai, "Migrate from Sonar"; the date in
        # github.com/vercel/ai, release @ai-sdk/perplexity@3.1.0); clients report "Sonar is now the Agent API" since.
        # The row stays for those whose access goes on. That it refuses anything of OpenAI's is not documented.
        source="perplexityai 0.46.1 (Python SDK), chat request: top_k is in it; docs.perplexity.ai/docs/sonar; models."
        "dev (2026-07-02) for efforts; langchain-perplexity (reference.langchain.com) for the tags around reasoning",
        checked=READ,
        drop=NOT_OPENAI - {"top_k", "thinking"},
        rename=LIMIT,
        controls=Controls(efforts=("minimal", "low", "medium", "high")),
        thinks_in_tags=True,
    ),
    Row(
        name="moonshot",
        base_url="https://api.moonshot.ai/v1",
        # It fetches no pictures. Efforts are Kimi K3's; it thinks or not by `thinking`.
        source="@ai-sdk/moonshotai (github.com/vercel/ai, 2026-08-22, tried live there): thinking, efforts, usage, "
        "reasoning in the history, no top_k, pictures by content; usage in a choice: as public clients read it",
        checked=READ,
        drop=NOT_OPENAI - {"thinking"},
        controls=Controls(on=ON, off=OFF, budget="thinking.budget_tokens", efforts=("low", "high", "max")),
        replay="reasoning_content",
        by_content=frozenset({"image_url"}),
    ),
    Row(
        name="qwen",
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        # Alibaba's Model Studio, outside China. An effort is documented for the DeepSeek models it serves only, and
        # earlier reasoning as ignored.
        source="@ai-sdk/alibaba (github.com/vercel/ai, 2026-08-22) for what it takes, its marks and its usage; models."
        "dev (2026-07-02) for enable_thinking and thinking_budget, after alibabacloud.com/help/en/model-studio",
        checked=READ,
        drop=frozenset({"cache_control"}),
        rename=LIMIT,
        controls=Controls(on={"enable_thinking": True}, off={"enable_thinking": False}, budget="thinking_budget"),
        marks=frozenset({"cache_control"}),
        serves=CHAT_AND_EMBEDDINGS,
    ),
    Row(
        name="zhipu",
        base_url="https://api.z.ai/api/paas/v4",
        # Z.ai, outside China. "none" is an effort of GLM-5.2 and newer; the switch is known to all that think.
        # `stream_options` is in no document; usage comes unasked in the last chunk.
        source="zai-sdk 0.2.3 (Python SDK): base URL, parameters, efforts; docs.z.ai/guides/capabilities/thinking-mode "
        "for the switch, and that reasoning goes back with tool results; finish reasons as public clients list them",
        checked=READ,
        drop=NOT_OPENAI - {"thinking"},
        rename=LIMIT,
        stream_usage=False,
        controls=Controls(on=ON, off=OFF, efforts=("minimal", "low", "medium", "high", "xhigh", "max")),
        replay="reasoning_content",
        finish_reasons={"sensitive": "content_filter", "model_context_window_exceeded": "length"},
        failures={"network_error": 502},
        serves=CHAT_AND_EMBEDDINGS,
    ),
    Row(
        name="minimax",
        base_url="https://api.minimax.io/v1",
        # M2 models think always; M3 adapts unless told not to. Thinking stands in tags in the content, and must go back
        # so; who sends `reasoning_split` gets it, and gives it back, as `reasoning_details`.
        source="platform.minimax.io/docs/api-reference/text-openai-api; java.agentscope.io/v2/en/integration/model/"
        "minimax for the switch and what is in no document of it",
        checked=READ,
        drop=NOT_OPENAI - {"thinking"},
        controls=Controls(on=ADAPTIVE, off=OFF, adaptive=ADAPTIVE),
        replay="<think>",
        thinks_in_tags=True,
        details="reasoning_details",
    ),
    Row(
        name="ai21",
        base_url="https://api.ai21.com/studio/v1",
        # Usage comes unasked in the last chunk; what it refuses is not documented. Its models do not reason.
        source="ai21 4.3.0 (Python SDK): base URL, parameters, shapes of replies and chunks; github.com/Portkey-AI/"
        "gateway/pull/1668 (2026-05-27) for those of OpenAI's parameters that it does not accept",
        checked=READ,
        drop=(NOT_OPENAI - {"thinking"})
        | {"logit_bias", "logprobs", "parallel_tool_calls", "service_tier", "top_logprobs"},
        rename=LIMIT,
        stream_usage=False,
        controls=Controls(),
    ),
)
