"""Reading records of a long list by their likeness: what the XML parser said of one, it would say of the next one too.

A list of 100,000 jobs repeats a few dozen patterns of tags. The first record of a pattern goes through the parser with its
texts replaced by marks, which tells the place of every text; the following ones are only cut up. The parser still reads
everything around the records, and every record about which there is the least doubt: one with other characters, references
or brackets than plain text needs, one that is too long, one that the parser refused, and all that follows a comment, a CDATA
section, a processing instruction or anything else that begins with «<!» or «<?». So the answer is the parser's in every case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

_LONGEST = 65_536
_PATTERNS = 1_000
_FRUITLESS = 4_000
_BLANKS = " \t\n"
_LEGAL = bytes(set(range(0x20, 0x100)) | {0x09, 0x0A, 0x0D})
_PLAIN = bytes(set(_LEGAL) - set(b"<>"))
_NOT_ANGLES = re.compile("[^<>]+")
_OTHER_REFERENCE = re.compile("&(?!(?:amp|lt|gt|quot|apos);)")
_MARK = re.compile("([0-9]+);")
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[ \t\r\n][^<>]*\?>")
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']utf-?8[\"']", re.IGNORECASE)
# What stands behind the cells of a record: the text of an empty element, and an element that did not come.
_ENDS = ("", None)

_Read = Callable[[list[Any]], list[Any]]


class AlikeRecords:
    """Takes a document's UTF-8 in blocks and gives what the parser still has to be fed, in order.

    `ask`: the record that the parser makes of one record element (as text, with its own tags), or None when it does not make
    exactly one. `inside`: whether the parser, after what it was fed, stands where records stand. `give` takes a record, at
    the moment when all that precedes it has been fed."""

    def __init__(
        self,
        name: str,
        *,
        longest: int,
        ask: Callable[[str], list[Any] | None],
        inside: Callable[[], bool],
        give: Callable[[list[Any]], object],
    ) -> None:
        self._start, self._end = f"<{name}>", f"</{name}>"
        self._longest = min(longest, _LONGEST)
        self._ask = ask
        self._is_inside = inside
        self._give = give
        self._patterns: dict[str, _Read | None] = {}
        self._fruitless = 0
        self._began = False
        self._off = False
        self._inside = False
        self._waiting = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._off:
            yield data
            return
        data = self._waiting + data
        self._waiting = b""
        head = 0
        if not self._began:
            head = _head(data)
            self._began = True
        if head < 0 or data.find(b"<!", head) >= 0 or data.find(b"<?", head) >= 0:
            self._off = True
            yield data
            return
        # A record that is not whole yet waits here; what begins with «<!» can't be cut in two unseen.
        end = data.rfind(self._end.encode())
        if end >= 0:
            whole, data = data[:end], data[end + len(self._end) :]
            yield from self._cut(whole)
        if self._off or len(data) > self._longest:
            self._off = True
            yield data
        else:
            self._waiting = data

    def rest(self) -> Iterator[bytes]:
        """To be fed at the end of the document."""
        yield self._waiting

    def _cut(self, whole: bytes) -> Iterator[bytes]:
        """`whole`: up to the last record's end tag, without it."""
        odd = whole.translate(None, _PLAIN)
        try:
            text = whole.decode()
        except UnicodeDecodeError:
            text = "\uffff"
        if odd.translate(None, b"<>") or (not text.isascii() and ("\ufffe" in text or "\uffff" in text)):
            self._off = True
            yield whole + self._end.encode()
            return
        clean = odd == b"<>" * (len(odd) // 2)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        start, end, longest = self._start, self._end, self._longest
        skipped = len(start)
        for piece in text.split(end):
            at = piece.find(start)
            if at < 0 or self._off or not (clean or _well_bracketed(piece)):
                self._inside = False
                yield (piece + end).encode()
                continue
            if not self._inside or piece[:at].strip(_BLANKS):
                around = piece[:at]
                if "&" in around or "]" in around:
                    # These may belong together with what follows the record.
                    self._off = True
                    yield (piece + end).encode()
                    continue
                yield around.encode()
                self._inside = self._is_inside()
            content = piece[at + skipped :]
            record = self._read(content) if self._inside and len(content) <= longest else None
            if record is None:
                self._inside = False
                yield (start + content + end).encode()
            else:
                self._give(record)

    def _read(self, content: str) -> list[Any] | None:
        # Texts and tags in turn.
        cells: list[Any] = content.replace(">", "<").split("<")
        pattern = "<".join(cells[1::2])
        try:
            read = self._patterns[pattern]
        except KeyError:
            read = self._learn(pattern, cells)
        if read is None:
            self._unread()
            return None
        if "&" in content:
            if _OTHER_REFERENCE.search(content):
                self._unread()
                return None
            cells[::2] = [_resolved(text) if "&" in text else text for text in cells[::2]]
        cells += _ENDS
        return read(cells)

    def _unread(self) -> None:
        self._fruitless += 1
        self._off = self._fruitless > _FRUITLESS

    def _learn(self, pattern: str, cells: Sequence[str]) -> _Read | None:
        if len(self._patterns) >= _PATTERNS:
            return None
        marked = [f"<{cell}>" if at % 2 else f"{at};" for at, cell in enumerate(cells)]
        record = self._ask(f"{self._start}{''.join(marked)}{self._end}")
        read = self._patterns[pattern] = None if record is None else _reading(record)
        return read


def _head(data: bytes) -> int:
    """How long the XML declaration is; below zero when it names, or may name, another encoding than UTF-8."""
    declaration = _DECLARATION.match(data)
    if declaration is None:
        return 0
    if b"encoding" in declaration[0] and not _ENCODING.search(declaration[0]):
        return -1
    return declaration.end()


def _well_bracketed(piece: str) -> bool:
    angles = _NOT_ANGLES.sub("", piece)
    return angles == "<>" * (len(angles) // 2)


def _resolved(text: str) -> str:
    for reference, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(reference, letter)
    return text


def _reading(record: Sequence[Any]) -> _Read | None:
    """How to make such a record out of cells; None for one with a text in several parts."""
    places: list[int] = []
    several: list[tuple[int, list[tuple[int, ...]]]] = []
    for place, value in enumerate(record):
        if isinstance(value, list):
            groups = [tuple(map(_cell, group)) for group in value]
            if any(cell is None for group in groups for cell in group):
                return None
            several.append((place, [tuple(cell for cell in group if cell is not None) for group in groups]))
            value = None
        cell = _cell(value)
        if cell is None:
            return None
        places.append(cell)
    take = itemgetter(*places)

    def read(cells: list[Any]) -> list[Any]:
        made = list(take(cells))
        for place, groups in several:
            made[place] = [[cells[cell] for cell in group] for group in groups]
        return made

    return read


def _cell(value: str | None) -> int | None:
    if value is None:
        return -1
    if not value:
        return -2
    mark = _MARK.fullmatch(value)
    return int(mark[1]) if mark else None
