"""The command for support: `diagnostics` (contracts, section 2)."""

from __future__ import annotations

import os
from pathlib import Path

import click

from desktop.commands import NEEDS_PERSON, Called, cli, say, shown, stop


@cli.command()
@click.argument("file", metavar="FILE.zip", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--show", is_flag=True, help="Print everything that goes into the bundle first.")
@click.pass_obj
def diagnostics(called: Called, file: Path, show: bool) -> None:
    """Write a bundle for support: versions, settings without values, counts and the log.

    It holds no names, matters, addresses, passwords or tokens, and is sent to nobody: look at it, then send it yourself."""
    from desktop.services.diagnostics import done_with, gather

    bundle = gather(called.platform, called.where, os.environ)
    for part in bundle.parts:
        say(f"{part.name}: {len(part.text):,} characters")
        if show:
            for line in part.text.splitlines():
                click.echo(shown(line), err=True)
    try:
        bundle.save(file)
    except OSError as error:
        stop(NEEDS_PERSON, f"{file} can't be written: {error.strerror or error}. Choose another folder.")
    done_with(called.where)
    say(f"Written: {file}. Look at it before you send it to anybody.")
