"""Which addresses are InfoTrack's, and which of them may be told the login."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from desktop.services.http import is_loopback

# A backslash, a blank or a control character makes programs disagree about where the host ends.
_DOUBTFUL = re.compile(r"[\x00-\x20\x7f\\]")

_NUMBER_IN_A_GUISE = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}", re.IGNORECASE)


def split(url: str) -> SplitResult | None:
    """The parts of an absolute http(s) address that every reader would read alike; None for any other."""
    if _DOUBTFUL.search(url) or len(url) > 8000:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc or not parts.netloc.isascii():
        return None
    return parts


def origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, _host(parts), parts.port or (443 if parts.scheme == "https" else 80)


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").rstrip(".").lower()


@dataclass(frozen=True, slots=True)
class Trusted:
    """`hosts` as in the platform file (infotrack.hosts: names with their sub-domains, a port only where it matters);
    `api_url` is where the login is sent anyway."""

    hosts: tuple[str, ...]
    api_url: str

    def page(self, url: str) -> bool:
        """True where the embedded browser may go: one of the hosts, over https, or over http on this PC."""
        parts = split(url)
        return parts is not None and _guarded(parts, url) and self._named(parts)

    def login(self, url: str) -> bool:
        """True where the InfoTrack login may be sent: one of the hosts or the API's own origin."""
        parts = split(url)
        if parts is None or not _guarded(parts, url):
            return False
        return self._named(parts) or self._is_api(parts)

    def reachable(self, url: str) -> bool:
        """True where a result file may be fetched from at all: https anywhere; this PC's own addresses only when they are
        named, or when InfoTrack itself is played by a program on this PC; other numbers of no public network (the office's,
        a cloud's own), or numbers in a guise, only when they are named or are the API's."""
        parts = split(url)
        if parts is None or not _guarded(parts, url):
            return False
        if self._named(parts) or self._is_api(parts):
            return True
        return is_loopback(self.api_url) if is_loopback(url) else not _is_inside(parts)

    def api(self, url: str) -> bool:
        """True for the API's own origin: what it says of the login counts for the login as a whole."""
        parts = split(url)
        return parts is not None and self._is_api(parts)

    def _is_api(self, parts: SplitResult) -> bool:
        api = split(self.api_url)
        return api is not None and origin(api) == origin(parts)

    def _named(self, parts: SplitResult) -> bool:
        return any(_matches(parts, host) for host in self.hosts)


def _guarded(parts: SplitResult, url: str) -> bool:
    return parts.scheme == "https" or is_loopback(url)


def _is_inside(parts: SplitResult) -> bool:
    """True for a number that is no public address, and for one that only some programs take for a number (2130706433)."""
    host = _host(parts)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return bool(_NUMBER_IN_A_GUISE.fullmatch(host))
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    return not inner.is_global


def _matches(parts: SplitResult, entry: str) -> bool:
    try:
        named = urlsplit(f"//[{entry}]" if entry.count(":") > 1 and not entry.startswith("[") else f"//{entry}")
        port = named.port
    except ValueError:
        return False
    wanted = (named.hostname or "").rstrip(".").lower()
    host = _host(parts)
    if not wanted or (port is not None and port != origin(parts)[2]):
        return False
    # A number has no sub-domains.
    below = not wanted.replace(".", "").isdigit() and host.endswith("." + wanted)
    return host == wanted or below
