"""Vertex AI: Gemini's dialect at an address for each region, signed with a bearer token that Google mints.

Sources, read 2026-11-21: `_api_client` of the google-genai Python SDK 3.4 for the hosts and the version of the API;
"Get started with Gemini 4" (docs.cloud.google.com) for the paths.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from orrery.core.dialect import Adapter, Provider, UpstreamRequest
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation, Target
from orrery.providers.gemini import METHODS, chat
from orrery.providers.gemini.errors import explain
from orrery.providers.lazily import Lazily, named

HOME = "global"
_REGIONAL = "{region}-aiplatform.googleapis.com"
HOSTS = {
    "global": "aiplatform.googleapis.com",
    "us": "aiplatform.us.rep.googleapis.com",
    "eu": "aiplatform.eu.rep.googleapis.com",
}
"""Of the locations that are more than one region."""

_REGION = re.compile(r"global|us|eu|[a-z]{2,20}-[a-z]{2,20}\d{1,2}")
"""It becomes a part of a host's name, so nothing else may pass."""

_PREFIXES = ("publishers/google/models/", "google/")
"""What other servers put before a model's name, and Vertex AI's own OpenAI endpoint."""


def locate(target: Target) -> Target:
    """The target in the region that the model's name begins with (`europe-west4/gemini-…`), else in the account's."""
    first, slash, rest = target.model.partition("/")
    here = bool(slash) and _REGION.fullmatch(first) is not None
    region, model = (first, rest) if here else (target.region or HOME, target.model)
    if not _REGION.fullmatch(region):
        raise InvalidRequest(f"'{region[:40]}' is no location of Vertex AI.", param="model")
    for prefix in _PREFIXES:
        model = model.removeprefix(prefix)
    base_url = target.base_url.replace(_REGIONAL, HOSTS.get(region, _REGIONAL)).replace("{region}", region)
    return replace(target, model=model, region=region, base_url=base_url)


def path(call: Call, target: Target) -> str:
    """A model of Google's, or an endpoint of the project's own (a tuned model): `endpoints/123`."""
    kind, _, name = target.model.rpartition("/")
    if kind == "endpoints":
        return f"/endpoints/{quote(name, safe='')}:{METHODS[call.stream]}"
    return f"/publishers/google/models/{quote(target.model, safe='')}:{METHODS[call.stream]}"


def sign(request: UpstreamRequest, target: Target, now: float) -> Mapping[str, str]:
    return {"authorization": f"Bearer {target.token}"}


def _images() -> Adapter:
    from orrery.providers.gemini.imagen import adapter

    return adapter(path)


def _speech() -> Adapter:
    from orrery.providers.gemini.speech import adapter

    return adapter(path)


CHAT = chat("vertex", path)

PROVIDER = Provider(
    name="vertex",
    base_url=f"https://{_REGIONAL}/v1beta1/projects/{{project}}/locations/{{region}}",
    sign=sign,
    adapters=Lazily(
        {
            Operation.CHAT: lambda: CHAT,
            Operation.EMBEDDINGS: named("orrery.providers.vertex_embeddings:ADAPTER"),
            Operation.IMAGES: _images,
            Operation.IMAGE_EDITS: _images,
            Operation.SPEECH: _speech,
        }
    ),
    explain=explain,
    locate=locate,
    credential="google",
)
