"""Adapters by operation, each imported when it is asked for: who serves chat loads nothing of the others."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import cast

from orrery.core.dialect import Adapter
from orrery.core.types import Operation


class Lazily(Mapping[Operation, Adapter]):
    """`makers` make an adapter each, at its first use; asking whether there is one makes none."""

    def __init__(self, makers: Mapping[Operation, Callable[[], Adapter]]) -> None:
        self._makers = dict(makers)
        self._made: dict[Operation, Adapter] = {}

    def __getitem__(self, operation: Operation) -> Adapter:
        if operation not in self._made:
            self._made[operation] = self._makers[operation]()
        return self._made[operation]

    def __contains__(self, operation: object) -> bool:
        return operation in self._makers

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def named(place: str) -> Callable[[], Adapter]:
    """A maker of the adapter at `package.module:NAME`."""
    module, _, name = place.partition(":")
    return lambda: cast(Adapter, getattr(import_module(module), name))
