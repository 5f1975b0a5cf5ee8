"""Where the frozen program starts.

It is the tray, the commands, the order window and the sign-in window in one, as when run from source. On top of that:

* It runs those of its own modules that the program starts as `python -m MODULE` elsewhere (the sandbox, the demo's parts, the
  probe of the screen). The list is closed: the frozen program is no interpreter for anything else.
* `--link ADDRESS` is how the operating system hands over an `iconnect:` link. Whatever stands behind the address is dropped, and
  a link only ever shows something, because any web page may hold one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping, Sequence

OWN_MODULES = (
    "desktop",
    "desktop.demo.headless",
    "desktop.demo.interactive",
    "desktop.demo.person_in_browser",
    "desktop.services.updates.looking",
    "desktop.ui.probe",
    "installer.inside",
    "installer.undelivered",
    "sandbox",
)
"""What may follow `-m`."""

LINK = "--link"

_WRONG_USE = 2


def module_and_rest(arguments: Sequence[str]) -> tuple[str, list[str]] | None:
    """The module that the arguments ask for and what it is given; None when they are not of the form `[-P] -m MODULE …`."""
    rest = list(arguments)
    if rest[:1] == ["-P"]:
        del rest[0]
    if len(rest) < 2 or rest[0] != "-m":
        return None
    return rest[1], rest[2:]


def give_back_library_path(environment: MutableMapping[str, str] = os.environ) -> None:
    """Undoes what the bootloader did to find its own libraries. It is done with that, and a browser or file manager that we start
    must not be given our Qt in the place of the system's."""
    if not getattr(sys, "frozen", False) or not sys.platform.startswith("linux"):
        return
    before = environment.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is None:
        environment.pop("LD_LIBRARY_PATH", None)
    else:
        environment["LD_LIBRARY_PATH"] = before


def main() -> None:
    """Does what the command line asks; exits with its status, 2 for a module that is not ours."""
    give_back_library_path()
    arguments = sys.argv[1:]
    asked = module_and_rest(arguments)
    if asked is not None:
        module, rest = asked
        if module not in OWN_MODULES:
            sys.stderr.write(f"iConnect runs no module named {module!r}.\n")
            sys.exit(_WRONG_USE)
        import runpy

        sys.argv[1:] = rest
        runpy.run_module(module, run_name="__main__", alter_sys=False)
        return
    if arguments[:1] == [LINK]:
        # The link alone: whoever wrote it must not add options of ours behind it.
        arguments = arguments[:2]
        sys.argv[1:] = arguments
    from desktop.__main__ import main as start

    start(arguments)


if __name__ == "__main__":
    main()
