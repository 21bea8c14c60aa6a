"""Where Vertex AI's calls go, and how they are signed."""

import pytest

from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Operation, Target
from orrery.providers.vertex import PROVIDER


def url_of(model: str, region: str = "", *, stream: bool = False) -> str:
    assert PROVIDER.locate is not None
    base_url = PROVIDER.base_url.replace("{project}", "p-1")
    target = PROVIDER.locate(Target("vertex", model, base_url, region))
    return target.base_url + PROVIDER.adapters[Operation.CHAT].path(
        Call(Operation.CHAT, "m", {}, stream=stream), target
    )


GLOBAL = "https://aiplatform.googleapis.com/v1beta1/projects/p-1/locations/global"
PARIS = "https://europe-west9-aiplatform.googleapis.com/v1beta1/projects/p-1/locations/europe-west9"
EU = "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/p-1/locations/eu"
MODEL = "/publishers/google/models/gemini-2.5-pro:generateContent"


@pytest.mark.parametrize(
    ("model", "region", "url"),
    [
        ("gemini-2.5-pro", "", GLOBAL + MODEL),
        ("gemini-2.5-pro", "europe-west9", PARIS + MODEL),
        ("europe-west9/gemini-2.5-pro", "us-central1", PARIS + MODEL),
        ("eu/google/gemini-2.5-pro", "global", EU + MODEL),
        ("global/gemini-2.5-pro", "eu", GLOBAL + MODEL),
        ("publishers/google/models/gemini-2.5-pro", "", GLOBAL + MODEL),
        ("endpoints/123", "europe-west9", PARIS + "/endpoints/123:generateContent"),
        ("other/../x", "", GLOBAL + "/publishers/google/models/other%2F..%2Fx:generateContent"),
    ],
)
def test_a_region_has_its_host_and_its_path(model: str, region: str, url: str) -> None:
    assert url_of(model, region) == url


def test_streams_have_a_method_of_their_own() -> None:
    assert url_of("gemini-2.5-pro", stream=True).endswith("/gemini-2.5-pro:streamGenerateContent?alt=sse")


def test_the_model_is_known_without_its_region() -> None:
    assert PROVIDER.locate is not None
    found = PROVIDER.locate(Target("vertex", "us-east5/google/gemini-2.5-pro", PROVIDER.base_url))
    assert (found.model, found.region) == ("gemini-2.5-pro", "us-east5")


@pytest.mark.parametrize("region", ["evil.example/", "us-central1.evil", "US", "us-central1@x", "a-b1#"])
def test_a_region_cannot_name_another_host(region: str) -> None:
    with pytest.raises(InvalidRequest, match="no location"):
        url_of("gemini-2.5-pro", region)


def test_an_operators_own_address_stays() -> None:
    assert PROVIDER.locate is not None
    found = PROVIDER.locate(Target("vertex", "us/gemini-2.5-pro", "https://proxy.internal/v1"))
    assert found.base_url == "https://proxy.internal/v1"


def test_calls_are_signed_with_the_minted_token_and_never_with_the_secret() -> None:
    target = Target("vertex", "m", "", secret="service account", token="ya29.t")
    assert PROVIDER.credential == "google"
    assert PROVIDER.sign(UpstreamRequest("POST", "", {}), target, 0.0) == {"authorization": "Bearer ya29.t"}
