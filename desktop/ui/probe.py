"""Asked by `doctor`, in a process of its own: what Qt finds on this PC, as one JSON value."""

from __future__ import annotations

import json
import sys


def main() -> None:
    from PySide6.QtWidgets import QApplication, QSystemTrayIcon

    application = QApplication(sys.argv[:1])
    json.dump({"tray": QSystemTrayIcon.isSystemTrayAvailable(), "platform": application.platformName()}, sys.stdout)


if __name__ == "__main__":
    main()
