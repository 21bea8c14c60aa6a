"""An answer on its way past us, kept as it goes: whole, or not at all."""

from collections.abc import AsyncGenerator, Sequence

LARGEST_BYTES = 8 * 1024 * 1024
"""What is larger is handed on, and not kept. Answers are kept in memory as long as they run."""


class Recorder:
    """What passed through `record`, once. `payloads` None: it was more than `largest_bytes`.

    `complete` is True once the answer ended by itself: it was not broken off, by a provider, the caller or the clock.
    """

    __slots__ = ("_largest_bytes", "_size_bytes", "complete", "payloads")

    def __init__(self, largest_bytes: int = LARGEST_BYTES) -> None:
        self.payloads: list[bytes] | None = []
        self.complete = False
        self._largest_bytes = largest_bytes
        self._size_bytes = 0

    async def record(self, batches: AsyncGenerator[Sequence[bytes]]) -> AsyncGenerator[Sequence[bytes]]:
        """The same batches; closing it closes them."""
        try:
            async for batch in batches:
                if self.payloads is not None:
                    self._keep(batch)
                yield batch
            self.complete = True
        finally:
            await batches.aclose()

    def _keep(self, batch: Sequence[bytes]) -> None:
        self._size_bytes += sum(map(len, batch))
        if self._size_bytes > self._largest_bytes:
            self.payloads = None
        elif self.payloads is not None:
            self.payloads += batch
