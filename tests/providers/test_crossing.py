"""Signed thinking when a fallback crosses providers: withheld from strangers, given back whole to who signed it."""

from base64 import b64encode, urlsafe_b64decode
from typing import Any

import orjson
import pytest

from orrery import providers
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation, Target
from orrery.providers.layout import Sealed, opened
from tests.providers.cases import CHATTING, Case, all_cases

SIGNED = ("reasoning_signature", "redacted_reasoning")


def message_of(case: Case) -> Any:
    return case.json_of("answer.json")["choices"][0]["message"]


CASES = [case for case in all_cases() if case.has("answer.json") and any(message_of(case).get(name) for name in SIGNED)]
SIGNERS = sorted({case.provider for case in CASES})
STRANGERS = [name for name in CHATTING if name != "sandbox"]


def sealed_in(message: Any) -> list[Sealed]:
    return [opened(message[name]) for name in SIGNED if message.get(name)]


def raw_of(sealed: Sealed) -> list[str]:
    """What the provider itself sent. Some dialects mark with a dot, or a word, what nobody signed."""
    listed = (
        [data for _, _, data in orjson.loads(urlsafe_b64decode(sealed.data))] if sealed.describes else [sealed.data]
    )
    return [data.lstrip(".") for data in listed]


def unpacked(raw: str) -> bytes:
    """Reasoning that is JSON by nature travels packed, and goes back as it was."""
    return orjson.dumps(orjson.loads(urlsafe_b64decode(raw)))


def sent_to(name: str, case: Case) -> bytes:
    """The request to `name` of a conversation that goes on after the case's answer."""
    message = message_of(case)
    results = [{"role": "tool", "tool_call_id": c["id"], "content": "1"} for c in message.get("tool_calls") or ()]
    history = [{"role": "user", "content": "Hi"}, message, *results, {"role": "user", "content": "Go on"}]
    before = orjson.dumps(history)
    provider = providers.get(name)
    assert provider is not None
    model = case.call().model.partition("/")[2] if name == case.provider else "some-model"
    target = Target(name, model, provider.base_url, "us-east-1" if name == "bedrock" else "global")
    call = Call(Operation.CHAT, model, {"model": model, "messages": history})
    located = provider.locate(target) if provider.locate else target
    body = orjson.dumps(provider.adapters[Operation.CHAT].encode(call, located).body)
    assert orjson.dumps(history) == before, "the caller's own message was changed"
    return body


def test_there_is_something_to_cross() -> None:
    assert {"anthropic", "google"} <= set(SIGNERS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.provider}/{case.name}")
def test_a_signature_goes_back_to_its_issuer_byte_for_byte(case: Case) -> None:
    body = sent_to(case.provider, case)
    for raw in [raw for sealed in sealed_in(message_of(case)) for raw in raw_of(sealed)]:
        spellings = raw.encode(), b64encode(raw.encode())
        assert any(spelled in body for spelled in spellings) or unpacked(raw) in body


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.provider}/{case.name}")
def test_a_signature_is_withheld_from_every_stranger(case: Case) -> None:
    told = [name for name in STRANGERS if name != case.provider and shows(case, name)]
    assert told == []


def shows(case: Case, stranger: str) -> bool:
    """Whether a request to `stranger` holds what only the case's provider can read."""
    try:
        body = sent_to(stranger, case)
    except InvalidRequest:
        return False  # it cannot take this conversation at all
    for one in sealed_in(message_of(case)):
        is_theirs = one.issuer == "anthropic" and stranger in ("anthropic", "bedrock")
        raws = [] if is_theirs else [raw.encode() for raw in raw_of(one) if len(raw) >= 8]
        marks = [f"{one.issuer}:".encode(), f"{one.issuer}/blocks:".encode()]
        if any(text in body for text in raws + marks):
            return True
    return False
