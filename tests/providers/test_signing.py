"""Our signatures are the ones that botocore, an independent judge, would have made."""

import datetime
from typing import Any
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from orrery.core.dialect import UpstreamRequest
from orrery.core.types import Target
from orrery.providers.signing import bearer, header, sign_v4

TARGET = Target("p", "m", "https://p.example", secret="s3cret")
REQUEST = UpstreamRequest("POST", "https://p.example", {})
KEYS = {"access_key": "AKIDEXAMPLE", "secret_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


def judged(method: str, url: str, headers: dict[str, str], body: bytes, **who: Any) -> str:
    """botocore's `Authorization` header for the same moment."""
    moment = datetime.datetime.fromtimestamp(int(who["now"]), datetime.UTC)  # it rounds up, we cut
    credentials = Credentials(who["access_key"], who["secret_key"], who["session_token"] or None)
    signer = botocore.auth.SigV4Auth(credentials, who["service"], who["region"])
    request = AWSRequest(method, url, headers=headers, data=body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
        signer.add_auth(request)
    return str(request.headers["Authorization"])


WORD = st.text("abcXYZ019-._~ :/@!$'()*+,;&=%äß", max_size=12)
HEADER_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,14}", fullmatch=True).filter(
    lambda name: name.lower() not in ("authorization", "date", "x-amz-date", "x-amz-security-token", "host")
)
HEADER_VALUES = st.text("abc XYZ  09,;:=/\t", max_size=20)


@st.composite
def urls(draw: st.DrawFn) -> str:
    segments = draw(st.lists(st.one_of(WORD, st.sampled_from(["", ".", "..", "a:b"])), max_size=5))
    query = draw(st.lists(st.tuples(WORD, WORD), max_size=4))
    path = "/".join(quote(segment, safe=draw(st.sampled_from(["", "~:"]))) for segment in segments)
    pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    host = draw(st.sampled_from(["dynamodb.eu-west-1.amazonaws.com", "localhost:8000", "h.example:443", "[::1]:99"]))
    scheme = draw(st.sampled_from(["http", "https"]))
    return (
        f"{scheme}://{host}" + draw(st.sampled_from(["/", ""] if not path else ["/"])) + path + (pairs and "?" + pairs)
    )


@settings(deadline=None)  # other tests keep the machine busy
@given(
    st.sampled_from(["GET", "POST", "put"]),
    urls(),
    st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=5).filter(lambda d: len({n.lower() for n in d}) == len(d)),
    st.binary(max_size=50),
    st.sampled_from(["", "token/with+signs=="]),
    st.floats(0, 4e9),
    st.sampled_from(["dynamodb", "bedrock", "kms"]),
)
def test_any_request_is_signed_as_botocore_signs_it(
    method: str, url: str, headers: dict[str, str], body: bytes, token: str, now: float, service: str
) -> None:
    who: dict[str, Any] = {"service": service, "region": "eu-west-1", "session_token": token, "now": now, **KEYS}
    ours = sign_v4(method, url, headers, body, **who)
    assert ours["authorization"] == judged(method, url, headers, body, **who)


@pytest.mark.parametrize("name", sorted(botocore.auth.SIGNED_HEADERS_BLACKLIST))
def test_what_hops_may_change_is_not_signed(name: str) -> None:
    who: dict[str, Any] = {"service": "kms", "region": "eu-west-1", "session_token": "", "now": 1e9, **KEYS}
    signed = sign_v4("POST", "https://h.example/", {name: "x"}, b"", **who)
    assert f"{name};" not in signed["authorization"]


def test_signing_gives_the_headers_to_send() -> None:
    signed = sign_v4(
        "POST",
        "https://kms.eu-west-1.amazonaws.com/",
        {"Content-Type": "application/x-amz-json-1.1", "Authorization": "Bearer old"},
        b"{}",
        service="kms",
        region="eu-west-1",
        session_token="token",
        now=1_795_219_200.9,
        **KEYS,
    )
    assert signed.pop("authorization").startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-west-1/kms/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
    )
    assert signed == {
        "content-type": "application/x-amz-json-1.1",
        "host": "kms.eu-west-1.amazonaws.com",
        "x-amz-date": "20261121T000000Z",
        "x-amz-security-token": "token",
    }


def test_a_bearer_token_and_a_header_carry_the_secret() -> None:
    assert bearer(REQUEST, TARGET, 0.0) == {"authorization": "Bearer s3cret"}
    assert header("x-api-key")(REQUEST, TARGET, 0.0) == {"x-api-key": "s3cret"}


def test_a_server_without_a_key_gets_no_empty_one() -> None:
    keyless = Target("p", "m", "https://p.example")
    assert bearer(REQUEST, keyless, 0.0) == header("x-api-key")(REQUEST, keyless, 0.0) == {}
