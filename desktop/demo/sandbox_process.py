"""The sandbox as a process of its own, and the demo's way to its controls and its books."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener


class SandboxFailed(Exception):
    """The sandbox did not start or did not answer."""


class SandboxProcess:
    """Started with `start`, ended with `close`; it also ends by itself when this process dies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._opener = build_opener(ProxyHandler({}))

    def start(self, *, matters: int, delay: float, results: str = "both", system: str = "xero-practice-manager") -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        port_file = self.folder / "sandbox.json"
        port_file.unlink(missing_ok=True)
        with (self.folder / "sandbox.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "sandbox",
                    *("--matters", str(matters), "--delay", str(delay), "--results", results, "--system", system),
                    *("--dir", str(self.folder), "--port-file", str(port_file), "--until-stdin-closes"),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        end = time.monotonic() + 60
        while not port_file.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                raise SandboxFailed(f"The sandbox did not start. {self.folder / 'sandbox.log'} says why.")
            time.sleep(0.05)
        self.where = json.loads(port_file.read_text(encoding="utf-8"))

    def attach(self, port_file: Path) -> None:
        """To one that another process started."""
        self.where = json.loads(port_file.read_text(encoding="utf-8"))

    @property
    def platform_file(self) -> Path:
        return Path(self.where["platform"])

    @property
    def controls(self) -> str:
        return str(self.where["controls"])

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def post(self, path: str, **values: object) -> Any:
        return self._ask("POST", path, values)

    def _ask(self, method: str, path: str, values: dict[str, object] | None) -> Any:
        body = None if values is None else json.dumps(values).encode()
        request = Request(self.controls + path, data=body, method=method, headers={"Content-Type": "application/json"})  # noqa: S310 - the sandbox's own address
        try:
            with self._opener.open(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            raise SandboxFailed(f"{method} {path}: {error.code} {error.read(500).decode('utf-8', 'replace')}") from error

    def close(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
