"""A PC on which everything is well, and ways to break one thing of it for real: copies of a profile that is signed in, scripted
servers with real sockets and certificates, mounted disks."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.browser.order_window_rig import AS_ROOT, NOBODY
from tests.commands.installation import ROOT, Installation

Answer = Callable[[socket.socket], None]


@dataclass
class Rig:
    """One PC for one fault. Everything that is entered into `stack` is undone at the end."""

    pc: Installation
    folder: Path
    stack: contextlib.ExitStack
    inside: list[str] = field(default_factory=list)
    """Shell commands in a mount namespace of doctor's own, before it starts."""

    def settings(self, **values: object) -> None:
        """Platform values as `section_key=value`; the section is the part before the first underscore."""
        path = self.pc.platform or self.pc.world.sandbox.platform_file
        text = path.read_text(encoding="utf-8")
        for name, value in values.items():
            section, _, key = name.partition("_")
            written = repr(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)
            text = re.sub(rf"(?ms)(^\[{section}\]\n(?:(?!^\[).)*?)^{key} *=[^\n]*\n", r"\1", text, count=1)
            assert f"\n[{section}]\n" in text
            text = text.replace(f"\n[{section}]\n", f"\n[{section}]\n{key} = {written}\n", 1)
        self.platform(text)

    def platform(self, text: str) -> Path:
        path = self.folder / "platform.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
        self.pc.platform = path
        return path

    def environment(self, **more: str) -> None:
        self.pc.more = {**self.pc.more, **more}

    def as_nobody(self) -> None:
        """An ordinary user, for whom rights count; the profile is theirs."""
        self.platform((self.pc.platform or self.pc.world.sandbox.platform_file).read_text(encoding="utf-8"))
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        self.pc.popen = {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def disk(self, where: Path, options: str) -> None:
        """A small disk of its own, mounted there."""
        where.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(where)], check=True)
        self.stack.callback(subprocess.run, ["umount", "-l", str(where)], check=True)

    def doctor(self) -> list[dict[str, str]]:
        if self.inside:
            line = " && ".join([*self.inside, f"exec {sys.executable} -m desktop doctor --json"])
            done = subprocess.run(
                ["unshare", "-m", "sh", "-c", line],
                env=self.pc.environment,
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            import json

            assert "Traceback" not in done.stderr, done.stderr
            found: list[dict[str, str]] = json.loads(done.stdout)
            return found
        said = self.pc.run("doctor", "--json", timeout=60)
        checks: list[dict[str, str]] = said.value
        failed = any(check["verdict"] == "fail" for check in checks)
        assert said.status == (1 if failed else 0), said.err
        return checks

    # servers

    def tcp(self, answer: Answer, tls: ssl.SSLContext | None = None) -> int:
        """A server that does the same with every connection; gives its port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.stack.callback(listener.close)

        def serve(line: socket.socket) -> None:
            with contextlib.suppress(OSError), line:
                line.settimeout(40)
                if tls is None:
                    answer(line)
                else:
                    with tls.wrap_socket(line, server_side=True) as wrapped:
                        answer(wrapped)

        def accept() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    def closed_port(self) -> int:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            return int(taken.getsockname()[1])

    def vendors(self, port: int, scheme: str = "http", host: str = "127.0.0.1") -> None:
        """All vendors at one address; those that nobody uses here are taken out."""
        text = (self.pc.platform or self.pc.world.sandbox.platform_file).read_text(encoding="utf-8")
        self.platform(re.sub(r"(?ms)^\[(?:workflowmax|smokeball)\]\n.*?(?=^\[|\Z)", "", text))
        base = f"{scheme}://{host}:{port}"
        self.settings(
            xero_authorize_url=f"{base}/authorize",
            xero_token_url=f"{base}/token",
            xero_connections_url=f"{base}/connections",
            xero_api_url=f"{base}/practicemanager/3.1/",
            infotrack_api_url=f"{base}/v1/",
            results_pull_url=f"{base}/v1/messages",
        )


def http(status: str = "404 Not Found", *, date: datetime | None = None, body: bytes = b"no") -> Answer:
    def answer(line: socket.socket) -> None:
        line.recv(65536)
        told = format_datetime(date or datetime.now(UTC), usegmt=True)
        head = f"HTTP/1.1 {status}\r\nDate: {told}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        line.sendall(head.encode() + body)

    return answer


def says(text: bytes) -> Answer:
    def answer(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(text)

    return answer


def silence(line: socket.socket) -> None:
    """Takes everything and says nothing."""
    while line.recv(65536):
        pass


def tunnel(to: int) -> Answer:
    """A proxy that leads every CONNECT to one port of this PC, whatever it asked for: an inspecting one."""

    def answer(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", to)) as other:
            threading.Thread(target=_pump, args=(other, line), daemon=True).start()
            _pump(line, other)

    return answer


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def certificate(
    folder: Path,
    host: str,
    *,
    issuer: str = "Muster Firewall Inspection CA",
    begins: timedelta = timedelta(days=-2),
    ends: timedelta = timedelta(days=20),
    self_signed: bool = False,
) -> ssl.SSLContext:
    """A server's context with a certificate for `host`; its authority's is in `folder`/authority.pem."""
    now = datetime.now(UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])
    subject = name if self_signed else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])

    def made(
        of: x509.Name, public: ec.EllipticCurvePublicKey, extension: x509.ExtensionType, *, critical: bool
    ) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(of)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(extension, critical=critical)
            .sign(key if self_signed else root_key, hashes.SHA256())
        )

    root = made(name, root_key.public_key(), x509.BasicConstraints(ca=True, path_length=None), critical=True)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    leaf = made(subject, key.public_key(), x509.SubjectAlternativeName([alternative]), critical=False)
    (folder / "authority.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    chain = folder / "chain.pem"
    chain.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + leaf.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def copied(pc: Installation, folder: Path) -> Installation:
    """The same person's PC, in a profile that may be broken."""
    shutil.copytree(pc.profile, folder / "profile", ignore=shutil.ignore_patterns("*.socket", "*.lock"))
    more: dict[str, Any] = {"HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "home" / ".config"), "NO_PROXY": ""}
    (folder / "home").mkdir()
    return replace(pc, profile=folder / "profile", more={**pc.more, **more})


def mounts_work() -> bool:
    """Disks of our own need rights that not every machine gives."""
    if not AS_ROOT or not sys.platform.startswith("linux") or not shutil.which("unshare"):
        return False
    return (
        subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True).returncode == 0
    )


@contextlib.contextmanager
def rig(pc: Installation, folder: Path) -> Iterator[Rig]:
    with contextlib.ExitStack() as stack:
        yield Rig(copied(pc, folder), folder, stack)
