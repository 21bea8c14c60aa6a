"""A caller's own credential at a provider, as fields of a request: read here, taken out with the gateway's own fields.

Source: Orqen's chat reference and seed 002 (read 2026-11-21); `base_url`, and `api_base` as LiteLLM's clients call it,
are ours. No message quotes a value.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from orrery.core.credentials import AwsCredentials, Credentials
from orrery.core.errors import InvalidRequest

ACCESS_KEY, SECRET_KEY = "aws_access_key_id", "aws_secret_access_key"
REGION, TOKEN = "aws_region_name", "aws_session_token"
ADDRESSES = ("base_url", "api_base")
SECRETS = ("api_key", ACCESS_KEY, SECRET_KEY, TOKEN)

FIELDS = frozenset({*SECRETS, REGION, *ADDRESSES})

HOME = "us-east-1"
"""Where AWS is called when no region is named. Source: Orqen's chat reference, read 2026-11-21."""

LONGEST = 4_096
"""Characters of a field: more than any provider's key has; a Google credentials file has about 2,400."""

_VISIBLE = re.compile(r"[!-~]+")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{1,12}){1,3}-\d{1,2}")


def read_credentials(*levels: Mapping[str, Any]) -> Credentials | None:
    """The credential that these mappings hold, the first level before the next; None when they hold none.

    Raises `InvalidRequest` for half a credential, for two, and for an address alone: ours would go there.
    """
    given = {name: _text(name, value) for name in FIELDS if (value := _first(name, levels)) is not None}
    if not given:
        return None
    base_url = _address(given)
    key, access, secret = given.get("api_key", ""), given.get(ACCESS_KEY, ""), given.get(SECRET_KEY, "")
    if bool(access) is not bool(secret):
        _refuse(SECRET_KEY if access else ACCESS_KEY, "goes with the other half of the AWS credential")
    if key and access:
        _refuse("api_key", "either this or an AWS credential")
    if TOKEN in given and not access:
        _refuse(TOKEN, f"goes with {ACCESS_KEY}")
    if not key and not access:
        lone = next(name for name in (*ADDRESSES, REGION) if name in given)
        _refuse(lone, "goes only with a credential of your own in the same request (api_key, aws_access_key_id)")
    region = given.get(REGION, "")
    if region and not _REGION.fullmatch(region):
        _refuse(REGION, "the name of an AWS region")
    aws = AwsCredentials(access, secret, given.get(TOKEN, "")) if access else None
    return Credentials(_key(key), aws, region, base_url)


def _first(name: str, levels: tuple[Mapping[str, Any], ...]) -> Any:
    return next((value for level in levels if (value := level.get(name)) is not None), None)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"Invalid type for '{name}': expected a string.", param=name)
    text = value.strip()
    if not 0 < len(text) <= LONGEST:
        _refuse(name, f"1 to {LONGEST} characters")
    if name != "api_key" and not _VISIBLE.fullmatch(text):
        _refuse(name, "visible ASCII characters")
    return text


def _key(text: str) -> str:
    """A key that can stand in a header, or a credentials file as JSON on one line."""
    if not text.startswith("{"):
        if text and not _VISIBLE.fullmatch(text):
            _refuse("api_key", "visible ASCII characters, or the JSON of a credentials file")
        return text
    with suppress(ValueError):  # its cause would carry the whole text
        return orjson.dumps(orjson.loads(text)).decode()
    raise InvalidRequest("Invalid value for 'api_key': it begins like JSON and is none.", param="api_key")


def _address(given: Mapping[str, str]) -> str:
    named = [name for name in ADDRESSES if name in given]
    if len(named) > 1 and given[named[0]] != given[named[1]]:
        _refuse("api_base", "the same as 'base_url', or one of the two")
    return given[named[0]] if named else ""


def _refuse(name: str, expected: str) -> None:
    raise InvalidRequest(f"Invalid value for '{name}': expected {expected}.", param=name)
