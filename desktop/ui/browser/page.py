"""One web page of the order window, with everything refused that an order does not need (G2, G4, G5, G7, G8)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, QUrl, Signal
from PySide6.QtWebEngineCore import (
    QWebEngineCertificateError,
    QWebEngineClientCertificateSelection,
    QWebEngineFileSystemAccessRequest,
    QWebEngineFullScreenRequest,
    QWebEngineLoadingInfo,
    QWebEngineNewWindowRequest,
    QWebEnginePage,
    QWebEnginePermission,
    QWebEngineProfile,
    QWebEngineRegisterProtocolHandlerRequest,
    QWebEngineScript,
    QWebEngineWebAuthUxRequest,
)
from PySide6.QtWidgets import QMessageBox, QWidget

from desktop.ui.browser.addresses import Rules, Verdict
from desktop.ui.browser.load_errors import INFOTRACK, Explained, Site, explain
from desktop.ui.language import tr

_DIALOG_TEXT = 1000
_DIALOGS = 4
_DIALOG_SECONDS = 20.0
_HEARTBEAT_MS = 3000
_INVALID_CERTIFICATE = -207
_HTTP_ERROR = -379

OUR_WORLD = QWebEngineScript.ScriptWorldId.ApplicationWorld


class OrderPage(QWebEnginePage):
    """Emits
    - `refused(Finding, QUrl)`: a navigation was stopped; with verdict ASK the person may open it outside;
    - `stopped(kind, host, reason)`: something else was stopped (popup, permission, certificate);
    - `window_wanted(QUrl)`: a click asked for a new window whose address is allowed;
    - `failed(Explained)`: the page could not be loaded;
    - `renderer_gone(reason)`: the page's process ended; `hanging(bool)`: the page has stopped, or again begun, to answer.
    """

    refused = Signal(object, QUrl)
    stopped = Signal(str, str, str)
    window_wanted = Signal(QUrl)
    failed = Signal(object)
    renderer_gone = Signal(str)
    hanging = Signal(bool)

    site: Site = INFOTRACK
    is_over = False
    """True once nothing that still comes matters."""

    def __init__(self, profile: QWebEngineProfile, rules: Rules, *, hang_seconds: float, parent: QObject | None = None) -> None:
        super().__init__(profile, parent)
        self._rules = rules
        self._hang_seconds = hang_seconds
        self._dialogs: deque[float] = deque(maxlen=_DIALOGS)
        self._silent_since: float | None = None
        self._hangs = False
        self._load_error: Explained | None = None
        self.permissionRequested.connect(self._deny)
        self.certificateError.connect(self._refuse_certificate)
        self.newWindowRequested.connect(self._new_window)
        self.fullScreenRequested.connect(self._no_full_screen)
        self.fileSystemAccessRequested.connect(self._no_file_system)
        self.registerProtocolHandlerRequested.connect(self._no_protocol_handler)
        self.selectClientCertificate.connect(self._no_client_certificate)
        self.webAuthUxRequested.connect(self._no_passkey)
        self.authenticationRequired.connect(self._no_password_prompt)
        self.proxyAuthenticationRequired.connect(self._proxy_asks)
        self.renderProcessTerminated.connect(self._on_terminated)
        self.loadingChanged.connect(self._on_loading)
        self._heart = QTimer(self)
        self._heart.setInterval(_HEARTBEAT_MS)
        self._heart.timeout.connect(self._beat)
        self._heart.start()

    # navigation

    def acceptNavigationRequest(self, url: QUrl | str, _type: QWebEnginePage.NavigationType, is_main_frame: bool) -> bool:
        address = QUrl(url)
        text = address.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        if text == "about:blank":
            return True
        finding = self._rules.navigation(text) if is_main_frame else self._rules.resource(text)
        if finding.verdict is Verdict.ALLOW:
            return True
        if is_main_frame and address.scheme() == "http" and address.port() == -1:
            secure = QUrl(address)
            secure.setScheme("https")
            if self._rules.navigation(secure.toString(QUrl.ComponentFormattingOption.FullyEncoded)).verdict is Verdict.ALLOW:
                QTimer.singleShot(0, self, lambda: self.load(secure))
                return False
        if is_main_frame:
            self.refused.emit(finding, address)
        else:
            self.stopped.emit(finding.kind, finding.host, finding.reason)
        return False

    def _new_window(self, request: QWebEngineNewWindowRequest) -> None:
        # The request is never opened in a page, so the new one has no opener; we load its address ourselves.
        url = request.requestedUrl()
        finding = self._rules.navigation(url.toString(QUrl.ComponentFormattingOption.FullyEncoded))
        if not request.isUserInitiated():
            self.stopped.emit("popup", finding.host, "A window that nobody clicked for was not opened.")
        elif finding.verdict is Verdict.ALLOW:
            self.window_wanted.emit(url)
        elif url.isEmpty() or url.toString() == "about:blank":
            self.stopped.emit("popup", "", "The page asked for an empty window, which was not opened.")
        else:
            self.refused.emit(finding, url)

    # refusals

    def _deny(self, permission: QWebEnginePermission) -> None:
        permission.deny()
        self.stopped.emit(
            "permission", permission.origin().host(), f"The page may not use this: {permission.permissionType().name}."
        )

    def _refuse_certificate(self, error: QWebEngineCertificateError) -> None:
        error.rejectCertificate()
        host = error.url().host()
        self.stopped.emit("certificate", host, "The address could not prove that it is what it says.")
        if error.isMainFrame():
            self._load_error = explain(certificate_fault(error), host, self.site)

    def _no_full_screen(self, request: QWebEngineFullScreenRequest) -> None:
        request.reject()

    def _no_file_system(self, request: QWebEngineFileSystemAccessRequest) -> None:
        request.reject()
        self.stopped.emit("permission", request.origin().host(), "The page may not write to this PC's files.")

    def _no_protocol_handler(self, request: QWebEngineRegisterProtocolHandlerRequest) -> None:
        request.reject()
        self.stopped.emit("permission", request.origin().host(), "The page may not take over a kind of link.")

    def _no_client_certificate(self, selection: QWebEngineClientCertificateSelection) -> None:
        selection.selectNone()

    def _no_passkey(self, request: QWebEngineWebAuthUxRequest) -> None:
        request.cancel()
        self.stopped.emit("sign-in", "", tr("Passkeys do not work inside another program's window. Order in your own browser."))

    def _no_password_prompt(self, url: QUrl, _authenticator: object) -> None:
        self.stopped.emit("sign-in", url.host(), tr("The address asks for a password of its own, which this window never gives."))

    def _proxy_asks(self, _url: QUrl, _authenticator: object, proxy: str) -> None:
        self._load_error = Explained(
            tr("The office proxy asks for a sign-in"),
            tr(
                "The proxy {proxy} wants a name and a password, which iConnect does not give. "
                "Ask your IT people to let this PC through.",
                proxy=proxy,
            ),
        )

    # what the page says in boxes

    def javaScriptAlert(self, _origin: QUrl | str, msg: str) -> None:
        self._box(msg, QMessageBox.StandardButton.Ok)

    def javaScriptConfirm(self, _origin: QUrl | str, msg: str) -> bool:
        buttons = QMessageBox.StandardButton.Ok | QMessageBox.StandardButton.Cancel
        return self._box(msg, buttons) == QMessageBox.StandardButton.Ok

    def javaScriptPrompt(self, _origin: QUrl | str, _msg: str, _default: str) -> tuple[bool, str]:
        self.stopped.emit("popup", self.url().host(), "The page asked for text in a box of its own, which is not shown.")
        return False, ""

    def javaScriptConsoleMessage(self, *_args: object) -> None:
        """Pages print addresses and names there: nothing of it is kept."""

    def _box(self, message: str, buttons: QMessageBox.StandardButton) -> QMessageBox.StandardButton:
        now = time.monotonic()
        if len(self._dialogs) == _DIALOGS and now - self._dialogs[0] < _DIALOG_SECONDS:
            self.stopped.emit("popup", self.url().host(), "The page shows one message box after another; they are no longer shown.")
            return QMessageBox.StandardButton.Cancel
        self._dialogs.append(now)
        parent = self.parent()
        box = QMessageBox(parent if isinstance(parent, QWidget) else None)
        box.setTextFormat(box.textFormat().PlainText)
        box.setWindowTitle("iConnect - " + tr("{host} says", host=self.url().host()))
        box.setText(message[:_DIALOG_TEXT])
        box.setStandardButtons(buttons)
        for button in box.buttons():
            button.setAccessibleName(button.text().replace("&", ""))
        answer = QMessageBox.StandardButton(box.exec())
        box.deleteLater()
        return answer

    # loading, crashing, hanging

    def _on_loading(self, info: QWebEngineLoadingInfo) -> None:
        status = QWebEngineLoadingInfo.LoadStatus
        if info.status() == status.LoadStartedStatus:
            self._load_error = None
            self._silent_since = None
        elif info.status() == status.LoadFailedStatus and not info.isDownload():
            explained = self._load_error or explain(_error_code(info), info.url().host(), self.site)
            if explained is not None and not self.is_over:
                self.failed.emit(explained)

    def _on_terminated(self, status: QWebEnginePage.RenderProcessTerminationStatus, _code: int) -> None:
        self._silent_since = None
        self._hangs = False
        if status == QWebEnginePage.RenderProcessTerminationStatus.NormalTerminationStatus:
            return
        killed = status.name.startswith("Killed")
        self.renderer_gone.emit(tr("The page's process was stopped.") if killed else tr("The page crashed."))

    def _beat(self) -> None:
        """Asks the page for a sign of life; no answer for `hang_seconds` is a hang."""
        if self.renderProcessPid() == 0:
            self._silent_since = None
            return
        now = time.monotonic()
        if self._silent_since is None:
            self._silent_since = now
            self.runJavaScript("1", OUR_WORLD, self._alive)
        elif now - self._silent_since >= self._hang_seconds and not self._hangs:
            self._hangs = True
            self.hanging.emit(True)

    def _alive(self, _result: object) -> None:
        self._silent_since = None
        if self._hangs:
            self._hangs = False
            self.hanging.emit(False)

    def end_renderer(self, kill: Callable[[int, int], None] = os.kill) -> None:
        """Ends the page's own process, so that a hanging page can be loaded again."""
        pid = self.renderProcessPid()
        if pid > 0:
            with contextlib.suppress(OSError):
                kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def certificate_fault(error: QWebEngineCertificateError) -> int:
    """Qt's kinds have the engine's own numbers; one that it does not know is an invalid certificate like any other."""
    kind = error.type().value
    return kind if -299 <= kind <= -200 else _INVALID_CERTIFICATE


def _error_code(info: QWebEngineLoadingInfo) -> int:
    """The engine's number. A page that came with an HTTP error and without words of its own has that error's number instead."""
    if info.errorDomain() == QWebEngineLoadingInfo.ErrorDomain.HttpStatusCodeDomain:
        return _HTTP_ERROR
    return info.errorCode()
