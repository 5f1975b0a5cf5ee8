"""A server on a raw socket that does what each test says, byte by byte, and counts what reached it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence


class Line:
    """One accepted connection, as a script sees it."""

    def __init__(self, sock: socket.socket, over: threading.Event) -> None:
        self.sock = sock
        self.over = over

    def head(self) -> bytes:
        """The request's head; empty when the client left."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.sock.recv(1)
            if not piece:
                return b""
            data += piece
        return data

    def request(self) -> bytes:
        """The whole request, by its Content-Length."""
        head = self.head()
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        body = b""
        while len(body) < length:
            piece = self.sock.recv(65536)
            if not piece:
                break
            body += piece
        return head + body

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reply(self, status: str = "200 OK", body: bytes = b"", *headers: str) -> None:
        told = "".join(f"{header}\r\n" for header in headers)
        self.say(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{told}\r\n".encode() + body)

    def reset(self) -> None:
        """Closes with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def trickle(self, pieces: Sequence[bytes] | Iterator[bytes], every: float) -> None:
        """One piece after the other until the client leaves or the test ends."""
        for piece in pieces:
            self.say(piece)
            if self.over.wait(every):
                return

    def hold(self) -> None:
        """Says nothing until the test is over."""
        self.over.wait(30)


Script = Callable[[Line], None]


class Wire:
    """`requests` counts whole request heads that came in, over all connections; `connections` the connections."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, every: Script | None = None) -> None:
        self._scripts = list(scripts)
        self._every = every
        self._tls = tls
        self.connections = 0
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, name="wire")
        self._acceptor.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/there"

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self.over.is_set():
                sock.close()
                return
            self.connections += 1
            script = self._scripts.pop(0) if self._scripts else self._every
            thread = threading.Thread(target=self._serve, args=(sock, script), name="wire line")
            thread.start()
            self._threads.append(thread)

    def _serve(self, sock: socket.socket, script: Script | None) -> None:
        # The client's leaving in the middle is what most of these tests are about.
        with contextlib.suppress(OSError), sock:
            sock.settimeout(20)
            if script is None:
                return
            if self._tls is not None:
                with self._tls.wrap_socket(sock, server_side=True) as wrapped:
                    script(Line(wrapped, self.over))
            else:
                script(Line(sock, self.over))

    def close(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            pass
        self._acceptor.join(10)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@contextlib.contextmanager
def wire(*scripts: Script, tls: ssl.SSLContext | None = None, every: Script | None = None) -> Iterator[Wire]:
    server = Wire(*scripts, tls=tls, every=every)
    try:
        yield server
    finally:
        server.close()
