"""The gateway's own fields: their bounds, their precedence, and that they never go on."""

from typing import Any

import pytest

from orrery.core.errors import InvalidRequest
from orrery.core.options import Options, Retry
from orrery.wire.credentials import FIELDS as CREDENTIALS
from orrery.wire.options import GATEWAY_FIELDS, LATER, read_options
from tests.wire.judging import read, refusal

MODEL = {"model": "a/b"}
PERSON = {"id": "p"}
SEARCH = {"knowledge_id": "k"}
PII = {"id": "pii_redaction"}


def also(base: dict[str, Any], *variants: dict[str, Any]) -> list[dict[str, Any]]:
    return [base | variant for variant in variants]


PEOPLE: tuple[list[Any], list[Any]] = (
    [PERSON, *also(PERSON, {"metadata": [{}]}, {"metadata": {}}, {"tags": []}, {"display_name": "x", "email": None})],
    [{}, {"id": ""}, {"id": 1}, "p", *also(PERSON, {"metadata": "x"}, {"metadata": [1]}, {"tags": [1]}, {"email": 1})],
)
RETRIES: tuple[list[Any], list[Any]] = (
    [{}, {"count": 1}, {"count": 5.0}, {"on_codes": [100, 599]}, {"count": 3, "on_codes": [429.0]}],
    [{"count": 0}, {"count": 6}, {"count": 1.5}, {"count": "3"}, {"count": True}, [], 3]
    + [{"on_codes": bad} for bad in ([], [99], [600], ["429"], [429.5], 429)],
)

# name: (accepted, refused)
BOUNDS: dict[str, tuple[list[Any], list[Any]]] = {
    "retry": RETRIES,
    "retries": RETRIES,
    "fallbacks": ([[], [MODEL] * 5], [[MODEL] * 6, ["a/b"], [{}], [{"model": ""}], [{"model": 1}], MODEL]),
    "timeout": ([{"call_timeout": 1}, {"call_timeout": 1.5}], [{}, {"call_timeout": 0.9}, {"call_timeout": "1"}, 1]),
    "cache": (
        [{"type": "exact_match"}, {"type": "exact_match", "ttl": 1}, {"type": "exact_match", "ttl": 259200}],
        [{}, {"ttl": 5}, {"type": "fuzzy"}, True]
        + [{"type": "exact_match", "ttl": bad} for bad in (0, 259201, 1.5, "60")],
    ),
    "load_balancer": (
        [
            [],
            [MODEL],
            [{**MODEL, "weight": 0.001}],
            [{**MODEL, "weight": 1}],
            {"type": "weight_based", "models": [MODEL]},
        ],
        [{}, {"type": "weight_based"}, {"type": "random", "models": []}, [{}], "a/b"]
        + [[{**MODEL, "weight": bad}] for bad in (0, 0.0009, 1.01, "1")],
    ),
    "variables": ([{}, {"a": [1]}], [[], "x"]),
    "inputs": (
        [{}, {"a": 1}, [], [{"key": "a"}, {"key": "b", "value": [1], "is_pii": True}]],
        ["x", [1], [{}], [{"key": 1}]],
    ),
    "template_engine": (["text", "jinja", "mustache"], ["erb", 1]),
    "guardrails": (
        [[], [{"id": "orq_pii_detection", "execute_on": "input"}], [{"id": "mine", "execute_on": "output"}]],
        [[{}], [{"id": "x"}], [{"execute_on": "input"}], [{"id": "x", "execute_on": "never"}], [1], {}],
    ),
    "plugins": (
        [
            [],
            [PII],
            [{**PII, "on_failure": "block", "threshold": 0, "language": "nl", "entities": ["AGE"]}],
            [{"id": "response_healing"}, {"id": "trace_scrubbing", "mask": ["all", "variables"]}],
        ],
        [[{}], [{"id": "x"}], [{"id": "trace_scrubbing"}], [{"id": "trace_scrubbing", "mask": []}]]
        + [[{"id": "trace_scrubbing", "mask": ["x"]}], ["pii_redaction"]]
        + [
            [{**PII, **bad}] for bad in ({"on_failure": "x"}, {"threshold": 1.1}, {"language": "de"}, {"entities": [1]})
        ],
    ),
    "identity": PEOPLE,
    "contact": PEOPLE,
    "thread": ([{"id": "t"}, {"id": "t", "tags": ["x"]}], [{}, {"id": ""}, {"id": "t", "tags": "x"}, "t"]),
    "name": (["trace", ""], [1]),
    "prompt": ([{"id": "p", "version": "latest"}], [{}, {"id": "p"}, {"id": "p", "version": "1"}, "p"]),
    "knowledge_bases": (
        [[], [SEARCH], [{**SEARCH, "top_k": 1, "threshold": 0, "search_type": None, "query": "x", "filter_by": {}}]]
        + [
            [{**SEARCH, "top_k": 100, "threshold": 1, "search_type": kind}]
            for kind in ("vector_search", "hybrid_search")
        ]
        + [[{**SEARCH, "rerank_config": {"model": "m", "threshold": 1, "top_k": 100}, "agentic_rag_config": MODEL}]]
        + [[{**SEARCH, "search_type": "keyword_search", "search_options": {"include_scores": True}}]],
        [[{}], [{"knowledge_id": ""}], SEARCH]
        + [[{**SEARCH, "top_k": bad}] for bad in (0, 101, 1.5)]
        + [[{**SEARCH, "threshold": bad}] for bad in (-0.1, 1.1)]
        + [[{**SEARCH, "search_type": "fuzzy"}], [{**SEARCH, "filter_by": []}], [{**SEARCH, "agentic_rag_config": {}}]]
        + [[{**SEARCH, "search_options": {"include_vectors": 1}}]]
        + [
            [{**SEARCH, "rerank_config": bad}]
            for bad in ({}, {"model": "m", "top_k": 0}, {"model": "m", "threshold": 2})
        ],
    ),
}

ACCEPTED = [
    (name, value) for name, (accepted, _) in BOUNDS.items() for value in accepted if name not in LATER or not value
]
COMING = [(name, value) for name in LATER for value in BOUNDS[name][0] if value]
REFUSED = [(name, value) for name, (_, refused) in BOUNDS.items() for value in refused]


def test_no_field_is_left_untested() -> None:
    assert BOUNDS.keys() | {"orq"} | CREDENTIALS == GATEWAY_FIELDS  # test_credentials has those


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_a_value_within_the_bounds_is_accepted_on_both_levels_and_goes_no_further(name: str, value: Any) -> None:
    assert read(**{name: value}).body == read(orq={name: value}).body == read().body


@pytest.mark.parametrize(("name", "value"), COMING)
def test_what_is_not_done_yet_is_refused_rather_than_ignored(name: str, value: Any) -> None:
    for fields, param in (({name: value}, name), ({"orq": {name: value}}, f"orq.{name}")):
        with pytest.raises(InvalidRequest) as caught:
            read(**fields)
        assert (caught.value.status, caught.value.code, caught.value.param) == (400, "unsupported_parameter", param)


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_value_outside_the_bounds_is_refused_on_both_levels(name: str, value: Any) -> None:
    at_top, nested = refusal(**{name: value}), refusal(orq={name: value})
    assert at_top.param is not None
    assert at_top.param.startswith(name)
    assert nested.param == f"orq.{at_top.param}"


@pytest.mark.parametrize("orq", [[], "x", 1, True])
def test_orq_is_an_object(orq: Any) -> None:
    assert refusal(orq=orq).param == "orq"


def test_a_request_without_options_retries_nothing() -> None:
    assert read().options == Options() == read(orq={}, retry=None, fallbacks=None, timeout=None).options


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        ({}, Retry(3, frozenset({429}))),
        ({"count": None, "on_codes": None}, Retry(3, frozenset({429}))),
        ({"count": 1.0}, Retry(1, frozenset({429}))),
        ({"on_codes": [500, 502.0, 500]}, Retry(3, frozenset({500, 502}))),
    ],
)
def test_a_retry_object_has_defaults(retry: dict[str, Any], expected: Retry) -> None:
    for body in ({"retry": retry}, {"retries": retry}, {"orq": {"retry": retry}}, {"orq": {"retries": retry}}):
        found = read_options(body).retry
        assert found == expected
        assert {type(found.count), *map(type, found.on_codes)} == {int}


def test_fallbacks_keep_their_order() -> None:
    options = read_options({"fallbacks": [{"model": "b/2"}, {"model": "a/1", "x": 1}]})
    assert options.fallbacks == ("b/2", "a/1")


def test_a_timeout_is_in_milliseconds() -> None:
    assert read_options({"timeout": {"call_timeout": 30000}}).call_timeout_s == 30.0
    assert read_options({"orq": {"timeout": {"call_timeout": 1}}}).call_timeout_s == 0.001


def test_per_field_the_top_level_wins_whole() -> None:
    nested = {"retry": {"count": 5, "on_codes": [500]}, "timeout": {"call_timeout": 9000}}
    options = read_options({"retry": {"count": 2}, "orq": nested})
    assert options.retry == Retry(2, frozenset({429}))
    assert options.call_timeout_s == 9.0


def test_an_empty_list_at_the_top_level_wins_too_but_null_does_not() -> None:
    nested = {"fallbacks": [MODEL]}
    assert read_options({"fallbacks": [], "orq": nested}).fallbacks == ()
    assert read_options({"fallbacks": None, "orq": nested}).fallbacks == ("a/b",)


def test_the_newer_name_of_retry_wins_within_a_level() -> None:
    assert read_options({"retries": {"count": 1}, "retry": {"count": 2}}).retry.count == 2
    assert read_options({"retries": {"count": 1}, "orq": {"retry": {"count": 2}}}).retry.count == 1
