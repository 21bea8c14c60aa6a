"""The internet in a test: names with public addresses, all of which lead to one listener on this machine."""

import datetime
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orrery.edge.egress import Egress
from orrery.edge.http1 import Connection
from orrery.edge.http_faults import ConnectFault, WireFault
from orrery.edge.http_pool import Origin, Pool
from orrery.edge.http_tls import lazy_tls
from tests.edge.faulty import Script, Server, serve, settle

PUBLIC = "93.184.215.14"
PUBLIC_V6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


class Elsewhere(Pool):
    """A pool whose connections all end at `port` here, whatever address they are for; `called` keeps those.

    Connecting to one of `unreachable` raises `fault`.
    """

    def __init__(
        self,
        port: int,
        ca: str | None = None,
        unreachable: Sequence[str] = (),
        fault: type[WireFault] = ConnectFault,
    ) -> None:
        super().__init__(tls=lazy_tls(ca), kept=0)
        self.called: list[str] = []
        self._port = port
        self._unreachable = unreachable
        self._fault = fault

    async def _connect(self, origin: Origin, limit_s: float) -> Connection:
        self.called.append(origin.address)
        if origin.address in self._unreachable:
            raise self._fault("nobody there")
        return await super()._connect(origin._replace(address="127.0.0.1", port=self._port), limit_s)


@dataclass
class Names:
    """A resolver: each name with its addresses, or with one list of them after the other."""

    known: Mapping[str, Sequence[str] | list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        found = self.known.get(host)
        if found is None:
            raise OSError(f"no address for {host}")
        if found and isinstance(found[0], list):
            return found.pop(0)  # type: ignore[union-attr]  # a list of lists
        return found  # type: ignore[return-value]


@dataclass
class World:
    """One server for every public name, and the way out to it."""

    egress: Egress
    pool: Elsewhere
    names: Names
    server: Server
    greeted: list[str | None]


@asynccontextmanager
async def world(
    script: Script,
    directory: Path | None = None,
    *,
    names: Mapping[str, Sequence[str] | list[list[str]]] | None = None,
    certified: str = "files.example",
    trusted: bool = True,
    http_hosts: Sequence[str] = ("files.example", "other.example"),
    unreachable: Sequence[str] = (),
    fault: type[WireFault] = ConnectFault,
) -> AsyncIterator[World]:
    """Over TLS when there is a directory for certificates, else plain. No connection may be left at the end."""
    greeted: list[str | None] = []
    ca, tls = certificates(directory, certified, greeted) if directory else (None, None)
    found = Names({"files.example": [PUBLIC], "other.example": [PUBLIC]} if names is None else names)
    async with serve(script, tls) as server:
        pool = Elsewhere(server.port, ca if trusted else None, unreachable, fault)
        yield World(Egress(pool, http_hosts=http_hosts, lookup=found), pool, found, server, greeted)
        await settle()
        assert pool.open_count == 0


def certificates(directory: Path, name: str, greeted: list[str | None]) -> tuple[str, ssl.SSLContext]:
    """The file of an authority, and a server's context with a certificate by it for `name`; keeps what SNI said."""
    now = datetime.datetime.now(datetime.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
    built = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "ca.pem").write_bytes(public)
    (directory / "both.pem").write_bytes(private + public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "both.pem")
    context.sni_callback = lambda _socket, told, _context: greeted.append(told)
    return str(directory / "ca.pem"), context
