"""What the operator sets reaches the way out."""

import pytest

from orrery.core.errors import InvalidRequest
from orrery.edge import wiring
from orrery.edge.http_pool import Pool
from orrery.edge.settings import Misconfigured, from_environment


async def refusal(environment: dict[str, str], url: str) -> str:
    fetch = wiring._lazy_fetch(from_environment(environment), Pool())
    with pytest.raises(InvalidRequest) as caught:
        await fetch(url, limit_bytes=10, timeout_s=10)
    return caught.value.message


async def test_http_is_read_at_the_hosts_that_the_operator_names_if_they_are_public() -> None:
    named = {"ORRERY_FETCH_HTTP_HOSTS": "files.example, LOCALHOST"}
    assert "only https" in await refusal({}, "http://localhost/")
    assert await refusal(named, "http://localhost/") == "Nothing can be downloaded from 'localhost'."


def test_the_hosts_are_read_from_the_environment() -> None:
    assert from_environment({}).fetch_http_hosts == frozenset()
    found = from_environment({"ORRERY_FETCH_HTTP_HOSTS": " A.example,b-c.example,, "}).fetch_http_hosts
    assert found == {"a.example", "b-c.example"}


@pytest.mark.parametrize(
    "wrong", ["http://a.example", "a.example:80", "a.example/x", "*", "a example", "bücher.example"]
)
def test_what_is_no_host_is_named(wrong: str) -> None:
    with pytest.raises(Misconfigured, match="ORRERY_FETCH_HTTP_HOSTS must hold host names"):
        from_environment({"ORRERY_FETCH_HTTP_HOSTS": wrong})
