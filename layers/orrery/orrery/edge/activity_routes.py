"""`/v2/identities`, `/v2/threads`, `/v1/runs` and `/v1/sessions`: what an organization's requests were labelled with.

Only keys with the scope `activity` may (`stores.key_rows`): who may call models need not see what others called, nor
what was said in their threads. Labels stand in the URL percent-encoded; a slash may stand in them as it is. Sources:
Orq's lists of identities for the pages (read 2026-11-21), seed 004 for runs, sessions and parents; the rest is ours.
"""

from collections.abc import Awaitable, Callable

from orrery.core.activity import Kind
from orrery.core.extras import Activity
from orrery.core.types import Json
from orrery.edge.activity_shown import shown, with_steps
from orrery.edge.admission import Endpoint, guarded, not_served
from orrery.edge.paging import page_of
from orrery.edge.web import Request
from orrery.flow.gateway import Gateway
from orrery.stores.key_rows import ACTIVITY

type Work = Callable[[Request, Activity, str], Awaitable[Json]]


def served(gateway: Gateway) -> Activity:
    """The store. Raises `GatewayError` (501) where this deployment has none."""
    if gateway.extras is not None:
        return gateway.extras.activity
    raise not_served("This gateway tracks no requests")


def _listing(kind: Kind) -> Work:
    async def work(request: Request, activity: Activity, organization: str) -> Json:
        found = await activity.listed(organization, kind, page_of(request))
        return {"object": "list", "data": [shown(each) for each in found.data], "has_more": found.more}

    return work


def _reading(kind: Kind) -> Work:
    """A head, with a page of its steps where it has any."""

    async def work(request: Request, activity: Activity, organization: str) -> Json:
        label, page = request.path_params["id"], page_of(request)
        found = await activity.read(organization, kind, label)
        if kind == "identity":
            return shown(found)
        return with_steps(found, await activity.steps(organization, kind, label, page))

    return work


PATHS: tuple[tuple[Kind, str], ...] = (
    ("identity", "/v2/identities"),
    ("thread", "/v2/threads"),
    ("run", "/v1/runs"),
    ("session", "/v1/sessions"),
)

ROUTES: tuple[tuple[str, str, Endpoint], ...] = tuple(
    ("GET", place, guarded(work(kind), served, ACTIVITY))
    for kind, path in PATHS
    for place, work in ((path, _listing), (f"{path}/{{id:path}}", _reading))
)
"""Method, whole path, and who answers."""
