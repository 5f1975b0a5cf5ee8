"""The command line: one short function a command. Data goes to standard output, everything else to standard error.

Exit status: 0 done; 1 done but something needs a person, or could not be done now; 2 wrong usage or configuration;
3 not connected (contracts, section 2).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

ORDER_WINDOW = "--order-window-process"
"""order_process.HIDDEN_ARGUMENT, said again: importing that module would cost the icon's time. A test holds the two together."""

SIGN_IN_WINDOW = "--sign-in-window-process"
"""sign_in_process.HIDDEN_ARGUMENT, likewise."""

PROBE = "--probe-process"
"""doctor.program.PROBE, likewise."""

LINK = "iconnect:"
"""deep_link.SCHEME, likewise."""

_WITH_VALUE = ("--platform", "--profile", "--link")
"""`--link` is how the desktop hands over a link: what stands behind it is read as a link, whatever it looks like."""


def main(argv: Sequence[str] | None = None) -> None:
    """Starts the tray when no command is given; otherwise hands over to the commands. The frozen program, which has no
    interpreter to start a module with, is also the process of the order window and of the sign-in window.

    The tray's way is kept free of the command line's imports: its icon should be there at once."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == [ORDER_WINDOW]:
        from desktop.ui.browser.__main__ import main as order_window

        sys.exit(order_window())
    if arguments[:1] == [SIGN_IN_WINDOW]:
        from desktop.ui.browser.sign_in import main as sign_in_window

        sys.exit(sign_in_window())
    if arguments[:1] == [PROBE]:
        from desktop.ui.probe import main as probe

        sys.exit(probe(arguments[1:]))
    links = [argument for argument in arguments if argument[: len(LINK)].casefold() == LINK and "--link" not in arguments]
    options = _only_global_options([argument for argument in arguments if argument not in links] if len(links) == 1 else arguments)
    if options is not None:
        from desktop.app import run_tray

        link = links[0] if links else options.get("--link", "")
        sys.exit(run_tray(platform=options.get("--platform"), profile=options.get("--profile"), link=link))
    from desktop import book_commands, quit_command, support_commands  # noqa: F401  # they add their commands to the line
    from desktop.commands import cli

    cli.main(args=arguments, prog_name="iconnect")


def _only_global_options(arguments: list[str]) -> dict[str, str] | None:
    """The global options when there is nothing else on the line, else None."""
    found: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name not in _WITH_VALUE:
            return None
        if not equals:
            value = next(rest, "")
        if not value:
            return None
        found[name] = value
    return found


if __name__ == "__main__":
    main()
