"""Which state a delivery may move to from which: the one table, checked by the database as well."""

from __future__ import annotations

from collections.abc import Mapping

from desktop.services.ledger.model import DeliveryState

_S = DeliveryState

LEGAL: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    # A held line may turn out to be in the books already (another PC, or a person's approval there).
    _S.HELD: frozenset({_S.QUEUED, _S.CANCELLED, _S.CONFIRMED}),
    # To unknown when the ledger had to be restored: it may have been sent since the backup.
    _S.QUEUED: frozenset({_S.SENDING, _S.UNKNOWN, _S.HELD, _S.REJECTED, _S.CANCELLED, _S.CONFIRMED}),
    # Back to queued or held only with proof that nothing was done.
    _S.SENDING: frozenset({_S.ACCEPTED, _S.UNKNOWN, _S.REJECTED, _S.QUEUED, _S.HELD}),
    _S.UNKNOWN: frozenset({_S.CONFIRMED, _S.QUEUED, _S.CANCELLED}),
    _S.ACCEPTED: frozenset({_S.CONFIRMED, _S.UNKNOWN}),
    _S.REJECTED: frozenset({_S.QUEUED, _S.UNKNOWN, _S.CANCELLED, _S.CONFIRMED}),
    # A person may think again (by way of unknown while the last send may still land); and what was withdrawn here may
    # stand in the books all the same, posted by another PC.
    _S.CANCELLED: frozenset({_S.QUEUED, _S.UNKNOWN, _S.CONFIRMED}),
    _S.CONFIRMED: frozenset(),
}

WAITS_FOR_PERSON = frozenset({_S.HELD, _S.REJECTED})

IN_FLIGHT = frozenset({_S.QUEUED, _S.SENDING, _S.UNKNOWN, _S.ACCEPTED})
"""What the courier still has to do something about."""


def is_legal(before: DeliveryState, after: DeliveryState) -> bool:
    return after in LEGAL[before]
