"""What each file of the bundle for support holds, for whoever is asked to send it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.ui.language import tr


@dataclass(frozen=True, slots=True)
class PartWords:
    """`title` in a word or two; `holds` in a sentence, and why no client's data are in it."""

    title: str
    holds: str


_FILES = {
    "about.json": PartWords(
        tr("Versions"), tr("The versions of the system, of iConnect and of its parts. Nothing about the firm or its clients.")
    ),
    "settings.json": PartWords(
        tr("Settings"),
        tr("Which settings are set: numbers, switches and servers. Texts and passwords are left out; no client's data."),
    ),
    "ledger.json": PartWords(
        tr("How postings stand"),
        tr(
            "How many orders and postings stand where, and since when. Of an order's number only its last three figures; no "
            "matter, no amount, no client's data."
        ),
    ),
    "files.json": PartWords(
        tr("Sizes of iConnect's files"), tr("How large iConnect's own files are. Not what is in them, so no client's data.")
    ),
    "doctor.json": PartWords(
        tr("What works"), tr("Which of iConnect's checks passed on this PC, by their names alone. No client's data.")
    ),
}
_CRASH = PartWords(
    tr("Unexpected end"),
    tr("Where in the program iConnect ended unexpectedly. Not what it was working on, so no client's data."),
)
_LOG = PartWords(
    tr("Log"),
    tr("What iConnect did and when, with shortened numbers. Names, matters, addresses and documents are never written to it."),
)
_OTHER = PartWords(tr("Other"), tr("Shown below word for word, as it goes into the file."))


def part_words(name: str) -> PartWords:
    """By the file's name in the bundle."""
    if name.startswith("crashes/"):
        return _CRASH
    if name.startswith("logs/"):
        return _LOG
    return _FILES.get(name, _OTHER)
