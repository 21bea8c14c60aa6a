"""Which providers this deployment reaches, and with which credential: from the environment, or from one secret."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from orrery import providers
from orrery.core.dialect import Provider
from orrery.core.types import Target
from orrery.edge.settings import Settings, provider_variables
from orrery.flow.gateway import Account

type ReadSecret = Callable[[], Awaitable[Mapping[str, str]]]


class OperatorAccounts:
    """The operator's own provider accounts: the pool that credit is spent on.

    The secret is read on first use, and once: a cold start that needs no provider never waits for it.
    """

    def __init__(
        self, settings: Settings, read_secret: ReadSecret | None = None, sandbox_url: str | None = None
    ) -> None:
        self._settings = settings
        self._read_secret = read_secret
        self._sandbox_url = sandbox_url
        self._variables: Mapping[str, str] | None = None if read_secret else settings.providers
        self._reading = asyncio.Lock()
        self._found: dict[str, Account | None] = {}

    async def find(self, name: str) -> Account | None:
        if name not in self._found:
            variables = await self._all_variables()
            account = self._account(name, variables)
            if account is None:
                return None  # not remembered: callers choose these names, and could fill the memory with them
            self._found[name] = account
        return self._found[name]

    async def usable(self) -> tuple[Account, ...]:
        names = (*providers.names(), *self._settings.servers)
        accounts = [await self.find(name) for name in names]
        return tuple(a for a in accounts if a is not None and a.usable)

    async def authorize(self, target: Target) -> Target:
        return target

    async def _all_variables(self) -> Mapping[str, str]:
        if self._variables is None:
            async with self._reading:
                if self._variables is None and self._read_secret:
                    self._variables = {**self._settings.providers, **provider_variables(await self._read_secret())}
        return self._variables or {}

    def _account(self, name: str, variables: Mapping[str, str]) -> Account | None:
        provider = self._provider(name)
        if provider is None:
            return None
        prefix = name.upper().replace("-", "_")
        base_url = self._sandbox_url if name == "sandbox" else variables.get(f"{prefix}_BASE_URL")
        if name == "ollama" and not base_url and "OLLAMA_HOST" in variables:
            base_url = ollama_url(variables["OLLAMA_HOST"])
        secret = variables.get(f"{prefix}_API_KEY", "")
        if not provider.needs_key and not base_url and name not in self._settings.servers:
            return None  # a server of one's own is there only when someone says where
        return Account(provider, base_url or provider.base_url, secret)

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
