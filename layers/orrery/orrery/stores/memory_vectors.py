"""Vectors as memory stores keep them, and which of them are nearest to another."""

import heapq
import math
from array import array
from collections.abc import Iterable, Sequence


def packed(vector: Sequence[float]) -> bytes:
    """A vector of length 1, as float32 in the order of this machine (Lambda's are all little-endian, as laptops are).

    One that has no direction becomes zeros: it is near to nothing.
    """
    length = math.sqrt(math.sumprod(vector, vector))
    scale = 1 / length if length and math.isfinite(length) else 0.0
    return array("f", [part * scale for part in vector] if scale else [0.0] * len(vector)).tobytes()


def unpacked(raw: bytes) -> list[float]:
    vector = array("f")
    vector.frombytes(raw)
    return vector.tolist()


def nearest[T](query: bytes, vectors: Iterable[tuple[T, bytes]], most: int) -> list[tuple[T, float]]:
    """At most so many, the nearest first, each with the cosine of the angle between (1: the same direction).

    Vectors of another length than the query's are passed over: they are another model's.
    """
    wanted = unpacked(query)
    scored = (
        (math.sumprod(wanted, unpacked(raw)), at, each) for at, (each, raw) in enumerate(vectors) if _fits(query, raw)
    )
    best = heapq.nlargest(most, scored, key=lambda found: (found[0], -found[1]))
    return [(each, max(-1.0, min(1.0, score))) for score, _, each in best]


def _fits(query: bytes, raw: bytes) -> bool:
    return len(raw) == len(query)
