"""Certificates and proxies on the way to the sign-in server."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from desktop.services.errors import NotSent
from desktop.services.http import Http, Limits
from desktop.services.identity.model import SignInFailed
from desktop.services.identity.wallet import Identity
from tests.identity.fake_authorization_server import FakeAuthorizationServer, serving
from tests.identity.identity_rig import XPM, Rig, rig_for

LIMITS = Limits(connect=5, read=5, total=10)
FIRMS_NAME = "identity.practice.example"


class Authority:
    """A firm's own certificate authority, as an inspecting proxy has one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Firm Test CA")])
        self._certificate = self._builder(name, name, self._key.public_key(), authority=True).sign(self._key, hashes.SHA256())
        self.file = folder / "ca.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, *, self_signed: bool = False) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        issuer = name if self_signed else self._certificate.subject
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.DNSName(FIRMS_NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        builder = self._builder(name, issuer, key.public_key(), authority=False).add_extension(names, critical=False)
        certificate = builder.sign(key if self_signed else self._key, hashes.SHA256())
        file = self._folder / "server.pem"
        file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, *, authority: bool
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )


@contextmanager
def over_tls(folder: Path, *, self_signed: bool = False) -> Iterator[tuple[Rig, Authority]]:
    authority = Authority(folder)
    with serving(FakeAuthorizationServer(), tls=authority.server_context(self_signed=self_signed)) as server:
        rig = rig_for(server, folder)
        # The browser's part is not about certificates: the person's consent comes straight from the fake server.
        yield rig, authority


def consenting(rig: Rig) -> None:
    def open_and_consent(address: str) -> bool:
        _, location = rig.server.authorize(address.partition("?")[2])
        rig.person.threads.append(threading.Thread(target=rig.person._browse, args=(location,), daemon=True))
        rig.person.threads[-1].start()
        return True

    rig.person.open = open_and_consent  # type: ignore[method-assign]


def test_a_certificate_of_the_firms_own_authority_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A26: the operating system's store decides (on Linux SSL_CERT_FILE names it)."""
    with over_tls(tmp_path) as (rig, authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        consenting(rig)
        assert rig.identity().sign_in(XPM, rig.person.steps()).tenant_name == "Kowhai & Rata Accountants"


@pytest.mark.parametrize("self_signed", [True, False], ids=["self-signed", "unknown authority"])
def test_an_unknown_certificate_is_refused_before_a_byte_leaves(tmp_path: Path, self_signed: bool) -> None:
    """A26: nothing was sent: no code, no verifier."""
    with over_tls(tmp_path, self_signed=self_signed) as (rig, _):
        consenting(rig)
        with pytest.raises(SignInFailed, match="certificate could not be verified") as told:
            rig.identity().sign_in(XPM, rig.person.steps())
        assert isinstance(told.value.__cause__, NotSent)
        assert rig.server.asked == []


def test_no_switch_turns_certificate_checks_off() -> None:
    """A26: «no ignore errors»."""
    room = Path(__file__).parents[2] / "desktop"
    for file in room.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "verify=False" not in text, file
        assert "CERT_NONE" not in text, file
        assert "_create_unverified_context" not in text, file


class Tunnel:
    """A proxy that only lets CONNECT through, to one place."""

    def __init__(self, target: int) -> None:
        self.lines: list[str] = []
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        with closing(client):
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.lines.append(head.split(b"\r\n")[0].decode())
            with closing(socket.create_connection(("127.0.0.1", self._target))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join(10)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_the_firms_proxy_carries_every_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A27: the name can't be reached directly; sign-in, refresh and revocation all go through the proxy."""
    with over_tls(tmp_path) as (rig, authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        port = rig.server.origin.rpartition(":")[2]
        base = f"https://{FIRMS_NAME}:{port}"
        rig.xero = {
            "token_url": f"{base}/connect/token",
            "revocation_url": f"{base}/connect/revocation",
            "connections_url": f"{base}/connections",
        }
        consenting(rig)
        with closing(Tunnel(int(port))) as tunnel:
            http = Http(limits=LIMITS, proxy=lambda _: tunnel.address)
            identity = Identity(
                rig.profile,
                rig.settings,
                http,
                clock=rig.clock.now,
                boot=rig.clock.since_boot,
                keyring_backend=lambda: rig.keyring,
            )
            identity.sign_in(XPM, rig.person.steps())
            connection = identity.connection(XPM)
            assert connection is not None
            rig.clock.pass_(1800)
            connection.token()
            assert "revoked there" in identity.disconnect(XPM)
            assert [line.rpartition(" ")[0] for line in tunnel.lines] == [f"CONNECT {FIRMS_NAME}:{port}"] * 4


def test_the_environments_proxy_counts_when_none_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A27."""
    with over_tls(tmp_path) as (rig, authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        port = rig.server.origin.rpartition(":")[2]
        rig.xero = {
            name: f"https://{FIRMS_NAME}:{port}/{path}"
            for name, path in (("token_url", "connect/token"), ("connections_url", "connections"))
        }
        consenting(rig)
        with closing(Tunnel(int(port))) as tunnel:
            monkeypatch.setenv("HTTPS_PROXY", tunnel.address)
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("NO_PROXY", raising=False)
            rig.identity().sign_in(XPM, rig.person.steps())
            assert len(tunnel.lines) == 2
