"""One way to make a request.

What a caller may rely on: nothing is ever sent twice by this module, no redirect is followed, certificates are checked
against the operating system's store, every phase has its limit (connect, each read, the whole exchange), the body is
read under a cap, and a failure is told apart by whether a byte of the request can have left this PC (NotSent) or not
(AnswerLost). The proof of NotSent is taken from the connection itself, not guessed from an exception's class.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import truststore
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

from desktop.services.errors import AnswerLost, BadAnswer, NotSent

_exchange = threading.local()


@dataclass(frozen=True, slots=True)
class Limits:
    """All in seconds. `read` bounds the silence between two pieces, `total` the whole exchange from the first byte."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 300.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer read whole. Header names are lower case; of a repeated header the last value counts,
    but Set-Cookie's are joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class StreamedAnswer:
    """An answer whose body is read in pieces; each `pieces()` obeys the cap and the limits."""

    def __init__(self, status: int, headers: Mapping[str, str], pieces: Callable[[], Iterator[bytes]]) -> None:
        self.status = status
        self.headers = headers
        self._pieces = pieces

    def pieces(self) -> Iterator[bytes]:
        """The decoded body. Raises AnswerLost when it is cut or too slow, BadAnswer when it is over the cap."""
        return self._pieces()

    def read(self) -> bytes:
        return b"".join(self._pieces())


class _Exchange:
    """What one request knows of itself: whether a byte has left, and the connection that its deadline may cut.

    A second handle of the socket is kept, because TLS takes the first one over in the middle of its handshake."""

    def __init__(self) -> None:
        self.left = False
        self.expired = False
        self._handles: list[socket.socket] = []
        self._lock = threading.Lock()
        self._over = False

    def holds(self, sock: socket.socket | None) -> None:
        with self._lock:
            if sock is None or self._over or self._handles:
                return
            with contextlib.suppress(OSError):
                self._handles.append(socket.fromfd(sock.fileno(), sock.family, sock.type))
            if self.expired:
                self._cut()

    def lets_go(self) -> None:
        """A connection that did not come about is followed by another."""
        with self._lock:
            self._close()

    def expire(self) -> None:
        with self._lock:
            if not self._over:
                self.expired = True
                self._cut()

    def finish(self) -> None:
        with self._lock:
            self._over = True
            self._close()

    def _cut(self) -> None:
        for handle in self._handles:
            with contextlib.suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        for handle in self._handles:
            handle.close()
        self._handles.clear()


class _Lines:
    """A connection's reading end that remembers the last line."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.last = b""

    def readline(self, *limit: int) -> bytes:
        self.last = self.file.readline(*limit)
        return self.last

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


class _WholeHead(http.client.HTTPResponse):
    """The standard library takes a connection that ends within the head for the head's end, and early hints for the answer:
    on a kept connection the answer itself would then be read as the next one's."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # not in the library's typing
            if not 101 < found[1] < 200:
                return found
            http.client.parse_headers(self.fp)

    def begin(self) -> None:
        lines = _Lines(self.fp)
        self.fp: Any = lines
        try:
            super().begin()
        finally:
            if self.fp is lines:
                self.fp = lines.file
        if lines.last not in (b"\r\n", b"\n"):
            raise http.client.IncompleteRead(lines.last)


class _Witness:
    """Mixed into urllib3's connections: notes the moment before the first byte of a request leaves."""

    sock: Any

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]  # the mixin's base is the connection
        current = _current()
        if current is not None:
            current.lets_go()
            current.holds(sock)
        return sock

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]  # as above
        current = _current()
        if current is not None:
            current.holds(self.sock)
            current.left = True
        super().send(data)  # type: ignore[misc]  # as above

    def _tunnel(self) -> None:
        # The CONNECT to a proxy is not the request: what it sends proves nothing.
        try:
            super()._tunnel()  # type: ignore[misc]  # as above
        finally:
            current = _current()
            if current is not None:
                current.left = False


def _current() -> _Exchange | None:
    return getattr(_exchange, "current", None)


class _PlainConnection(_Witness, HTTPConnection):
    response_class = _WholeHead


class _TlsConnection(_Witness, HTTPSConnection):
    response_class = _WholeHead


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _PlainPool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    def __init__(self, tls: ssl.SSLContext, connections: int) -> None:
        self._tls = tls
        super().__init__(max_retries=Retry(0, read=False, redirect=0), pool_connections=connections, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._tls, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        # requests would add its own bundle of roots here; the operating system's store alone decides.
        conn.cert_reqs = "CERT_REQUIRED"


class _Session(requests.Session):
    """Keeps no cookies, reads no settings of the environment, and never looks at where a redirect leads: requests would
    read a redirect's whole body for that, however long it is."""

    def __init__(self, user_agent: str, tls: ssl.SSLContext, connections: int) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["User-Agent"] = user_agent
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _Adapter(tls, connections)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def is_loopback(url: str) -> bool:
    """Whether the address names this PC: localhost, or a literal loopback address. A name that only begins like one does
    not count."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
        if host == "localhost":
            return True
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


class Http:
    """Safe to use from several threads. `proxy` gives the proxy's address for a URL (None: go direct); without it the
    environment's and the system's settings count. Loopback is never proxied."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        user_agent: str = "iConnect-Desktop",
        proxy: Callable[[str], str | None] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._proxy = proxy
        self._user_agent = user_agent
        self._local = threading.local()
        self._sessions: weakref.WeakSet[_Session] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None

    def close(self) -> None:
        """Closes kept connections. The object stays usable."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            return self._tls

    def _kept_session(self) -> _Session:
        session: _Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _Session(self._user_agent, self._context(), 8)
            with self._lock:
                self._sessions.add(session)
        return session

    def _proxies(self, url: str) -> dict[str, str]:
        if is_loopback(url):
            return {}
        if self._proxy is not None:
            chosen = self._proxy(url)
            return {"http": chosen, "https": chosen} if chosen else {}
        return dict(requests.utils.get_environ_proxies(url))

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        cap: int = 20_000_000,
        fresh: bool | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        """One exchange, read whole. `fresh` forces a new connection (default: for everything but GET, so that a kept
        connection that the server has just dropped never makes a write's fate unknown).

        Raises NotSent, AnswerLost, or BadAnswer for a body over `cap`."""
        with self.open(method, url, headers=headers, body=body, cap=cap, fresh=fresh, limits=limits) as answer:
            return Answer(answer.status, answer.headers, answer.read())

    @contextlib.contextmanager
    def open(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        cap: int = 128_000_000,
        fresh: bool | None = None,
        limits: Limits | None = None,
    ) -> Iterator[StreamedAnswer]:
        """As `send`, with the body streamed."""
        limits = limits or self.limits
        write = method.upper() not in ("GET", "HEAD")
        fresh = write if fresh is None else fresh
        sent = dict(headers or {})
        if fresh:
            sent["Connection"] = "close"
        # A kept connection may already be dead at the other end; a new one can't be.
        session = _Session(self._user_agent, self._context(), 1) if fresh else self._kept_session()
        exchange = _Exchange()
        deadline = threading.Timer(limits.total, exchange.expire)
        deadline.daemon = True
        deadline.start()
        response: requests.Response | None = None
        try:
            outer = _current()
            _exchange.current = exchange
            try:
                response = session.request(
                    method,
                    url,
                    headers=sent,
                    data=body,
                    timeout=(limits.connect, limits.read),
                    allow_redirects=False,
                    stream=True,
                    proxies=self._proxies(url),
                )
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                raise _failure(exchange, error) from error
            finally:
                _exchange.current = outer
            # Of a repeated header the last value counts.
            headers_told = {name.lower(): value for name, value in response.raw.headers.iteritems()}
            if cookies := response.raw.headers.getlist("set-cookie"):
                headers_told["set-cookie"] = ", ".join(cookies)
            yield StreamedAnswer(response.status_code, headers_told, _reader(response, cap, exchange))
        finally:
            deadline.cancel()
            exchange.finish()
            if response is not None:
                response.close()
            if fresh:
                session.close()


def _failure(exchange: _Exchange, error: Exception) -> NotSent | AnswerLost:
    if exchange.left:
        if exchange.expired or isinstance(error, requests.Timeout):
            return AnswerLost("The server did not answer in time.")
        return AnswerLost("The connection broke before an answer came.")
    if isinstance(error, requests.exceptions.SSLError):
        return NotSent(
            "The server's certificate could not be verified, so nothing was sent. Check this PC's date; behind an "
            "inspecting firewall the firm's IT adds its root certificate to the operating system's store."
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return NotSent("The proxy did not let the connection through.")
    if isinstance(error, requests.Timeout) or exchange.expired:
        return NotSent("The server could not be reached in time.")
    if isinstance(error, ValueError):  # requests' InvalidURL, InvalidHeader and their like
        return NotSent("The request could not be made: its address or a header is not valid.")
    return NotSent("The server could not be reached.")


def _reader(response: requests.Response, cap: int, exchange: _Exchange) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        declared = response.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > cap:
            raise BadAnswer("The answer is larger than it may be.")
        seen = 0
        raw = response.raw
        try:
            while True:
                piece = raw.read1(65536, decode_content=True)
                if not piece:
                    break
                seen += len(piece)
                if seen > cap:
                    raise BadAnswer("The answer is larger than it may be.")
                yield piece
        except urllib3.exceptions.DecodeError as error:
            raise BadAnswer("The answer's compression can't be read.") from error
        except (urllib3.exceptions.HTTPError, requests.RequestException, OSError, ValueError) as error:
            late = exchange.expired or isinstance(error, urllib3.exceptions.TimeoutError)
            raise AnswerLost("The server did not answer in time." if late else "The answer was cut off.") from error
        # urllib3 treats a socket that was shut like an orderly end where no length was declared.
        if exchange.expired:
            raise AnswerLost("The server did not answer in time.")
        if (declared.isdecimal() and raw.length_remaining not in (0, None)) or _half_unpacked(raw):
            raise AnswerLost("The answer was cut off.")

    return pieces


def _half_unpacked(raw: Any) -> bool:
    """Whether compressed data stopped before its own end: urllib3 does not look (zlib says so, through its decoder). Gateways
    name a compression beside an empty body too (429, 401): there is nothing to unpack."""
    if not raw.tell():
        return False
    unpacking = getattr(getattr(raw, "_decoder", None), "_obj", None)
    return not getattr(unpacking, "eof", True)
