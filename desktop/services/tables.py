"""Tables for people: CSV that a spreadsheet opens as meant, and that runs nothing in it.

A cell that begins with = + - @ would be taken for a formula, and order texts come from elsewhere; so would one that a
spreadsheet trims first. Such a cell gets an apostrophe before it. A plain number keeps its sign: it is no formula."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_STARTS = ("=", "+", "-", "@")


def defused(cell: object) -> str:
    """The cell as text that no spreadsheet runs; None is empty."""
    text = "" if cell is None else str(cell)
    if _PLAIN_NUMBER.fullmatch(text):
        return text
    plain = text.lstrip("\t\r\n \u00a0\ufeff'\"\x00")
    return "'" + text if plain.startswith(_STARTS) or text[:1] in ("\t", "\r", "\n") else text


def write_table(path: Path, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Writes the whole file or none, and gives the number of rows. UTF-8 with the mark by which Excel knows it. Raises OSError."""
    part = path.with_name(path.name + ".part")
    count = 0
    try:
        with part.open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file)
            table.writerow(heading)
            for row in rows:
                table.writerow([defused(cell) for cell in row])
                count += 1
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count
