"""The checks behind `doctor`: everything that can be wrong on a PC or in a connection, each with its cure.

A check never changes anything that matters: the keyring gets a trial entry that is removed again, vendors get one read.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import desktop
from desktop.places import Places
from desktop.services.desk import ActionFailed, ConnectionState
from desktop.services.errors import ServiceError
from desktop.services.practice.model import Finding
from desktop.settings import Settings, SettingsError, find_platform_file, overlay, read_own, read_platform

if TYPE_CHECKING:
    from desktop.services.office import Office


class Verdict(Enum):
    OK = "ok"
    NOTE = "note"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `cure` says what to do; empty when nothing need be done."""

    name: str
    verdict: Verdict
    message: str
    cure: str = ""


def examine(platform: str | None, where: Places, environment: Mapping[str, str]) -> tuple[Check, ...]:
    """All checks, in the order in which a support person would ask. Takes seconds: vendors are asked."""
    return tuple(examining(platform, where, environment))


def examining(platform: str | None, where: Places, environment: Mapping[str, str]) -> Iterator[Check]:
    """As `examine`, each check as it is done."""
    try:
        file = find_platform_file(platform, where, environment)
        settings = overlay(read_platform(file), read_own(where.own_settings))
    except SettingsError as error:
        yield Check("platform file", Verdict.FAIL, str(error), "Correct the file; the other checks follow then.")
        return
    yield Check("platform file", Verdict.OK, str(file))
    yield from unwise_times(settings)
    yield from profile_folder(where.profile)
    yield from libraries()
    yield from screen(environment)
    yield from drop_folder(settings.results.folder)
    yield from redirect_ports(settings.xero.redirect_ports)
    for name, address in _addresses(settings):
        yield from reach(name, address)
    yield from _connections(settings, file, where)


def unwise_times(settings: Settings) -> Iterator[Check]:
    """Times that are accepted but ask for trouble: notes, never failures."""
    delivery, results = settings.delivery, settings.results
    if delivery.quiet_seconds < delivery.read_timeout_seconds:
        yield Check(
            "times",
            Verdict.NOTE,
            f"delivery.quiet_seconds ({delivery.quiet_seconds:g}) is shorter than read_timeout_seconds "
            f"({delivery.read_timeout_seconds:g}): a post that lands late could be taken for lost and sent again.",
            "Set quiet_seconds to 180 or more.",
        )
    elif delivery.quiet_seconds < 180:
        yield Check(
            "times", Verdict.NOTE, f"delivery.quiet_seconds is {delivery.quiet_seconds:g}.", "180 is what was measured as safe."
        )
    if results.poll_seconds < 15:
        yield Check("times", Verdict.NOTE, f"results.poll_seconds is {results.poll_seconds:g}.", "60 is kinder to a shared feed.")
    if settings.results.takeover_minutes == 0:
        yield Check("times", Verdict.NOTE, "results.takeover_minutes is 0.", "With several PCs, give the others time: 30.")


def profile_folder(folder: Path) -> Iterator[Check]:
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if not os.access(nearest, os.W_OK):
        yield Check("profile folder", Verdict.FAIL, f"{folder} can't be written.", "Give the user the right to write there.")
        return
    if str(folder).startswith("\\\\") or _file_system(nearest) in _NETWORK_FILE_SYSTEMS:
        yield Check(
            "profile folder",
            Verdict.FAIL,
            f"{folder} lies on a network share, where the ledger is not safe.",
            "Name a local folder with --profile or ICONNECT_PROFILE.",
        )
    else:
        yield Check("profile folder", Verdict.OK, f"{folder} is local and can be written.")
    free = shutil.disk_usage(nearest).free
    if free < 200_000_000:
        yield Check("disk room", Verdict.FAIL, f"Only {free // 1_000_000} MB are free.", "Free at least 200 MB.")
    else:
        yield Check("disk room", Verdict.OK, f"{free // 1_000_000_000} GB free.")


_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "davfs"})


def _file_system(path: Path) -> str:
    """The file system's kind, where the operating system tells (Linux); else empty."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    found, kind = "", ""
    for line in lines:
        parts = line.split(" ")
        mount = parts[1].replace("\\040", " ")
        if (str(path) == mount or str(path).startswith(mount.rstrip("/") + "/")) and len(mount) > len(found):
            found, kind = mount, parts[2]
    return kind


def libraries() -> Iterator[Check]:
    import pyexpat

    import apsw

    sqlite = apsw.sqlite_lib_version()
    numbers = tuple(int(part) for part in sqlite.split("."))
    safe = numbers >= (3, 51, 3) or (3, 50, 7) <= numbers < (3, 51) or (3, 44, 6) <= numbers < (3, 45)
    yield Check(
        "SQLite",
        Verdict.OK if safe else Verdict.FAIL,
        sqlite,
        "" if safe else "This version can lose committed writes. Install the locked apsw package.",
    )
    expat = pyexpat.EXPAT_VERSION.removeprefix("expat_")
    old = tuple(int(part) for part in expat.split(".")) < (2, 6, 0)
    yield Check(
        "Expat",
        Verdict.NOTE if old else Verdict.OK,
        expat,
        "Older than 2.6.0; long tokens are refused by our own guard." if old else "",
    )


def screen(environment: Mapping[str, str]) -> Iterator[Check]:
    """A missing screen or tray host is a note: commands and the small window work without."""
    if sys.platform.startswith("linux") and not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        yield Check("screen", Verdict.NOTE, "There is no screen.", "The commands work without one.")
        return
    probe = _probe("tray")
    if probe is None:
        yield Check("screen", Verdict.NOTE, "No window could be opened.", "The commands work without one.")
    elif probe.get("tray"):
        yield Check("tray", Verdict.OK, "There is a tray.")
    else:
        yield Check("tray", Verdict.NOTE, "There is no tray.", "iConnect shows a small window instead.")


def _probe(what: str) -> Mapping[str, object] | None:
    """Asks Qt in a process of its own: this one may have no screen, and services know no Qt."""
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module
            # -P: a folder that happens to be the current one must not lend us its modules.
            [sys.executable, "-P", "-m", "desktop.ui.probe", what],
            capture_output=True,
            timeout=30,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path(desktop.__file__).resolve().parent.parent)},
        )
        found = json.loads(done.stdout or b"null")
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return found if isinstance(found, dict) else None


def drop_folder(folder: str) -> Iterator[Check]:
    if not folder:
        return
    path = Path(folder)
    try:
        there = path.is_dir()
    except OSError as error:
        yield Check(
            "drop folder",
            Verdict.FAIL,
            f"{folder} can't be reached ({error.strerror}).",
            "Give the user the right to read and write there, or check the network share.",
        )
        return
    if not there:
        yield Check(
            "drop folder",
            Verdict.NOTE,
            f"{folder} is not there.",
            "Create it, or correct results.folder. It is looked for again at each poll.",
        )
    elif not os.access(path, os.R_OK | os.W_OK):
        yield Check(
            "drop folder", Verdict.FAIL, f"{folder} can't be read and written.", "Give the user both rights: files are moved there."
        )
    else:
        yield Check("drop folder", Verdict.OK, folder)


def redirect_ports(ports: tuple[int, ...]) -> Iterator[Check]:
    free = [port for port in ports if _is_free(port)]
    if not free:
        yield Check(
            "redirect ports",
            Verdict.FAIL,
            "Every registered port is in use or reserved: " + ", ".join(map(str, ports)) + ".",
            "Close the program that holds them, or register further ports at the vendor and in xero.redirect_ports.",
        )
    else:
        yield Check("redirect ports", Verdict.OK, f"{len(free)} of {len(ports)} are free.")
    if any(port >= 49152 for port in ports):
        yield Check(
            "redirect ports", Verdict.NOTE, "Ports from 49152 up may be taken by any program.", "Register ports below 49152."
        )


def _is_free(port: int) -> bool:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as trial:
                if sys.platform != "win32":
                    # A sign-in that has just ended leaves connections in TIME_WAIT; that is not «in use».
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind((host, port))
        except OSError as error:
            if family is socket.AF_INET6 and error.errno in _NO_IPV6:
                continue
            return False
    return True


_NO_IPV6 = frozenset(
    number
    for number in (getattr(__import__("errno"), name, None) for name in ("EAFNOSUPPORT", "EADDRNOTAVAIL", "EPROTONOSUPPORT"))
    if number is not None
)


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.practice.system == "xero-practice-manager":
        yield "Xero sign-in", settings.xero.authorize_url
        yield "Xero tokens", settings.xero.token_url
        yield "Xero Practice Manager", settings.xero.api_url
    yield "InfoTrack", settings.infotrack.api_url
    if settings.results.pull_url:
        yield "message feed", settings.results.pull_url


def reach(name: str, address: str) -> Iterator[Check]:
    """Name look-up, proxy, TLS and clock, by one unauthenticated read of the host's root."""
    from desktop.services.http import Http, Limits, is_loopback

    url = urlsplit(address)
    try:
        answer = Http(limits=Limits(connect=5, read=10, total=15)).send("GET", f"{url.scheme}://{url.netloc}/", cap=5_000_000)
    except ServiceError as error:
        yield Check(f"{name} reach", Verdict.FAIL, str(error), f"Check the network, the proxy and the firewall for {url.hostname}.")
        return
    if is_loopback(address):
        yield Check(f"{name} reach", Verdict.NOTE, f"{url.netloc} is on this PC.", "Right for a sandbox only.")
    else:
        yield Check(f"{name} reach", Verdict.OK, url.netloc)
    yield from clock(answer.headers.get("date", ""), datetime.now(UTC))


def clock(told: str, now: datetime) -> Iterator[Check]:
    try:
        theirs = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    off = abs((now - theirs).total_seconds())
    if off > 300:
        yield Check(
            "clock",
            Verdict.FAIL,
            f"This PC's clock is {off / 60:.0f} minutes off.",
            "Set the date and time; sign-in needs them right.",
        )


def _connections(settings: Settings, file: Path, where: Places) -> Iterator[Check]:
    from desktop.services.ledger.errors import LedgerError
    from desktop.services.office import open_office

    try:
        office = open_office(settings, file, where)
    except LedgerError as error:
        yield Check(
            "ledger", Verdict.FAIL, str(error), "Nothing is sent until it can be opened. Call support before removing anything."
        )
        return
    try:
        yield from ledger(where.ledger)
        yield from keyring(office)
        yield from _signed_in(office, settings)
    finally:
        office.close()


def ledger(file: Path) -> Iterator[Check]:
    """The ledger's content, settings and backups; works while the tray runs."""
    from desktop.services.ledger.examination import examined

    for found in examined(file, datetime.now(UTC)):
        verdict = Verdict.FAIL if found.bad else Verdict.NOTE if found.cure else Verdict.OK
        yield Check(found.name, verdict, found.message, found.cure)


_FAMILIAR = ("SecretService", "WinVault", "macOS", "kwallet", "libsecret")


def keyring(office: Office) -> Iterator[Check]:
    try:
        name = office.keyring_name()
    except ServiceError as error:
        yield Check("keyring", Verdict.FAIL, str(error), "Until then a sign-in lasts only as long as the program runs.")
        return
    if any(part.lower() in name.lower() for part in _FAMILIAR):
        yield Check("keyring", Verdict.OK, name)
    else:
        yield Check("keyring", Verdict.NOTE, f"{name} is not one that iConnect knows.", "Make sure that it encrypts what it keeps.")


def _signed_in(office: Office, settings: Settings) -> Iterator[Check]:
    status = office.status()
    for connection in status.connections:
        if connection.state is ConnectionState.CONNECTED:
            yield Check(connection.title, Verdict.OK, f"Signed in to {connection.tenant}.")
            if connection.renew_soon:
                yield Check(f"{connection.title} sign-in", Verdict.NOTE, connection.renewal, "Connect again, in Connections.")
            yield from _rights(office, connection.system)
            yield from _cost_codes(office, settings, connection.system)
        elif connection.state is ConnectionState.DISCONNECTED and connection.system != settings.practice.system:
            # It is set up for whoever wants it; that nobody does is no fault.
            yield Check(connection.title, Verdict.NOTE, "Set up, not signed in.")
        else:
            yield Check(
                connection.title,
                Verdict.FAIL,
                connection.problem or "Not signed in.",
                connection.cure or "Sign in: press the tray icon, or iconnect connect.",
            )
    if status.infotrack.state is ConnectionState.CONNECTED:
        yield Check("InfoTrack login", Verdict.OK, "It was accepted.")
    else:
        yield Check(
            "InfoTrack login",
            Verdict.FAIL,
            status.infotrack.problem or "Not signed in.",
            "Sign in: iconnect infotrack sign-in --user U",
        )


def _rights(office: Office, system: str) -> Iterator[Check]:
    try:
        findings = office.check_access(system)
    except (ActionFailed, ServiceError) as error:
        yield Check("rights", Verdict.FAIL, str(error), "Try again when the vendor can be reached.")
        return
    verdicts = {Finding.OK: Verdict.OK, Finding.MISSING: Verdict.FAIL, Finding.UNKNOWN: Verdict.NOTE}
    for finding in findings:
        yield Check(f"right: {finding.right}", verdicts[finding.finding], finding.message or "It is there.", finding.cure)


def _cost_codes(office: Office, settings: Settings, system: str) -> Iterator[Check]:
    wanted = {"costs.code_taxed": settings.costs.code_taxed, "costs.code_untaxed": settings.costs.code_untaxed}
    for key, code in wanted.items():
        if not code:
            yield Check(key, Verdict.NOTE, "No cost code is set; costs are posted without one.", "Choose one in Settings.")
    if not any(wanted.values()):
        return
    try:
        known = {entry.code for entry in office.cost_codes(system)}
    except (ActionFailed, ServiceError) as error:
        yield Check("cost codes", Verdict.NOTE, str(error), "The codes could not be compared with the firm's list.")
        return
    for key, code in wanted.items():
        if code and code not in known:
            yield Check(key, Verdict.FAIL, f"{code} is not in the firm's list of costs.", "Choose one in Settings.")
        elif code:
            yield Check(key, Verdict.OK, code)
