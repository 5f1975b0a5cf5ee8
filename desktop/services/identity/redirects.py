"""A registered redirect address, sorted by who can hear it."""

from __future__ import annotations

from urllib.parse import urlsplit

from desktop.services.http import is_loopback
from desktop.services.identity.model import LoopbackRedirect, WatchedRedirect


def redirect_for(uri: str) -> LoopbackRedirect | WatchedRedirect:
    """A plain http address on this PC gets a listener of ours; an https one is watched for in the sign-in window."""
    parts = urlsplit(uri)
    if parts.scheme == "http" and is_loopback(uri):
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or "localhost"
        return LoopbackRedirect((parts.port or 80,), path=parts.path or "/", host=host)
    return WatchedRedirect(uri)
