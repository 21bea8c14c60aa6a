"""One variable lights up each provider; what a call is signed with is made when the call is made."""

from pathlib import Path

import orjson
import pytest

from orrery import providers
from orrery.core.credentials import AwsCredentials
from orrery.core.errors import AwsFault, BadCredential, UpstreamError
from orrery.core.types import Target
from orrery.edge.accounts import OperatorAccounts
from orrery.edge.minting import Mint
from orrery.edge.settings import from_environment
from orrery.flow.gateway import Account
from tests.edge.test_minting import ACCOUNT, granted, secret
from tests.fakes import FakeTransport

ONE_VARIABLE = {
    "azure": {"AZURE_BASE_URL": "https://:key%2B1@mine.openai.azure.com"},
    "bedrock": {"BEDROCK_REGION": "eu-west-1"},
    "cloudflare": {"CLOUDFLARE_BASE_URL": "https://:k@api.cloudflare.com/client/v4/accounts/a1/ai/v1"},
    "databricks": {"DATABRICKS_BASE_URL": "https://:k@adb-1.azuredatabricks.net/serving-endpoints"},
    "ollama": {"OLLAMA_HOST": "127.0.0.1"},
    "vertex": {"VERTEX_CREDENTIALS": secret(ACCOUNT)},
    "vllm": {"VLLM_BASE_URL": "http://127.0.0.1:8000/v1"},
}
"""Where it is not `<PROVIDER>_API_KEY`."""


async def lit(**environment: str) -> tuple[Account, ...]:
    return await OperatorAccounts(from_environment(environment)).usable()


@pytest.mark.parametrize("name", [name for name in providers.names() if name != "sandbox"])
async def test_one_variable_makes_a_provider_usable(name: str) -> None:
    default = {f"{name.upper()}_API_KEY": "k"}
    (account,) = await lit(**ONE_VARIABLE.get(name, default))
    assert account.provider.name == name
    assert "{" not in account.base_url.replace("{region}", "")


CUSTOMARY = [
    ("google", {"GEMINI_API_KEY": "k"}, "k"),
    ("bedrock", {"AWS_BEARER_TOKEN_BEDROCK": "k"}, "k"),
    ("azure", {"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "https://a.openai.azure.com/"}, "k"),
    ("azure", {"AZURE_API_KEY": "k", "AZURE_RESOURCE": "mine"}, "k"),
    ("qwen", {"DASHSCOPE_API_KEY": "k"}, "k"),
    ("huggingface", {"HF_TOKEN": "k"}, "k"),
    ("cloudflare", {"CLOUDFLARE_API_TOKEN": "k", "CLOUDFLARE_ACCOUNT_ID": "a1"}, "k"),
    ("databricks", {"DATABRICKS_TOKEN": "k", "DATABRICKS_HOST": "https://adb-1.azuredatabricks.net/"}, "k"),
]


@pytest.mark.parametrize(("name", "environment", "key"), CUSTOMARY)
async def test_customary_variables_work(name: str, environment: dict[str, str], key: str) -> None:
    (account,) = await lit(**environment)
    assert (account.provider.name, account.secret) == (name, key)


async def test_a_base_url_is_filled_in() -> None:
    (account,) = await lit(CLOUDFLARE_API_KEY="k", CLOUDFLARE_ACCOUNT_ID="a1")
    assert "/accounts/a1/" in account.base_url
    (account,) = await lit(DATABRICKS_TOKEN="k", DATABRICKS_HOST="https://adb-1.azuredatabricks.net/")
    assert account.base_url == "https://adb-1.azuredatabricks.net/serving-endpoints"


async def test_a_key_without_its_address_is_not_usable() -> None:
    assert await lit(CLOUDFLARE_API_KEY="k") == ()
    assert await lit(AZURE_API_KEY="k") == ()


async def test_the_password_of_an_address_is_the_key_and_is_not_sent_as_one() -> None:
    (account,) = await lit(AZURE_BASE_URL="https://:key%2B1@mine.openai.azure.com/openai/v1")
    assert (account.secret, account.base_url) == ("key+1", "https://mine.openai.azure.com/openai/v1")
    assert "key+1" not in repr(account)


async def test_regions_are_the_operators_else_the_providers_home() -> None:
    (bedrock,) = await lit(BEDROCK_API_KEY="k", AWS_REGION="eu-north-1")
    (vertex,) = await lit(VERTEX_CREDENTIALS=secret(ACCOUNT))
    assert (bedrock.region, vertex.region) == ("eu-north-1", "global")
    (vertex,) = await lit(VERTEX_CREDENTIALS=secret(ACCOUNT), VERTEX_REGION="europe-west4")
    assert vertex.region == "europe-west4"


async def test_google_credentials_may_be_a_files_name(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_bytes(orjson.dumps(ACCOUNT))
    (account,) = await lit(GOOGLE_APPLICATION_CREDENTIALS=str(file))
    assert orjson.loads(account.secret) == ACCOUNT and "/projects/p/" in account.base_url


@pytest.mark.parametrize("value", ["/no/such/file", "{", "[]"])
async def test_unreadable_google_credentials_light_up_nothing(value: str) -> None:
    assert await lit(VERTEX_CREDENTIALS=value) == ()


@pytest.mark.parametrize(("alias", "name"), [("gemini", "google"), ("aws", "bedrock"), ("vertex_ai", "vertex")])
async def test_a_provider_is_found_by_its_other_names(alias: str, name: str) -> None:
    accounts = OperatorAccounts(from_environment({"GOOGLE_API_KEY": "k"}))
    found = await accounts.find(alias)
    assert found is not None and found.provider.name == name


# Signing


def accounts(*replies: object, role: object = None, **environment: str) -> OperatorAccounts:
    mint = Mint(FakeTransport(*replies))
    return OperatorAccounts(from_environment(environment), mint=mint, role=role)  # type: ignore[arg-type]  # or a fake


async def authorized(whose: OperatorAccounts, name: str) -> Target:
    account = await whose.find(name)
    assert account is not None
    return await whose.authorize(Target(name, "m", account.base_url, account.region, secret=account.secret))


async def test_a_plain_key_is_sent_as_it_is() -> None:
    target = await authorized(accounts(OPENAI_API_KEY="k"), "openai")
    assert (target.secret, target.token, target.aws) == ("k", "", None)


async def test_a_google_credential_becomes_a_token() -> None:
    target = await authorized(accounts(granted("ya29"), VERTEX_CREDENTIALS=secret(ACCOUNT)), "vertex")
    assert (target.secret, target.token) == ("", "ya29")
    assert "ya29" not in repr(target)


async def test_azure_takes_a_key_or_an_application() -> None:
    application = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s", "AZURE_RESOURCE": "r"}
    assert (await authorized(accounts(granted("e1"), **application), "azure")).token == "e1"
    both = await authorized(accounts(AZURE_API_KEY="k", **application), "azure")
    assert (both.secret, both.token) == ("k", "")


async def test_bedrock_uses_its_key_else_its_own_credentials_else_the_role() -> None:
    role = AwsCredentials("AKIAROLE", "r")
    keyed = await authorized(accounts(role=role, BEDROCK_API_KEY="k"), "bedrock")
    assert (keyed.secret, keyed.aws) == ("k", None)
    own = {"BEDROCK_ACCESS_KEY_ID": "AKIAOWN", "BEDROCK_SECRET_ACCESS_KEY": "s", "BEDROCK_SESSION_TOKEN": "t"}
    assert (await authorized(accounts(role=role, **own), "bedrock")).aws == AwsCredentials("AKIAOWN", "s", "t")
    assert (await authorized(accounts(role=role, BEDROCK_REGION="x"), "bedrock")).aws == role


async def test_credentials_at_aws_may_be_asked_for_and_may_fail() -> None:
    async def asked() -> AwsCredentials:
        return AwsCredentials("AKIASSO", "s", "t")

    async def fails() -> AwsCredentials:
        raise AwsFault("NoCredentials")

    assert (await authorized(accounts(role=asked, BEDROCK_REGION="x"), "bedrock")).aws == await asked()
    with pytest.raises(UpstreamError, match="NoCredentials"):
        await authorized(accounts(role=fails, BEDROCK_REGION="x"), "bedrock")
    with pytest.raises(BadCredential):
        await authorized(accounts(BEDROCK_REGION="x"), "bedrock")


async def test_what_a_caller_brought_is_never_signed_with_what_is_ours() -> None:
    role = AwsCredentials("AKIAROLE", "s", "t")
    whose = accounts(granted("ours"), role=role, BEDROCK_REGION="eu-west-1", VERTEX_CREDENTIALS=secret(ACCOUNT))
    own = AwsCredentials("AKIACALLER", "s")
    assert (await whose.authorize(Target("bedrock", "m", "https://b", aws=own, own=True))).aws == own
    assert (await whose.authorize(Target("bedrock", "m", "https://b", secret="k", own=True))).aws is None
    assert (await whose.authorize(Target("bedrock", "m", "https://b", own=True))).aws is None
    assert (await whose.authorize(Target("openai", "m", "https://o", own=True))).secret == ""


async def test_an_operators_server_of_the_same_name_changes_nothing_for_a_callers_own_key() -> None:
    whose = accounts(granted("theirs"), ORRERY_SERVERS="vertex=https://proxy.example/v1")
    target = Target("vertex", "m", "https://v", secret=secret(ACCOUNT), own=True)
    assert (await whose.authorize(target)).token == "theirs"
