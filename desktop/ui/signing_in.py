"""One sign-in at a time: the questions that a worker thread has for the person, and where the sign-in stands."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from PySide6.QtCore import QLoggingCategory, QObject, Qt, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from desktop.services.desk import ConnectionView, SignInSteps, Tenant
from desktop.ui import theme
from desktop.ui.bridge import Bridge
from desktop.ui.icons import app_icon
from desktop.ui.language import tr
from desktop.ui.widgets import Heading, Muted, PlainList

OpenUrl = Callable[[str], bool]


def open_in_browser(address: str) -> bool:
    """Opens the address in the person's browser; False when none was found. GUI thread only.

    BROWSER, where somebody set it, goes first. Qt knows desktops but not that variable's form with arguments; the standard
    library knows the variable and bare PCs."""
    if os.environ.get("BROWSER") and _open_by_convention(address):
        return True
    # A failure would put the whole address, which carries this sign-in's secrets, on standard error.
    QLoggingCategory.setFilterRules("qt.qpa.services=false")
    return QDesktopServices.openUrl(address) or _open_by_convention(address)


def _open_by_convention(address: str) -> bool:
    """By the standard library, on a thread: some browsers keep whoever starts them waiting."""
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    threading.Thread(target=browser.open, args=(address,), name="open browser", daemon=True).start()
    return True


class TenantDialog(QDialog):
    """Which organisation the postings should go to, when a person may use more than one."""

    def __init__(self, tenants: Sequence[Tenant], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("iConnect - Choose an organisation"))
        self.setWindowIcon(app_icon())
        self.resize(440, 280)
        self._tenants = tuple(tenants)
        self.list = PlainList()
        self.list.setAccessibleName(tr("Organisations"))
        self.list.addItems([tenant.name for tenant in tenants])
        self.list.setCurrentRow(0)
        self.list.setSpacing(3)
        self.list.setMinimumHeight(120)
        self.list.itemDoubleClicked.connect(lambda *_: self.accept())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(tr("Use this organisation"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(12)
        column.addWidget(Heading(tr("Which organisation?"), level=2))
        column.addWidget(Muted(tr("Costs and documents will be posted there and nowhere else.")))
        column.addWidget(self.list, 1)
        column.addWidget(buttons)

    def chosen(self) -> Tenant | None:
        row = self.list.currentRow()
        return self._tenants[row] if 0 <= row < len(self._tenants) else None


class SigningIn(QObject):
    """Runs Desk.connect and keeps what a window shows of it.

    Signals:
        changed(): `system`, `address`, `browser_opened`, `in_window`, `tenant` or `cancelling` changed.
        finished(ConnectionView): signed in.
        failed(str, str): system and a sentence; a cancelled sign-in ends without a sentence.
    """

    changed = Signal()
    finished = Signal(object)
    failed = Signal(str, str)

    def __init__(self, bridge: Bridge, *, open_url: OpenUrl = open_in_browser, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._open_url = open_url
        self._cancel = threading.Event()
        self.system = ""
        self.address = ""
        self.browser_opened = True
        self.in_window = False
        self.tenant = ""
        self.dialog: TenantDialog | None = None

    @property
    def cancelling(self) -> bool:
        return bool(self.system) and self._cancel.is_set()

    def start(self, system: str) -> bool:
        """False when another sign-in is under way: one browser window at a time is enough for a person."""
        if self.system:
            return False
        self.system, self.address, self.tenant, self.browser_opened, self.in_window = system, "", "", True, False
        cancel = self._cancel = threading.Event()
        steps = SignInSteps(
            open_browser=self._steps_open_browser(cancel),
            choose_tenant=self._steps_choose_tenant(cancel),
            show_tenant=lambda tenant: self._bridge.call(lambda: self._show_tenant(tenant)),
            cancelled=lambda: cancel.is_set() or self._bridge.is_closed,
            window_opens=lambda: self._bridge.call(self._window_opens),
        )
        self.changed.emit()
        self._bridge.run(self, lambda desk: desk.connect(system, steps), self._done, self._failed, network=True)
        self._bridge.notify()
        return True

    def cancel(self) -> None:
        """Asks the sign-in to end; `failed` follows when it has."""
        self._cancel.set()
        if self.dialog is not None:
            self.dialog.reject()
        self.changed.emit()

    # what the worker thread calls

    def _steps_open_browser(self, cancel: threading.Event) -> Callable[[str], bool]:
        def open_browser(address: str) -> bool:
            def ask(answer: Callable[[bool], None]) -> None:
                answer(self._open(address))

            return bool(self._bridge.ask(ask, cancel.is_set))

        return open_browser

    def _steps_choose_tenant(self, cancel: threading.Event) -> Callable[[Sequence[Tenant]], Tenant | None]:
        def choose(tenants: Sequence[Tenant]) -> Tenant | None:
            def ask(answer: Callable[[Tenant | None], None]) -> None:
                self._ask_tenant(tuple(tenants), answer)

            return self._bridge.ask(ask, cancel.is_set)

        return choose

    # on the GUI thread

    def _window_opens(self) -> None:
        self.in_window = True
        self.changed.emit()

    def _open(self, address: str) -> bool:
        self.address = address
        self.browser_opened = self._open_url(address)
        self.changed.emit()
        # Also without a browser the sign-in goes on: the window shows the address, to be opened by hand here or cancelled.
        return True

    def _ask_tenant(self, tenants: tuple[Tenant, ...], answer: Callable[[Tenant | None], None]) -> None:
        if self._cancel.is_set():
            answer(None)
            return
        dialog = self.dialog = TenantDialog(tenants)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def closed(code: int) -> None:
            self.dialog = None
            answer(dialog.chosen() if code == QDialog.DialogCode.Accepted else None)

        dialog.finished.connect(closed)
        dialog.open()
        dialog.raise_()
        dialog.activateWindow()

    def _show_tenant(self, tenant: Tenant) -> None:
        self.tenant = tenant.name
        self.changed.emit()

    def _done(self, view: ConnectionView) -> None:
        self._end()
        self.finished.emit(view)

    def _failed(self, problem: str) -> None:
        system, cancelled = self.system, self._cancel.is_set()
        self._end()
        self.failed.emit(system, "" if cancelled else problem)

    def _end(self) -> None:
        self.system, self.address = "", ""
        self.changed.emit()
        self._bridge.notify()
