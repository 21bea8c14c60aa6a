"""Joins the floors: the only place that knows every part by its real name."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cache, partial
from typing import TYPE_CHECKING

import orjson

from orrery.core.credentials import AwsCredentials
from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import AwsFault, GatewayError, Unavailable
from orrery.core.exchange import Arrival, Exchange
from orrery.core.ports import AwsCall, Blobs, Fetch, Keys, Transport, Uploads, UpstreamReply
from orrery.core.types import Fetched, Principal
from orrery.edge import log
from orrery.edge.accounts import OperatorAccounts, ReadSecret
from orrery.edge.aws import CredentialsSource, aws_call
from orrery.edge.credentials import StoredCredentials
from orrery.edge.extras import MakeBlobs, TableExtras, no_blobs
from orrery.edge.http_pool import Pool
from orrery.edge.http_tls import lazy_tls
from orrery.edge.minting import Mint
from orrery.edge.peppers import LazyKeys, ReadPeppers, parse_peppers
from orrery.edge.reach import Reach, lambda_interpreter, no_interpreter, no_queue
from orrery.edge.seals import PepperSeals
from orrery.edge.settings import Settings, from_environment
from orrery.edge.vault import KmsVault, NoVault, Vault
from orrery.flow.gateway import Gateway, Policy
from orrery.stores.catalog import OperatorCatalog
from orrery.stores.credentials import CredentialStore
from orrery.stores.ledger import DynamoLedger
from orrery.stores.models import ModelStore
from orrery.stores.table import Table

if TYPE_CHECKING:
    from orrery.core.keeping import Queue
    from orrery.edge.s3 import S3Bucket
    from orrery.tools.outfit import Interpreter

_installed: list[Gateway] = []


def install(gateway: Gateway) -> None:
    """Makes `gateway` the one that every family of this process uses: the local server's, or a test's."""
    _installed[:] = [gateway]


def current() -> Gateway:
    """This process's gateway: the installed one, else the one that the environment describes, made once."""
    return _installed[0] if _installed else _from_environment()


@cache
def _from_environment() -> Gateway:
    settings = from_environment()
    pool = Pool(tls=lazy_tls(settings.ca_file))
    table = Table(_call(settings, pool, "dynamodb", settings.dynamodb_endpoint), settings.table)
    return join(
        settings,
        pool,
        keys=LazyKeys(table, partial(_read_peppers, settings, pool)),
        table=table,
        accounts=operator_accounts(settings, pool, read_secret=_provider_secret(settings, pool)),
        uploads=_uploads(settings, pool),
        peppers=partial(_read_peppers, settings, pool),
        vault=_vault(settings, pool),
        blobs=partial(_blobs, settings, pool, "answers"),
        kept_blobs=partial(_blobs, settings, pool, "responses"),
        queue=partial(_queue, settings, pool),
        interpreter=partial(lambda_interpreter, settings, pool, aws_credentials(settings)),
    )


def _vault(settings: Settings, pool: Pool) -> Vault:
    """KMS; without a key there, what organizations would keep secret is refused."""
    key = settings.credential_key
    return KmsVault(_call(settings, pool, "kms"), key) if key else NoVault()


def _queue(settings: Settings, pool: Pool) -> "Queue":
    from orrery.edge.queue_sqs import NoQueue, SqsQueue

    return SqsQueue(_call(settings, pool, "sqs"), settings.queue_url) if settings.queue_url else NoQueue()


def current_ledger() -> DynamoLedger:
    """The ledger alone, for what needs no provider: a pool of its own, for an event loop of its own."""
    settings = from_environment()
    pool = Pool(tls=lazy_tls(settings.ca_file))
    return DynamoLedger(Table(_call(settings, pool, "dynamodb", settings.dynamodb_endpoint), settings.table))


def operator_accounts(
    settings: Settings, pool: Pool, *, read_secret: ReadSecret | None = None, sandbox_url: str | None = None
) -> OperatorAccounts:
    """The operator's accounts, with what it takes to sign their calls."""
    mint, role = Mint(_LazyTransport(pool)), aws_credentials(settings)
    return OperatorAccounts(settings, read_secret, sandbox_url, mint=mint, role=role)


def _uploads(settings: Settings, pool: Pool) -> Uploads | None:
    if not settings.uploads_bucket:
        return None
    from orrery.edge.uploads_s3 import S3Uploads

    return S3Uploads(_bucket(settings, pool, settings.uploads_bucket), most_bytes=settings.max_upload_bytes)


def _blobs(settings: Settings, pool: Pool, prefix: str) -> Blobs | None:
    """Where lies what is too large for the table: recorded answers, stored responses."""
    if not settings.uploads_bucket:
        return None
    from orrery.edge.blobs_s3 import S3Blobs

    return S3Blobs(_bucket(settings, pool, settings.uploads_bucket), prefix=prefix)


def _bucket(settings: Settings, pool: Pool, name: str) -> "S3Bucket":
    from orrery.edge.s3 import S3Bucket

    return S3Bucket(pool, bucket=name, region=settings.region, credentials=aws_credentials(settings))


def join(
    settings: Settings,
    pool: Pool,
    *,
    keys: Keys,
    table: Table,
    accounts: OperatorAccounts,
    uploads: Uploads | None = None,
    peppers: ReadPeppers | None = None,
    vault: Vault | None = None,
    blobs: MakeBlobs = no_blobs,
    kept_blobs: MakeBlobs = no_blobs,
    queue: "Callable[[], Queue]" = no_queue,
    interpreter: "Callable[[], Interpreter | None]" = no_interpreter,
) -> Gateway:
    """A gateway over these stores. Nothing is read or connected before a request needs it."""
    written, refused = _writers(settings)
    vault = vault or NoVault()
    outside, fetch = _LazyTransport(pool, public=True), _lazy_fetch(settings, pool)
    reach = Reach(outside, fetch, accounts.variables, queue, interpreter, vault)
    return Gateway(
        keys=keys,
        ledger=DynamoLedger(table),
        transport=_LazyTransport(pool),
        fetch=fetch,
        accounts=accounts,
        catalog=OperatorCatalog(ModelStore(table).all, _note),
        uploads=uploads,
        seals=PepperSeals(peppers) if peppers else None,
        own=StoredCredentials(CredentialStore(table), vault),
        extras=TableExtras(table, peppers=peppers, reach=reach, blobs=blobs, kept_blobs=kept_blobs)
        if peppers
        else None,
        outside=outside,
        log=written,
        refused=refused,
        policy=Policy(
            default_provider=settings.default_provider,
            allow_unpriced=settings.allow_unpriced,
            deadline_s=settings.deadline_s,
            silence_s=settings.silence_s,
            max_body_bytes=settings.max_body_bytes,
            max_media_bytes=settings.max_media_bytes,
            media_buckets=settings.media_buckets,
            edge_keys=settings.edge_keys,
        ),
    )


async def close(gateway: Gateway) -> None:
    """Ends what a gateway started beside its process."""
    if isinstance(gateway.extras, TableExtras):
        await gateway.extras.close()


class _LazyTransport:
    """`core.ports.Transport`, made with the first call upstream: listing models needs none, nor httpx's import.

    `public`: over connections of its own, to public addresses only.
    """

    def __init__(self, pool: Pool, *, public: bool = False) -> None:
        self._pool = pool
        self._public = public
        self._transport: Transport | None = None

    def send(self, request: UpstreamRequest, timeout_s: float) -> AbstractAsyncContextManager[UpstreamReply]:
        if self._transport is None:
            from orrery.edge.http import HttpTransport

            self._transport = HttpTransport(_public_pool(self._pool) if self._public else self._pool)
        return self._transport.send(request, timeout_s)


def _public_pool(pool: Pool) -> Pool:
    from orrery.edge.outside import PublicPool

    return PublicPool(tls=pool.tls)


def _lazy_fetch(settings: Settings, pool: Pool) -> Fetch:
    """Reads URLs over connections of its own, each for one answer: few requests name any, so it is made late."""

    @cache
    def egress() -> Fetch:
        from orrery.edge.egress import Egress

        return Egress(Pool(tls=pool.tls, kept=0), http_hosts=settings.fetch_http_hosts)

    async def fetch(url: str, *, limit_bytes: int, timeout_s: float) -> Fetched:
        return await egress()(url, limit_bytes=limit_bytes, timeout_s=timeout_s)

    return fetch


def _writers(
    settings: Settings,
) -> tuple[Callable[[Exchange], None], Callable[[Arrival, GatewayError, Principal | None], None]]:
    write = log.text_writer() if settings.log_format == "text" else log.powertools_writer("orrery")

    def written(exchange: Exchange) -> None:
        write("exchange", log.exchange_line(exchange, asyncio.get_running_loop().time()))

    def refused(arrival: Arrival, err: GatewayError, principal: Principal | None) -> None:
        write("refused", log.refused_line(arrival, err, principal, asyncio.get_running_loop().time()))

    return written, refused


def _note(message: str) -> None:
    """What no single request is to blame for."""
    sys.stderr.write(f"orrery: {message}\n")


def _call(settings: Settings, pool: Pool, service: str, endpoint: str | None = None) -> AwsCall:
    credentials = aws_credentials(settings)
    return aws_call(pool, service=service, region=settings.region, credentials=credentials, endpoint=endpoint)


def aws_credentials(settings: Settings) -> AwsCredentials | CredentialsSource:
    """Those of the environment, as Lambda gives them; else whatever boto3 finds on this machine."""
    if settings.aws_access_key and settings.aws_secret_key:
        return AwsCredentials(settings.aws_access_key, settings.aws_secret_key, settings.aws_session_token or "")
    from orrery.edge.aws_credentials import Boto3Credentials

    return Boto3Credentials()


def endpoint_credentials(settings: Settings) -> AwsCredentials | CredentialsSource:
    """For an endpoint of one's own: an emulator takes any credentials, AWS's own endpoints want real ones."""
    if settings.aws_access_key or "amazonaws." in (settings.dynamodb_endpoint or ""):
        return aws_credentials(settings)
    return AwsCredentials("local", "local")


async def _read_peppers(settings: Settings, pool: Pool) -> Mapping[int, bytes]:
    if settings.pepper:
        return parse_peppers(settings.pepper)
    if settings.pepper_secret:
        return parse_peppers(await _read_secret(settings, pool, settings.pepper_secret))
    raise Unavailable("no key pepper: set ORRERY_KEY_PEPPER or ORRERY_PEPPER_SECRET_ARN")


def _provider_secret(settings: Settings, pool: Pool) -> Callable[[], Awaitable[Mapping[str, str]]] | None:
    """Reads the secret that holds the providers' variables as JSON, named as they are in an environment."""
    name = settings.provider_secret
    if not name:
        return None

    async def read() -> Mapping[str, str]:
        try:
            variables = orjson.loads(await _read_secret(settings, pool, name))
            return {str(key): _text(value) for key, value in variables.items()}
        except (ValueError, AttributeError) as err:
            raise Unavailable("the provider secret is not a JSON object of variables") from err

    return read


def _text(value: object) -> str:
    """A variable's value; a credentials file may stand in the secret as the object that it is."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


async def _read_secret(settings: Settings, pool: Pool, name: str) -> str:
    """A Secrets Manager secret's text. Raises `Unavailable`."""
    try:
        answer = await _call(settings, pool, "secretsmanager")("GetSecretValue", {"SecretId": name})
        return str(answer["SecretString"])
    except (AwsFault, KeyError) as err:
        kind = err.kind if isinstance(err, AwsFault) else "no SecretString in it"
        raise Unavailable(f"a secret of this gateway cannot be read: {kind}", retry_after_s=5.0) from err
