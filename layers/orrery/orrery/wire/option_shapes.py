"""The gateway's own fields of a request: what they may hold.

Source: seed 003 and Orq's published field trees (read 2026-11-21).
"""

from collections.abc import Mapping

from orrery.wire.shapes import (
    ANYTHING,
    BOOLEAN,
    FILLED,
    OBJECT,
    STRING,
    Shape,
    array,
    either,
    integer,
    number,
    one_of,
    record,
    rule,
    string,
    variants,
    whole,
)

LONGEST_ID = 256
"""Characters of a label: an identity's, a thread's."""

MOST_CACHED_S = 259_200

LABEL = rule(lambda text: None if 0 < len(text) <= LONGEST_ID else f"1 to {LONGEST_ID} characters", STRING)

_MODELS = array(record({"model": FILLED}), at_most=5)
_RETRY = record({}, {"count": whole(1, 5), "on_codes": array(whole(100, 599), at_least=1)})
_WEIGHTED = array(record({"model": FILLED}, {"weight": number(0.001, 1)}))
_PERSON = record(
    {"id": LABEL},
    {
        "display_name": STRING,
        "email": STRING,
        "metadata": either(object=OBJECT, array=array(OBJECT)),  # published as a list, shown as an object
        "logo_url": STRING,
        "tags": array(string(LONGEST_ID), at_most=64),
    },
)
_SEARCH = record(
    {"knowledge_id": FILLED},
    {
        "query": STRING,
        "top_k": integer(1, 100),
        "threshold": number(0, 1),
        "search_type": one_of("vector_search", "keyword_search", "hybrid_search"),
        "filter_by": OBJECT,
        "search_options": record(
            {}, {"include_vectors": BOOLEAN, "include_metadata": BOOLEAN, "include_scores": BOOLEAN}
        ),
        "rerank_config": record({"model": FILLED}, {"threshold": number(0, 1), "top_k": integer(1, 100)}),
        "agentic_rag_config": record({"model": FILLED}),
    },
)
_PII_REDACTION = record(
    {},
    {
        "on_failure": one_of("block", "passthrough"),
        "threshold": number(0, 1),
        "language": one_of("en", "nl"),
        "entities": array(STRING),  # the published list of names is longer than any document shows
    },
)
_MASKS = one_of("all", "system", "input", "output", "metadata", "variables")

FIELDS: Mapping[str, Shape] = {
    "retry": _RETRY,
    "retries": _RETRY,  # the oldest documents' name for it
    "fallbacks": _MODELS,
    "timeout": record({"call_timeout": number(1)}),
    "cache": record({"type": one_of("exact_match")}, {"ttl": whole(1, MOST_CACHED_S)}),
    "load_balancer": either(
        array=_WEIGHTED,  # seed 003's shape; the object came later
        object=variants("type", {"weight_based": record({"models": _WEIGHTED})}),
    ),
    "variables": OBJECT,
    "inputs": either(object=OBJECT, array=array(record({"key": STRING}, {"value": ANYTHING, "is_pii": BOOLEAN}))),
    "template_engine": one_of("text", "jinja", "mustache"),
    "guardrails": array(record({"id": FILLED, "execute_on": one_of("input", "output")})),
    "plugins": array(
        variants(
            "id",
            {
                "pii_redaction": _PII_REDACTION,
                "response_healing": OBJECT,
                "trace_scrubbing": record({"mask": array(_MASKS, at_least=1)}),
            },
        )
    ),
    "identity": _PERSON,
    "contact": _PERSON,
    "thread": record({"id": LABEL}, {"tags": array(string(LONGEST_ID), at_most=64)}),
    "name": string(LONGEST_ID),
    "prompt": record({"id": FILLED, "version": one_of("latest")}),
    "knowledge_bases": array(_SEARCH),
}
