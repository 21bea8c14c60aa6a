"""What a claim of an idempotency key means for who made it."""

from orrery.core.errors import Conflict, InvalidRequest
from orrery.core.records import Claim, Recording

REPLAYED = {"idempotent-replayed": "true"}
"""The header of an answer that was given before."""

COME_BACK_S = 5.0
"""When to ask again for an answer that is under way elsewhere: most are there by then."""


def standing(claim: Claim) -> Recording | None:
    """What the key was answered with; None where the claim is ours. Raises `InvalidRequest`, `Conflict`."""
    if claim.state == "other":
        raise InvalidRequest(
            "This Idempotency-Key was used with another request.", param="Idempotency-Key", code="idempotency_error"
        )
    if claim.state == "running":
        raise Conflict(
            "A request with this Idempotency-Key is still being answered.",
            retry_after_s=min(claim.retry_after_s, COME_BACK_S),
        )
    return claim.answer
