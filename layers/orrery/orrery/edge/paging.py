"""`limit`, `starting_after` and `ending_before` of a list's URL. Source: Orq's list of agents, read 2026-11-21."""

from urllib.parse import parse_qsl

from orrery.core.errors import InvalidRequest
from orrery.core.pages import Page
from orrery.edge.web import Request

MOST_LISTED = 200
USUALLY_LISTED = 50


def page_of(request: Request) -> Page:
    """What part of the list is asked for. Raises `InvalidRequest`."""
    asked = dict(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))
    limit, after, before = asked.get("limit"), asked.get("starting_after", ""), asked.get("ending_before", "")
    if limit is not None and not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= MOST_LISTED):
        raise InvalidRequest(f"Invalid value for 'limit': expected 1 to {MOST_LISTED}.", param="limit")
    if after and before:
        raise InvalidRequest(
            "'starting_after' and 'ending_before' exclude each other: a page has one end.", param="ending_before"
        )
    return Page(int(limit) if limit else USUALLY_LISTED, after, before)
