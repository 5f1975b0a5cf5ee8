"""Asked by `doctor`, in a process of its own: what Qt finds on this PC, as one JSON value."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """`tray`, `engine`, or `proxies` with the addresses that are asked for."""
    what, *words = list(sys.argv[1:] if arguments is None else arguments) or ["tray"]
    found = _engine() if what == "engine" else _proxies(words) if what == "proxies" else _tray()
    json.dump(found, sys.stdout)
    sys.stdout.flush()
    return 0


def _tray() -> dict[str, object]:
    from PySide6.QtWidgets import QApplication, QSystemTrayIcon

    application = QApplication(sys.argv[:1])
    return {"tray": QSystemTrayIcon.isSystemTrayAvailable(), "platform": application.platformName()}


def _engine() -> dict[str, object]:
    from datetime import UTC, datetime

    from desktop.ui.browser.patch_level import patch_finding, running_patch_level

    found = patch_finding(running_patch_level(), datetime.now(UTC).date())
    return {"ok": found.ok, "version": found.version, "sentence": found.sentence}


def _proxies(addresses: Sequence[str]) -> dict[str, object]:
    """What the tray would use for each: the operating system's own settings, also from a PAC file; empty for none."""
    from PySide6.QtCore import QUrl
    from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

    found: dict[str, object] = {}
    for address in addresses:
        first = next(iter(QNetworkProxyFactory.systemProxyForQuery(QNetworkProxyQuery(QUrl(address)))), None)
        direct = first is None or first.type() == QNetworkProxy.ProxyType.NoProxy
        found[address] = "" if first is None or direct else f"{first.hostName()}:{first.port()}"
    return found


if __name__ == "__main__":
    sys.exit(main())
