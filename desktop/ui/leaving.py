"""Quits when somebody asks for it over the instance's pipe and nothing is in flight: the setup, before it replaces files.

Each question makes the deliveries rest for some seconds, so that whoever asks again and again gets its turn, and one who goes away
leaves nothing behind: the deliveries go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.services.desk import Desk
from desktop.ui.bridge import Bridge
from desktop.ui.instance import Instance, QuitAsked

log = logging.getLogger(__name__)


class Leaving(QObject):
    """`come_to_rest` runs on a worker thread: begins nothing new for a while and gives how many things are in flight. `quit` is
    what the menu does."""

    def __init__(
        self, instance: Instance, bridge: Bridge, come_to_rest: Callable[[], int], quit: Callable[[], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._come_to_rest = come_to_rest
        self._quit = quit
        instance.quit_asked.connect(self._asked)

    def _asked(self, question: QuitAsked) -> None:
        come_to_rest = self._come_to_rest

        def work(_: Desk) -> int:
            return come_to_rest()

        def failed(_: str) -> None:
            # A desk that was never opened sends nothing; of one that is open nothing is known now, so it counts as busy.
            self._known(question, 1 if self._bridge.is_open else 0)

        self._bridge.run(self, work, lambda count: self._known(question, count), failed)

    def _known(self, question: QuitAsked, count: int) -> None:
        heard = question.answer(count)
        if count:
            return
        if not heard:
            log.info("asked to quit, but whoever asked is gone")
            return
        log.info("asked to quit, and nothing is in flight")
        self._quit()
