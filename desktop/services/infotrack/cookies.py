"""Cookies for the length of one download: a result's address may set one and redirect to where it is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from desktop.services.http import is_loopback

# One header line may carry several cookies, joined by commas; a comma also stands in a date.
_NEXT = re.compile(r",\s*(?=[^\s;,=]+=)")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e]{0,4096}")
_MOST = 50


@dataclass(frozen=True, slots=True)
class _Cookie:
    name: str
    value: str
    host: str
    below: bool
    path: str
    secure: bool


class Cookies:
    """What servers set during one exchange and get back, each only its own."""

    def __init__(self, shared: tuple[str, ...] = ()) -> None:
        """`shared`: the domains (infotrack.hosts) below which hosts may share a cookie."""
        self._shared = tuple(name.lower() for name in shared)
        self._kept: dict[tuple[str, str, str], _Cookie] = {}

    def learn(self, url: str, header: str) -> None:
        """Takes in a Set-Cookie header that came from `url`."""
        parts = urlsplit(url)
        for line in _NEXT.split(header) if header else ():
            cookie = self._read(line, (parts.hostname or "").lower())
            if cookie is None:
                continue
            key = (cookie.host, cookie.path, cookie.name)
            if cookie.value and len(self._kept) < _MOST:
                self._kept[key] = cookie
            elif not cookie.value:
                self._kept.pop(key, None)

    def header(self, url: str) -> str:
        """The Cookie header for a request to `url`; empty when none belongs there."""
        parts = urlsplit(url)
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._kept.values() if _belongs(cookie, parts, url))

    def _read(self, line: str, host: str) -> _Cookie | None:
        pair, *attributes = line.split(";")
        name, sign, value = pair.strip().partition("=")
        if not sign or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return None
        told = {key.strip().lower(): text.strip() for key, _, text in (part.partition("=") for part in attributes)}
        domain = told.get("domain", "").lstrip(".").lower()
        below = bool(domain) and (host == domain or host.endswith("." + domain)) and self._may_share(domain)
        if domain and not below and domain != host:
            return None
        path = told.get("path", "/")
        return _Cookie(name, value, domain if below else host, below, path if path.startswith("/") else "/", "secure" in told)

    def _may_share(self, domain: str) -> bool:
        return any(domain == name or domain.endswith("." + name) for name in self._shared)


def _belongs(cookie: _Cookie, parts: SplitResult, url: str) -> bool:
    host = (parts.hostname or "").lower()
    if host != cookie.host and not (cookie.below and host.endswith("." + cookie.host)):
        return False
    if cookie.secure and parts.scheme != "https" and not is_loopback(url):
        return False
    path = parts.path or "/"
    return path == cookie.path or path.startswith(cookie.path if cookie.path.endswith("/") else cookie.path + "/")
