"""The checks behind `doctor`: everything that can be wrong on a PC or in a connection, each with its cure.

A check never changes anything that matters: the keyring and writable folders get a trial entry that is removed again, vendors
get one read, no ledger is opened for writing. The checks run side by side, each within a limit; what hangs is named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from desktop.places import Places, machine_wide_folder
from desktop.services.doctor.check import Check, Running, SideBySide, Verdict
from desktop.services.doctor.folders import drop_folder, platform_rights, privacy, profile_folder
from desktop.services.doctor.program import autostart, browser_engine, libraries, probe, redirect_ports, running_tray, screen
from desktop.settings import Own, Settings, SettingsError, find_platform_file, overlay, read_own, read_platform

__all__ = ["LONGEST", "Check", "Verdict", "examine", "examining", "ledger", "screen"]

LONGEST = 24.0
"""Seconds. However many things hang, all checks together take no longer."""


def examine(platform: str | None, where: Places, environment: Mapping[str, str], *, seconds: float = LONGEST) -> tuple[Check, ...]:
    """All checks, in the order in which a support person would ask. Takes seconds: vendors are asked."""
    return tuple(examining(platform, where, environment, seconds=seconds))


def examining(platform: str | None, where: Places, environment: Mapping[str, str], *, seconds: float = LONGEST) -> Iterator[Check]:
    """As `examine`, each check as it is done."""
    groups = SideBySide(seconds)
    settings, file, told = _settings(platform, where, environment)
    yield from told
    own = _own(where)
    first = [
        groups.start(
            "profile folder",
            lambda: _folders(where, environment),
            seconds=8,
            cure="Look whether the disk is failing; name a folder on a local disk with --profile.",
        ),
        groups.start("libraries", libraries, seconds=8, cure="Install iConnect again."),
        groups.start("Chromium", browser_engine, seconds=14, cure="Start the PC again; then install iConnect again."),
        groups.start(
            "screen", lambda: screen(environment), seconds=14, cure="Start the PC again; the commands work without a screen."
        ),
        groups.start(
            "running", lambda: running_tray(where), seconds=8, cure="End iConnect in the task manager and start it again."
        ),
        groups.start(
            "start at sign-in",
            lambda: autostart(own.start_at_sign_in, environment),
            seconds=8,
            cure="Switch it off and on in Settings.",
        ),
        groups.start("updates", lambda: _updates(environment), seconds=8, cure="Look at the machine-wide policy file."),
    ]
    trail = [
        groups.start(
            "ledger", lambda: ledger(where.ledger), seconds=20, cure="Quit iConnect and run doctor again; look at the disk."
        )
    ]
    offsets: list[float] = []
    reached: list[Running] = []
    if settings is not None:
        first += _of_settings(groups, settings, file)
        reached = _of_network(groups, settings, offsets)
        trail.append(_of_accounts(groups, settings, where))
    for group in first:
        yield from group.results()
    for group in reached:
        yield from group.results()
    if reached:
        from desktop.services.doctor.network import clock

        yield from clock(list(offsets))
    for group in trail:
        yield from group.results()


def _settings(
    platform: str | None, where: Places, environment: Mapping[str, str]
) -> tuple[Settings | None, Path, tuple[Check, ...]]:
    """Both files; a wrong one of the person's own costs the firm's nothing."""
    try:
        file = find_platform_file(platform, where, environment)
        firm = read_platform(file)
    except SettingsError as error:
        cure = "Correct the file; what depends on it (vendors, ports, sign-ins) is looked at then."
        return None, Path(), (Check("platform file", Verdict.FAIL, str(error), cure),)
    told = [Check("platform file", Verdict.OK, str(file)), *platform_rights(file)]
    try:
        return overlay(firm, read_own(where.own_settings)), file, tuple(told)
    except SettingsError as error:
        told.append(Check("own settings", Verdict.FAIL, str(error), "Until then the other checks take the firm's settings."))
        return firm, file, tuple(told)


def _own(where: Places) -> Own:
    try:
        return read_own(where.own_settings)
    except SettingsError:
        return Own()


def _folders(where: Places, environment: Mapping[str, str]) -> Iterator[Check]:
    yield from profile_folder(where.profile, environment)
    yield from privacy(where)


def _updates(environment: Mapping[str, str]) -> Iterator[Check]:
    from desktop.services.updates.policy import PolicyError, read_policy

    try:
        policy = read_policy(machine_wide_folder(environment)).updates
    except PolicyError as error:
        yield Check("updates", Verdict.FAIL, str(error), "Correct the file, or remove it: then this PC looks for no updates.")
        return
    if policy.enabled and not Path(policy.root).is_file():
        yield Check(
            "updates",
            Verdict.FAIL,
            f"{policy.root} (the root of trust) is not there.",
            "Put it back; it came with the update repository.",
        )
    else:
        yield Check(
            "updates", Verdict.OK, "They are looked for." if policy.enabled else "Whoever looks after this PC installs them."
        )


def _of_settings(groups: SideBySide, settings: Settings, file: Path) -> list[Running]:
    def ports() -> Iterator[Check]:
        from desktop.services.doctor.accounts import systems_in_use

        systems = systems_in_use(settings)
        if "xero-practice-manager" in systems:
            yield from redirect_ports(settings.xero.redirect_ports)
        for system, uri in (("workflowmax", settings.workflowmax.redirect_uri), ("smokeball", settings.smokeball.redirect_uri)):
            if system in systems and (port := _loopback_port(uri)):
                yield from redirect_ports((port,), f"{system}'s redirect port")

    def values() -> Iterator[Check]:
        from desktop.services.doctor.accounts import set_up

        yield from set_up(settings, file)
        yield from unwise_times(settings)

    share = "The share or disk does not answer: ask IT whether its server runs, or correct results.folder."
    return [
        groups.start("platform file's values", values, seconds=8, cure="Run doctor again."),
        groups.start("drop folder", lambda: drop_folder(settings.results.folder), seconds=10, cure=share),
        groups.start("redirect ports", ports, seconds=8, cure="Start the PC again."),
    ]


def _loopback_port(uri: str) -> int:
    from urllib.parse import urlsplit

    from desktop.services.http import is_loopback

    try:
        return (urlsplit(uri).port or 80) if uri.startswith("http:") and is_loopback(uri) else 0
    except ValueError:
        return 0


def _of_network(groups: SideBySide, settings: Settings, offsets: list[float]) -> list[Running]:
    from desktop.services.doctor.accounts import systems_in_use
    from desktop.services.doctor.network import addresses, proxies, reach
    from desktop.services.http import is_loopback

    wanted = list(addresses(settings, systems_in_use(settings)))

    def proxy() -> Iterator[Check]:
        urls = [address for _, address in wanted]
        far = [url for url in urls if not is_loopback(url)]
        yield from proxies(urls, probe("proxies", *far) if far else {})

    def reaching(name: str, address: str) -> Callable[[], Iterable[Check]]:
        return lambda: reach(name, address, offsets)

    cure = "Check the network, its DNS, the proxy and the firewall."
    return [
        groups.start("proxy", proxy, seconds=14, cure="Look at the system's proxy settings, also at an automatic set-up address."),
        *(groups.start(f"{name} reach", reaching(name, address), seconds=18, cure=cure) for name, address in wanted),
    ]


def _of_accounts(groups: SideBySide, settings: Settings, where: Places) -> Running:
    def look() -> Iterator[Check]:
        try:
            where.profile.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            why = f"The profile's folder can't be made ({error.strerror}), so no sign-in can be looked at."
            yield Check("sign-ins", Verdict.FAIL, why, "Give the user the right to write there, or name another with --profile.")
            return
        from desktop.services.doctor.accounts import accounts

        yield from accounts(settings, where)

    return groups.start(
        "sign-ins",
        look,
        seconds=LONGEST,
        cure="The secret store or a vendor does not answer: answer its question on the screen; try again later.",
    )


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


def ledger(file: Path) -> Iterator[Check]:
    """The ledger's content, settings and backups; works while the tray runs."""
    if not file.exists():
        yield Check("ledger", Verdict.OK, "There is none yet; it is made at the first start.")
        return
    if not os.access(file, os.R_OK | os.W_OK):
        yield Check("ledger", Verdict.FAIL, f"{file} may not be read and written.", "Give the user both rights.")
        return
    from desktop.services.ledger.examination import examined

    for found in examined(file, datetime.now(UTC)):
        verdict = Verdict.FAIL if found.bad else Verdict.NOTE if found.cure else Verdict.OK
        message = found.message
        if any(kind in message for kind in ("CorruptError", "NotADBError")):
            message = "It is damaged, so nothing of it can be read."
        yield Check(found.name, verdict, message, found.cure)
