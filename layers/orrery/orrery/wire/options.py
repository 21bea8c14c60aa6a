"""The gateway's own fields of a request: what they may hold, and what of them is acted on.

Source: seed 003 and Orq's published field trees (read 2026-11-21). They are taken at the top level and inside the
older `orq` object; per field the top level wins whole. All are validated; retries, fallbacks and timeouts are obeyed,
and a caller's own credential is used (`wire.credentials`).
"""

from collections.abc import Mapping
from typing import Any

from orrery.core.options import Options, Retry
from orrery.core.types import Json
from orrery.wire import credentials
from orrery.wire.shapes import (
    ANYTHING,
    BOOLEAN,
    FILLED,
    OBJECT,
    STRING,
    Shape,
    array,
    checking,
    either,
    integer,
    number,
    one_of,
    record,
    variants,
    whole,
)

_MODELS = array(record({"model": FILLED}), at_most=5)
_RETRY = record({}, {"count": whole(1, 5), "on_codes": array(whole(100, 599), at_least=1)})
_WEIGHTED = array(record({"model": FILLED}, {"weight": number(0.001, 1)}))
_PERSON = record(
    {"id": FILLED},
    {
        "display_name": STRING,
        "email": STRING,
        "metadata": either(object=OBJECT, array=array(OBJECT)),  # published as a list, shown as an object
        "logo_url": STRING,
        "tags": array(STRING),
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

_FIELDS: Mapping[str, Shape] = {
    "retry": _RETRY,
    "retries": _RETRY,  # the oldest documents' name for it
    "fallbacks": _MODELS,
    "timeout": record({"call_timeout": number(1)}),
    "cache": record({"type": one_of("exact_match")}, {"ttl": whole(1, 259_200)}),
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
    "thread": record({"id": FILLED}, {"tags": array(STRING)}),
    "name": STRING,
    "prompt": record({"id": FILLED, "version": one_of("latest")}),
    "knowledge_bases": array(_SEARCH),
}

GATEWAY_FIELDS = frozenset(_FIELDS) | credentials.FIELDS | {"orq"}
"""What never goes to a provider. (An endpoint with a `prompt` of its own, such as completions, keeps that one.)"""

_check = checking(record({}, {**_FIELDS, "orq": record({}, _FIELDS)}))

_NONE = Options()


def read_options(body: Mapping[str, Any], own: frozenset[str] = frozenset()) -> Options:
    """The options of a request. Raises `InvalidRequest` for a gateway field outside its published bounds.

    `own` are fields that mean something else at this endpoint. Without a retry object nothing is retried; one without
    `count` means 3, one without `on_codes` means 429.
    """
    if own:
        body = {name: value for name, value in body.items() if name not in own}
    if GATEWAY_FIELDS.isdisjoint(body):
        return _NONE
    _check(body)
    nested = body.get("orq") or {}

    def given(*names: str) -> Any:
        for level in (body, nested):
            for name in names:
                if level.get(name) is not None:
                    return level[name]
        return None

    fallbacks, timeout = given("fallbacks") or (), given("timeout")
    return Options(
        retry=_retry(given("retry", "retries")),
        fallbacks=tuple(fallback["model"] for fallback in fallbacks),
        call_timeout_s=None if timeout is None else timeout["call_timeout"] / 1000,
        credentials=credentials.read_credentials(body, nested),
    )


def _retry(retry: Json | None) -> Retry:
    if retry is None:
        return Retry()
    codes = retry.get("on_codes") or (429,)
    return Retry(count=int(retry.get("count") or 3), on_codes=frozenset(map(int, codes)))
