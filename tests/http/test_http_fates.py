"""What becomes of one request: each way in which a connection can fail, against a real socket."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from desktop.services.errors import AnswerLost, BadAnswer, NotSent
from desktop.services.http import Http, Limits, is_loopback
from tests.http.wire import Line, wire

QUICK = Limits(connect=2.0, read=0.4, total=1.5)
BODY = b"<Cost><Job>J000001</Job></Cost>"


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http(limits=Limits(connect=2.0, read=5.0, total=20.0))
    yield client
    client.close()


def fine(line: Line) -> None:
    line.request()
    line.reply(body=b"yes")


def test_a_name_that_does_not_exist_means_that_nothing_was_sent(http: Http) -> None:
    """D3: name look-up."""
    with pytest.raises(NotSent):
        http.send("POST", "http://no-such-host.invalid/", body=BODY)


def test_a_refused_connection_means_that_nothing_was_sent(http: Http) -> None:
    """D3: refused."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(NotSent):
        http.send("POST", f"http://127.0.0.1:{port}/", body=BODY)


def test_a_connection_that_is_not_taken_up_in_time_means_that_nothing_was_sent(http: Http) -> None:
    """D3: connect time-out."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.connect(address)
            waiting.append(sock)
        try:
            with pytest.raises(NotSent):
                http.send("POST", f"http://127.0.0.1:{address[1]}/", body=BODY, limits=Limits(0.3, 0.3, 5.0))
        finally:
            for sock in waiting:
                sock.close()


def test_a_handshake_that_never_ends_is_cut_by_the_deadline(http: Http) -> None:
    """D3, H3: a server that trickles its handshake is silent never longer than the read limit, and still ends."""

    def slow_handshake(line: Line) -> None:
        line.sock.recv(5)
        # The head of a long TLS record, whose content comes byte by byte.
        line.say(b"\x16\x03\x03\x40\x00")
        line.trickle(itertools.repeat(b"\x02"), 0.05)

    with wire(slow_handshake) as server:
        began = time.monotonic()
        with pytest.raises(NotSent):
            http.send("POST", f"https://127.0.0.1:{server.port}/", body=BODY, limits=Limits(1.0, 1.0, 1.0))
        assert time.monotonic() - began < 4.0


def test_a_reset_on_arrival_leaves_the_fate_unknown(http: Http) -> None:
    """D3: reset before the body."""

    def script(line: Line) -> None:
        line.sock.recv(1)
        line.reset()

    with wire(script) as server, pytest.raises(AnswerLost):
        http.send("POST", server.url, body=BODY)


def test_a_reset_in_the_middle_of_our_body_leaves_the_fate_unknown(http: Http) -> None:
    """D3: reset mid-body."""

    def script(line: Line) -> None:
        line.head()
        line.sock.recv(1000)
        line.reset()

    with wire(script) as server, pytest.raises(AnswerLost):
        http.send("POST", server.url, body=b"x" * 20_000_000)


def test_a_reset_after_our_body_leaves_the_fate_unknown(http: Http) -> None:
    """D3: reset after the body."""

    def script(line: Line) -> None:
        line.request()
        line.reset()

    with wire(script) as server, pytest.raises(AnswerLost):
        http.send("POST", server.url, body=BODY)


def test_no_reply_leaves_the_fate_unknown(http: Http) -> None:
    """D3: no reply."""

    def script(line: Line) -> None:
        line.request()

    with wire(script) as server, pytest.raises(AnswerLost):
        http.send("POST", server.url, body=BODY)


def test_silence_ends_with_the_read_limit(http: Http) -> None:
    """D3: time-out."""

    def script(line: Line) -> None:
        line.request()
        line.hold()

    with wire(script) as server, pytest.raises(AnswerLost, match="in time"):
        http.send("POST", server.url, body=BODY, limits=QUICK)


@pytest.mark.parametrize("cut", [1, 9, 20, 40])
def test_half_a_head_leaves_the_fate_unknown(http: Http, cut: int) -> None:
    """D3: half a reply."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Some: thing\r\n\r\nyes"[:cut])

    with wire(script) as server, pytest.raises(AnswerLost):
        http.send("POST", server.url, body=BODY)


def test_fewer_bytes_than_declared_are_no_answer(http: Http) -> None:
    """D3: wrong length."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n<Response><Status>OK")

    with wire(script) as server, pytest.raises(AnswerLost, match="cut off"):
        http.send("POST", server.url, body=BODY)


def test_a_chunk_that_stops_is_no_answer(http: Http) -> None:
    """D3: wrong length, in chunks."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10\r\nhal")

    with wire(script) as server, pytest.raises(AnswerLost):
        http.send("POST", server.url, body=BODY)


def test_a_compressed_body_that_stops_is_no_answer(http: Http) -> None:
    """D3: a compressed body whose end is missing must not pass for a short one."""
    packed = gzip.compress(b"<Response><Status>OK</Status></Response>" * 100)[:-20]

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)

    with wire(script) as server, pytest.raises((AnswerLost, BadAnswer)):
        http.send("POST", server.url, body=BODY)


def test_what_is_not_compressed_as_declared_is_a_bad_answer(http: Http) -> None:
    def script(line: Line) -> None:
        line.request()
        line.reply("200 OK", b"this is no gzip", "Content-Encoding: gzip")

    with wire(script) as server, pytest.raises(BadAnswer):
        http.send("GET", server.url)


def test_contradicting_lengths_leave_the_fate_unknown(http: Http) -> None:
    """D3: wrong length."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 3, 5\r\n\r\nyes")

    with wire(script) as server, pytest.raises(AnswerLost):
        http.send("POST", server.url, body=BODY)


@pytest.mark.parametrize("junk", [b"nonsense\r\n\r\n", b"HTTP/1.1 banana\r\n\r\n", b"\x00" * 70_000, b"SSH-2.0-x\r\n"])
def test_what_is_not_http_leaves_the_fate_unknown(http: Http, junk: bytes) -> None:
    """D3."""

    def script(line: Line) -> None:
        line.request()
        line.say(junk)

    with wire(script) as server, pytest.raises(AnswerLost):
        http.send("POST", server.url, body=BODY)


def test_too_many_headers_leave_the_fate_unknown(http: Http) -> None:
    """D3, H3."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: y\r\n" * 5000 + b"\r\n")

    with wire(script) as server, pytest.raises(AnswerLost):
        http.send("POST", server.url, body=BODY)


def test_one_byte_after_the_other_ends_with_the_deadline(http: Http) -> None:
    """H3: every pause is short, the whole is bounded all the same."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        line.trickle(itertools.repeat(b"x"), 0.05)

    with wire(script) as server:
        began = time.monotonic()
        with pytest.raises(AnswerLost, match="in time"):
            http.send("GET", server.url, limits=Limits(1.0, 1.0, 0.8))
        assert time.monotonic() - began < 4.0


def test_a_head_in_single_bytes_ends_with_the_deadline(http: Http) -> None:
    """H3."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\n")
        line.trickle(itertools.cycle([b"X", b":", b"y", b"\r", b"\n"]), 0.05)

    with wire(script) as server:
        began = time.monotonic()
        with pytest.raises(AnswerLost, match="in time"):
            http.send("POST", server.url, body=BODY, limits=Limits(1.0, 1.0, 0.8))
        assert time.monotonic() - began < 4.0


def test_a_trickled_answer_without_a_length_is_not_taken_for_a_whole_one(http: Http) -> None:
    """H3: the deadline cuts the connection, and that must not look like the answer's end."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        line.trickle(itertools.repeat(b"x"), 0.05)

    with wire(script) as server, pytest.raises(AnswerLost, match="in time"):
        http.send("GET", server.url, limits=Limits(1.0, 1.0, 0.8))


def test_an_endless_body_stops_at_the_cap(http: Http) -> None:
    """H3."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not line.over.is_set():
            line.say(b"y" * 65536)

    with wire(script) as server, pytest.raises(BadAnswer, match="larger"):
        http.send("GET", server.url, cap=2_000_000)


def test_a_gzip_bomb_stops_at_the_cap_and_takes_little_memory(http: Http) -> None:
    """H3: 1000:1, and memory stays under 50 MB."""
    bomb = gzip.compress(b"\0" * 60_000_000, 9)
    assert len(bomb) < 80_000

    def script(line: Line) -> None:
        line.request()
        line.reply("200 OK", bomb, "Content-Encoding: gzip")

    with wire(script) as server, http.open("GET", server.url, cap=20_000_000) as answer:
        tracemalloc.start()
        try:
            with pytest.raises(BadAnswer, match="larger"):
                for _ in answer.pieces():
                    pass
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
        finally:
            tracemalloc.stop()


def test_a_declared_length_over_the_cap_is_refused_unread(http: Http) -> None:
    """H3."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
        line.hold()

    with wire(script) as server, pytest.raises(BadAnswer, match="larger"):
        http.send("GET", server.url)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
def test_a_redirect_is_given_back_and_not_followed(http: Http, status: str, method: str) -> None:
    """D5."""
    with wire(every=fine) as other:

        def script(line: Line) -> None:
            line.request()
            line.reply(status, b"", f"Location: {other.url}")

        with wire(script) as server:
            answer = http.send(method, server.url, body=BODY if method != "GET" else None)
        assert answer.status == int(status[:3])
        assert other.connections == 0


def test_a_redirect_with_an_endless_body_stops_at_the_cap(http: Http) -> None:
    """H3, D5."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n")
        while not line.over.is_set():
            line.say(b"y" * 65536)

    with wire(script) as server, http.open("POST", server.url, body=BODY, cap=1_000_000) as answer:
        assert answer.status == 302
        with pytest.raises(BadAnswer):
            answer.read()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_kept_connection_that_closes_on_arrival_sees_exactly_one_request(http: Http, method: str) -> None:
    """D4."""
    heads: list[bytes] = []

    def keeps_then_closes(line: Line) -> None:
        line.request()
        line.reply(body=b"ok")
        heads.append(line.head())

    def closes(line: Line) -> None:
        heads.append(line.head())

    with wire(keeps_then_closes, every=closes) as server:
        assert http.send("GET", server.url).body == b"ok"
        with pytest.raises(AnswerLost):
            http.send(method, server.url, body=BODY)
        http.close()
    assert [head[: len(method)].decode() for head in heads if head] == [method]


def test_even_a_read_on_a_kept_connection_is_not_repeated(http: Http) -> None:
    """D4."""
    heads: list[bytes] = []

    def keeps_then_closes(line: Line) -> None:
        line.request()
        line.reply(body=b"ok")
        heads.append(line.head())

    with wire(keeps_then_closes, every=fine) as server:
        assert http.send("GET", server.url).body == b"ok"
        with pytest.raises(AnswerLost):
            http.send("GET", server.url)
        assert server.connections == 1
    assert len(heads) == 1


def test_a_busy_server_is_not_asked_again(http: Http) -> None:
    """D4: Retry-After is the caller's affair."""

    def script(line: Line) -> None:
        line.request()
        line.reply("503 Busy", b"", "Retry-After: 0", "Connection: close")

    with wire(every=script) as server:
        assert http.send("POST", server.url, body=BODY).status == 503
        assert server.connections == 1


def test_an_answer_before_the_end_of_our_body_is_heard(http: Http) -> None:
    """D3: 413 while we are still sending."""

    def script(line: Line) -> None:
        line.head()
        line.reply("413 Too Large", b"", "Connection: close")
        while line.sock.recv(65536):
            pass

    with wire(script) as server:
        assert http.send("POST", server.url, body=b"x" * 5_000_000).status == 413


def test_a_proxy_that_wants_a_login_means_that_nothing_was_sent() -> None:
    """D3: proxy 407."""

    def script(line: Line) -> None:
        line.head()
        line.reply("407 Proxy Authentication Required", b"", 'Proxy-Authenticate: Basic realm="x"')

    with wire(every=script) as proxy:
        http = Http(limits=Limits(2, 2, 5), proxy=lambda url: f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(NotSent, match="proxy"):
            http.send("POST", "https://api.example.test/", body=BODY)
        http.close()


def test_a_proxy_that_tunnels_and_then_drops_the_handshake_means_that_nothing_was_sent() -> None:
    """D3: what was said to the proxy is not the request."""

    def script(line: Line) -> None:
        line.head()
        line.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
        line.sock.recv(10)

    with wire(every=script) as proxy:
        http = Http(limits=Limits(2, 2, 5), proxy=lambda url: f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(NotSent):
            http.send("POST", "https://api.example.test/", body=BODY)
        http.close()


def test_loopback_is_never_sent_through_a_proxy(http: Http) -> None:
    asked: list[str] = []
    client = Http(proxy=lambda url: asked.append(url))
    with wire(fine) as server:
        assert client.send("GET", server.url).body == b"yes"
    client.close()
    assert asked == []


@pytest.mark.parametrize("url", ["http://[::1", "nonsense", "http://a b/", "http://" + "a" * 70 + ".test/", "ftp://x/", ""])
def test_an_address_that_is_none_means_that_nothing_was_sent(http: Http, url: str) -> None:
    """D3."""
    with pytest.raises(NotSent):
        http.send("POST", url, body=BODY)


def test_a_header_that_would_split_the_request_means_that_nothing_was_sent(http: Http) -> None:
    with wire(every=fine) as server, pytest.raises(NotSent):
        http.send("POST", server.url, headers={"X-A": "b\r\nX-C: d"}, body=BODY)


def test_cookies_are_not_kept(http: Http) -> None:
    heads: list[bytes] = []

    def script(line: Line) -> None:
        heads.append(line.head())
        line.reply("200 OK", b"", "Set-Cookie: a=b; Path=/", "Connection: close")

    with wire(every=script) as server:
        http.send("GET", server.url)
        http.send("GET", server.url)
    assert len(heads) == 2
    assert b"cookie" not in heads[1].lower()


def test_of_a_repeated_header_the_last_counts_and_names_are_lower_case(http: Http) -> None:
    def script(line: Line) -> None:
        line.request()
        line.reply("200 OK", b"", "X-MinLimit-Remaining: 7", "x-minlimit-remaining: 6")

    with wire(script) as server:
        assert http.send("GET", server.url).headers["x-minlimit-remaining"] == "6"


def test_reads_keep_their_connection_and_writes_take_a_new_one(http: Http) -> None:
    """D4."""

    def keeps(line: Line) -> None:
        while line.request():
            line.reply(body=b"yes")

    with wire(every=keeps) as server:
        for _ in range(3):
            http.send("GET", server.url)
        assert server.connections == 1
        http.send("POST", server.url, body=BODY)
        http.send("POST", server.url, body=BODY)
        assert server.connections == 3
        http.close()


def test_a_second_call_inside_a_streamed_one_has_a_fate_of_its_own(http: Http) -> None:
    """D3: an order of calls that nests must not borrow the other's proof."""

    def script(line: Line) -> None:
        line.request()
        line.reply(body=b"x" * 200_000)

    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with wire(script) as server, http.open("GET", server.url) as answer:
        pieces = answer.pieces()
        next(pieces)
        with pytest.raises(NotSent):
            http.send("POST", f"http://127.0.0.1:{port}/", body=BODY)
        assert sum(map(len, pieces)) > 0


def test_threads_do_not_disturb_each_other(http: Http) -> None:
    outcomes: list[str] = []

    def one() -> None:
        try:
            outcomes.append(http.send("POST", server.url, body=BODY).body.decode())
        except AnswerLost:
            outcomes.append("lost")

    def odd(line: Line) -> None:
        if b"x-odd" in line.request():
            return
        line.reply(body=b"yes")

    with wire(every=odd) as server:
        threads = [threading.Thread(target=one) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert outcomes == ["yes"] * 12


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1/x", True),
        ("http://LOCALHOST./", True),
        ("http://127.0.0.1/", True),
        ("http://127.9.9.9:80/", True),
        ("http://[::1]/", True),
        ("http://[::ffff:127.0.0.1]/", True),
        ("http://127.0.0.1.evil.test/", False),
        ("http://127.evil.test/", False),
        ("http://localhost.evil.test/", False),
        ("http://user@evil.test/@localhost", False),
        ("http://10.0.0.1/", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_only_this_pc_is_loopback(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


@pytest.mark.parametrize("status", ["401 Unauthorized", "429 Too Many Requests", "503 Busy", "200 OK"])
@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_an_empty_body_that_is_called_compressed_is_an_empty_body(http: Http, status: str, packing: str) -> None:
    """D3: gateways name a compression beside nothing; a limit or a lapsed token must not pass for a lost answer."""

    def script(line: Line) -> None:
        line.request()
        line.reply(status, b"", f"Content-Encoding: {packing}", "Retry-After: 22")

    with wire(script) as server:
        answer = http.send("POST", server.url, body=BODY)
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (int(status[:3]), b"", "22")


@pytest.mark.parametrize("hint", [b"102 Processing", b"103 Early Hints"])
def test_a_hint_before_the_answer_is_not_taken_for_it(http: Http, hint: bytes) -> None:
    """D3: on a kept connection the answer itself would else be read as the next question's."""

    def script(line: Line) -> None:
        for body in (b"first", b"second"):
            line.request()
            line.say((b"HTTP/1.1 " + hint + b"\r\nLink: </style.css>\r\n\r\n") * 2)
            line.reply(body=body)

    with wire(script) as server:
        assert [http.send("GET", server.url).body for _ in range(2)] == [b"first", b"second"]
        assert server.connections == 1


def test_a_hint_and_then_nothing_leaves_the_fate_unknown(http: Http) -> None:
    """D3."""

    def script(line: Line) -> None:
        line.request()
        line.say(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")

    with wire(script) as server, pytest.raises(AnswerLost):
        http.send("POST", server.url, body=BODY)
