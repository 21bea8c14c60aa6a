"""Pictures in a chat's answer, as the items that OpenAI's own tool leaves: `image_generation_call`.

Chats have them as data URLs in `images`; what a message calls something else, or names by an address, is left out, for
a response has no place for it. Source: `ImageGenerationCall` of OpenAI's Python SDK 3.52 (read 2026-11-21).
"""

from typing import Any

from orrery.core.types import Json
from orrery.providers.answer import object_of, text_of
from orrery.wire.media import IMAGES, data_url, sniffed

FORMATS = {"image/png": "png", "image/webp": "webp", "image/jpeg": "jpeg", "image/gif": "gif"}
_TYPES = {name: media_type for media_type, name in FORMATS.items()}


def picture_of(image: Any) -> Json | None:
    """The item's fields, for an entry of `images`."""
    media_type, data = data_url(text_of(object_of(object_of(image).get("image_url")).get("url")))
    named = FORMATS.get(IMAGES.get(media_type, ""))
    return {"output_format": named, "result": data} if named else None


def as_image(item: Json) -> Json | None:
    """The entry of `images` that became the item; None where it holds no picture."""
    data = text_of(item.get("result"))
    media_type = _TYPES.get(text_of(item.get("output_format"))) or sniffed(data[:64])
    if not data or not media_type:
        return None
    return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}}
