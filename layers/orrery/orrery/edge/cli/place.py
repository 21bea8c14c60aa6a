"""Where a command's table is, and how it is reached: options before the environment, the state folder otherwise."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

from orrery.core.credentials import AwsCredentials
from orrery.core.types import Json
from orrery.edge.aws import CredentialsSource, aws_call
from orrery.edge.embedded.folder import StateFolder
from orrery.edge.embedded.opening import REMOTE_TIMEOUT_S, OpenTable, open_remote, open_state
from orrery.edge.http_pool import Pool
from orrery.edge.http_tls import lazy_tls
from orrery.edge.peppers import parse_peppers
from orrery.edge.settings import Settings, from_environment
from orrery.edge.vault import KmsVault, LocalVault, Vault


class Refused(Exception):
    """The command cannot do what it was asked; the message is one line for the person who asked."""


@dataclass(frozen=True, slots=True)
class Options:
    """What every command takes. None: as the environment says."""

    table: str | None = None
    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None
    aws: bool = False
    state: Path | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The table's whereabouts, decided. `on_aws` is False for the state folder and for an emulator's endpoint."""

    settings: Settings
    on_aws: bool
    profile: str | None

    @classmethod
    def of(cls, options: Options) -> "Place":
        """Raises `Misconfigured`."""
        settings = from_environment()
        return cls(
            replace(
                settings,
                table=options.table or settings.table,
                dynamodb_endpoint=options.endpoint or settings.dynamodb_endpoint,
                region=options.region or settings.region,
                state=options.state or settings.state,
            ),
            on_aws=options.aws or bool(options.region or options.profile),
            profile=options.profile,
        )

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[OpenTable]:
        """The way to the table. Raises `StateUnusable`."""
        settings = self.settings
        if self.on_aws or settings.dynamodb_endpoint:
            opening = open_remote(
                region=settings.region,
                endpoint=settings.dynamodb_endpoint,
                credentials=self.credentials(),
                ca_file=settings.ca_file,
            )
        else:
            opening = open_state(settings.state, region=settings.region)
        async with opening as table:
            yield table

    def credentials(self) -> AwsCredentials | CredentialsSource:
        """On AWS whatever boto3 finds: a person's profile, SSO session or role. Any will do for an emulator."""
        if self.on_aws:
            from orrery.edge.aws_credentials import Boto3Credentials

            return Boto3Credentials(profile=self.profile)
        settings = self.settings
        return AwsCredentials(
            settings.aws_access_key or "local", settings.aws_secret_key or "local", settings.aws_session_token or ""
        )

    async def peppers(self) -> dict[int, bytes]:
        """What keys are hashed with: the environment's, else the secret's (AWS), else the state folder's.

        Raises `Refused` on AWS when neither is named, `Unavailable`, `AwsFault`, `StateUnusable`.
        """
        settings = self.settings
        if settings.pepper:
            return parse_peppers(settings.pepper)
        if not self.on_aws:
            return parse_peppers(StateFolder(settings.state).secrets().key_pepper)
        if not settings.pepper_secret:
            raise Refused("keys on AWS need a pepper: set ORRERY_PEPPER_SECRET_ARN to the stack's output PepperSecret")
        pool = Pool(tls=lazy_tls(settings.ca_file))
        try:
            call = aws_call(
                pool,
                service="secretsmanager",
                region=settings.region,
                credentials=self.credentials(),
                timeout_s=REMOTE_TIMEOUT_S,
            )
            return parse_peppers(
                str((await call("GetSecretValue", {"SecretId": settings.pepper_secret}))["SecretString"])
            )
        finally:
            await pool.close()

    def vault(self) -> Vault:
        """What provider credentials are encrypted with: KMS on AWS, else the state folder's key.

        Raises `Refused` on AWS when no key is named.
        """
        settings = self.settings
        if not self.on_aws:
            return LocalVault(StateFolder(settings.state).credential_key)
        if not settings.credential_key:
            raise Refused("provider keys on AWS: set ORRERY_CREDENTIAL_KEY_ARN to the stack's output CredentialKey")
        return KmsVault(self._kms, settings.credential_key)

    async def _kms(self, action: str, payload: Json) -> Json:
        """One call over a connection of its own: a command makes one or two."""
        pool = Pool(tls=lazy_tls(self.settings.ca_file), kept=0)
        call = aws_call(
            pool,
            service="kms",
            region=self.settings.region,
            credentials=self.credentials(),
            timeout_s=REMOTE_TIMEOUT_S,
        )
        try:
            return await call(action, payload)
        finally:
            await pool.close()
