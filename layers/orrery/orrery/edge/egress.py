"""The one way out to URLs that callers name."""

from orrery.core.errors import InvalidRequest
from orrery.core.types import Fetched


async def fetch(url: str, *, limit_bytes: int, timeout_s: float) -> Fetched:
    """Raises `InvalidRequest`."""
    raise InvalidRequest("this gateway does not read URLs yet; send the content instead")
