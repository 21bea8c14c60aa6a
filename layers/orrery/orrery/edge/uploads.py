"""`POST /uploads/presign`: where a file goes that no request can hold, and how requests name it afterwards."""

from typing import Any

from orrery.core.errors import GatewayError, InvalidRequest, TooLarge
from orrery.core.ports import Uploads
from orrery.edge.arrive import bearer_token, read_body, refuse_reserved
from orrery.edge.replying import respond, respond_error
from orrery.edge.upload_places import SUFFIXES
from orrery.edge.web import Request, Response
from orrery.flow.gateway import Gateway
from orrery.wire.body import read_json
from orrery.wire.shapes import FILLED, checking, integer, record

LARGEST_ASKED = 4096
_check = checking(record({"content_type": FILLED, "bytes": integer(1)}))


async def presign_upload(request: Request, gateway: Gateway) -> Response:
    """`{"content_type", "bytes"}` to `{"method", "upload_url", "headers", "url", "expires_at"}`."""
    try:
        gateway.catalog.prepare()
        principal, fresh = await gateway.keys.find(bearer_token(request.scope["headers"]))
        refuse_reserved(request.scope["headers"])
        if not fresh:
            await gateway.keys.confirm(principal)
        uploads = served(gateway.uploads)
        asked = read_json(await read_body(request.scope, request.receive, LARGEST_ASKED))
        media_type, size_bytes = _read(asked, uploads)
        place = await uploads.presign(principal.organization, media_type=media_type, size_bytes=size_bytes)
    except GatewayError as err:
        return respond_error(request, err)
    told = {
        "object": "upload.presigned",
        "method": "PUT",
        "upload_url": place.put_url,
        "headers": dict(place.headers),
        "url": place.url,
        "expires_at": place.expires_at,
    }
    return respond(request, 200, told)


def served(uploads: Uploads | None) -> Uploads:
    """The same. Raises `GatewayError` (501) where this deployment has no place for files."""
    if uploads is not None:
        return uploads
    err = GatewayError("This gateway has no bucket for uploads (ORRERY_UPLOADS_BUCKET)", code="not_implemented")
    err.status = 501
    raise err


def _read(asked: dict[str, Any], uploads: Uploads) -> tuple[str, int]:
    _check(asked)
    media_type, size_bytes = asked["content_type"].partition(";")[0].strip().lower(), asked["bytes"]
    if media_type not in SUFFIXES:
        expected = ", ".join(SUFFIXES)
        raise InvalidRequest(f"Invalid value for 'content_type': expected one of {expected}.", param="content_type")
    if size_bytes > uploads.most_bytes:
        raise TooLarge(f"An upload may have {uploads.most_bytes} bytes.", param="bytes")
    return media_type, size_bytes
