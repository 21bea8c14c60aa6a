"""Stored prompts as they are posted: what is kept as it came, and what is refused with its path."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.core.errors import InvalidRequest, TooLarge
from orrery.core.prompts import PromptChange, PromptDraft, PromptFacts, is_key
from orrery.wire.body import dumps
from orrery.wire.options import GATEWAY_FIELDS
from orrery.wire.prompt_documents import LARGEST_BYTES, SHARED_OPTIONS, read_change, read_draft

MESSAGES = [{"role": "system", "content": "Be kind to {{name}}."}]


def posted(**more: Any) -> dict[str, Any]:
    return {"display_name": "Kind", "prompt": {"messages": MESSAGES}} | more


def holding(**more: Any) -> dict[str, Any]:
    return posted(prompt={"messages": MESSAGES} | more)


def test_the_least_that_makes_a_prompt() -> None:
    assert read_draft(posted()) == PromptDraft(PromptFacts("Kind"), {"messages": MESSAGES})


def test_everything_that_is_said_of_one() -> None:
    facts: dict[str, Any] = {
        "description": "two\nlines",
        "metadata": {"use_cases": ["Agents"], "language": None, "team": "x"},
        "path": "Default/agents",
    }
    draft = read_draft(posted(key="kind", publish=False, **facts))
    assert draft.facts == PromptFacts("Kind", facts["description"], facts["metadata"], facts["path"])
    assert (draft.key, draft.publish) == ("kind", False)


def test_null_is_what_was_left_out() -> None:
    assert read_draft(posted(description=None, metadata=None, path=None, key=None, publish=None)) == read_draft(
        posted()
    )


def test_a_prompt_is_kept_as_it_came() -> None:
    prompt: dict[str, Any] = {
        "temperature": 0.5,
        "unknown": {"z": 1, "a": None},
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "new": 1}], "extra": True}],
        "model": "openai/gpt-4o",
        "top_p": None,
        "fallbacks": [{"model": "groq/x"}],
        "retry": {"count": 2},
        "cache": {"type": "exact_match", "ttl": 60},
        "timeout": {"call_timeout": 1000},
        "load_balancer": [{"model": "openai/gpt-4o"}],
        "name": "trace",
    }
    kept = read_draft(posted(prompt=prompt)).document
    assert dumps(kept) == dumps(prompt)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": {"messages": MESSAGES}}, "display_name"),
        (posted(display_name=""), "display_name"),
        (posted(display_name="x" * 129), "display_name"),
        (posted(display_name="a\x1b[2J"), "display_name"),
        (posted(display_name=7), "display_name"),
        (posted(display_name=None), "display_name"),
        ({"display_name": "Kind"}, "prompt"),
        (posted(prompt="Be kind."), "prompt"),
        (posted(prompt=None), "prompt"),
        (posted(prompt={}), "prompt.messages"),
        (posted(prompt={"messages": []}), "prompt.messages"),
        (posted(prompt={"messages": [{"role": "robot", "content": "x"}]}), "prompt.messages[0].role"),
        (posted(prompt={"messages": [*MESSAGES, {"role": "user"}]}), "prompt.messages[1].content"),
        (holding(model=""), "prompt.model"),
        (holding(temperature=3), "prompt.temperature"),
        (holding(tools=[{"type": "function"}]), "prompt.tools[0].function"),
        (holding(retry={"count": 9}), "prompt.retry.count"),
        (holding(fallbacks=[{}]), "prompt.fallbacks[0].model"),
        (holding(guardrails=[{"id": "x", "execute_on": "input"}]), "prompt.guardrails"),
        (holding(stream=True), "prompt.stream"),
        (holding(stream=False), "prompt.stream"),
        (posted(key=""), "key"),
        (posted(key="two words"), "key"),
        (posted(key="a#b"), "key"),
        (posted(key="x" * 65), "key"),
        (posted(key=7), "key"),
        (posted(description="x" * 4097), "description"),
        (posted(metadata=[]), "metadata"),
        (posted(metadata={"use_cases": "Agents"}), "metadata.use_cases"),
        (posted(metadata={"language": 1}), "metadata.language"),
        (posted(metadata={"x": "x" * 9000}), "metadata"),
        (posted(path="x" * 257), "path"),
        (posted(path="a\nb"), "path"),
        (posted(publish="yes"), "publish"),
        (posted(prompts={}), "prompts"),
        (posted(messages=MESSAGES), "messages"),
    ],
)
def test_what_is_wrong_is_refused_with_its_path(body: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_draft(body)
    assert refused.value.param == param
    assert refused.value.status == 400
    if "." in param:
        assert f"'{param}'" in refused.value.message


BELONGS_TO_A_REQUEST: dict[str, Any] = {
    "api_key": "canary-key",
    "base_url": "https://canary-key.example",
    "api_base": "https://canary-key.example",
    "aws_access_key_id": "canary-key",
    "aws_secret_access_key": "canary-key",
    "aws_session_token": "canary-key",
    "aws_region_name": "us-east-1",
    "orq": {"retry": {"count": 1}, "api_key": "canary-key"},
    "prompt": {"id": "other", "version": "latest"},
    "variables": {"x": "canary-key"},
    "inputs": {"x": "canary-key"},
    "template_engine": "jinja",
    "identity": {"id": "canary-key"},
    "contact": {"id": "canary-key"},
    "thread": {"id": "canary-key"},
}


@pytest.mark.parametrize("name", BELONGS_TO_A_REQUEST)
def test_what_belongs_to_a_request_is_not_stored(name: str) -> None:
    for read in (read_draft, read_change):
        with pytest.raises(InvalidRequest) as refused:
            read({"display_name": "Kind", "prompt": {"messages": MESSAGES, name: BELONGS_TO_A_REQUEST[name]}})
        assert refused.value.param == f"prompt.{name}"
        assert "canary-key" not in refused.value.message
    assert read_draft(holding(**{name: None})).document[name] is None


def test_every_field_of_the_gateway_was_thought_of() -> None:
    later = {"guardrails", "plugins", "knowledge_bases"}
    assert SHARED_OPTIONS | later | set(BELONGS_TO_A_REQUEST) == GATEWAY_FIELDS


def test_a_prompt_has_its_largest_size() -> None:
    empty = len(dumps({"messages": [{"role": "user", "content": ""}]}))

    def of(size: int) -> Any:
        return posted(prompt={"messages": [{"role": "user", "content": "x" * (size - empty)}]})

    assert read_draft(of(LARGEST_BYTES))
    with pytest.raises(TooLarge):
        read_draft(of(LARGEST_BYTES + 1))
    with pytest.raises(TooLarge):
        read_change({"prompt": of(LARGEST_BYTES + 1)["prompt"]})


def test_a_change_is_what_is_named_and_no_more() -> None:
    assert read_change({}) == PromptChange()
    assert read_change({"display_name": "New", "path": "p"}).facts == {"display_name": "New", "path": "p"}
    assert read_change({"description": None, "metadata": None, "path": None}).facts == {
        "description": "",
        "metadata": {},
        "path": "",
    }
    changed = read_change({"prompt": {"messages": MESSAGES}, "publish": False})
    assert (changed.facts, changed.document, changed.publish) == ({}, {"messages": MESSAGES}, False)
    assert read_change({"prompt": {"messages": MESSAGES}}).publish is True


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"display_name": None}, "display_name"),
        ({"prompt": None}, "prompt"),
        ({"prompt": {}}, "prompt.messages"),
        ({"key": "other"}, "key"),
        ({"publish": True}, "publish"),
        ({"publish": False, "path": "p"}, "publish"),
        ({"metadata": {"use_cases": [1]}}, "metadata.use_cases[0]"),
        ({"display_name": "x" * 129}, "display_name"),
        ({"prompt": {"messages": MESSAGES, "retry": {"count": 9}}}, "prompt.retry.count"),
        ({"id": "x"}, "id"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_its_path(body: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_change(body)
    assert refused.value.param == param


@pytest.mark.parametrize("key", ["a", "A1", "support.reply-2_x", "prompt_0Az9", "x" * 64])
def test_a_key(key: str) -> None:
    assert is_key(key)


@given(st.text(max_size=70))
def test_a_key_is_fit_for_headers_files_and_tables(text: str) -> None:
    if is_key(text):
        assert text.isascii() and 0 < len(text) <= 64
        assert not set(text) & set("#/\\ @,:\n\x00'\"") and ".." not in text and text[0] not in ".-"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["display_name", "prompt", "key", "publish", "metadata", "path", "description", "messages", "retry", "model"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_is_posted_is_read_or_refused(body: Any, prompt: Any) -> None:
    for asked in (body, posted(prompt=prompt), holding(**{**prompt, "messages": MESSAGES}), body | posted()):
        for read in (read_draft, read_change):
            try:
                read(asked)
            except (InvalidRequest, TooLarge):
                continue
