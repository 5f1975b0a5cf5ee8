"""Looks for marks in everything that a program leaves behind: as they are and in the forms that programs write text in, also
inside packed data."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, quote_plus

MOST_OPENED = 60_000_000
_GZIP = re.compile(rb"\x1f\x8b\x08")
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_LEAST = 6


def forms(mark: str) -> dict[bytes, str]:
    """Each way in which the mark may stand somewhere, with the name of the way."""
    found: dict[bytes, str] = {}

    def add(form: bytes, name: str) -> None:
        if len(form) >= _LEAST:
            found.setdefault(form, name)

    for raw, name in ((mark.encode(), "plain"), (mark.encode("utf-16-le"), "utf-16"), (mark.encode("utf-16-be"), "utf-16")):
        add(raw, name)
        add(raw.hex().encode(), "hex")
        add(raw.hex().upper().encode(), "hex")
        add(" ".join(f"{byte:02x}" for byte in raw).encode(), "hex")
        for core in _base64(raw):
            add(core, "base64")
    for quoted in (quote(mark, safe=""), quote(mark), quote_plus(mark)):
        add(quoted.encode(), "url")
        add(re.sub("%[0-9A-F]{2}", lambda two: two[0].lower(), quoted).encode(), "url")
        add(quote(quoted, safe="").encode(), "url twice")
    add(json.dumps(mark)[1:-1].encode(), "json")
    add(html.escape(mark).encode(), "html")
    add(mark[::-1].encode(), "backwards")
    return found


def _base64(raw: bytes) -> Iterator[bytes]:
    """At each of the three places in which it may start: the first and last group mix with what stands beside the mark."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)
        core = whole[4 if before else 0 : len(whole) - 4].rstrip(b"=")
        yield core
        yield core.translate(bytes.maketrans(b"+/", b"-_"))


@dataclass(frozen=True, slots=True)
class Hit:
    place: str
    mark: str
    form: str

    def __str__(self) -> str:
        return f"{self.place}: {self.mark[:14]}… ({self.form})"


def opened(place: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The content, and what is packed in it: zip members, gzip and zlib streams wherever they begin."""
    yield place, content
    if b"PK\x03\x04" in content:
        with contextlib.suppress(zipfile.BadZipFile, OSError, RuntimeError), zipfile.ZipFile(BytesIO(content)) as packed:
            for member in packed.infolist():
                yield from opened(f"{place}!{member.filename}", packed.read(member)[:MOST_OPENED])
    for pattern, bits, name in ((_GZIP, 31, "gzip"), (_ZLIB, 15, "zlib")):
        for found in pattern.finditer(content):
            text = _unpacked(content, found.start(), bits)
            if len(text) >= _LEAST:
                yield f"{place}!{name}@{found.start()}", text


def _unpacked(content: bytes, start: int, bits: int) -> bytes:
    """As much as can be had: a cut stream gives its beginning."""
    stream = zlib.decompressobj(bits)
    text = b""
    with contextlib.suppress(zlib.error):
        for at in range(start, len(content), 4096):
            text += stream.decompress(content[at : at + 4096])
            if stream.eof or len(text) > MOST_OPENED:
                break
    return text


class Search:
    """For one set of marks. `bytes_seen` and `places` tell how much was looked at."""

    def __init__(self, marks: Iterable[str]) -> None:
        self.marks = sorted({mark for mark in marks if mark})
        assert all(len(mark) >= _LEAST for mark in self.marks), "too short to be told from chance"
        self._forms = [(form, mark, name) for mark in self.marks for form, name in forms(mark).items()]
        self.bytes_seen = 0
        self.places = 0

    @property
    def forms(self) -> int:
        return len(self._forms)

    def through(self, places: Iterable[tuple[str, bytes]]) -> list[Hit]:
        hits: list[Hit] = []
        for place, content in places:
            self.places += 1
            for inner, text in opened(place, content):
                self.bytes_seen += len(text)
                hits += [Hit(inner, mark, name) for form, mark, name in self._forms if form in text]
        return hits


def files_in(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, by its path; the names of files and folders count as content, too."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            content = b""
            with contextlib.suppress(OSError):
                content = path.read_bytes() if path.is_file() else b""
            yield str(path), str(path.relative_to(folder)).encode() + b"\n" + content
