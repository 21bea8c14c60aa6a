"""Servers that an operator runs."""

from orrery.core.types import Operation
from orrery.providers.compatible import BY_CHAT, WIRES, Controls, Row
from orrery.providers.compatible.row import AS_GIVEN, CHAT_AND_EMBEDDINGS, HEARING, MARKS
from orrery.providers.rows.makers import LIMIT, READ

OWN = (
    Row(
        name="ollama",
        base_url="http://127.0.0.1:11434/v1",
        # It fetches no pictures ("invalid image input").
        source="github.com/ollama/ollama, openai/openai.go: fields that ChatCompletionRequest lacks are not read, the "
        "history's `reasoning` is; models.dev (2026-07-02) for efforts, after docs.ollama.com",
        checked=READ,
        rename=LIMIT,
        needs_key=False,
        controls=Controls(off={"reasoning_effort": "none"}, efforts=("none", "low", "medium", "high", "max")),
        replay="reasoning",
        marks=MARKS,
        by_content=frozenset({"image_url"}),
        serves=CHAT_AND_EMBEDDINGS | {Operation.COMPLETIONS},
    ),
    Row(
        name="vllm",
        base_url="http://127.0.0.1:8000/v1",
        # It reads `reasoning` in the history, and leaves `reasoning_content` there unread.
        source="github.com/vllm-project/vllm, OpenAIBaseModel: extra fields are allowed and ignored; "
        "entrypoints/chat_utils.py for the history",
        checked=READ,
        needs_key=False,
        replay="reasoning",
        marks=MARKS,
        serves=CHAT_AND_EMBEDDINGS | HEARING | {Operation.COMPLETIONS, Operation.RERANK, Operation.RESPONSES},
    ),
    Row(
        name="sandbox",
        base_url="",  # the local server fills it in
        source="Orrery's own practice provider",
        checked=READ,
        needs_key=False,
        replay=AS_GIVEN,
        marks=MARKS,
        serves=frozenset({Operation.CHAT, *WIRES}) - BY_CHAT,
    ),
)
