"""Pure: which documents in the books are a delivery's own file.

PCs that did not receive an order's versions in one order number them differently: one key can then stand for two files, and one
file under two keys. The file's word in the note tells them apart (see keys.file_word); where it is missing, the key decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from desktop.services.ledger.book_lines import Seen
from desktop.services.ledger.facts import Posting, split_key
from desktop.services.ledger.model import DeliveryKind, DeliveryState
from desktop.services.practice.keys import file_word_in, may_be_one_file

Copies = Mapping[tuple[str, str], Sequence[Seen]]
"""What stands on one matter by order and file word."""


def copies_in(lines: Mapping[str, Sequence[Seen]]) -> Copies:
    found: dict[tuple[str, str], list[Seen]] = {}
    for key, seen in lines.items():
        split = split_key(key)
        for one in seen:
            if split is not None and one.code:
                found.setdefault((split[0], one.code), []).append(one)
    return found


def of_its_file(posting: Posting, same_key: Sequence[Seen], copies: Copies) -> Sequence[Seen]:
    """Of the lines under its key all; of documents those that may be its file and, where there are any, its other copies."""
    if posting.kind is not DeliveryKind.DOCUMENT:
        return same_key
    word = file_word_in(posting.note)
    found = [one for one in same_key if may_be_one_file(word, one.code)]
    return found and [*found, *_elsewhere(posting, copies)]


def gives_way(posting: Posting, copies: Copies) -> bool:
    """Whether its key, under which another file stands, may be left to that one: where no send of it can still take effect, or
    its own file stands there too."""
    if posting.state in (DeliveryState.QUEUED, DeliveryState.HELD, DeliveryState.REJECTED):
        return True
    return posting.state is DeliveryState.UNKNOWN and bool(_elsewhere(posting, copies))


def _elsewhere(posting: Posting, copies: Copies) -> list[Seen]:
    """Its file under other keys of its order."""
    return [one for one in copies.get((posting.order_id, file_word_in(posting.note)), ()) if one.key != posting.key]
