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


def _completing(provider: Provider, target: Target) -> Adapter | None:
    """The provider's own completions, unless the catalog says that the model only chats; else over its chat."""
    known = target.operations
    is_own = Operation.COMPLETIONS in known or (not known and provider.name not in FILLING)
    if is_own and Operation.COMPLETIONS in provider.adapters:
        return provider.adapters[Operation.COMPLETIONS]
    if Operation.CHAT not in provider.adapters or (known and not {Operation.CHAT, Operation.COMPLETIONS} & set(known)):
        return None
    from orrery.providers.bridge.completions import over

    return over(provider.adapters[Operation.CHAT])
