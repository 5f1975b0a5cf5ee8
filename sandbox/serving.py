"""A WSGI application on a loopback port, in threads of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class _Quiet(WSGIRequestHandler):
    """Writes no log lines: addresses hold codes and links."""

    timeout = 120

    def log(self, type: str, message: str, *args: Any) -> None:
        pass

    def make_environ(self) -> WSGIEnvironment:
        """With the headers as they came: the library drops names with an underscore, as some proxies do and some vendors don't."""
        environ = super().make_environ()
        environ["sandbox.headers"] = [(name.lower(), value) for name, value in self.headers.items()]
        return environ

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            pass  # the client left, or a fault closed the connection


class Server:
    """Listens from construction on; answers from `start` on. `port` 0 takes a free one."""

    def __init__(self, app: WSGIApplication, host: str, port: int = 0) -> None:
        self._server = make_server(host, port, app, threaded=True, request_handler=_Quiet)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._server.block_on_close = False  # type: ignore[attr-defined]
        self.host = host
        self.port: int = self._server.port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name=f"sandbox-{self.port}", daemon=True
        )

    @property
    def url(self) -> str:
        """`http://host:port`, without a slash."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the port. Answers in progress may be cut."""
        if self._thread.ident is not None:  # else nothing serves, and a shutdown would wait for ever
            self._server.shutdown()
            self._thread.join(timeout=10)
        self._server.server_close()
