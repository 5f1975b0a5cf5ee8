"""Stops what a page may not load, before a byte leaves this PC (G3)."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal
from PySide6.QtWebEngineCore import QWebEngineUrlRequestInfo, QWebEngineUrlRequestInterceptor

from desktop.ui.browser.addresses import Rules, Verdict

_MOST_REPORTS = 200


class RequestFilter(QWebEngineUrlRequestInterceptor):
    """Blocks by `Rules`. `blocked(kind, host, reason)` is emitted once for each host and kind, at most 200 times."""

    blocked = Signal(str, str, str)

    def __init__(self, rules: Rules, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rules = rules
        self._lock = threading.Lock()
        self._reported: set[tuple[str, str]] = set()

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        url = info.requestUrl().toString()
        main_frame = info.resourceType() in (
            QWebEngineUrlRequestInfo.ResourceType.ResourceTypeMainFrame,
            QWebEngineUrlRequestInfo.ResourceType.ResourceTypeNavigationPreloadMainFrame,
        )
        if main_frame and not info.isDownload():
            finding = self.rules.navigation(url)
            wanted = finding.verdict is Verdict.ALLOW or url in ("about:blank", "")
        else:
            finding = self.rules.resource(url)
            wanted = finding.verdict is Verdict.ALLOW
        if wanted:
            return
        info.block(True)
        with self._lock:
            key = (finding.kind, finding.host)
            if key in self._reported or len(self._reported) >= _MOST_REPORTS:
                return
            self._reported.add(key)
        self.blocked.emit(finding.kind, finding.host, finding.reason)
