"""One way to make a request.

What a caller may rely on: nothing is ever sent twice by this module, no redirect is followed, certificates are checked
against the operating system's store, every phase has its limit (connect, each read, the whole exchange), the body is
read under a cap, and a failure is told apart by whether a byte of the request can have left this PC (NotSent) or not
(AnswerLost). The proof of NotSent is taken from the connection itself, not guessed from an exception's class.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
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
    """An answer read whole. Header names are lower case; of a repeated header the last value counts."""

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
    """What one request knows of itself: whether a byte has left, and the socket that a deadline may shut."""

    def __init__(self) -> None:
        self.left = False
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    def holds(self, sock: socket.socket | None) -> None:
        with self._lock:
            if sock is not None:
                self._sockets.append(sock)
            expired = self.expired
        if expired:
            self.expire()

    def expire(self) -> None:
        with self._lock:
            self.expired = True
            sockets = list(self._sockets)
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Witness:
    """Mixed into urllib3's connections: notes the moment before the first byte of a request leaves."""

    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # the mixin's base is the connection
        self._note_socket()

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self._note_socket()
        current: _Exchange | None = getattr(_exchange, "current", None)
        if current is not None:
            current.left = True
        super().send(data)  # type: ignore[misc]  # as above

    def _tunnel(self) -> None:
        # The CONNECT to a proxy is not the request: what it sends proves nothing.
        try:
            super()._tunnel()  # type: ignore[misc]  # as above
        finally:
            current: _Exchange | None = getattr(_exchange, "current", None)
            if current is not None:
                current.left = False

    def _note_socket(self) -> None:
        current: _Exchange | None = getattr(_exchange, "current", None)
        if current is not None:
            current.holds(self.sock)


class _PlainConnection(_Witness, HTTPConnection):
    pass


class _TlsConnection(_Witness, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _PlainPool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=_tls(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=_tls(), **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        # requests would add its own bundle of roots here; the operating system's store alone decides.
        conn.cert_reqs = "CERT_REQUIRED"


def _tls() -> truststore.SSLContext:
    import ssl

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def is_loopback(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    return host == "localhost" or host.startswith("127.") or host == "::1"


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

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.headers["User-Agent"] = self._user_agent
            adapter = _Adapter(max_retries=Retry(0, read=False, redirect=0), pool_connections=8, pool_maxsize=8)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._local.session = session
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
        exchange = _Exchange()
        outer = getattr(_exchange, "current", None)
        _exchange.current = exchange
        session = self._session()
        if fresh:
            # A pooled connection may already be dead at the other end; a new one can't be.
            session = requests.Session()
            session.trust_env = False
            session.headers["User-Agent"] = self._user_agent
            adapter = _Adapter(max_retries=Retry(0, read=False, redirect=0), pool_connections=1, pool_maxsize=1)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
        deadline = threading.Timer(limits.total, exchange.expire)
        deadline.daemon = True
        deadline.start()
        response: requests.Response | None = None
        try:
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
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise _failure(exchange, error) from error
            yield StreamedAnswer(
                response.status_code,
                {name.lower(): value for name, value in response.headers.items()},
                _reader(response, cap, exchange),
            )
        finally:
            deadline.cancel()
            _exchange.current = outer
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
        return NotSent("The server's certificate could not be verified, so nothing was sent.")
    if isinstance(error, requests.exceptions.ProxyError):
        return NotSent("The proxy did not let the connection through.")
    if isinstance(error, requests.Timeout) or exchange.expired:
        return NotSent("The server could not be reached in time.")
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
        except (urllib3.exceptions.HTTPError, requests.RequestException, OSError) as error:
            raise AnswerLost("The answer was cut off.") from error
        # urllib3 treats a socket that was shut like an orderly end where no length was declared.
        if exchange.expired:
            raise AnswerLost("The server did not answer in time.")
        if declared.isdecimal() and raw.length_remaining not in (0, None):
            raise AnswerLost("The answer was cut off.")

    return pieces
