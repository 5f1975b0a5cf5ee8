"""The loopback listener against what else may knock on it."""

from __future__ import annotations

import contextlib
import errno
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from desktop.services.errors import NotNow
from desktop.services.identity.callback import Consent, NotTheCallback, Refusal, read_callback
from desktop.services.identity.listener import CallbackListener
from desktop.services.identity.loopback import bind_first_free
from tests.identity.identity_rig import free_ports, get

STATE = "the-right-state-0123456789"


def listener(ports: tuple[int, ...], **more: object) -> CallbackListener:
    return CallbackListener(ports, state=STATE, accepts_issuer=lambda issuer: issuer == "https://identity.example", **more)  # type: ignore[arg-type]


@pytest.fixture
def heard() -> Iterator[CallbackListener]:
    with listener(free_ports(1)) as open_listener:
        yield open_listener


def raw(port: int, request: bytes, *, family: socket.AddressFamily = socket.AF_INET) -> bytes:
    with closing(socket.socket(family)) as sock:
        sock.settimeout(5)
        sock.connect(("127.0.0.1" if family == socket.AF_INET else "::1", port))
        sock.sendall(request)
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
        return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def request(heard: CallbackListener, *, line: str | None = None, host: str | None = None, more: str = "") -> bytes:
    line = line or f"GET /callback?code=c&state={STATE} HTTP/1.1"
    host = host if host is not None else f"Host: localhost:{heard.port}\r\n"
    return f"{line}\r\n{host}{more}\r\n".encode()


def test_the_callback_is_heard_and_its_code_leaves_the_address_bar(heard: CallbackListener) -> None:
    """A12: a redirect to a clean path, one static page, no-store, no-referrer, nosniff, a tight policy."""
    answer = get(f"{heard.redirect_uri}?code=the-code&state={STATE}")
    assert answer.status == 303
    assert answer.headers["location"] == "/return-to-iconnect"
    assert heard.wait(5) == Consent("the-code")
    page = get(f"http://localhost:{heard.port}/return-to-iconnect")
    assert page.status == 200
    assert b"close this tab" in page.body
    for reply in (answer, page):
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert b"the-code" not in reply.body
        assert STATE.encode() not in reply.body
    assert b"http" not in page.body
    assert b"<script" not in page.body


def test_a_refusal_with_the_right_state_is_an_answer_too(heard: CallbackListener) -> None:
    get(f"{heard.redirect_uri}?error=access_denied&state={STATE}")
    assert heard.wait(5) == Refusal("access_denied")


GOOD = f"code=c&state={STATE}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"HEAD /callback?{GOOD} HTTP/1.1", 405),
        (f"POST /callback?{GOOD} HTTP/1.1", 405),
        (f"OPTIONS /callback?{GOOD} HTTP/1.1", 405),
        ("GET /favicon.ico HTTP/1.1", 404),
        ("GET / HTTP/1.1", 404),
        (f"GET /callback/?{GOOD} HTTP/1.1", 404),
        (f"GET /Callback?{GOOD} HTTP/1.1", 404),
        (f"GET //callback?{GOOD} HTTP/1.1", 404),
        (f"GET /%63allback?{GOOD} HTTP/1.1", 404),
        (f"GET /x/../callback?{GOOD} HTTP/1.1", 404),
        ("GET /return-to-iconnect HTTP/1.1", 404),
        ("GET /callback HTTP/1.1", 400),
        ("GET /callback?code=c HTTP/1.1", 400),
        ("GET /callback?code=c&state= HTTP/1.1", 400),
        ("GET /callback?code=c&state=wrong HTTP/1.1", 400),
        (f"GET /callback?code=c&state={STATE}x HTTP/1.1", 400),
        (f"GET /callback?code=c&state={STATE.upper()} HTTP/1.1", 400),
        (f"GET /callback?{GOOD}&state={STATE} HTTP/1.1", 400),
        (f"GET /callback?{GOOD}&state=wrong HTTP/1.1", 400),
        (f"GET /callback?{GOOD}&code=d HTTP/1.1", 400),
        (f"GET /callback?{GOOD}&x=1&x=2 HTTP/1.1", 400),
        (f"GET /callback?state={STATE} HTTP/1.1", 400),
        (f"GET /callback?code=&state={STATE} HTTP/1.1", 400),
        (f"GET /callback?{GOOD}&error=access_denied HTTP/1.1", 400),
        (f"GET /callback?code=%zz&state={STATE} HTTP/1.1", 400),
        (f"GET /callback?code=%0d%0a&state={STATE} HTTP/1.1", 400),
        (f"GET /callback?code=%ff&state={STATE} HTTP/1.1", 400),
        (f"GET /callback?{GOOD}&iss=https%3A%2F%2Fevil.example HTTP/1.1", 400),
        (f"GET /callback?{GOOD}#x HTTP/1.1", 400),
        (f"GET http://localhost/callback?{GOOD} HTTP/1.1", 400),
        (f"GET /callback?{GOOD} HTTP/2.0", 400),
        (f"GET /callback?{GOOD}", 400),
        (f"GET  /callback?{GOOD} HTTP/1.1", 400),
        ("GET /callback?" + "&".join(f"p{n}=1" for n in range(30)) + f"&{GOOD} HTTP/1.1", 400),
        ("\x16\x03\x01 TLS", 400),
    ],
)
def test_anything_but_the_callback_is_refused_and_changes_nothing(heard: CallbackListener, line: str, expected: int) -> None:
    """A3, A4, A13: wrong, missing, repeated state; other method, path, form, issuer."""
    assert status_of(raw(heard.port, request(heard, line=line))) == expected
    assert heard.wait(0) is None
    assert get(f"{heard.redirect_uri}?code=good&state={STATE}").status == 303
    assert heard.wait(5) == Consent("good")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "Host: evil.example\r\n",
        "Host: 127.0.0.1:{port}\r\n",
        "Host: localhost\r\n",
        "Host: localhost:1\r\n",
        "Host: localhost:{port}\r\n" * 2,
        "Host: localhost:{port}, localhost:{port}\r\n",
        "Host : localhost:{port}\r\n",
        " Host: localhost:{port}\r\n",
    ],
)
def test_another_host_is_refused(heard: CallbackListener, host: str) -> None:
    """A11: a page of elsewhere that resolves to this PC, or another user's process, is not the vendor's redirect."""
    assert status_of(raw(heard.port, request(heard, host=host.replace("{port}", str(heard.port))))) == 400
    assert heard.wait(0) is None


def test_a_request_with_a_body_or_an_endless_head_is_refused(heard: CallbackListener) -> None:
    assert status_of(raw(heard.port, request(heard, more="Content-Length: 5\r\n"))) == 400
    assert status_of(raw(heard.port, request(heard, more="Transfer-Encoding: chunked\r\n"))) == 400
    assert status_of(raw(heard.port, request(heard, more=f"X: {'a' * 20_000}\r\n"))) == 431
    assert status_of(raw(heard.port, b"GET /" + b"a" * 20_000)) == 431
    assert heard.wait(0) is None


def test_a_head_request_is_answered_without_a_body(heard: CallbackListener) -> None:
    answer = raw(heard.port, request(heard, line=f"HEAD /callback?{GOOD} HTTP/1.1"))
    assert answer.endswith(b"\r\n\r\n")


def test_fifty_wrong_knocks_neither_end_nor_hang_the_sign_in(heard: CallbackListener) -> None:
    """A4: fifty bad callbacks, a favicon, a second tab; then the good one is answered in under a second, twice the same."""
    for number in range(50):
        assert get(f"{heard.redirect_uri}?code=c&state=wrong{number}").status == 400
    assert get(f"http://localhost:{heard.port}/favicon.ico").status == 404
    began = time.monotonic()
    assert get(f"{heard.redirect_uri}?code=good&state={STATE}").status == 303
    assert heard.wait(5) == Consent("good")
    assert time.monotonic() - began < 1
    assert get(f"{heard.redirect_uri}?code=good&state={STATE}").status == 303
    assert get(f"{heard.redirect_uri}?code=another&state={STATE}").status == 400
    assert heard.wait(0) == Consent("good")


def test_idle_and_slow_connections_do_not_block_the_callback(heard: CallbackListener) -> None:
    """A9: many sockets that say nothing, one that says a little, then the real callback."""
    idle = [socket.create_connection(("127.0.0.1", heard.port)) for _ in range(250)]
    slow = socket.create_connection(("127.0.0.1", heard.port))
    slow.sendall(b"GET /callb")
    try:
        began = time.monotonic()
        assert get(f"{heard.redirect_uri}?code=c&state={STATE}").status == 303
        assert time.monotonic() - began < 1
        # Beyond two hundred the oldest are let go, so that no number of them uses up this process's sockets.
        idle[0].settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert idle[0].recv(1) == b""
    finally:
        for sock in (*idle, slow):
            sock.close()


def test_a_connection_lives_thirty_seconds_at_most() -> None:
    now = [100.0]
    with (
        listener(free_ports(1), clock=lambda: now[0]) as heard,
        closing(socket.create_connection(("127.0.0.1", heard.port))) as sock,
    ):
        sock.sendall(b"GET /callback")
        get(f"http://localhost:{heard.port}/x")  # answered after the first connection was accepted
        sock.settimeout(0.4)
        now[0] += 29
        with pytest.raises(TimeoutError):
            sock.recv(1)
        now[0] += 1.5
        sock.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""


def test_the_port_is_free_within_a_second_after_closing() -> None:
    """A5: opens at sign-in, closes after it; even a bind without address reuse succeeds at once."""
    port = free_ports(1)[0]
    heard = listener((port,))
    idle = socket.create_connection(("127.0.0.1", port))
    get(f"http://localhost:{port}/nothing")
    get(f"{heard.redirect_uri}?code=c&state={STATE}")
    began = time.monotonic()
    heard.close()
    assert time.monotonic() - began < 1
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with closing(socket.socket(family)) as sock:
            sock.bind((address, port))
    idle.close()


def test_it_listens_on_loopback_only_and_on_both_families(heard: CallbackListener) -> None:
    """A5, A6: 127.0.0.1 and ::1, and no other address of this machine."""
    assert status_of(raw(heard.port, request(heard, line="GET /x HTTP/1.1"))) == 404
    assert status_of(raw(heard.port, request(heard, line="GET /x HTTP/1.1"), family=socket.AF_INET6)) == 404
    listening = set()
    for name, wanted in (("/proc/net/tcp", 8), ("/proc/net/tcp6", 32)):
        for line in Path(name).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, port = local.split(":")
            if state == "0A" and int(port, 16) == heard.port:
                assert len(address) == wanted
                listening.add(address)
    assert listening == {"0100007F", "00000000000000000000000001000000"}


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_port_of_which_another_process_holds_one_family_is_skipped(family: socket.AddressFamily) -> None:
    """A6, A11: with only one family ours, the callback might go to somebody else."""
    first, second = free_ports(2)
    with closing(socket.socket(family)) as other:
        other.bind(("127.0.0.1" if family == socket.AF_INET else "::1", first))
        other.listen()
        with listener((first, second)) as heard:
            assert heard.port == second
            assert heard.redirect_uri == f"http://localhost:{second}/callback"
    with closing(socket.socket()) as now_free:
        now_free.bind(("127.0.0.1", first))


def test_the_fifth_port_is_used_when_four_are_taken_and_none_is_a_plain_message() -> None:
    """A7."""
    ports = free_ports(5)
    held = []
    for port in ports[:4]:
        sock = socket.socket()
        sock.bind(("127.0.0.1", port))
        sock.listen()
        held.append(sock)
    try:
        with listener(ports) as heard:
            assert heard.port == ports[4]
            with pytest.raises(NotNow, match="other programs hold them all"):
                listener(ports)
    finally:
        for sock in held:
            sock.close()


class FaultySocket(socket.socket):
    fault: Callable[[tuple[str, int]], OSError | None]

    def bind(self, address: tuple[str, int]) -> None:  # type: ignore[override]
        error = type(self).fault(address)
        if error is not None:
            raise error
        super().bind(address)


def faulty(fault: Callable[[tuple[str, int]], OSError | None]) -> Callable[[int, int], socket.socket]:
    return type("Faulty", (FaultySocket,), {"fault": staticmethod(fault)})


def test_a_port_that_windows_reserved_is_passed_over() -> None:
    """A7: error 10013 on an idle port (reserved by Hyper-V, WSL or Docker) is like a busy one."""
    first, second = free_ports(2)

    def reserved(address: tuple[str, int]) -> OSError | None:
        if address[1] != first:
            return None
        error = PermissionError(errno.EACCES, "An attempt was made to access a socket in a way forbidden by its access permissions")
        error.winerror = 10013  # type: ignore[attr-defined, unused-ignore]
        return error

    port, sockets = bind_first_free((first, second), make_socket=faulty(reserved))
    for sock in sockets:
        sock.close()
    assert port == second


def test_a_machine_without_ipv6_signs_in_over_ipv4_alone() -> None:
    def no_six(address: tuple[str, int]) -> OSError | None:
        return OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address") if ":" in address[0] else None

    with listener(free_ports(1), make_socket=faulty(no_six)) as heard:
        assert get(f"http://127.0.0.1:{heard.port}/callback?{GOOD}", headers={"Host": f"localhost:{heard.port}"}).status == 303

    def not_compiled(family: int, kind: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return socket.socket(family, kind)

    with listener(free_ports(1), make_socket=not_compiled):
        pass


def test_an_unexpected_fault_while_binding_is_told_plainly_and_leaks_nothing() -> None:
    made: list[socket.socket] = []

    def odd(address: tuple[str, int]) -> OSError | None:
        return OSError(errno.EIO, "Input/output error") if ":" in address[0] else None

    kind = faulty(odd)

    def make(family: int, type_: int) -> socket.socket:
        made.append(kind(family, type_))
        return made[-1]

    with pytest.raises(NotNow, match="did not allow the sign-in to listen"):
        bind_first_free(free_ports(1), make_socket=make)
    assert all(sock.fileno() == -1 for sock in made)


def test_windows_gets_an_exclusive_bind_and_no_address_reuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """A8: the checked code path for Windows; two listeners on one port would let one of them hear nothing."""
    options: list[tuple[object, ...]] = []

    class Recording(socket.socket):
        def setsockopt(self, *option: object) -> None:
            options.append(option)

    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", -5, raising=False)
    _, sockets = bind_first_free((0,), make_socket=Recording)
    monkeypatch.undo()
    for sock in sockets:
        sock.close()
    assert (socket.SOL_SOCKET, -5, 1) in options
    assert not [option for option in options if option[1] == socket.SO_REUSEADDR]


def test_two_listeners_never_share_a_port() -> None:
    """A8: the second one goes to the next port."""
    ports = free_ports(2)
    with listener(ports) as first, listener(ports) as second:
        assert (first.port, second.port) == ports


def test_the_browsers_page_is_still_served_while_the_listener_closes(heard: CallbackListener) -> None:
    """A12: closing waits a moment for the clean address to be fetched."""
    get(f"{heard.redirect_uri}?{GOOD}")
    closer = threading.Thread(target=heard.close)
    closer.start()
    assert get(f"http://localhost:{heard.port}/return-to-iconnect").status == 200
    closer.join(5)
    assert not closer.is_alive()


def test_a_reset_in_the_middle_of_a_request_harms_nobody(heard: CallbackListener) -> None:
    for _ in range(20):
        sock = socket.create_connection(("127.0.0.1", heard.port))
        sock.sendall(request(heard, line="GET /x HTTP/1.1"))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    assert get(f"{heard.redirect_uri}?{GOOD}").status == 303


def test_the_issuer_is_compared_when_the_callback_names_one() -> None:
    """A13: an accepted issuer passes, another is refused, none is fine."""

    def accepts(issuer: str) -> bool:
        return issuer == "https://identity.example"

    assert read_callback(f"{GOOD}&iss=https%3A%2F%2Fidentity.example", state=STATE, accepts_issuer=accepts) == Consent("c")
    assert read_callback(GOOD, state=STATE, accepts_issuer=accepts) == Consent("c")
    with pytest.raises(NotTheCallback):
        read_callback(f"{GOOD}&iss=https%3A%2F%2Fevil.example", state=STATE, accepts_issuer=accepts)


def test_keep_alive_and_pipelined_requests_get_one_answer_only(heard: CallbackListener) -> None:
    answer = raw(heard.port, request(heard, line="GET /x HTTP/1.1", more="Connection: keep-alive\r\n") + request(heard))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert heard.wait(0) is None
    with closing(http.client.HTTPConnection("localhost", heard.port)) as connection:
        connection.request("GET", f"/callback?{GOOD}")
        assert connection.getresponse().getheader("Connection") == "close"


@pytest.mark.parametrize(
    "greeting",
    [
        b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + bytes(32),
        f"GET /callback?code=c&state={STATE} HTTP/1.1\nHost: localhost\n\n".encode(),
        b"\r\n",
    ],
    ids=["TLS", "bare line feeds", "an empty line first"],
)
def test_what_cannot_become_a_request_is_told_so_at_once(heard: CallbackListener, greeting: bytes) -> None:
    """A4, A9: a browser that tries https first must not wait half a minute before it tries the registered address."""
    assert status_of(raw(heard.port, greeting)) == 400
    assert heard.wait(0) is None
