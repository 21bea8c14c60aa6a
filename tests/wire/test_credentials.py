"""A caller's own credential in a request: read wherever the gateway's own fields are, quoted nowhere."""

import orjson
import pytest

from orrery.core.credentials import AwsCredentials, Credentials
from orrery.core.errors import InvalidRequest
from orrery.wire.credentials import FIELDS, LONGEST, read_credentials
from orrery.wire.options import GATEWAY_FIELDS, read_options
from orrery.wire.posted import Posted, read_body

KEY = "canary-key-0123456789"
AWS = {"aws_access_key_id": "AKIACANARY", "aws_secret_access_key": "canary/secret"}


def test_the_fields_are_the_gateways_own():
    assert FIELDS <= GATEWAY_FIELDS
    assert read_options({"api_key": KEY}).credentials == Credentials(KEY)


def test_nothing_is_none():
    assert read_credentials({}) is None
    assert read_credentials(dict.fromkeys(FIELDS)) is None
    assert read_options({"retry": {"count": 1}}).credentials is None


def test_an_aws_credential_has_two_halves_a_region_and_perhaps_a_token():
    given = {**AWS, "aws_region_name": "eu-west-1", "aws_session_token": "canary-token"}
    expected = Credentials(aws=AwsCredentials("AKIACANARY", "canary/secret", "canary-token"), region="eu-west-1")
    assert read_credentials(given) == expected


def test_the_older_object_has_them_too_and_the_top_level_wins():
    assert read_options({"orq": {"api_key": KEY}}).credentials == Credentials(KEY)
    assert read_options({"api_key": "sk-top", "orq": {"api_key": KEY}}).credentials == Credentials("sk-top")


def test_what_is_called_so_elsewhere_is_the_callers_own_data():
    assert read_options({"metadata": {"api_key": KEY}, "name": "x"}).credentials is None


def test_a_credentials_file_becomes_one_line():
    assert read_credentials({"api_key": '{\n "type": "x"\n}'}) == Credentials('{"type":"x"}')


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"aws_access_key_id": KEY}, "aws_secret_access_key"),
        ({"aws_secret_access_key": KEY}, "aws_access_key_id"),
        ({"aws_session_token": KEY}, "aws_session_token"),
        ({"aws_session_token": KEY, "api_key": KEY}, "aws_session_token"),
        ({**AWS, "api_key": KEY}, "api_key"),
        ({"base_url": "https://x.example"}, "base_url"),
        ({"api_base": "https://x.example"}, "api_base"),
        ({"aws_region_name": "eu-west-1"}, "aws_region_name"),
        ({**AWS, "aws_region_name": "evil.example/"}, "aws_region_name"),
        ({"api_key": KEY, "base_url": "https://x.example", "api_base": "https://y.example"}, "api_base"),
        ({"api_key": 1}, "api_key"),
        ({"api_key": [KEY, KEY]}, "api_key"),
        ({"api_key": " "}, "api_key"),
        ({"api_key": KEY + "\r\nx-evil: 1"}, "api_key"),
        ({"api_key": KEY + "\u00fc"}, "api_key"),
        ({"api_key": "{" + KEY}, "api_key"),
        ({"api_key": KEY * LONGEST}, "api_key"),
        ({"api_key": KEY, "base_url": "https://x.example/a b"}, "base_url"),
    ],
)
def test_what_is_no_credential_is_refused_and_not_quoted(given, param):
    with pytest.raises(InvalidRequest) as caught:
        read_credentials(given)
    assert caught.value.param == param
    assert "canary" not in str(caught.value.body()) and caught.value.__cause__ is None


def test_a_form_has_them_as_plain_text():
    form = b'--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n' + KEY.encode() + b"\r\n--b--\r\n"
    body, _ = read_body(Posted(form, content_type="multipart/form-data; boundary=b"), {})
    assert read_options(body).credentials == Credentials(KEY)


def test_the_options_of_a_request_do_not_show_them():
    assert "canary" not in repr(read_options(orjson.loads(orjson.dumps({"api_key": KEY, "name": "x"}))))
