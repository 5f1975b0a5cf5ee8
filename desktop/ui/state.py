"""What the tray icon says, decided from a status alone: pure, so that «green means it works» can be tested as a table."""

from __future__ import annotations

from enum import Enum, StrEnum

from desktop.services.desk import ConnectionState, ConnectionView, Status
from desktop.ui.language import tr


class IconState(StrEnum):
    """The five faces of the tray icon; the value is also the icon's file name."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    ATTENTION = "attention"
    OFFLINE = "offline"


class Click(Enum):
    """What a left click on the tray icon does."""

    CONNECT = "connect"
    PICKER = "picker"
    CONNECTIONS = "connections"


_WORDS = {
    IconState.DISCONNECTED: tr("not connected"),
    IconState.CONNECTING: tr("connecting"),
    IconState.CONNECTED: tr("connected"),
    IconState.ATTENTION: tr("needs attention"),
    IconState.OFFLINE: tr("offline"),
}


def state_words(state: IconState) -> str:
    """The contract's words for a state (contracts, section 6)."""
    return _WORDS[state]


def icon_state(status: Status | None) -> IconState:
    """The icon for this status; None means that nothing is known yet.

    Green only when every signed-in system answered last time and nothing waits for a person. A sign-in that broke comes
    first, because nothing else moves until it is mended; then being offline; then work that waits for a person."""
    if status is None:
        return IconState.CONNECTING
    live = [view for view in status.connections if view.state is not ConnectionState.DISCONNECTED]
    if not live:
        return IconState.DISCONNECTED
    states = {view.state for view in live}
    if ConnectionState.ATTENTION in states or status.infotrack.state is ConnectionState.ATTENTION:
        return IconState.ATTENTION
    if ConnectionState.CONNECTED not in states:
        return IconState.CONNECTING
    if any(view.offline for view in live):
        return IconState.OFFLINE
    if status.waiting_for_person > 0 or any(view.problem for view in live):
        return IconState.ATTENTION
    return IconState.CONNECTED


def default_connection(status: Status) -> ConnectionView | None:
    """The practice system that «Connect» means: the first in the status, which is the one that the settings name."""
    return status.connections[0] if status.connections else None


def connected(status: Status | None) -> tuple[ConnectionView, ...]:
    """The systems that are signed in, also when they need attention or are offline."""
    if status is None:
        return ()
    return tuple(v for v in status.connections if v.state in (ConnectionState.CONNECTED, ConnectionState.ATTENTION))


def click(status: Status | None) -> Click:
    """A left click: connect when disconnected, the picker when connected, and where a sign-in hangs or broke, its cure."""
    if status is None:
        return Click.PICKER
    states = {view.state for view in status.connections}
    if ConnectionState.CONNECTED in states:
        return Click.PICKER
    if ConnectionState.CONNECTING in states or ConnectionState.ATTENTION in states:
        return Click.CONNECTIONS
    return Click.CONNECT


def tooltip(status: Status | None) -> str:
    """Begins with `iConnect`, says the state in words and why. Names no matter, no client and no file."""
    state = icon_state(status)
    lines = [f"iConnect: {state_words(state)}"]
    if status is not None:
        lines += reasons(status)
    return "\n".join(lines)


def reasons(status: Status) -> list[str]:
    """Short lines, worst first, that say why the icon is as it is; none when all is well or nothing is signed in."""
    lines: list[str] = []
    for view in status.connections:
        if view.state is ConnectionState.ATTENTION:
            lines.append(tr("{title}: sign in again", title=view.title))
        elif view.state is ConnectionState.CONNECTED and view.offline:
            lines.append(tr("{title} can't be reached; postings wait", title=view.title))
        elif view.state is ConnectionState.CONNECTED and view.problem:
            lines.append(tr("{title}: see Connections", title=view.title))
    if status.infotrack.state is ConnectionState.ATTENTION:
        lines.append(tr("InfoTrack: sign in again"))
    if status.waiting_for_person == 1:
        lines.append(tr("1 posting waits for you"))
    elif status.waiting_for_person > 1:
        lines.append(tr("{count} postings wait for you", count=status.waiting_for_person))
    return lines
