"""Binding a registered loopback port on both address families, so that nobody else can hear the callback."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from collections.abc import Callable, Sequence

from desktop.services.errors import NotNow

MakeSocket = Callable[[int, int], socket.socket]

_WINDOWS_IN_USE, _WINDOWS_ACCESS = 10048, 10013
_HELD = {errno.EADDRINUSE, errno.EACCES, errno.EPERM}
_FAMILY_ABSENT = {
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
    errno.EPROTONOSUPPORT,
    errno.ESOCKTNOSUPPORT if hasattr(errno, "ESOCKTNOSUPPORT") else errno.EAFNOSUPPORT,
    10047,
    10049,
    10043,
}


class _Held(Exception):
    """Somebody else has this port, or Windows has reserved it."""


def bind_first_free(ports: Sequence[int], *, make_socket: MakeSocket = socket.socket) -> tuple[int, list[socket.socket]]:
    """Listens on 127.0.0.1 and ::1 at the first port where neither is held by somebody else.

    The name `localhost` may lead a browser to either family, so a port of which only one could be had is given up
    (RFC 8252, 7.3). On a machine without IPv6, 127.0.0.1 alone is enough: nobody can be reached at ::1 there. A port that
    Windows has reserved (error 10013) counts as held. Raises NotNow when no port is free."""
    for port in ports:
        with contextlib.suppress(_Held):
            return port, _bind_both(port, make_socket)
    tried = ", ".join(str(port) for port in ports)
    raise NotNow(
        f"The sign-in needs one of the ports {tried} on this PC, and other programs hold them all. "
        "Close the other sign-in or program, or restart the PC, and try again."
    )


def _bind_both(port: int, make_socket: MakeSocket) -> list[socket.socket]:
    with contextlib.ExitStack() as undo:
        four = _listen(socket.AF_INET, "127.0.0.1", port, make_socket)
        if four is None:
            raise _Held
        undo.callback(four.close)
        port = int(four.getsockname()[1])
        six = _listen(socket.AF_INET6, "::1", port, make_socket) if socket.has_ipv6 else None
        undo.pop_all()
    return [four] if six is None else [four, six]


def _listen(family: int, address: str, port: int, make_socket: MakeSocket) -> socket.socket | None:
    """None when this machine does not have the family. Raises _Held when somebody else has the port."""
    listening: socket.socket | None = None
    try:
        listening = make_socket(family, socket.SOCK_STREAM)
        if sys.platform == "win32":
            # Without it another process may bind the same port and take some of the connections.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Lets a port be used again while old connections linger; two listeners are still refused on POSIX systems.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((address, port))
        listening.listen(128)
        listening.setblocking(False)
    except OSError as error:
        if listening is not None:
            listening.close()
        code = getattr(error, "winerror", None) or error.errno
        if family == socket.AF_INET6 and code in _FAMILY_ABSENT:
            return None
        if code in _HELD or code in (_WINDOWS_IN_USE, _WINDOWS_ACCESS):
            raise _Held from error
        raise NotNow(
            f"This PC did not allow the sign-in to listen on port {port} ({error.strerror or 'unknown reason'})."
        ) from error
    return listening
