"""Which providers this deployment reaches, and with which credential: from the environment, or from one secret."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from orrery import providers
from orrery.core.credentials import AwsCredentials
from orrery.core.dialect import Provider
from orrery.core.errors import AwsFault, BadCredential, UpstreamError
from orrery.core.types import Target
from orrery.edge.account_reading import account_of, is_lit
from orrery.edge.aws import CredentialsSource
from orrery.edge.minting import Mint
from orrery.edge.settings import Settings, provider_variables
from orrery.flow.gateway import Account
from orrery.providers.directory import AWS_KEYS

type ReadSecret = Callable[[], Awaitable[Mapping[str, str]]]


class OperatorAccounts:
    """The operator's own provider accounts: the pool that credit is spent on.

    The secret is read on first use, and once: a cold start that needs no provider never waits for it. `mint` makes
    tokens for providers that want one, `role` gives this process's own credentials at AWS.
    """

    def __init__(
        self,
        settings: Settings,
        read_secret: ReadSecret | None = None,
        sandbox_url: str | None = None,
        *,
        mint: Mint | None = None,
        role: AwsCredentials | CredentialsSource | None = None,
    ) -> None:
        self._settings = settings
        self._read_secret = read_secret
        self._sandbox_url = sandbox_url
        self._mint = mint
        self._role = role
        self._variables: Mapping[str, str] | None = None if read_secret else settings.providers
        self._reading = asyncio.Lock()
        self._found: dict[str, Account | None] = {}

    async def find(self, name: str) -> Account | None:
        if name not in self._found:
            variables = await self.variables()
            account = self._account(name, variables)
            if account is None:
                return None  # not remembered: callers choose these names, and could fill the memory with them
            self._found[name] = account
        return self._found[name]

    async def usable(self) -> tuple[Account, ...]:
        variables = await self.variables()
        lit = [name for name in providers.names() if self._is_lit(name, variables)]
        accounts = [await self.find(name) for name in (*lit, *self._settings.servers)]
        return tuple(a for a in accounts if a is not None and a.usable)

    def _is_lit(self, name: str, variables: Mapping[str, str]) -> bool:
        return bool(self._sandbox_url) if name == "sandbox" else is_lit(name, variables)

    async def authorize(self, target: Target) -> Target:
        provider = providers.get(target.provider) if target.own else self._provider(target.provider)
        if provider is None or provider.credential == "key":
            return target
        if provider.credential == "aws":
            return target if target.own or target.secret else replace(target, aws=await self._aws())
        if target.secret.lstrip().startswith("{") and self._mint:
            token = await self._mint.token(provider.credential, target.secret, own=target.own)
            return replace(target, secret="", token=token)
        return target

    async def _aws(self) -> AwsCredentials:
        variables = await self.variables()
        access, secret, session = [variables.get(name, "") for name in AWS_KEYS]
        if access and secret:
            return AwsCredentials(access, secret, session)
        if isinstance(self._role, AwsCredentials):
            return self._role
        if self._role is None:
            raise BadCredential("this gateway has no credentials at AWS")
        try:
            return await self._role()
        except AwsFault as err:
            raise UpstreamError(f"this gateway's credentials at AWS cannot be had: {err.kind}") from err

    async def variables(self) -> Mapping[str, str]:
        """What the operator set: keys and addresses of providers, and of what tools ask. Raises `Unavailable`."""
        if self._variables is None:
            async with self._reading:
                if self._variables is None and self._read_secret:
                    self._variables = {**self._settings.providers, **provider_variables(await self._read_secret())}
        return self._variables or {}

    def _account(self, name: str, variables: Mapping[str, str]) -> Account | None:
        provider = self._provider(name)
        if provider is None:
            return None
        if provider.name == "sandbox":
            return Account(provider, self._sandbox_url) if self._sandbox_url else None
        account = account_of(provider, variables, self._settings.region)
        if provider.name == "ollama" and "OLLAMA_BASE_URL" not in variables and "OLLAMA_HOST" in variables:
            account = replace(account, base_url=ollama_url(variables["OLLAMA_HOST"]))
        if not provider.needs_key and not self._is_lit(provider.name, variables) and name not in self._settings.servers:
            return None  # a server of one's own is there only when someone says where
        return account

    def _provider(self, name: str) -> Provider | None:
        url = self._settings.servers.get(name)
        if url:
            from orrery.providers.compatible import server

            return server(name, url)
        return providers.get(name)


def ollama_url(host: str) -> str:
    """`OLLAMA_HOST` as Ollama's own clients read it: host, host:port or URL; the OpenAI wire is under `/v1`."""
    url = host if "://" in host else f"http://{host}"
    if url.count(":") < 2:
        url = f"{url.rstrip('/')}:11434"
    return url.rstrip("/").removesuffix("/v1") + "/v1"
