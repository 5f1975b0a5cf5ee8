"""What can go wrong with the ledger, told apart by whose turn it is.

LedgerError
├── LedgerTrouble    the machine's fault: disk full, I/O error, locked too long, file vanished
├── LedgerDamaged    the ledger can't be believed: settings that do not hold, a file that can't be put right
│   └── LedgerCorrupt  the file is not what it should be; it can be set aside and a backup opened
└── LedgerTooNew     written by a newer version of the program, or an SQLite that is not safe enough

ActionRefused is not a fault: a person asked for something that can't be done as things stand. Nor is ChangedMeanwhile: a
person was quicker than the courier.
"""

from __future__ import annotations


class LedgerError(Exception):
    """Base of all of these. `str(error)` is a sentence for a person."""


class LedgerTrouble(LedgerError):
    """This PC could not read or write the file just now. Nothing of the failed operation was stored."""


class LedgerDamaged(LedgerError):
    """The file is not what it should be. Nothing is sent until a person has dealt with it."""


class LedgerCorrupt(LedgerDamaged):
    """The file's content is damaged. Outside of this room it is met only where it could not be put right."""


class LedgerTooNew(LedgerError):
    """The file, or the library that reads it, is of a version that this program does not trust itself with."""


class ActionRefused(Exception):
    """A person's action can't be done. The sentence says why and what to do instead; nothing was changed."""


class ChangedMeanwhile(Exception):
    """A delivery has moved on since it was looked at, by a person's hand or another process. Look again; nothing was changed."""
