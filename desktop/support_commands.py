"""The command for support: `diagnostics` (contracts, section 2)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desktop.commands import NEEDS_PERSON, WRONG_USE, Called, cli, put, say, shown, stop
from desktop.places import machine_wide_folder

if TYPE_CHECKING:
    from desktop.services.support_bundle import Part


@cli.command()
@click.argument("file", metavar="FILE.zip", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--show/--no-show", default=True, help="Show everything that goes into the bundle before it is saved (the default).")
@click.option("--yes", is_flag=True, help="At a terminal: save without asking.")
@click.pass_obj
def diagnostics(called: Called, file: Path, show: bool, yes: bool) -> None:
    """Write a bundle for support: versions, settings without values, counts and the log.

    It holds no names, matters, addresses, passwords or tokens, and is sent to nobody: look at it, then send it yourself."""
    from desktop.services.diagnostics import done_with, gather

    bundle = gather(called.platform, called.where, os.environ)
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if show and at_terminal:
        click.echo_via_pager(f"{shown(line)}\n" for part in bundle.parts for line in _told(part, whole=True))
    for part in bundle.parts:
        for line in _told(part, whole=show and not at_terminal):
            click.echo(shown(line), err=True)
    if at_terminal and not yes and not click.confirm(f"Save this as {file}?", default=True, err=True):
        say("Nothing was saved.")
        return
    try:
        bundle.save(file)
    except OSError as error:
        stop(NEEDS_PERSON, f"{file} can't be written: {error.strerror or error}. Choose another folder.")
    done_with(called.where)
    say(f"Written: {file}. Look at it before you send it to anybody.")


def _told(part: Part, *, whole: bool) -> Iterator[str]:
    yield f"{part.name}: {len(part.text):,} characters"
    if whole:
        yield from part.text.splitlines()


@cli.command()
@click.option("--check", is_flag=True, help="Only say whether there is a newer version.")
@click.pass_obj
def update(called: Called, check: bool) -> None:
    """Look for a newer version where the PC's policy says, and fetch it, proved.

    Installing is the installer's: it waits until nothing is in flight, and leaves what is queued alone."""
    from importlib.metadata import version

    from desktop.services.errors import ServiceError
    from desktop.services.http import Http
    from desktop.services.updates.policy import PolicyError, read_policy
    from desktop.services.updates.repository import UpdateRepository

    try:
        policy = read_policy(machine_wide_folder(os.environ)).updates
        root = Path(policy.root).read_bytes() if policy.enabled else b""
    except PolicyError as error:
        stop(WRONG_USE, str(error))
    except OSError as error:
        stop(WRONG_USE, f"{error.filename}: the root of trust can't be read ({error.strerror}). It came with the repository.")
    if not policy.enabled:
        say("This PC does not look for new versions: whoever looks after it installs them.")
        return
    current = version("iconnect-desktop")
    http = Http()
    try:
        repository = UpdateRepository(http, policy.url, root, called.where.profile / "updates", platform=_platform())
        offer = repository.newest(current)
        if offer is None:
            put(f"{current} is the newest version.")
            return
        put(f"{offer.version} is newer than {current}.")
        if not check:
            package = repository.fetch(offer)
            put(f"{package}")
            say("It was proved to be the maker's. To install it, start that file; what is queued stays queued.")
    except ServiceError as error:
        stop(NEEDS_PERSON, str(error))
    finally:
        http.close()


def _platform() -> str:
    return {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux-deb")
