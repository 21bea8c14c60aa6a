"""Where a model is served: its region and the address of that region's endpoint."""

import re
from dataclasses import replace
from urllib.parse import quote, urlsplit

from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Target
from orrery.providers.signing import suffix_of

BASE_URL = "https://bedrock-runtime.{region}.amazonaws.com"

METHODS = {False: "converse", True: "converse-stream"}
"""By whether the answer is streamed. Source: botocore 1.44.5, data/bedrock-runtime, read 2026-11-21."""

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{1,12}){1,3}-\d{1,2}")
"""It becomes a part of a host's name, so nothing else may pass."""

_ARN = re.compile(
    r"arn:aws(?:-[a-z-]{1,16})?:(?:bedrock:(?P<region>[a-z0-9-]{1,20}):(?:\d{12})?:"
    r"(?:foundation-model|inference-profile|application-inference-profile|provisioned-model|imported-model"
    r"|custom-model|custom-model-deployment|prompt-router|default-prompt-router)"
    r"|sagemaker:(?P<sagemaker>[a-z0-9-]{1,20}):\d{12}:endpoint)/[A-Za-z0-9:./_-]{1,512}"
)
"""ARNs of models, by the pattern of `ConversationalModelId` in botocore 1.44.5, read 2026-11-21.

Prompts of the account (`prompt/…`), which the pattern has too, are no models: their words are somebody else's.
"""

_HOST = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")


def locate(target: Target) -> Target:
    """The target in the region that its model names (`eu-west-1/…`, or an ARN), else the account's.

    An address that the operator gave stays as it is, but for `{region}` in it. Raises `InvalidRequest`.
    """
    model, region = target.model, target.region
    first, slash, rest = model.partition("/")
    if slash and _REGION.fullmatch(first):
        model, region = rest, first
    if model.startswith("arn:"):
        arn = _ARN.fullmatch(model)
        if arn is None:
            raise InvalidRequest("This is not the ARN of a model that Bedrock's Converse API serves.", param="model")
        region = arn["region"] or arn["sagemaker"]
    region = region or _told_by_host(target.base_url)
    _check(region, target)
    base_url = target.base_url
    if base_url == BASE_URL:
        base_url = f"https://bedrock-runtime.{region}.{suffix_of(region)}"
    return replace(target, model=model, region=region, base_url=base_url.replace("{region}", region))


def _told_by_host(base_url: str) -> str:
    match = _HOST.match(urlsplit(base_url.replace("{region}", "")).hostname or "")
    return match[1] if match else ""


def _check(region: str, target: Target) -> None:
    """A region must be known, but where neither the address nor a signature has it in it."""
    if not region and target.secret and "{region}" not in target.base_url:
        return
    if not region:
        raise InvalidRequest("Bedrock is regional: write 'region/model', or set BEDROCK_REGION.", param="model")
    if not _REGION.fullmatch(region):
        raise InvalidRequest(f"'{region[:40]}' is no region of AWS.", param="model")


def path(call: Call, target: Target) -> str:
    """A model's name may hold colons and slashes: all of them are escaped, as AWS's own SDKs do it."""
    return f"/model/{quote(target.model, safe='')}/{METHODS[call.stream]}"


def invoke(call: Call, target: Target) -> str:
    """Of `InvokeModel`, for operations that Converse does not have."""
    return f"/model/{quote(target.model, safe='')}/invoke"
