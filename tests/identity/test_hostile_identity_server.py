"""An identity server at its worst: what it says of times, names, refusals and waits is believed as far as it makes sense."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from desktop.services.errors import NotNow, NotSent, SignedOut
from desktop.services.identity.grants import credential_lock
from desktop.services.identity.model import SignInFailed
from desktop.services.identity.names import is_id, one_line
from desktop.services.identity.tokens import Connection
from tests.identity.fake_authorization_server import practice
from tests.identity.identity_rig import XPM, Rig


class Scripted:
    """A token endpoint that gives one answer, byte for byte, to whoever asks."""

    def __init__(self, listening: socket.socket) -> None:
        self.address = f"http://127.0.0.1:{listening.getsockname()[1]}/connect/token"
        self.head, self.body = "HTTP/1.1 500 No", b""
        self.asked = 0
        self._listening = listening

    def serve(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            with closing(sock), sock.makefile("rb") as lines:
                length = 0
                while (line := lines.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                lines.read(length)
                self.asked += 1
                sock.sendall(f"{self.head}\r\nContent-Length: {len(self.body)}\r\nConnection: close\r\n\r\n".encode() + self.body)


@contextmanager
def scripted(rig: Rig) -> Iterator[Scripted]:
    """From now on the rig's renewals go there."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        server = Scripted(listening)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        before = dict(rig.xero)
        rig.xero["token_url"] = server.address
        try:
            yield server
        finally:
            rig.xero = before
            # Wakes the one who waits for a caller, where the system allows it.
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def old_connection(rig: Rig) -> Connection:
    """Signed in, and in need of a new access token."""
    connection = rig.signed_in().connection(XPM)
    assert connection is not None
    rig.clock.pass_(1800)
    return connection


def problem(rig: Rig) -> str:
    (record,) = rig.identity().records()
    return record.problem


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("moment", [10**400, -(10**400), 10**30, float("inf"), float("nan"), "soon", True])
def test_a_time_that_no_calendar_holds_refuses_the_proof(rig: Rig, claim: str, moment: Any) -> None:
    """A14: in words, and nothing is stored."""
    rig.server.claims = {claim: moment}
    with pytest.raises(SignInFailed, match="unreadable"):
        rig.signed_in()
    assert rig.identity().records() == ()


HOSTILE = [
    ("A\ud83dB", "AB"),
    ("\u202elaF\u202c mriF", "laF mriF"),
    ("Rimu\x1b[2J\x07 &\x00 Co\u2028Law", "Rimu[2J & Co Law"),
    ("Ngāti Awa 👩\u200d⚖️", "Ngāti Awa 👩\u200d⚖️"),
    ("משרד כהן", "משרד כהן"),
]


@pytest.mark.parametrize(("name", "kept"), HOSTILE)
def test_names_steer_no_screen_and_break_no_store(rig: Rig, name: str, kept: str) -> None:
    """H6: the organisation's and the person's."""
    rig.server.connections = [practice("org-7", name, event=rig.server.event)]
    rig.server.claims = {"name": name, "email": f"{name}@firm.example", "xero_userid": "\ud800"}
    record = rig.identity().sign_in(XPM, rig.person.steps())
    assert (record.tenant_name, record.user, record.email) == (kept, kept, f"{kept}@firm.example")
    assert record.user_id == "ab" * 16
    assert rig.identity().records()[0].tenant_name == kept
    assert [tenant.name for tenant in rig.person.shown] == [kept]


def test_a_name_of_nothing_visible_is_no_name() -> None:
    """H6."""
    assert one_line("\u200d\u202e \u200b\t") == ""
    assert one_line(["a"]) == ""
    assert one_line("n" * 100_000) == "n" * 200
    assert is_id("c3b2a190-0000-4000-8000-0000000feed1")
    for value in ("", "a b", "a\r\nX-Other: b", "é", "\ud800", "a" * 101, 5, None, ["a"]):
        assert not is_id(value)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_names_a_time_is_left_alone_until_then(rig: Rig, status: int) -> None:
    """A21, D13: no renewal before, from however many callers; still signed in; then it goes on by itself."""
    connection = old_connection(rig)
    with scripted(rig) as server:
        server.head = f"HTTP/1.1 {status} Later\r\nRetry-After: 120"
        for _ in range(5):
            with pytest.raises(NotSent, match="in 2 minutes"):
                connection.token()
        rig.clock.pass_(119)
        with pytest.raises(NotSent, match="in a minute"):
            connection.token()
        assert server.asked == 1
        assert connection.offline
    assert problem(rig) == ""
    rig.clock.pass_(2)
    assert connection.token() in rig.server.issued


def test_the_time_may_be_a_date(rig: Rig) -> None:
    """D13."""
    connection = old_connection(rig)
    with scripted(rig) as server:
        until = (rig.clock.now() + timedelta(seconds=90)).replace(microsecond=0)
        server.head = f"HTTP/1.1 429 Later\r\nRetry-After: {format_datetime(until, usegmt=True)}"
        with pytest.raises(NotSent, match="in 2 minutes"):
            connection.token()
        rig.clock.pass_(85)
        with pytest.raises(NotSent, match="in a minute"):
            connection.token()
        assert server.asked == 1
    rig.clock.pass_(6)
    assert connection.token() in rig.server.issued


def test_who_signs_in_again_waits_no_longer(rig: Rig) -> None:
    """A21: the time that the server named was for the sign-in before."""
    identity = rig.signed_in()
    connection = identity.connection(XPM)
    assert connection is not None
    rig.clock.pass_(1800)
    with scripted(rig) as server:
        server.head = "HTTP/1.1 503 Later\r\nRetry-After: 3600"
        with pytest.raises(NotSent):
            connection.token()
    identity.sign_in(XPM, rig.person.steps())
    assert connection.token() in rig.server.issued
    assert not connection.offline


def test_a_failure_that_is_told_again_is_told_afresh(rig: Rig) -> None:
    """A17: one exception that is raised for hours would carry the traceback of each time."""
    connection = old_connection(rig)
    with scripted(rig) as server:
        server.head = "HTTP/1.1 503 Later\r\nRetry-After: 3600"
        told = []
        for _ in range(3):
            with pytest.raises(NotSent) as caught:
                connection.token()
            told.append(caught.value)
    assert told[1] is not told[2]


@pytest.mark.parametrize("value", ["999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_absurd_time_is_cut(rig: Rig, value: str) -> None:
    """D13: nobody is shut out for years by one header."""
    connection = old_connection(rig)
    with scripted(rig) as server:
        server.head = f"HTTP/1.1 503 Later\r\nRetry-After: {value}"
        with pytest.raises(NotSent, match="in 60 minutes"):
            connection.token()
    rig.clock.pass_(3601)
    assert connection.token() in rig.server.issued


@pytest.mark.parametrize("value", ["-5", "soon", "", "Thu, 01 Jan 1970 00:00:00 GMT", "nan", "1e9"])
def test_a_time_that_says_nothing_is_our_own_back_off(rig: Rig, value: str) -> None:
    """D13, A21."""
    connection = old_connection(rig)
    with scripted(rig) as server:
        server.head = f"HTTP/1.1 429 Later\r\nRetry-After: {value}"
        with pytest.raises(NotSent):
            connection.token()
    rig.clock.pass_(31)
    assert connection.token() in rig.server.issued


def test_a_wait_costs_nobody_a_token_that_is_still_good(rig: Rig) -> None:
    """A16, A21: between the early renewal and the end of its life the old one serves."""
    connection = rig.signed_in().connection(XPM)
    assert connection is not None
    first = connection.token()
    rig.clock.pass_(1800 * 0.9)
    with scripted(rig) as server:
        server.head = "HTTP/1.1 429 Later\r\nRetry-After: 120"
        assert connection.token() == first
        assert connection.token() == first
        assert server.asked == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"error": {"code": "invalid_grant", "message": "gateway"}}'),
        (400, b'{"error": ["invalid_grant"]}'),
        (400, b'{"error": 7}'),
        (400, b'{"error": null}'),
        (401, b'{"error": ""}'),
        (408, b'{"error": "timeout"}'),
        (425, b'{"error": "too_early"}'),
    ],
)
def test_a_refusal_in_another_language_than_the_protocols_is_a_passing_fault(rig: Rig, status: int, body: bytes) -> None:
    """A21: neither the sign-in nor the app was refused; nobody is asked to do anything."""
    connection = old_connection(rig)
    with scripted(rig) as server:
        server.head, server.body = f"HTTP/1.1 {status} No", body
        with pytest.raises(NotSent):
            connection.token()
    assert problem(rig) == ""
    rig.clock.pass_(2)
    assert connection.token() in rig.server.issued


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_refusal_behind_a_byte_order_mark_is_one(rig: Rig, encoding: str) -> None:
    """A19."""
    connection = old_connection(rig)
    with scripted(rig) as server:
        server.head, server.body = "HTTP/1.1 400 No", '{"error": "invalid_grant"}'.encode(encoding)
        with pytest.raises(SignedOut):
            connection.token()
    assert "has ended the sign-in" in problem(rig)


def test_fields_that_are_there_and_say_nothing_are_passed_over(rig: Rig) -> None:
    """A16: such as «error»: null beside the tokens."""
    connection = old_connection(rig)
    with scripted(rig) as server:
        server.head = "HTTP/1.1 200 OK"
        server.body = b'{"error": null, "token_type": null, "access_token": "fresh", "refresh_token": "", "expires_in": null}'
        assert connection.token() == "fresh"


def test_a_renewal_whose_fate_is_unknown_leaves_no_doubt_about_the_callers_own_request(rig: Rig) -> None:
    """A21: a cost whose token could not be renewed was not sent, also after the API's 401; it need not be looked for."""
    connection = rig.signed_in().connection(XPM)
    assert connection is not None
    first = connection.token()
    rig.server.fault = lambda path, _: (0, b"") if path == "/connect/token" else None
    with pytest.raises(NotSent):
        connection.rejected(first)
    rig.clock.pass_(1800)
    with pytest.raises(NotSent):
        connection.token()


def test_a_lock_that_cannot_be_had_is_said_in_words(tmp_path: Path) -> None:
    """A18: something else bears the lock's name, or the folder's."""
    (tmp_path / "identity-xpm.lock").mkdir()
    with pytest.raises(NotNow, match="can't be written"), credential_lock(tmp_path, "xpm", seconds=0.1):
        raise AssertionError("it has a lock")
    (tmp_path / "file").touch()
    with pytest.raises(NotNow, match="can't be written"), credential_lock(tmp_path / "file", "xpm", seconds=0.1):
        raise AssertionError("it has a lock")


def test_what_fails_under_the_lock_is_not_blamed_on_the_lock(tmp_path: Path) -> None:
    """A18: and the lock is free again."""
    with pytest.raises(PermissionError, match="of its own"), credential_lock(tmp_path, "xpm"):
        raise PermissionError("of its own")
    with credential_lock(tmp_path, "xpm", seconds=0.1):
        pass
