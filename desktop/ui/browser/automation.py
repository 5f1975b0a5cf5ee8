"""Drives the window as a person would: with real mouse and key events. Made only when the starting process asked for it in the
first line over the pipe; no argument and no variable can."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget

from desktop.services.order_protocol import Do, Done, Event
from desktop.ui.browser.driven import DrivenWindow
from desktop.ui.browser.page import OUR_WORLD
from desktop.ui.browser.window_state import state_of

_POLL_MS = 50
_NO_ANSWER_MS = 1000
_UNREADY_SECONDS = 3
"""The engine drops a press that comes before a new page's first paint, and the page may still grow under the pointer."""
_MOST_TEXT = 1_000_000
_WORDS = ("headline", "advice", "notice", "host", "page_title", "files", "found", "remark")

_FIND = """(() => {
  const all = Array.from(document.querySelectorAll(%(css)s));
  const wanted = %(text)s;
  const element = wanted === null ? all[0] : all.find(one => (one.innerText || one.value || '').includes(wanted));
  if (!element) return '';
  element.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
  const box = element.getBoundingClientRect();
  const x = box.left + box.width / 2, y = box.top + box.height / 2, at = document.elementFromPoint(x, y);
  return JSON.stringify({x: x, y: y, seen: box.width > 0 && box.height > 0,
    ready: document.readyState !== 'loading' && performance.getEntriesByType('paint').length > 0
      && at !== null && (element.contains(at) || at.contains(element)),
    kind: element.tagName + ':' + (element.type || ''), text: String(element.innerText || element.value || '').slice(0, 100000)});
})()"""

_SET = """(() => {
  const element = document.querySelector(%(css)s);
  const wanted = %(text)s;
  if (!element) return '';
  if (element.tagName === 'SELECT') {
    const option = Array.from(element.options).find(one => one.value === wanted || one.text.trim() === wanted);
    if (!option) return '';
    element.value = option.value;
  } else if (element.value !== wanted) {
    element.value = wanted;
  } else {
    return 'same';
  }
  element.dispatchEvent(new Event('input', {bubbles: true}));
  element.dispatchEvent(new Event('change', {bubbles: true}));
  return 'set';
})()"""

Say = Callable[[Event], None]


class Automation(QObject):
    """Runs one `Do` at a time or several side by side; each is answered by exactly one `Done`."""

    def __init__(self, window: DrivenWindow) -> None:
        super().__init__(window)
        self._window = window

    def run(self, step: Do, say: Say) -> None:
        {
            "click": self._click,
            "fill": self._fill,
            "choose": self._choose,
            "read": self._read,
            "wait": self._read,
            "count": self._count,
            "press": self._press,
            "type": self._type,
            "labels": self._labels,
            "shot": self._shot,
            "state": self._state,
            "script": self._script,
        }[step.do](step, say)

    # in the page

    def _ask(self, code: str, seen: Callable[[object], None], *, patience_ms: int = _NO_ANSWER_MS) -> None:
        """Runs `code` in our world. A page that dies or hangs meanwhile never answers: then `seen` gets None after a while."""
        waiting = True

        def answered(result: object) -> None:
            nonlocal waiting
            if waiting:
                waiting = False
                seen(result)

        self._window.tab.page.runJavaScript(code, OUR_WORLD, answered)
        QTimer.singleShot(patience_ms, self, lambda: answered(None))

    def _ask_again(self, step: Do, code: str, seen: Callable[[object], None]) -> None:
        """The same for code that may run twice: a page that is only slow is asked again until the step's time is over."""
        until = time.monotonic() + step.seconds

        def answered(result: object) -> None:
            if result is None and time.monotonic() < until:
                QTimer.singleShot(_POLL_MS, self, lambda: self._ask(code, answered))
            else:
                seen(result)

        self._ask(code, answered)

    def _click(self, step: Do, say: Say) -> None:
        self._when_there(step, say, lambda found: self._press_mouse(found, lambda: say(Done(id=step.id, ok=True))))

    def _press_mouse(self, found: dict[str, object], then: Callable[[], None]) -> None:
        view = self._window.tab.view
        zoom = self._window.tab.page.zoomFactor()
        target = view.focusProxy() or view
        where = QPointF(_number(found["x"]) * zoom, _number(found["y"]) * zoom)
        everywhere = target.mapToGlobal(where)
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        for kind, button, held in (
            (QEvent.Type.MouseMove, none, none),
            (QEvent.Type.MouseButtonPress, left, left),
            (QEvent.Type.MouseButtonRelease, left, none),
        ):
            event = QMouseEvent(kind, where, everywhere, button, held, Qt.KeyboardModifier.NoModifier)
            QCoreApplication.sendEvent(target, event)
        QTimer.singleShot(_POLL_MS, self, then)

    def _fill(self, step: Do, say: Say) -> None:
        wanted = Do(id=step.id, do="fill", css=step.css, seconds=step.seconds)
        self._when_there(wanted, say, lambda found: self._press_mouse(found, lambda: self._write(step, say)))

    def _write(self, step: Do, say: Say) -> None:
        target = self._window.tab.view.focusProxy() or self._window.tab.view
        _key(target, Qt.Key.Key_A, "", Qt.KeyboardModifier.ControlModifier)
        if not step.text:
            _key(target, Qt.Key.Key_Delete, "")
        for letter in step.text:
            _key(target, Qt.Key.Key_unknown if ord(letter) > 127 else Qt.Key(ord(letter.upper())), letter)
        # Date and number fields take keys in their own way: what is still different afterwards is set.
        QTimer.singleShot(3 * _POLL_MS, self, lambda: self._choose(step, say))

    def _choose(self, step: Do, say: Say) -> None:
        code = _SET % {"css": json.dumps(step.css), "text": json.dumps(step.text)}

        def answered(result: object) -> None:
            ok = result in ("set", "same")
            error = "the page did not answer" if result is None else "" if ok else "there is no such field or choice"
            say(Done(id=step.id, ok=ok, error=error))

        self._ask_again(step, code, answered)

    def _read(self, step: Do, say: Say) -> None:
        if not step.css:
            self._wait_words(step, say)
            return
        self._when_there(
            step, say, lambda found: say(Done(id=step.id, ok=True, value=str(found["text"])[:_MOST_TEXT])), visible=False
        )

    def _wait_words(self, step: Do, say: Say) -> None:
        """Waits until the page, our own page in its place, or the notice shows `text`."""
        until = time.monotonic() + step.seconds

        def look() -> None:
            state = json.loads(state_of(self._window))
            if any(step.text in str(state[key]) for key in _WORDS):
                say(Done(id=step.id, ok=True))
            else:
                self._ask("document.body ? document.body.innerText : ''", seen)

        def seen(text: object) -> None:
            if step.text in str(text or ""):
                say(Done(id=step.id, ok=True))
            elif time.monotonic() > until:
                say(Done(id=step.id, ok=False, error="the text did not come"))
            else:
                QTimer.singleShot(_POLL_MS, self, look)

        look()

    def _count(self, step: Do, say: Say) -> None:
        code = f"document.querySelectorAll({json.dumps(step.css)}).length"
        self._ask_again(step, code, lambda number: say(Done(id=step.id, ok=True, value=str(int(_number(number or 0))))))

    def _script(self, step: Do, say: Say) -> None:
        code = f"(() => JSON.stringify({step.text}))()"

        def answered(value: object) -> None:
            say(Done(id=step.id, ok=True, value=str(value)[:_MOST_TEXT]))

        self._ask(code, answered, patience_ms=int(step.seconds * 1000))

    def _when_there(self, step: Do, say: Say, act: Callable[[dict[str, object]], None], *, visible: bool = True) -> None:
        began = time.monotonic()
        until = began + step.seconds
        code = _FIND % {"css": json.dumps(step.css), "text": json.dumps(step.text or None)}

        def look() -> None:
            self._ask(code, seen)

        def seen(result: object) -> None:
            found = json.loads(result) if isinstance(result, str) and result else None
            late = time.monotonic() > began + min(_UNREADY_SECONDS, step.seconds)
            if found and (not visible or (found["seen"] and (found["ready"] or late))):
                act(found)
            elif time.monotonic() > until:
                say(Done(id=step.id, ok=False, error="it did not show in time"))
            else:
                QTimer.singleShot(_POLL_MS, self, look)

        look()

    # in the window's own widgets

    def _named(self, step: Do, say: Say, act: Callable[[QWidget], bool]) -> None:
        until = time.monotonic() + step.seconds

        def look() -> None:
            for widget in self._window.findChildren(QWidget):
                if widget.accessibleName() == step.name and widget.isVisible() and widget.isEnabled() and act(widget):
                    say(Done(id=step.id, ok=True))
                    return
            if time.monotonic() > until:
                say(Done(id=step.id, ok=False, error="there is no such control"))
            else:
                QTimer.singleShot(_POLL_MS, self, look)

        look()

    def _press(self, step: Do, say: Say) -> None:
        def act(widget: QWidget) -> bool:
            if not isinstance(widget, QAbstractButton):
                return False
            widget.click()
            return True

        self._named(step, say, act)

    def _type(self, step: Do, say: Say) -> None:
        def act(widget: QWidget) -> bool:
            if not isinstance(widget, QLineEdit):
                return False
            widget.setFocus(Qt.FocusReason.OtherFocusReason)
            widget.selectAll()
            widget.insert(step.text)
            return True

        self._named(step, say, act)

    def _labels(self, step: Do, say: Say) -> None:
        names = [widget.accessibleName() for widget in self._window.findChildren(QWidget) if widget.isVisible()]
        say(Done(id=step.id, ok=True, value=json.dumps([name for name in names if name])))

    def _shot(self, step: Do, say: Say) -> None:
        """The engine paints a moment after it says that it has loaded: the picture is taken when two in a row are alike."""
        until = time.monotonic() + step.seconds
        last = self._window.grab().toImage()

        def look() -> None:
            nonlocal last
            now = self._window.grab().toImage()
            if now == last or time.monotonic() > until:
                ok = now.save(step.path)
                say(Done(id=step.id, ok=ok, error="" if ok else "the picture could not be saved"))
            else:
                last = now
                QTimer.singleShot(300, self, look)

        QTimer.singleShot(500, self, look)

    def _state(self, step: Do, say: Say) -> None:
        say(Done(id=step.id, ok=True, value=state_of(self._window)))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _key(target: QObject, key: Qt.Key, text: str, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QCoreApplication.sendEvent(target, QKeyEvent(kind, key, modifier, text))
