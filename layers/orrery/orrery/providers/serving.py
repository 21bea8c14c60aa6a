"""Which adapter serves a call at a target: the provider's own for the operation, or one built over another."""

from orrery.core.dialect import Adapter, Provider
from orrery.core.types import Operation, Target

FILLING = frozenset({"deepseek", "mistral"})
"""Providers that complete with some of their models only: those of which the catalog says so."""


def adapter_for(provider: Provider, operation: Operation, target: Target) -> Adapter | None:
    """None where the provider cannot serve the operation. `target` says what the catalog knows of the model."""
    if operation is Operation.COMPLETIONS:
        return _completing(provider, target)
    return provider.adapters.get(operation)


def serves(provider: Provider, operation: Operation, known: tuple[Operation, ...]) -> bool:
    """Whether `adapter_for` has one, for a model that serves what is `known`. Makes none, so that none is imported."""
    if operation is Operation.COMPLETIONS:
        return _is_own(provider, known) or _is_over_chat(provider, known)
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
