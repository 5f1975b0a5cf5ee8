"""The demo's journey as a process: the real tray application, and a thread that uses it as a person would."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from pathlib import Path


def main() -> int:
    import desktop.ui

    desktop.ui.load_qt()
    from PySide6.QtWidgets import QApplication

    from desktop.demo import SYSTEMS
    from desktop.demo.hands import Hands
    from desktop.demo.journey import Browser, Journey
    from desktop.demo.report import Report
    from desktop.demo.sandbox_process import SandboxProcess
    from desktop.places import places
    from desktop.profile_desk import ProfileDesk
    from desktop.services.order_desk import WindowOptions
    from desktop.ui.tray_app import TrayApp

    sandbox = SandboxProcess(Path(sys.argv[1]).parent)
    sandbox.attach(Path(sys.argv[1]))
    out, system = Path(sys.argv[2]), sys.argv[3]
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    report = Report(
        f"iConnect demo: the whole job on {SYSTEMS[system]}, from the tray to the read-back",
        notes=[
            f"Secrets: {os.environ.get('ICONNECT_DEMO_KEYRING_NAME', 'the system keyring')}.",
            "The sandbox is a process of its own; every «books:» line is taken from it.",
            "Run as root: the embedded browser ran without its sandbox, in this demo only."
            if as_root
            else "The embedded browser ran with its sandbox on.",
        ],
    )
    app = QApplication(sys.argv[:1])
    browser = Browser()
    desk = ProfileDesk(
        None,
        places(None, os.environ),
        window=WindowOptions(automation=True, as_root_unsandboxed=as_root, listener=browser.told),
    )
    tray = TrayApp(app, desk.open, desk, open_url=webbrowser.open, host_grace_ms=100)
    journey = Journey(tray, Hands(), browser, sandbox, out, report, system=system.removesuffix("-v1"))
    thread = threading.Thread(target=journey.run, name="journey", daemon=True)
    thread.start()
    try:
        tray.run()
    finally:
        desk.close()
    thread.join(10)
    report.write(out)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
