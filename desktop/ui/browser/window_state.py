"""What the order window shows, as JSON; for automation, which has no eyes."""

from __future__ import annotations

import json

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QTabBar, QWidget

from desktop.ui.browser.driven import DrivenWindow
from desktop.ui.browser.page_view import PageView
from desktop.ui.browser.saved_file import DownloadState


def state_of(window: DrivenWindow) -> str:
    tab = window.tab
    focus = QApplication.focusWidget()
    rows = window.downloads_bar.rows
    return json.dumps(
        {
            "title": window.windowTitle(),
            "host": tab.page.url().host(),
            "path": tab.page.url().path(),
            "page_title": tab.page.title(),
            "shows_page": tab.shows_page,
            "headline": "" if tab.shows_page else tab.notice.headline,
            "advice": "" if tab.shows_page else tab.notice.advice,
            "notice": window.notice.sentence,
            "tabs": len(window.tabs),
            "tab": window.page_set.strip.currentIndex(),
            "tab_names": window.page_set.names(),
            "loading": tab.progress < 100,
            "saved": [row.download.name for row in rows if row.download.state is DownloadState.SAVED],
            "files": [[row.download.name, str(row.download.state), row.words.text()] for row in rows],
            "zoom": round(tab.page.zoomFactor() * 100),
            "found": window.find_bar.words if window.find_bar.isVisible() else None,
            "focus": focus.accessibleName() if focus is not None else "",
            "unnamed": unnamed(window),
            "renderer_pid": tab.page.renderProcessPid(),
            "form": window.fees_form.isVisible(),
            "remark": window.fees_form.remark,
        }
    )


def unnamed(window: QWidget) -> list[str]:
    """The kinds of those widgets in sight that the keyboard can reach and a screen reader can't name."""
    return [
        type(widget).__name__
        for widget in window.findChildren(QWidget)
        if widget.isVisible()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not widget.accessibleName()
        and not (isinstance(widget, QAbstractButton) and widget.text())
        and not isinstance(widget, QMenu)
        and not isinstance(widget.parent(), QTabBar)
        and not isinstance(widget.parent(), PageView)  # the engine tells of the page itself
    ]
