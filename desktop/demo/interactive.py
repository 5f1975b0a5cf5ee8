"""The demo where there is a screen: the real tray application, for a person to use; its browser may run as root here only."""

from __future__ import annotations

import os
import sys


def main() -> int:
    import desktop.ui

    desktop.ui.load_qt()
    from PySide6.QtWidgets import QApplication

    from desktop.places import places
    from desktop.profile_desk import ProfileDesk
    from desktop.services.order_desk import WindowOptions
    from desktop.ui.tray_app import TrayApp

    app = QApplication(sys.argv[:1])
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    desk = ProfileDesk(None, places(None, os.environ), window=WindowOptions(as_root_unsandboxed=as_root))
    tray = TrayApp(app, desk.open, desk, first_run=True)
    try:
        return tray.run()
    finally:
        desk.close()


if __name__ == "__main__":
    sys.exit(main())
