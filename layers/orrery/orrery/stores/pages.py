"""What lists of the table have in common: how the index is asked for a page of them, and when a page is full."""

from orrery.core.errors import InvalidRequest
from orrery.core.pages import Page
from orrery.core.types import Json
from orrery.stores.definition import INDEX

MOST_BYTES = 4 * 1024 * 1024
"""Of what is on a page: a Lambda's buffered answer has 6 MB at most."""

AT_ONCE = 20
"""Items that are read together."""

ALL = "GPK = :p"
OLDER, NEWER = " AND GSK < :c", " AND GSK > :c"


def of_index(listing: str, place: str, page: Page) -> Json:
    """A Query for the keys in a listing, the newest first. `place` is the GSK of the page's cursor ("": none)."""
    condition, values = ALL, {":p": {"S": listing}}
    if place:
        condition += OLDER if page.after else NEWER
        values[":c"] = {"S": place}
    return {
        "IndexName": INDEX,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": bool(page.before),
        "Limit": page.limit + 1,
    }


def no_cursor(page: Page) -> InvalidRequest:
    """The refusal of a cursor that names nothing, or nothing of one's own."""
    param = "starting_after" if page.after else "ending_before"
    return InvalidRequest(f"Invalid value for '{param}': there is nothing of that id.", param=param)
