"""We speak only to whom the certificate names, and the bundle is read once, when it is first needed."""

import datetime
import ipaddress
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orrery.core.dialect import UpstreamRequest
from orrery.core.errors import Unreachable
from orrery.edge.http import HttpTransport
from orrery.edge.http_pool import Pool
from orrery.edge.http_tls import lazy_tls, tls_context
from tests.edge.faulty import CHUNKED, OK, answers, read_all, serve

NOW = datetime.datetime.now(datetime.UTC)
type Made = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, address: str = "127.0.0.1", signer: Made | None = None, days: int = 2) -> Made:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = (signer[0].subject, signer[1]) if signer else (subject, key)
    built = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=9))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
    )
    if signer is None:
        sign_only = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        built = built.add_extension(sign_only, critical=True)
    return built.sign(signing, hashes.SHA256()), key


class Authority:
    """A certificate authority in a directory: `ca` is its file."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.made = certificate("Test CA")
        self.ca = directory / "ca.pem"
        self.ca.write_bytes(self.made[0].public_bytes(serialization.Encoding.PEM))

    def server(self, address: str = "127.0.0.1", days: int = 2) -> ssl.SSLContext:
        leaf, key = certificate("leaf", address, self.made, days)
        file = self.directory / "leaf.pem"
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        file.write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    yield Authority(tmp_path)


async def test_a_certified_host_is_spoken_to_over_one_kept_connection(authority: Authority) -> None:
    pool = Pool(tls=lazy_tls(str(authority.ca)))
    transport = HttpTransport(pool)
    async with serve(answers(CHUNKED, b"2\r\nok\r\n0\r\n\r\n"), authority.server()) as server:
        for _ in range(3):
            async with transport.send(UpstreamRequest("POST", server.url, {}, b"x" * 500_000), 20) as reply:
                assert await read_all(reply, 10) == b"ok"
        connection = next(iter(pool._open))
        assert connection._transport is not None
        tls = connection._transport.get_extra_info("ssl_object")
        assert (tls.selected_alpn_protocol(), tls.version()) == ("http/1.1", "TLSv1.3")
        assert server.connections == 1
        await transport.aclose()
        assert pool.open_count == 0


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the server's half of a handshake that we refuse
@pytest.mark.parametrize("wrong", ["name", "authority", "date"])
async def test_nothing_is_sent_to_a_host_that_is_not_certified(
    authority: Authority, wrong: str, tmp_path: Path
) -> None:
    theirs = authority.server(
        address="127.0.0.2" if wrong == "name" else "127.0.0.1", days=-1 if wrong == "date" else 2
    )
    other = tmp_path / "other"
    other.mkdir()
    trusted = Authority(other) if wrong == "authority" else authority
    transport = HttpTransport(Pool(tls=lazy_tls(str(trusted.ca))))
    async with serve(answers(OK), theirs) as server:
        with pytest.raises(Unreachable, match=r"^no connection to 127\.0\.0\.1$") as caught:
            async with transport.send(UpstreamRequest("POST", server.url, {}, b""), 20):
                pass
        cause: BaseException | None = caught.value
        while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
            cause = cause.__cause__
        assert cause is not None
        assert server.requests == []
        await transport.aclose()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command names hashed certificates")
async def test_a_hashed_directory_is_trusted_like_a_file(authority: Authority, tmp_path: Path) -> None:
    asked = ["openssl", "x509", "-hash", "-noout", "-in", str(authority.ca)]
    name = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()  # noqa: ASYNC221 - a test
    (tmp_path / "hashed").mkdir()
    (tmp_path / "hashed" / f"{name}.0").write_bytes(authority.ca.read_bytes())
    transport = HttpTransport(Pool(tls=lazy_tls(str(tmp_path / "hashed"))))
    async with serve(answers(OK), authority.server()) as server:
        async with transport.send(UpstreamRequest("POST", server.url, {}, b""), 20) as reply:
            assert await read_all(reply, 2) == b"ok"
        await transport.aclose()


def test_the_bundle_is_read_once_and_not_before_it_is_needed(tmp_path: Path) -> None:
    late = tmp_path / "late.pem"
    tls = lazy_tls(str(late))
    late.write_bytes(Authority(tmp_path).ca.read_bytes())
    assert tls() is tls()


def test_every_context_checks_names_and_certificates() -> None:
    context = tls_context()
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) > 50


def test_a_missing_bundle_is_an_error_and_not_an_empty_trust(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tls_context(str(tmp_path / "absent.pem"))
