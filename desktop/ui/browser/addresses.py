"""Which addresses the order window may visit, and which a page in it may load from. Pure: no Qt, no look-ups.

Rules by name only. A name that somebody points at a private address is stopped by another rule: plain http is refused for
every name but the loopback ones that `infotrack.hosts` lists, and https needs a certificate for the name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from desktop.ui.language import tr


class Verdict(StrEnum):
    ALLOW = "allow"
    ASK = "ask"
    """Not for this window; the system browser may have it if the person says so."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with its reason for a person; `host` is empty where the address
    names none. `kind` is navigation, sign-in or resource."""

    verdict: Verdict
    host: str = ""
    reason: str = ""
    kind: str = "navigation"


_NEVER_HERE = ("xero.com",)
"""A1: Xero is signed in to in the system browser, where the person can see what they type their password into."""

_SIGN_IN_ELSEWHERE = tr("Signing in to the practice system happens in your own browser, never in this window.")

_SINGLE_SIGN_ON = (
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.live.com",
    "accounts.google.com",
    "okta.com",
)

_OFFICE_ENDINGS = ("local", "localhost", "internal", "intranet", "lan", "corp", "home", "private", "localdomain", "home.arpa")

_label = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_bad_characters = re.compile(r"[\x00-\x20\x7f-\x9f\\\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_DEFAULT_PORTS = {"https": 443, "http": 80, "wss": 443, "ws": 80}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Place:
    """Scheme, host and port of an address, in one spelling. `address` is set where the host is a number."""

    scheme: str
    host: str
    port: int
    address: Address | None = None


def place_of(url: str) -> Place | None:
    """None where the address can't be taken apart without doubt: then nothing good may be assumed of it."""
    if not url or len(url) > 100_000 or _bad_characters.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or "@" in parts.netloc or not parts.netloc or "%" in parts.netloc:
        return None
    host, address = host_of(parts.hostname or "")
    if not host or port == 0:
        return None
    return Place(scheme, host, port or _DEFAULT_PORTS[scheme], address)


def host_of(text: str) -> tuple[str, Address | None]:
    """A host in one spelling (lower case, no last dot, numbers as dotted numbers); "" for what is no host name in plain ASCII."""
    host = text.lower()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if ":" in host:
        try:
            six = ipaddress.IPv6Address(host)
        except ValueError:
            return "", None
        return str(six), six
    if host.endswith("."):
        return "", None  # the same machine under a name that compares as another one
    four = number_address(host)
    if four is not None:
        return str(four), four
    labels = host.split(".")
    if len(host) > 253 or not all(_label.fullmatch(label) for label in labels) or labels[-1].isdigit():
        return "", None
    return host, None


def number_address(host: str) -> ipaddress.IPv4Address | None:
    """Reads 127.1, 2130706433, 0x7f.0.0.1 and 0177.0.0.1 as browsers do; None for names."""
    parts = host.split(".")
    if len(parts) > 4 or not all(re.fullmatch(r"0x[0-9a-f]*|[0-9]+", part) for part in parts):
        return None
    values = []
    for part in parts:
        try:
            if part.startswith("0x"):
                values.append(int(part[2:] or "0", 16))
            else:
                values.append(int(part, 8 if len(part) > 1 and part.startswith("0") else 10))
        except ValueError:
            return None
    *high, last = values
    if any(value > 255 for value in high) or last >= 256 ** (5 - len(values)):
        return None
    total = last
    for place, value in enumerate(high):
        total += value * 256 ** (3 - place)
    return ipaddress.IPv4Address(total)


def is_office(host: str, address: Address | None) -> bool:
    """True for what lies on this PC or in the office's own network, by number or by name."""
    if address is not None:
        return not _is_public(address)
    return "." not in host or any(_within(host, ending) for ending in _OFFICE_ENDINGS)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and int(address) >> 32 == 0:
            inner = ipaddress.IPv4Address(int(address))
        if inner is not None:
            return _is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


def _is_loopback(host: str, address: Address | None) -> bool:
    return address.is_loopback if address is not None else _within(host, "localhost")


def _within(host: str, ending: str) -> bool:
    return host == ending or host.endswith("." + ending)


class Rules:
    """`hosts` as in the platform file (a name, with sub-domains, or an address; `name:port` allows that port as well).

    A name is visited on the default https port, a loopback one on any port but `never_ports` and over http too. `link` is
    the order's own link: the port that it names counts as allowed, because InfoTrack's answer named it. `sign_in_addresses`
    are the practice systems' own sign-in addresses, refused wherever they lie (A1)."""

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        never_ports: Iterable[int] = (),
        link: str = "",
        sign_in_addresses: Iterable[str] = (),
    ) -> None:
        self._hosts: list[tuple[str, Address | None, int | None]] = []
        for entry in hosts:
            host, port = _host_and_port(entry)
            name, address = host_of(host)
            if name:
                self._hosts.append((name, address, port))
        self._never_ports = frozenset(never_ports)
        self._sign_in = {(place.host, place.port) for place in map(place_of, sign_in_addresses) if place is not None}
        place = place_of(link) if link else None
        self._link_place = place if place and self._entry_for(place) else None

    def navigation(self, url: str) -> Finding:
        """For a page's main frame, redirects included."""
        place = place_of(url)
        if place is None or place.scheme not in ("https", "http"):
            return Finding(Verdict.REFUSE, "", tr("This kind of address is not opened from a web page."))
        host = place.host
        if self._is_our_listener(place):
            return Finding(Verdict.REFUSE, host, tr("This address belongs to iConnect itself."))
        if self._is_sign_in(place):
            return Finding(
                Verdict.ASK,
                host,
                _SIGN_IN_ELSEWHERE,
                kind="sign-in",
            )
        if self._is_ours(place):
            return Finding(Verdict.ALLOW, host)
        if is_office(host, place.address):
            return Finding(Verdict.REFUSE, host, tr("A web page may not open addresses on this PC or in the office network."))
        if self._entry_for(place) is not None:
            return Finding(
                Verdict.REFUSE, host, tr("This address is on the right host, but not over the secure way that it must use.")
            )
        if place.address is not None:
            return Finding(Verdict.REFUSE, host, tr("An address that is only a number is not opened from a web page."))
        if any(_within(host, name) for name in _SINGLE_SIGN_ON):
            return Finding(
                Verdict.ASK,
                host,
                tr(
                    "Signing in with Microsoft, Google or Okta does not work inside another program's window. "
                    "Use the InfoTrack login that is saved in iConnect, or order in your own browser."
                ),
                kind="sign-in",
            )
        if "xn--" in host:
            return Finding(Verdict.REFUSE, host, tr("This name is written in letters that can be mistaken for others."))
        return Finding(Verdict.ASK, host, tr("{host} is not part of InfoTrack.", host=host))

    def resource(self, url: str) -> Finding:
        """For everything else that a page loads, frames included."""
        scheme = url.split(":", 1)[0].lower()
        if scheme in ("data", "blob") or url in ("about:blank", "about:srcdoc"):
            return Finding(Verdict.ALLOW, kind="resource")
        place = place_of(url)
        if place is None:
            return Finding(Verdict.REFUSE, "", "This kind of address is not loaded by a web page.", kind="resource")
        if self._is_our_listener(place):
            return Finding(Verdict.REFUSE, place.host, "This address belongs to iConnect itself.", kind="resource")
        if self._is_sign_in(place):
            return Finding(Verdict.REFUSE, place.host, _SIGN_IN_ELSEWHERE, kind="sign-in")
        if self._is_ours(place):
            return Finding(Verdict.ALLOW, place.host, kind="resource")
        if is_office(place.host, place.address):
            return Finding(Verdict.REFUSE, place.host, "A web page may not reach this PC or the office network.", kind="resource")
        if place.scheme in ("http", "ws"):
            return Finding(Verdict.REFUSE, place.host, "A web page may not load anything over an open line.", kind="resource")
        return Finding(Verdict.ALLOW, place.host, kind="resource")

    def _is_our_listener(self, place: Place) -> bool:
        return place.port in self._never_ports and is_office(place.host, place.address)

    def _is_sign_in(self, place: Place) -> bool:
        return (place.host, place.port) in self._sign_in or any(_within(place.host, name) for name in _NEVER_HERE)

    def _entry_for(self, place: Place) -> tuple[str, Address | None, int | None] | None:
        for name, address, port in self._hosts:
            if (place.host == name) if address is not None or place.address is not None else _within(place.host, name):
                return name, address, port
        return None

    def _is_ours(self, place: Place) -> bool:
        entry = self._entry_for(place)
        if entry is None or (place.port in self._never_ports and is_office(place.host, place.address)):
            return False
        if _is_loopback(place.host, place.address):
            return entry[2] is None or place.port == entry[2] or self._as_the_link(place)
        if place.scheme not in ("https", "wss"):
            return False
        return place.port == 443 or place.port == entry[2] or self._as_the_link(place)

    def _as_the_link(self, place: Place) -> bool:
        link = self._link_place
        return link is not None and (link.host, link.port) == (place.host, place.port)


def _host_and_port(entry: str) -> tuple[str, int | None]:
    text = entry.strip()
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest[1:].isdigit() else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, int(port) if port.isdigit() else None
    return text, None
