"""Where Smokeball lives in each region. A sign-in, an API key and an app belong to one region and to no other (vendor docs)."""

from __future__ import annotations

from desktop.settings import Smokeball

_DOMAINS = {"au": "smokeball.com.au", "us": "smokeball.com", "uk": "smokeball.co.uk"}


def auth_root(settings: Smokeball) -> str:
    """The sign-in host's root, without a slash at its end."""
    return (settings.auth_url or f"https://auth.{_DOMAINS[settings.region]}").rstrip("/")


def api_root(settings: Smokeball) -> str:
    """The API host's root, without a slash at its end."""
    return (settings.api_url or f"https://api.{_DOMAINS[settings.region]}").rstrip("/")
