"""The audit trail: was an order billed, once, when and by whom; every step below; proof that nobody changed it; an export."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.services.books import AuditAnswer, AuditFiles, TrailCheck, TrailStep
from desktop.ui import words
from desktop.ui.answers import Verdict, verdict
from desktop.ui.book_window import BookWindow
from desktop.ui.bridge import Bridge
from desktop.ui.flow import plain_button
from desktop.ui.language import tr
from desktop.ui.order_steps import PathStrip
from desktop.ui.rows import AnyIndex
from desktop.ui.tables import ColumnLook, TableModel
from desktop.ui.trail_words import by_words, machine_words, step_sentence, why_words
from desktop.ui.widgets import Card, Field, Heading, Pill, Text, save_as
from desktop.ui.window import Clock, local_now
from desktop.ui.words import Tone

PAGE = 200


_COLUMNS = (
    ColumnLook(tr("When"), 150), ColumnLook(tr("Order"), 96), ColumnLook(tr("What happened"), 280), ColumnLook(tr("Posting"), 130),
    ColumnLook(tr("By"), 110), ColumnLook(tr("Why"), 210),
)  # fmt: skip
_TOLD = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole)


class TrailModel(TableModel[TrailStep]):
    """Steps, the newest first."""

    def __init__(self, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(_COLUMNS, (), parent)
        self._clock = clock
        self._words: dict[int, tuple[TrailStep | None, tuple[str, ...]]] = {}

    @property
    def steps(self) -> tuple[TrailStep, ...]:
        return self.values

    def put(self, row: int, steps: Sequence[TrailStep]) -> None:
        """Puts further steps in before a row: what was chosen and what is in sight stays."""
        if steps:
            self.beginInsertRows(QModelIndex(), row, row + len(steps) - 1)
            self.values = (*self.values[:row], *steps, *self.values[row:])
            self.endInsertRows()

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        # Painting asks for a cell's seven looks, of which the words are one.
        if not index.isValid() or role not in _TOLD:
            return None
        step = self.steps[index.row()]
        cells = self._cells(step)
        if role == Qt.ItemDataRole.DisplayRole:
            return cells[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            head = tr("Entry {number}, {machine}, hash {hash}", number=step.number, machine=machine_words(step), hash=step.hash)
            return "\n".join((head, *(cell for cell in cells if cell)))
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return ", ".join(cell for cell in cells if cell)
        return None

    def _cells(self, step: TrailStep) -> tuple[str, ...]:
        known, cells = self._words.get(step.number, (None, ()))
        if known is not step:
            at = words.local(step.at, self._clock())
            moment = f"{at:%d} {words.month(at)} {at:%Y %H:%M:%S}"
            cells = (moment, step.order_id, step_sentence(step), step.key, by_words(step.by), why_words(step))
            self._words[step.number] = step, cells
        return cells


class AuditWindow(BookWindow):
    """The whole trail as one scrolls, or what one order's steps and the answer to who billed it are."""

    def __init__(self, bridge: Bridge, *, clock: Clock = local_now) -> None:
        super().__init__(bridge, tr("Audit trail"), tr("Entries"), _COLUMNS, clock=clock)
        self._loading = False
        self._all = False
        self._answered_with: tuple[AuditAnswer, Verdict] | None = None
        self.field = Field()
        self.field.setAccessibleName(tr("Order number"))
        self.field.setPlaceholderText(tr("Order number: was it billed, once, when, by whom?"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(lambda _: self.look())
        self.check_button = plain_button(tr("Check that nothing was altered"), self.check)
        self.check_button.setToolTip(tr("Reads every entry and proves that none was changed, taken out or cut off"))
        self.export_button = plain_button(tr("Export…"), self.choose_export)
        self.answer = QWidget()
        self._answer = QVBoxLayout(self.answer)
        self._answer.setContentsMargins(0, 0, 0, 0)
        self.answer.hide()
        self.model = TrailModel(clock, self)
        self._show_table(self.model)
        self.table.chosen.connect(lambda row: self._ask_for(self.model.steps[row].order_id))
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.empty.say(tr("One moment…"), tr("iConnect is reading the trail."))
        self._rests = (self.check_button, self.export_button)
        self._lay_out(980, 640, (self.field, self.check_button, self.export_button), self.answer, self.stack)

    def open_with(self, order_id: str = "") -> None:
        """Brings the window forward, at an order's answer where one is named."""
        if order_id:
            self.field.setText(order_id)
        self.bring_forward()
        self.field.setFocus()
        self.field.selectAll()

    def look(self) -> None:
        if not self.isVisible():
            return
        wanted = self.field.text().strip()
        self._patience.begin()
        if wanted:
            self.bridge.run(self, lambda desk: desk.books.audit(wanted), self._answered, self._failed, lane="look")
        else:
            self.bridge.run(self, lambda desk: desk.books.trail_page(None, PAGE), self._newest, self._failed, lane="look")

    # the answer

    def _answered(self, answer: AuditAnswer) -> None:
        if answer.order_id != self.field.text().strip():
            return
        self._patience.end()
        self._all = True
        if answer.steps != self.model.steps:
            self.model.show_values(answer.steps)
        self._explain(
            tr("Nothing about this order"), tr("The trail has no entry of it. Look at the number, or clear the field to see all.")
        )
        said = verdict(answer, self.clock())
        if self._answered_with == (answer, said):
            return
        # Anew only when it says something else: the keyboard may be on its button.
        self._clear_answer()
        self._answered_with = (answer, said)
        card = Card()
        card.setAccessibleName(f"{said.title}. {said.text}")
        head = QHBoxLayout()
        head.addWidget(Heading(tr("Order {order_id}", order_id=answer.order_id), wrap=False))
        head.addWidget(Pill(said.title, said.tone))
        head.addStretch(1)
        card.body.addLayout(head)
        card.body.addWidget(Text(said.text))
        order = answer.order
        if order is not None:
            card.body.addWidget(PathStrip(order, self.clock()))
            show = plain_button(tr("Show the order"), lambda: self.open_order.emit(answer.order_id))
            head.addWidget(show)
        self._answer.addWidget(card)
        self.answer.show()
        for button in card.findChildren(QPushButton):
            self.setTabOrder(self.export_button, button)

    def _newest(self, steps: Sequence[TrailStep]) -> None:
        if self.field.text().strip():
            return
        self._patience.end()
        self._clear_answer()
        self.answer.hide()
        known = self.model.steps
        new = [step for step in steps if not known or step.number > known[0].number]
        if known and len(new) < len(steps) and steps[len(new)] == known[0]:
            # What came since goes above; the older ones that were scrolled to, and the chosen row, stay.
            bar = self.table.verticalScrollBar()
            above = bar.value() + len(new) * self.table.verticalHeader().defaultSectionSize() if bar.value() else 0
            self.model.put(0, new)
            bar.setValue(above)
        else:
            self.model.show_values(steps)
            self._all = len(steps) < PAGE
        self._explain(
            tr("Nothing has happened yet"),
            tr(
                "From the first order on, everything that iConnect and its people do stands here, for good: when, what, by whom "
                "and why. What InfoTrack reported, which matter it went to, what was sent and seen in the books, and who signed in."
            ),
        )

    def _explain(self, title: str, nothing: str) -> None:
        many = len(self.model.steps)
        if many:
            self.stack.setCurrentWidget(self.table)
        else:
            self.empty.say(title, nothing)
            self.stack.setCurrentWidget(self.empty)
        more = "" if self._all else tr("; older ones follow as you scroll")
        self.foot.setText(_entries(many) + more if many else "")

    def _clear_answer(self) -> None:
        self._answered_with = None
        while (item := self._answer.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _ask_for(self, order_id: str) -> None:
        if order_id:
            self.field.setText(order_id)

    def _scrolled(self, value: int) -> None:
        bar = self.table.verticalScrollBar()
        if self._all or self._loading or value < bar.maximum() - bar.pageStep() or not self.model.steps:
            return
        self._loading = True
        before = self.model.steps[-1].number
        self.bridge.run(self, lambda desk: desk.books.trail_page(before, PAGE), self._older, self._failed)

    def _older(self, steps: Sequence[TrailStep]) -> None:
        self._loading = False
        if self.field.text().strip() or (steps and steps[0].number != self.model.steps[-1].number - 1):
            return
        self._all = len(steps) < PAGE
        self.model.put(len(self.model.steps), steps)
        self._explain("", "")

    # proof and export

    def check(self) -> None:
        self.message.clear()
        self._working(tr("Reading every entry…"))
        self.bridge.run(self, lambda desk: desk.books.check_trail(), self._checked, self._not_done, network=True)

    def _checked(self, found: TrailCheck) -> None:
        self._working("")
        if found.bad_step is not None:
            self.message.say(_broken(found.bad_step))
            return
        told = " ".join(filter(None, (_whole(found, self.clock()), found.purged)))
        self._say_proof(told, found.head)

    def _say_proof(self, told: str, head: str) -> None:
        """The sentence first; the hash is for whoever wants to keep it, behind a button."""
        if not head:
            self.message.say(told, Tone.GOOD)
            return
        self.message.say(told, Tone.GOOD, button=tr("Copy the proof"), act=lambda: self._copy_proof(told, head))

    def _copy_proof(self, told: str, head: str) -> None:
        at = self.clock()
        checked = tr("Checked on {day}, {clock}.", day=_day(at), clock=f"{at:%H:%M}")
        last = tr("Hash of the last entry: {hash}", hash=head)
        QGuiApplication.clipboard().setText("\n".join((told, checked, last)))
        self.message.say(
            tr(
                "Copied, with the hash of the last entry. Keep it outside this PC: while the trail still holds that hash, nothing "
                "was cut off since."
            ),
            Tone.GOOD,
        )

    def choose_export(self) -> None:
        save_as(self, tr("Export the audit trail"), "audit.csv", tr("Table (*.csv)"), self.export)

    def export(self, file: Path) -> None:
        self.message.clear()
        self._working(tr("Writing…"))
        self.bridge.run(self, lambda desk: desk.books.export_trail(file), self._exported, self._not_done, network=True)

    def _exported(self, done: AuditFiles) -> None:
        self._working("")
        if done.bad_step is not None:
            self.message.say(_broken(done.bad_step))
            return
        told = tr(
            "Nothing was altered. {count:,} costs and documents are in {file}, {entries} of the trail in {trail} beside it.",
            count=done.deliveries,
            file=done.file,
            entries=_entries(done.steps),
            trail=done.trail_file.name,
        )
        self._say_proof(" ".join(filter(None, (told, done.purged))), done.head)

    def _not_done(self, problem: str) -> None:
        self._working("")
        self._failed(problem)

    def _failed(self, problem: str) -> None:
        self._patience.end()
        self._loading = False
        self.message.say(problem)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():
            self.field.setFocus()


def _entries(many: int) -> str:
    return tr("1 entry") if many == 1 else tr("{count:,} entries", count=many)


def _day(at: datetime) -> str:
    return f"{at.day} {words.month(at)} {at:%Y}"


def _whole(found: TrailCheck, now: datetime) -> str:
    if found.first_at is None or found.last_at is None:
        return tr("Nothing was altered: the trail has no entry yet.")
    first, last = (_day(words.local(at, now)) for at in (found.first_at, found.last_at))
    if found.steps == 1:
        return tr("Nothing was altered: 1 entry of {day}, as it was written.", day=first)
    return tr(
        "Nothing was altered: {entries} from {first} to {last}, each as it was written, none taken out or cut off.",
        entries=_entries(found.steps),
        first=first,
        last=last,
    )


def _broken(step: int) -> str:
    return tr(
        "The trail was altered: entry {step:,} was changed, taken out or cut off; those before it are as they were written. Leave "
        "iConnect's folder as it is, and ask whoever looks after this PC who had access to it.",
        step=step,
    )
