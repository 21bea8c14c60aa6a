"""What a caller who wants no losses is told of."""

from collections.abc import Sequence

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Target


def refuse_dropped(call: Call, dropped: Sequence[str], target: Target) -> None:
    """With `X-Orrery-Strict: true`, a parameter that the target cannot take is an error instead of a loss."""
    if call.strict and dropped:
        raise InvalidRequest(
            f"{target.provider} does not take {', '.join(dropped)}", param=dropped[0], code="unsupported_parameter"
        )
