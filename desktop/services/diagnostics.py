"""A bundle for support: what is installed, how it is set up, how deliveries stand, and the log. No name, matter, address,
password or token; made when a person asks for it, and sent by nobody.

Everything is taken by allow-list: what is not named here does not get in. Patterns for what must never be there come on
top, as a second net. Each part is gathered alone: a broken ledger costs its own part and no other."""

from __future__ import annotations

import json
import platform as machine
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from desktop.logs import crashes, looked_at
from desktop.places import Places
from desktop.services.loggable import last_three
from desktop.services.support_bundle import Bundle, Part
from desktop.settings import Own, Settings, SettingsError, find_platform_file, read_own, read_platform

MOST_OF_A_LOG = 600_000
MOST_ROWS = 500
_CHECKS_SECONDS = 6.0


def gather(platform: str | None, where: Places, environment: Mapping[str, str]) -> Bundle:
    """Takes under ten seconds, also where nothing answers: vendors' checks that take longer are left out and named."""
    made = [
        Part("about.json", _json(_about())),
        Part("settings.json", _json(_settings(platform, where, environment))),
        Part("ledger.json", _json(_ledger(where))),
        Part("files.json", _json(_files(where))),
        Part("doctor.json", _json(_checks(platform, where, environment))),
    ]
    made += [Part(f"crashes/{path.name}", _tail(path)) for path in _all_crashes(where.crashes)]
    made += [Part(f"logs/{path.name}", _tail(path)) for path in sorted(where.logs.glob("*.log*")) if path.is_file()]
    return Bundle(tuple(Part(part.name, second_net(part.text)) for part in made))


def done_with(where: Places) -> None:
    """The bundle was saved: its crash reports have been seen."""
    looked_at(crashes(where.crashes))


# ---- the parts ----------------------------------------------------------------------------------------------------------


def _about() -> dict[str, object]:
    import pyexpat
    import ssl

    import apsw

    wanted = (
        "iconnect-desktop",
        "pyside6-essentials",
        "pyside6-webengine",
        "requests",
        "urllib3",
        "authlib",
        "keyring",
        "cryptography",
    )
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": f"{machine.system()} {machine.release()} {machine.machine()}",
        "python": sys.version.split()[0],
        "frozen": bool(getattr(sys, "frozen", False)),
        "sqlite": apsw.sqlite_lib_version(),
        "expat": pyexpat.EXPAT_VERSION,
        "openssl": ssl.OPENSSL_VERSION,
        "packages": {name: _version(name) for name in wanted},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "?"


_SHOWN_TEXTS = frozenset(
    {"practice.system", "workflowmax.api", "smokeball.region", "costs.amounts", "costs.review", "infotrack.timezone"}
)
_SHOWN_HOSTS = re.compile(r"(_url|redirect_uri)$")


def _settings(platform: str | None, where: Places, environment: Mapping[str, str]) -> dict[str, object]:
    try:
        file = find_platform_file(platform, where, environment)
        settings: Settings | None = read_platform(file)
    except SettingsError:
        return {"problem": "The platform file is missing or not right: iconnect doctor says what."}
    try:
        own: Own | None = read_own(where.own_settings)
    except SettingsError:
        own = None
    return {
        "firm": _redacted("", msgspec.to_builtins(settings)),
        "own": "not readable" if own is None else _redacted("own", msgspec.to_builtins(own)),
    }


def _redacted(name: str, value: object) -> object:
    """Numbers and switches as they are, addresses by their host, a text only if it is one of our own words."""
    if isinstance(value, Mapping):
        return {key: _redacted(f"{name}.{key}" if name else str(key), inner) for key, inner in value.items()}
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return f"{len(value)} entries"
    text = str(value)
    if name in _SHOWN_TEXTS or name in ("own.system", "own.amounts", "own.review", "own.notifications"):
        return text
    if _SHOWN_HOSTS.search(name) and text:
        return f"host {urlsplit(text).hostname or '?'}"
    return "set" if text else "empty"


def _ledger(where: Places) -> dict[str, object]:
    from desktop.services.ledger.errors import LedgerError
    from desktop.services.ledger.glimpse import glimpse

    if not where.ledger.exists():
        return {"problem": "There is no ledger yet."}
    try:
        seen = glimpse(where.ledger, MOST_ROWS)
    except LedgerError as error:
        return {"problem": type(error).__name__}
    return {
        "schema": seen.schema,
        "states": seen.states,
        "orders": seen.orders,
        "messages": seen.messages,
        "steps": seen.steps,
        "unsettled": [
            {
                "order": last_three(row.order_id),
                "part": row.part,
                "n": row.n,
                "system": row.system,
                "state": row.state,
                "hold": row.hold,
                "attempts": row.attempts,
                "faults": row.faults,
                "waits_for_person": row.person,
                "made": row.created_at,
                "moved": row.updated_at,
                "next": row.next_at,
            }
            for row in seen.unsettled
        ],
    }


def _files(where: Places) -> dict[str, object]:
    from desktop.services.ledger.mending import beside

    databases = (where.ledger, where.ledger.with_name(where.ledger.name + "-wal"), where.directory)
    others = (where.own_settings, where.crashes, where.downloads, beside(where.ledger), where.profile / "unreadable")
    return {path.name: _size(path) for path in (*databases, *others)}


def _size(path: Path) -> object:
    try:
        if path.is_dir():
            return {"files": sum(1 for _ in path.iterdir())}
        return path.stat().st_size if path.exists() else None
    except OSError as error:
        return f"not readable: {type(error).__name__}"


def _checks(platform: str | None, where: Places, environment: Mapping[str, str]) -> object:
    """Names and verdicts; a check's sentence may name a folder or a firm, so it stays here."""
    from desktop.services.doctor.check import LATE
    from desktop.services.health import examine

    found = examine(platform, where, environment, seconds=_CHECKS_SECONDS)
    return {"checks": [{"check": one.name, "verdict": "late" if one.message == LATE else one.verdict.value} for one in found]}


def _all_crashes(folder: Path) -> list[Path]:
    crashes(folder)  # clears away what living processes left empty
    return [path for path in sorted(folder.glob("*")) if path.is_file() and path.stat().st_size][-20:] if folder.is_dir() else []


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - MOST_OF_A_LOG))
            return file.read(MOST_OF_A_LOG).decode("utf-8", "replace")
    except OSError as error:
        return f"not readable: {type(error).__name__}"


# ---- the second net -----------------------------------------------------------------------------------------------------

_NET: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "‹e-mail›"),
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]+){0,2}"), "‹token›"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.+/=~-]{8,}"), r"\1 ‹secret›"),
    (re.compile(r"(?i)\b(code|state|token|password|secret|key|verifier|nonce)=[^\s&\"']+"), r"\1=‹secret›"),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{9}([0-9a-fA-F]{3})\b"), r"‹…\1›"),
    (re.compile(r"(?i)\b[a-z]:\\Users\\[^\\\s\"']+"), "‹home›"),
    (re.compile(r"/(?:home|Users)/[^/\s\"']+"), "‹home›"),
    (re.compile(r"https?://[^\s\"'<>]+"), lambda found: f"http://{urlsplit(found[0]).hostname or '?'}/‹…›"),
    (re.compile(r"\b[A-Za-z0-9+/_-]{40,}={0,2}"), "‹long›"),
)


def second_net(text: str) -> str:
    """Takes out what looks like an address of a person, a secret or a folder, should the first net have let it through."""
    for pattern, put in _NET:
        text = pattern.sub(put, text)
    return text


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"
