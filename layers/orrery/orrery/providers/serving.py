"""Which adapter serves a call at a target: the provider's own for the operation, or one built over another."""

from orrery.core.dialect import Adapter, Provider
from orrery.core.types import Operation, Target

FILLING = frozenset({"deepseek", "mistral"})
"""Providers that complete with some of their models only: those of which the catalog says so."""

NAMED_BY_OPERATORS = frozenset({"azure"})
"""Providers whose models of other makers speak chat only: those that the catalog knows without responses.

Source: "Azure OpenAI Responses API", model support (learn.microsoft.com), read 2026-11-21. What the catalog does not
know there is a deployment of any name, most often of a model of OpenAI's.
"""


def adapter_for(provider: Provider, operation: Operation, target: Target) -> Adapter | None:
    """None where the provider cannot serve the operation. `target` says what the catalog knows of the model."""
    if operation is Operation.COMPLETIONS:
        return _completing(provider, target)
    if operation is Operation.RESPONSES:
        return _responding(provider, target)
    return provider.adapters.get(operation)


def serves(provider: Provider, operation: Operation, known: tuple[Operation, ...]) -> bool:
    """Whether `adapter_for` has one, for a model that serves what is `known`. Makes none, so that none is imported."""
    if operation is Operation.COMPLETIONS:
        return _is_own(provider, known) or _is_over_chat(provider, known)
    if operation is Operation.RESPONSES:
        return _has_responses(provider, known) or _chats(provider, known)
    return operation in provider.adapters


def _completing(provider: Provider, target: Target) -> Adapter | None:
    """The provider's own completions, unless the catalog says that the model only chats; else over its chat."""
    if _is_own(provider, target.operations):
        return provider.adapters[Operation.COMPLETIONS]
    if not _is_over_chat(provider, target.operations):
        return None
    from orrery.providers.bridge.completions import over

    return over(provider.adapters[Operation.CHAT])


def _is_own(provider: Provider, known: tuple[Operation, ...]) -> bool:
    is_said = Operation.COMPLETIONS in known or (not known and provider.name not in FILLING)
    return is_said and Operation.COMPLETIONS in provider.adapters


def _is_over_chat(provider: Provider, known: tuple[Operation, ...]) -> bool:
    return Operation.CHAT in provider.adapters and (
        not known or not {Operation.CHAT, Operation.COMPLETIONS}.isdisjoint(known)
    )


def _responding(provider: Provider, target: Target) -> Adapter | None:
    """The provider's own responses where the model has them; else over its chat."""
    if _has_responses(provider, target.operations) and not _is_chat_only(provider, target):
        return provider.adapters[Operation.RESPONSES]
    if not _chats(provider, target.operations):
        return None
    from orrery.providers.bridge.responses import over

    return over(provider.adapters[Operation.CHAT])


def _has_responses(provider: Provider, known: tuple[Operation, ...]) -> bool:
    """Catalogs say "chat" of nearly all models that have both, so that either is enough."""
    said = {Operation.RESPONSES} if provider.name in NAMED_BY_OPERATORS else {Operation.RESPONSES, Operation.CHAT}
    return Operation.RESPONSES in provider.adapters and (not known or not said.isdisjoint(known))


def _is_chat_only(provider: Provider, target: Target) -> bool:
    """By name, or as the API that the operator's URL names is older than responses."""
    if provider.name == "azure" and "api-version=2" in target.query:
        return True
    from fnmatch import fnmatchcase

    from orrery.providers.compatible.response_facts import NOT_BY

    return any(fnmatchcase(target.model, pattern) for pattern in NOT_BY.get(provider.name, ()))


def _chats(provider: Provider, known: tuple[Operation, ...]) -> bool:
    return Operation.CHAT in provider.adapters and (not known or Operation.CHAT in known)
