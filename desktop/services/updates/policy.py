"""Whether this PC looks for new versions, and where. Off unless the firm's IT switches it on, for every user of the PC at once.

The file is `policy.toml` beside the machine-wide platform file: a place that users can't write to. An unknown key, a wrong
type or an address without encryption is an error that names the file: a policy that is read wrongly would be worse than none."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

POLICY_FILE = "policy.toml"


class PolicyError(Exception):
    """Names file, key and cure."""


class Updates(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`url` is the root of the update repository: `metadata/` and `targets/` lie below it. `root` is the file with the root of
    trust; it must lie where users can't write."""

    enabled: bool = False
    url: str = ""
    root: str = ""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    updates: Updates = Updates()


def read_policy(folder: Path) -> Policy:
    """The PC's policy; all defaults (updates off) where there is no file. Raises PolicyError."""
    path = folder / POLICY_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Policy()
    except OSError as error:
        raise PolicyError(f"{path}: can't be read ({error.strerror}).") from error
    try:
        policy = msgspec.toml.decode(content, type=Policy)
    except msgspec.DecodeError as error:
        raise PolicyError(f'{path}: {error}. Expected: [updates] with enabled = true or false and url = "https://…".') from error
    if policy.updates.enabled and not _is_safe(policy.updates.url):
        raise PolicyError(f"{path}: updates.url must be an https address.")
    if policy.updates.enabled and not policy.updates.root:
        raise PolicyError(f"{path}: updates.root must name the file with the root of trust that came with the repository.")
    return policy


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username or parts.password or parts.query or parts.fragment or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
