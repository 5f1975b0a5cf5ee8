"""Each vendor's reach, step by step: name look-up, proxy, connection, certificate, answer; and from the answers this PC's clock.

One unauthenticated read of a host's root is made, as the program makes its own. Only where that fails each step is taken alone."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from desktop.services.doctor.check import Check, Verdict
from desktop.services.errors import NotSent, ServiceError
from desktop.services.http import Http, Limits, is_loopback
from desktop.settings import Settings

if TYPE_CHECKING:
    from cryptography import x509

_LIMITS = Limits(connect=4, read=6, total=8)
_STEP = 4.0
MOST_OFF = 300.0
_OFF = 120.0


def addresses(settings: Settings, systems: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is asked for in each of the `systems` that somebody uses here, for InfoTrack, and for the message feed."""
    from desktop.services.practice.smokeball_hosts import api_root, auth_root

    if "xero-practice-manager" in systems:
        yield "Xero sign-in", settings.xero.authorize_url
        yield "Xero tokens", settings.xero.token_url
        yield "Xero connections", settings.xero.connections_url
        yield "Xero Practice Manager", settings.xero.api_url
    if "workflowmax" in systems:
        yield "WorkflowMax sign-in", settings.workflowmax.authorize_url
        yield "WorkflowMax tokens", settings.workflowmax.token_url
        yield "WorkflowMax", settings.workflowmax.api_url
    if "smokeball" in systems:
        yield "Smokeball sign-in", auth_root(settings.smokeball)
        yield "Smokeball", api_root(settings.smokeball)
    yield "InfoTrack", settings.infotrack.api_url
    if settings.results.pull_url:
        yield "message feed", settings.results.pull_url


@dataclass(frozen=True, slots=True)
class Proxy:
    """`shown` is its host and port; a user name and password in its address are never told."""

    host: str
    port: int

    @property
    def shown(self) -> str:
        return f"{self.host}:{self.port}"


def proxy_for(address: str) -> Proxy | None:
    """What a command uses for this address: the environment's, on Windows and macOS also the system's. None: go direct."""
    from requests.utils import get_environ_proxies

    if is_loopback(address):
        return None
    url = urlsplit(address)
    named = get_environ_proxies(address)
    told = str(named.get(url.scheme) or named.get("all") or "")
    if not told:
        return None
    parts = urlsplit(told if "//" in told else f"http://{told}")
    try:
        return Proxy(parts.hostname or "?", parts.port or (443 if parts.scheme == "https" else 80))
    except ValueError:
        return Proxy(parts.hostname or "?", 0)


def proxies(wanted: Sequence[str], tray: Mapping[str, object]) -> Iterator[Check]:
    """Which proxies are used. `tray` is what Qt found for each address, where it could be asked."""
    far = [address for address in wanted if not is_loopback(address)]
    ours = {address: found.shown if (found := proxy_for(address)) else "" for address in far}
    used = sorted(set(filter(None, ours.values())))
    yield Check("proxy", Verdict.OK, f"Through {', '.join(used)}." if used else "None: iConnect connects directly.")
    other = sorted({str(tray[address]) or "none" for address in far if address in tray and str(tray[address]) != ours[address]})
    if other:
        yield Check(
            "proxy of the tray",
            Verdict.NOTE,
            f"The system's settings name another for the tray ({', '.join(other)}) than commands use ({', '.join(used) or '-'}).",
            "Make HTTPS_PROXY and the system's proxy settings say the same.",
        )


def reach(name: str, address: str, offsets: list[float]) -> Iterator[Check]:
    """`offsets` gets by how many seconds this PC's clock is ahead of the host's."""
    url = urlsplit(address)
    title = f"{name} reach"
    proxy = proxy_for(address)
    if proxy is None and (problem := _look_up(url.hostname or "")):
        yield Check(
            title, Verdict.FAIL, problem, f"Check this PC's DNS servers, a VPN, and that {url.hostname} is spelled rightly."
        )
        return
    http_ = Http(limits=_LIMITS)
    try:
        answer = http_.send("GET", f"{url.scheme}://{url.netloc}/", cap=5_000_000)
    except NotSent as error:
        yield _why(title, url, proxy, error)
        return
    except ServiceError as error:
        yield Check(
            title,
            Verdict.FAIL,
            f"{url.netloc} took the connection. {error}",
            f"Check the firewall for {url.hostname}; try again later.",
        )
        return
    finally:
        http_.close()
    _measure(answer.headers.get("date", ""), offsets)
    if answer.status == 407:
        yield _wants_sign_in(title, proxy)
    elif answer.status in (502, 503, 504):
        by = f" (through the proxy {proxy.shown})" if proxy else ""
        yield Check(
            title,
            Verdict.FAIL,
            f"{url.netloc} answers that it is not available ({answer.status}){by}.",
            "Look at the vendor's status page; try again later.",
        )
    elif is_loopback(address):
        yield Check(title, Verdict.NOTE, f"{url.netloc} is on this PC.", "Right for a sandbox only.")
    else:
        yield Check(title, Verdict.OK, url.netloc)


def clock(offsets: Sequence[float]) -> Iterator[Check]:
    """`offsets` in seconds. One host may be wrong itself: the nearest counts."""
    if not offsets:
        return
    off = min(offsets, key=abs)
    how = "ahead" if off > 0 else "behind"
    if abs(off) > MOST_OFF:
        yield Check(
            "clock", Verdict.FAIL, f"This PC's clock is {_span(off)} {how}.", "Set the date and time; sign-in needs them right."
        )
    elif abs(off) > _OFF:
        yield Check("clock", Verdict.NOTE, f"This PC's clock is {_span(off)} {how}.", "Switch on setting the time automatically.")
    else:
        yield Check("clock", Verdict.OK, "It agrees with the vendors' clocks.")


def _span(seconds: float) -> str:
    minutes = abs(seconds) / 60
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 2880 else f"{minutes / 1440:.0f} days"


def _measure(told: str, offsets: list[float]) -> None:
    try:
        theirs = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    offsets.append((datetime.now(UTC) - theirs).total_seconds())


# ---- why not ------------------------------------------------------------------------------------------------------------


def _look_up(host: str) -> str:
    """Empty when the name has an address. The system's look-up knows no limit of its own."""
    failed: list[str] = []

    def ask() -> None:
        try:
            socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            failed.append(f"The name {host} can't be looked up (DNS).")

    thread = threading.Thread(target=ask, name="doctor", daemon=True)
    thread.start()
    thread.join(_STEP + 1)
    if thread.is_alive():
        return f"Looking up the name {host} takes too long: the DNS server does not answer."
    return failed[0] if failed else ""


def _why(title: str, url: SplitResult, proxy: Proxy | None, first: ServiceError) -> Check:
    """Takes the steps again, one by one, up to the one that fails."""
    host = url.hostname or ""
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
        line = socket.create_connection((proxy.host, proxy.port) if proxy else (host, port), timeout=_STEP)
    except OSError as error:
        reason = "does not answer" if isinstance(error, TimeoutError) else "can't be reached"
        if proxy:
            return Check(
                title,
                Verdict.FAIL,
                f"The proxy {proxy.shown} {reason}.",
                "Correct the proxy in the system's settings (or HTTPS_PROXY), or ask IT whether it runs.",
            )
        return Check(
            title, Verdict.FAIL, f"{url.netloc} {reason}.", f"Check the network and that the firewall lets this PC reach {host}."
        )
    with line:
        if proxy and url.scheme == "https":
            status = _tunnel(line, host, port)
            if status == 407:
                return _wants_sign_in(title, proxy)
            if status != 200:
                said = f"answered {status}" if status else "gave no answer that could be read"
                return Check(
                    title,
                    Verdict.FAIL,
                    f"The proxy {proxy.shown} did not let the connection to {host} through ({said}).",
                    f"Ask IT to allow {host} on the proxy.",
                )
        if url.scheme == "https":
            return _certificate(title, line, host, first)
    return Check(title, Verdict.FAIL, str(first), f"Check the network, the proxy and the firewall for {host}.")


def _wants_sign_in(title: str, proxy: Proxy | None) -> Check:
    return Check(
        title,
        Verdict.FAIL,
        f"The proxy {proxy.shown if proxy else 'in between'} wants a sign-in (407).",
        "Ask IT to let this PC through without one, or to give an address with a login in HTTPS_PROXY.",
    )


def _tunnel(line: socket.socket, host: str, port: int) -> int:
    """The proxy's answer to a CONNECT; 0 for none."""
    try:
        line.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode("ascii", "replace"))
        head = b""
        while b"\r\n\r\n" not in head and len(head) < 16_000:
            piece = line.recv(1)  # what follows belongs to the encrypted conversation
            if not piece:
                break
            head += piece
        return int(head.split(b" ", 2)[1])
    except (OSError, ValueError, IndexError):
        return 0


def _certificate(title: str, line: socket.socket, host: str, first: ServiceError) -> Check:
    """Who answers there, by a handshake that is broken off where the certificate does not hold, as always. Nothing is sent."""
    chain = _shown_chain(line, host)
    if not chain:
        return Check(
            title,
            Verdict.FAIL,
            f"{host} takes connections, but an encrypted one does not come about.",
            "Ask IT whether a firewall or an inspecting proxy stands between; it must allow TLS 1.2 or newer.",
        )
    from cryptography import x509

    try:
        shown = x509.load_der_x509_certificate(chain[0])
    except ValueError:
        return Check(
            title, Verdict.FAIL, f"The certificate of {host} can't be read.", "Ask IT what stands between this PC and the vendor."
        )
    return _explained(title, shown, host, first)


def _shown_chain(line: socket.socket, host: str) -> list[bytes]:
    """The certificates that the other side showed (DER), its own first; empty when there was no handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    theirs, ours = ssl.MemoryBIO(), ssl.MemoryBIO()
    handshake = context.wrap_bio(theirs, ours, server_hostname=host)
    line.settimeout(_STEP)
    try:
        while True:
            try:
                handshake.do_handshake()
            except ssl.SSLWantReadError:
                line.sendall(ours.read())
                piece = line.recv(65536)
                if not piece:
                    return []
                theirs.write(piece)
            else:
                return [handshake.getpeercert(True) or b""]
    except ssl.SSLCertVerificationError:
        return _unverified(handshake)
    except (OSError, ValueError):
        return []


def _unverified(handshake: ssl.SSLObject) -> list[bytes]:
    """From Python 3.13 on there is a method for it; before, the same one a level deeper."""
    der = 2
    for holder in (handshake, getattr(handshake, "_sslobj", None)):
        ask = getattr(holder, "get_unverified_chain", None)
        if ask is not None:
            return [one if isinstance(one, bytes) else one.public_bytes(der) for one in ask() or ()]
    return []


def _explained(title: str, shown: x509.Certificate, host: str, first: ServiceError) -> Check:
    now, issuer = datetime.now(UTC), _name(shown.issuer)
    if now > shown.not_valid_after_utc:
        what = f"The certificate of {host} (by {issuer}) ended on {shown.not_valid_after_utc:%d %B %Y}."
        return Check(
            title,
            Verdict.FAIL,
            what,
            "Check this PC's date first; if it is right, the vendor or the inspecting proxy must renew it.",
        )
    if now < shown.not_valid_before_utc:
        what = f"The certificate of {host} (by {issuer}) begins only on {shown.not_valid_before_utc:%d %B %Y}."
        return Check(title, Verdict.FAIL, what, "Check this PC's date: it is probably behind.")
    names = _hosts(shown)
    if not any(_covers(name, host) for name in names):
        held = ", ".join(names[:3]) or "no host"
        return Check(
            title,
            Verdict.FAIL,
            f"What answers for {host} shows a certificate for {held} (by {issuer}).",
            "Something else answers in the vendor's place: a portal to sign in to, a wrong DNS entry or proxy. Ask IT.",
        )
    if "certificate" in str(first):
        return Check(
            title,
            Verdict.FAIL,
            f"The certificate for {host} comes from «{issuer}», which this PC does not trust: probably an inspecting firewall.",
            f"If «{issuer}» is the firm's own, IT adds its root certificate to the operating system's store, or exempts {host}; "
            "if nobody knows it, don't sign in on this network.",
        )
    return Check(title, Verdict.FAIL, str(first), f"Check the network, the proxy and the firewall for {host}.")


def _name(name: x509.Name) -> str:
    from cryptography.x509.oid import NameOID

    for wanted in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if found := name.get_attributes_for_oid(wanted):
            return str(found[0].value)[:80]
    return "nobody named"


def _hosts(shown: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [*names.get_values_for_type(x509.DNSName), *(str(one) for one in names.get_values_for_type(x509.IPAddress))]


def _covers(pattern: str, host: str) -> bool:
    pattern, host = pattern.casefold(), host.casefold()
    return pattern == host or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])
