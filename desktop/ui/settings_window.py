"""Settings: what a person may choose for their own PC, with a preview of what will stand in the books."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.services.desk import Status
from desktop.services.practice.model import CostCode
from desktop.ui import state, theme, words
from desktop.ui.bridge import Bridge
from desktop.ui.code_box import CodeBox
from desktop.ui.invoice_setting import InvoiceSetting
from desktop.ui.language import tr
from desktop.ui.own_settings import Amounts, LoadedSettings, Notifications, OwnSettings, Review, SettingsDoor
from desktop.ui.shortcut import BadShortcut, cannot, read_shortcut
from desktop.ui.upright_scroll import UprightScroll
from desktop.ui.widgets import Busy, Field, Heading, MessageBar, Muted, open_at
from desktop.ui.window import Clock, Window, local_now
from desktop.ui.words import PatternProblem, Tone

_REVIEW: tuple[tuple[Review, str], ...] = (
    ("never", tr("Post by itself")),
    ("differences", tr("Ask me before posting a later change")),
    ("always", tr("Ask me before every posting")),
)
_AMOUNTS: tuple[tuple[Amounts, str], ...] = (
    ("ex_gst", tr("Fees without GST (the firm is registered)")),
    ("inc_gst", tr("Fees with GST")),
)
_REVIEW_MEANS: dict[Review, str] = {
    "never": tr("A cost goes to its matter as soon as the result is there. Nobody is asked."),
    "differences": tr("A cost goes by itself; what InfoTrack changes in its fee later waits for you in Orders and postings."),
    "always": tr("Every cost waits for you in Orders and postings until you approve it."),
}
_AMOUNTS_MEANS: dict[Amounts, str] = {
    "ex_gst": tr("A fee of $10.00 + GST $1.00 is posted as a cost of $10.00; the firm claims the GST back."),
    "inc_gst": tr("A fee of $10.00 + GST $1.00 is posted as a cost of $11.00; for a firm that can't claim the GST back."),
}
_NOTIFICATIONS: tuple[tuple[Notifications, str], ...] = (
    ("errors", tr("When something needs me")),
    ("all", tr("Also when results were posted")),
    ("none", tr("Never")),
)


class SettingsWindow(Window):
    """Shows what `door.load` gives and keeps changes only on Save.

    Signals:
        kept(): what was changed is in force now.
    """

    kept = Signal()

    def __init__(self, bridge: Bridge, door: SettingsDoor, *, clock: Clock = local_now) -> None:
        super().__init__(bridge, tr("Settings"), clock=clock)
        open_at(self, 640, 700)
        self._door = door
        self._loaded: LoadedSettings | None = None
        self._codes_for = ""
        self._closing = False
        self.message = MessageBar()
        self._make_fields()
        self._lay_out()
        self._enable()

    def look(self) -> None:
        if self._loaded is None:
            door = self._door
            self.bridge.run(self, lambda _: door.load(), self._took, self.message.say, lane="load")
            self.invoice.look()

    def show_status(self, status: Status | None) -> None:
        self._fetch_codes()

    def values(self) -> OwnSettings:
        """What stands in the window now."""
        return OwnSettings(
            system=str(self.system.currentData() or ""),
            code_taxed=self.code_taxed.code(),
            code_untaxed=self.code_untaxed.code(),
            amounts=self.amounts.currentData(),
            markup_percent=Decimal(str(round(self.markup.value(), 2))),
            billable=self.billable.isChecked(),
            description=self.description.text().strip(),
            file_name=self.file_name.text().strip(),
            folder=self.folder.text().strip(),
            review=self.review.currentData(),
            results_folder=self.results_folder.text().strip(),
            notifications=self.notifications.currentData(),
            start_at_sign_in=self.start.isChecked(),
            shortcut=self.shortcut.text().strip(),
            matters_in_notices=self.names.isChecked(),
        )

    def save(self) -> None:
        loaded = self._loaded
        if loaded is None or not self._all_fine():
            return
        wanted, door = self.values(), self._door
        self.message.clear()
        self.busy.start(tr("Saving…"))
        self.save_button.setEnabled(False)
        self.bridge.run(self, lambda _: door.save(wanted), lambda _: self._saved(loaded, wanted), self._not_saved)

    def _has_changes(self) -> bool:
        return self._loaded is not None and self.values() != self._loaded.values

    def _ask_about_changes(self) -> None:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(tr("iConnect - Save the changes?"))
        box.setText(tr("Save the changes?"))
        box.setInformativeText(tr("You changed settings and have not saved them."))
        save = box.addButton(tr("&Save"), QMessageBox.ButtonRole.AcceptRole)
        drop = box.addButton(tr("&Don't save"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(tr("&Keep editing"), QMessageBox.ButtonRole.RejectRole)
        save.setEnabled(self.save_button.isEnabled())
        box.setDefaultButton(save if save.isEnabled() else stay)
        box.setEscapeButton(stay)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def answered(button: QAbstractButton) -> None:
            if button is save:
                self._closing = True
                self.save()
            elif button is drop:
                self.undo()
                self.close()

        box.buttonClicked.connect(answered)
        box.open()

    def undo(self) -> None:
        """Back to what was loaded or saved last."""
        if self._loaded is not None:
            self._show(self._loaded)

    # building

    def _make_fields(self) -> None:
        self.system = self._choice(tr("Practice system"), ())
        self.system.currentIndexChanged.connect(self._fetch_codes)
        self.code_taxed = CodeBox(tr("Cost code for amounts with GST"))
        self.code_untaxed = CodeBox(tr("Cost code for amounts without GST"))
        self.codes_note = Muted()
        self.amounts = self._choice(tr("Amounts"), _AMOUNTS)
        self.amounts_note = Muted()
        self.markup = QDoubleSpinBox()
        self.markup.setRange(0, 1000)
        self.markup.setDecimals(2)
        self.markup.setSuffix(" %")
        self.markup.setAccessibleName(tr("Markup"))
        self.markup.setMaximumWidth(140)
        self.billable = QCheckBox(tr("Costs are b&illable to the client"))
        self.description = self._line(tr("Description of a cost"))
        self.description_preview = Muted()
        self.file_name = self._line(tr("File name of a document"))
        self.file_preview = Muted()
        self.folder = self._line(tr("Folder for documents"))
        self.review = self._choice(tr("Review"), _REVIEW)
        self.review_note = Muted()
        self.results_folder = self._line(tr("Drop folder"))
        self.results_folder.setPlaceholderText(tr("None: results come by the firm's feed or by hand"))
        self.results_note = Muted()
        self.browse = QPushButton(tr("Choose…"))
        self.browse.setAccessibleDescription(tr("Choose the drop folder"))
        self.browse.clicked.connect(self._choose_folder)
        self.notifications = self._choice(tr("Notices"), _NOTIFICATIONS)
        self.start = QCheckBox(tr("Start iConnect when I sign in to &this PC"))
        self.names = QCheckBox(tr("Name the matters in n&otices, where others may see them"))
        self.shortcut = self._line(tr("Shortcut for the picker"))
        self.shortcut.setPlaceholderText(tr("None; or for example Ctrl+Alt+I"))
        self.shortcut_note = Muted()
        self.proxy = Muted()
        self.invoice = InvoiceSetting(self.bridge)
        self.save_button = QPushButton(tr("&Save"))
        self.save_button.setDefault(True)
        self.save_button.clicked.connect(self.save)
        self.undo_button = QPushButton(tr("&Undo changes"))
        self.undo_button.clicked.connect(self.undo)
        # Beside the button that was pressed: a bar on top would move every field.
        self.saved = Muted(wrap=False)
        self.saved.set_tone(Tone.GOOD)
        self.busy = Busy()
        self._fields: dict[str, QWidget] = {
            "system": self.system,
            "code_taxed": self.code_taxed,
            "code_untaxed": self.code_untaxed,
            "amounts": self.amounts,
            "markup_percent": self.markup,
            "billable": self.billable,
            "description": self.description,
            "file_name": self.file_name,
            "folder": self.folder,
            "review": self.review,
            "results_folder": self.results_folder,
            "notifications": self.notifications,
            "start_at_sign_in": self.start,
            "shortcut": self.shortcut,
            "matters_in_notices": self.names,
        }
        for box in (self.system, self.amounts, self.review, self.notifications):
            box.currentIndexChanged.connect(self._enable)
        for code in (self.code_taxed, self.code_untaxed):
            code.editTextChanged.connect(self._enable)
        for line in (self.description, self.file_name, self.folder, self.results_folder, self.shortcut):
            line.textChanged.connect(self._enable)
        for check in (self.billable, self.start, self.names):
            check.toggled.connect(self._enable)
        self.markup.valueChanged.connect(self._enable)

    @staticmethod
    def _choice(name: str, options: Sequence[tuple[str, str]]) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for value, title in options:
            box.addItem(title, value)
        return box

    @staticmethod
    def _line(name: str) -> Field:
        line = Field()
        line.setAccessibleName(name)
        return line

    def _lay_out(self) -> None:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(10)
        form = self._section(column, tr("Costs"))
        self._row(form, tr("P&ractice system"), self.system)
        self._row(form, tr("Code &with GST"), self.code_taxed)
        self._row(form, tr("Code without &GST"), self.code_untaxed)
        self._row(form, "", self.codes_note)
        self._costs = form
        self._row(form, tr("&Amounts"), self.amounts)
        self._row(form, "", self.amounts_note)
        self._row(form, tr("&Markup"), self.markup)
        self._row(form, "", self.billable)
        self._row(form, tr("&Description"), self.description)
        self._row(form, "", self.description_preview)
        self._row(form, tr("&Before posting"), self.review)
        self._row(form, "", self.review_note)
        form = self._section(column, tr("Documents"))
        self._row(form, tr("&File name"), self.file_name)
        self._row(form, "", self.file_preview)
        self._row(form, tr("Fo&lder"), self.folder)
        form = self._section(column, tr("Reconcile"))
        self._row(form, tr("Columns"), self.invoice)
        form = self._section(column, tr("This PC"))
        drop = QHBoxLayout()
        drop.setSpacing(theme.GAP)
        drop.addWidget(self.results_folder, 1)
        drop.addWidget(self.browse)
        self._row(form, tr("Dro&p folder"), drop, self.results_folder)
        self._row(form, "", self.results_note)
        self._row(form, tr("&Notices"), self.notifications)
        self._row(form, "", self.names)
        self._row(form, tr("Short&cut"), self.shortcut)
        self._row(form, "", self.shortcut_note)
        self._row(form, "", self.start)
        self._row(form, tr("Proxy"), self.proxy)
        column.addStretch(1)
        scroll = UprightScroll(page)
        foot = QHBoxLayout()
        foot.setContentsMargins(theme.MARGIN, 0, theme.MARGIN, 0)
        foot.addWidget(self.busy, 1)
        foot.addWidget(self.saved)
        foot.addStretch(1)
        foot.addWidget(self.undo_button)
        foot.addWidget(self.save_button)
        top = QVBoxLayout()
        top.setContentsMargins(theme.MARGIN, 12, theme.MARGIN, 0)
        top.addWidget(self.message)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 12)
        outer.addLayout(top)
        outer.addWidget(scroll, 1)
        outer.addLayout(foot)

    @staticmethod
    def _row(form: QFormLayout, title: str, field: QWidget | QHBoxLayout, buddy: QWidget | None = None) -> None:
        """A row whose field begins where the fields of the other sections begin. Alt with the title's letter goes to it."""
        label = QLabel(title)
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance(tr("Code without GST")) + 4)
        if isinstance(field, QWidget):
            label.setBuddy(field)
            form.addRow(label, field)
        else:
            if buddy is not None:
                label.setBuddy(buddy)
            form.addRow(label, field)

    @staticmethod
    def _section(column: QVBoxLayout, title: str) -> QFormLayout:
        if column.count():
            column.addSpacing(8)
        column.addWidget(Heading(title, level=2))
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setHorizontalSpacing(20)
        form.setVerticalSpacing(theme.GAP)
        column.addLayout(form)
        return form

    # showing

    def _took(self, loaded: LoadedSettings) -> None:
        self._loaded = loaded
        self._show(loaded)
        self._fetch_codes()

    def _show(self, loaded: LoadedSettings) -> None:
        values = loaded.values
        offered = loaded.systems if values.system in loaded.systems else (*loaded.systems, values.system)
        self.system.blockSignals(True)
        self.system.clear()
        for system in offered:
            self.system.addItem(words.system_title(system), system)
        self.system.blockSignals(False)
        for box, value in (
            (self.system, values.system),
            (self.amounts, values.amounts),
            (self.review, values.review),
            (self.notifications, values.notifications),
        ):
            box.setCurrentIndex(box.findData(value))
        self.code_taxed.show_code(values.code_taxed)
        self.code_untaxed.show_code(values.code_untaxed)
        self.markup.setValue(float(values.markup_percent))
        self.billable.setChecked(values.billable)
        self.description.setText(values.description)
        self.file_name.setText(values.file_name)
        self.folder.setText(values.folder)
        self.results_folder.setText(values.results_folder)
        self.start.setChecked(values.start_at_sign_in)
        self.shortcut.setText(values.shortcut)
        self.names.setChecked(values.matters_in_notices)
        self.proxy.setText(loaded.proxy)
        self._enable()

    def _enable(self) -> None:
        loaded = self._loaded
        for name, field in self._fields.items():
            locked = loaded is not None and name in loaded.locked
            field.setEnabled(loaded is not None and not locked)
            field.setToolTip(tr("Set by your firm's IT") if locked else "")
        self.browse.setEnabled(self.results_folder.isEnabled())
        self._say_what_follows()
        fine = self._all_fine()
        changed = self._has_changes()
        self.save_button.setEnabled(changed and fine)
        self.saved.setText("")
        self.undo_button.setEnabled(changed)

    def _say_what_follows(self) -> None:
        """Below each choice whose consequence its own words leave open."""
        self.amounts_note.setText(_AMOUNTS_MEANS.get(self.amounts.currentData(), ""))
        self.review_note.setText(_REVIEW_MEANS.get(self.review.currentData(), ""))
        self.results_note.setText(
            tr("iConnect takes the order messages that another program puts there, and moves each file aside once it is read.")
            if self.results_folder.text().strip()
            else tr("iConnect watches no folder. Name one only where another program of the firm writes order messages to it.")
        )

    def _all_fine(self) -> bool:
        description = self._preview(self.description.text(), self.description_preview, file=False)
        file_name = self._preview(self.file_name.text(), self.file_preview, file=True)
        return self._shortcut_fine() and description and file_name

    def _shortcut_fine(self) -> bool:
        """Where no shortcut can be had, what is chosen is kept all the same: the profile may be used elsewhere."""
        text = self.shortcut.text().strip()
        reason = cannot(qpa=QGuiApplication.platformName() if sys.platform.startswith("linux") else "")
        self.shortcut_note.set_tone(None)
        if text:
            try:
                text = str(read_shortcut(text))
            except BadShortcut as problem:
                self.shortcut_note.set_tone(Tone.BAD)
                self.shortcut_note.setText(str(problem))
                return False
        self.shortcut_note.setText(
            reason
            or (
                tr("{text} brings the picker forward, wherever you are.", text=text)
                if text
                else tr("Keys that bring the picker forward.")
            )
        )
        return True

    @staticmethod
    def _preview(pattern: str, label: Muted, *, file: bool) -> bool:
        try:
            filled = words.fill_pattern(pattern)
        except PatternProblem as problem:
            label.setText(str(problem))
            label.set_tone(Tone.BAD)
            return False
        label.set_tone(None)
        label.setText(
            tr("For example: {name}.pdf", name=words.safe_file_name(filled)) if file else tr("For example: {filled}", filled=filled)
        )
        return True

    # the live list of cost codes

    def _fetch_codes(self) -> None:
        system = str(self.system.currentData() or "")
        signed_in = {view.system for view in state.connected(self.bridge.status)}
        if not system or self._codes_for == system:
            return
        if system not in signed_in:
            self._note(tr("Sign in to {system} to choose from its cost codes.", system=words.system_title(system)))
            return
        self._codes_for = system
        self._note(tr("Fetching the firm's cost codes…"))
        self.bridge.run(
            self,
            lambda desk: desk.cost_codes(system),
            lambda codes: self._took_codes(system, codes),
            self._no_codes,
            lane="codes",
            network=True,
        )

    def _took_codes(self, system: str, codes: Sequence[CostCode]) -> None:
        if system != self.system.currentData():
            return
        self.code_taxed.offer(codes)
        self.code_untaxed.offer(codes)
        known = {code.code for code in codes}
        missing = [box.code() for box in (self.code_taxed, self.code_untaxed) if box.code() and box.code() not in known]
        if missing:
            self._note(
                tr(
                    "{system} has no cost code “{code}”. Choose one from the list.",
                    system=words.system_title(system),
                    code=missing[0],
                )
            )
        elif not known:
            self._note(tr("{system} has no cost codes yet. Add them there first.", system=words.system_title(system)))
        else:
            self._note("")
        self._enable()

    def _no_codes(self, problem: str) -> None:
        self._codes_for = ""
        self._note(tr("The list could not be fetched: {problem} You can type a code.", problem=problem))

    def _note(self, text: str) -> None:
        self.codes_note.setText(text)
        self._costs.setRowVisible(self.codes_note, bool(text))

    # answers

    def _saved(self, loaded: LoadedSettings, values: OwnSettings) -> None:
        self._loaded = replace(loaded, values=values)
        self.busy.stop()
        self._enable()
        self.saved.setText(tr("Saved."))
        self.kept.emit()
        self.bridge.notify()
        if self._closing:
            self._closing = False
            self.close()

    def _not_saved(self, problem: str) -> None:
        self._closing = False
        self.busy.stop()
        self.message.say(problem)
        self._enable()

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, tr("iConnect - Choose the drop folder"), self.results_folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.results_folder.setText)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def closeEvent(self, event: QCloseEvent) -> None:
        """What was changed and not saved is asked about; the next opening reads anew."""
        if self._has_changes() and not self.bridge.is_closed:
            event.ignore()
            self._ask_about_changes()
            return
        self._loaded = None
        self._codes_for = ""
        self.message.clear()
        super().closeEvent(event)
