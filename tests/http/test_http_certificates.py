"""Certificates: the operating system's store decides, and nothing leaves when it says no."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from desktop.services.errors import NotSent
from desktop.services.http import Http, Limits
from tests.http.wire import Line, wire

BODY = b"<Cost><Job>J000001</Job></Cost>"


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http(limits=Limits(connect=2.0, read=5.0, total=20.0))
    yield client
    client.close()


def fine(line: Line) -> None:
    line.request()
    line.reply(body=b"yes")


def certificate(folder: Path, host: str) -> ssl.SSLContext:
    """A server context with a self-signed certificate for `host`; its file is `ca.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A firm's own root")])
    now = datetime.datetime.now(datetime.UTC)
    alternative: x509.GeneralName = x509.DNSName(host)
    with contextlib.suppress(ValueError):
        alternative = x509.IPAddress(ipaddress.ip_address(host))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


def test_a_certificate_that_nobody_vouches_for_means_that_nothing_was_sent(http: Http, tmp_path: Path) -> None:
    """D3, A26: TLS."""
    with wire(every=fine, tls=certificate(tmp_path, "127.0.0.1")) as server, pytest.raises(NotSent, match="certificate"):
        http.send("POST", server.url, body=BODY)


def test_a_certificate_in_the_operating_systems_store_is_enough(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A26: a firm's inspecting proxy works without switching checks off."""
    context = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with wire(every=fine, tls=context) as server:
        assert http.send("POST", server.url, body=BODY).body == b"yes"


def test_a_certificate_for_another_host_is_refused_even_when_its_root_is_known(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A26."""
    context = certificate(tmp_path, "elsewhere.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with wire(every=fine, tls=context) as server, pytest.raises(NotSent, match="certificate"):
        http.send("POST", server.url, body=BODY)
