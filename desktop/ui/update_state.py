"""What is known of new versions, and how it is said. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from desktop.ui.language import tr


class UpdateState(StrEnum):
    NOT_LOOKED = "not looked"
    OFF = "off"
    LOOKING = "looking"
    NEWEST = "newest"
    OFFERED = "offered"
    FETCHING = "fetching"
    READY = "ready"
    PROVING = "proving"
    WAITING = "waiting"
    STARTED = "started"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class UpdateView:
    """`installs_itself`: this kind of PC installs a release by its setup; elsewhere the firm's package manager does. `done` of `of`
    bytes are here. `notes` is plain text. `refused`: the repository could not be believed."""

    state: UpdateState = UpdateState.NOT_LOOKED
    version: str = ""
    notes: str = ""
    problem: str = ""
    refused: bool = False
    file: str = ""
    done: int = 0
    of: int = 0
    installs_itself: bool = False


BUSY = frozenset({UpdateState.LOOKING, UpdateState.FETCHING, UpdateState.PROVING, UpdateState.WAITING, UpdateState.STARTED})


def menu_text(view: UpdateView) -> str:
    """The menu's entry."""
    match view.state:
        case UpdateState.READY:
            return tr("Install iConnect {version}…", version=view.version)
        case UpdateState.OFFERED:
            return tr("iConnect {version} is out", version=view.version)
        case UpdateState.WAITING | UpdateState.PROVING:
            return tr("iConnect {version} will be installed", version=view.version)
        case _:
            return tr("Updates")


def notice(view: UpdateView) -> str:
    """The one notice for a version that is there, or nothing. A look that failed is told in the window alone."""
    if view.state is UpdateState.READY:
        return tr("iConnect {version} is ready. Install it from the menu when it suits you.", version=view.version)
    if view.state is UpdateState.OFFERED and not view.installs_itself:
        return tr(
            "iConnect {version} is out. Whoever looks after this PC installs it; there is nothing for you to do.",
            version=view.version,
        )
    return ""


def words(view: UpdateView, *, policy_file: str, current: str) -> tuple[str, str]:
    """Title and sentence for the window."""
    here = tr("This is iConnect {version}.", version=current)
    new = view.version
    match view.state:
        case UpdateState.OFF:
            return here, tr(
                "This PC does not look for new versions: whoever looks after it installs them. "
                "Only an administrator can change that, in {policy_file}.",
                policy_file=policy_file,
            )
        case UpdateState.NOT_LOOKED:
            return here, tr("iConnect has not looked for a new version since it was started.")
        case UpdateState.LOOKING:
            return here, tr("Looking for a new version…")
        case UpdateState.NEWEST:
            return here, tr("It is the newest version.")
        case UpdateState.OFFERED if view.installs_itself:
            return tr("iConnect {version} is out", version=new), tr("It has not been downloaded yet.")
        case UpdateState.OFFERED:
            return tr("iConnect {version} is out", version=new), tr(
                "On this PC the package manager installs it, by whoever looks after the PC. There is nothing for you to do; "
                "what is queued stays queued."
            )
        case UpdateState.FETCHING:
            return tr("iConnect {version} is being downloaded", version=new), tr(
                "You can go on working. It is checked before it can be installed."
            )
        case UpdateState.READY:
            return tr("iConnect {version} is ready", version=new), tr(
                "It was proved to be the maker's. iConnect closes for the installation, once nothing is being sent and no order "
                "window is open; what is queued stays queued and goes on afterwards."
            )
        case UpdateState.PROVING:
            return tr("iConnect {version} is checked once more", version=new), tr(
                "Then it is installed as soon as nothing is being sent and no order window is open."
            )
        case UpdateState.WAITING:
            return tr("iConnect {version} waits", version=new), tr(
                "Something is being sent at this moment, or an order window is open. The installation begins by itself when "
                "that is done."
            )
        case UpdateState.STARTED:
            return tr("iConnect {version} is being installed", version=new), tr(
                "iConnect closes as soon as nothing is being sent and no order window is open."
            )
        case UpdateState.PROBLEM if view.refused:
            return here, tr(
                "{problem} iConnect goes on as it is. Tell whoever looks after this PC: the place where new versions come "
                "from is out of date, or somebody tampers with it.",
                problem=view.problem,
            )
        case UpdateState.PROBLEM:
            return here, tr("{problem} iConnect goes on as it is, and looks again tomorrow.", problem=view.problem)
