"""The one place that parses XML, and the one that writes it.

What a caller may rely on: a document with a DTD is refused whatever its encoding says; depth, number of elements, and the
length of any text, attribute and document are capped; time is linear in the size of the input, also for a hostile one;
element names are compared without regard to case or prefix; and whatever is wrong comes as BadAnswer.

Two readings: `parse` gives a small tree, for answers that fit in one; `records` gives the records of a long list one by
one and keeps none of them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from xml.parsers import expat

from desktop.services.errors import BadAnswer
from desktop.services.practice.alike_records import AlikeRecords

# Expat below 2.6 scans an unfinished token again from its start with each piece that is fed: few large pieces keep that
# linear. The first piece is small, so that a hostile document is met before much of it is in memory.
_FIRST_BLOCK = 16_384
_BLOCK = 262_144
# An attribute at the cap has a tag around it.
_TAG = 4_096
_TEXT_BUFFER = 65_536
_BLANKS = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Caps:
    """How much of a document is believed. `bytes` counts the document, `text` a single text or attribute."""

    bytes: int
    elements: int = 200_000
    depth: int = 64
    text: int = 1_000_000


JOB_LIST = Caps(128_000_000, elements=5_000_000)
LIST = Caps(20_000_000)
RECORD = Caps(5_000_000)
ORDER = Caps(20_000_000)


@dataclass(slots=True, eq=False)
class Element:
    """An element of a small document. `name` is without prefix; `text` is its own text, without its children's."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def named(self, name: str) -> list[Element]:
        """The children of that name, in order."""
        wanted = name.lower()
        return [child for child in self.children if child.name.lower() == wanted]

    def one(self, name: str) -> Element | None:
        """The child of that name. Raises BadAnswer when there are several: which one counts can't be known."""
        found = self.named(name)
        if len(found) > 1:
            raise BadAnswer(f"The answer holds {_shown(name)} more than once.")
        return found[0] if found else None

    def value(self, name: str) -> str:
        """The child's text without blanks around it; empty when it is missing or empty. Raises BadAnswer as `one`."""
        found = self.one(name)
        return found.text.strip() if found is not None else ""

    def need(self, name: str) -> str:
        """As `value`; raises BadAnswer also when there is nothing."""
        value = self.value(name)
        if not value:
            raise BadAnswer(f"The answer lacks {_shown(name)}.")
        return value


def parse(
    source: bytes | Iterable[bytes], caps: Caps = RECORD, *, encoding: str | None = None, charset: str | None = None
) -> Element:
    """The document as a tree. `encoding` overrides what the document declares, `charset` (see `charset_of`) counts where it
    declares nothing. Raises BadAnswer, and whatever reading `source` raises."""
    top = Element("")
    open_elements = [top]
    texts: list[list[str]] = [[]]
    sizes = [0]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_elements) > caps.depth:
            raise _too_deep()
        if attributes:
            _check_attributes(attributes, caps)
        element = Element(_local(name), attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)
        texts.append([])
        sizes.append(0)

    def end(_name: str) -> None:
        open_elements.pop().text = "".join(texts.pop())
        sizes.pop()

    def characters(text: str) -> None:
        sizes[-1] += len(text)
        if sizes[-1] > caps.text:
            raise _too_long()
        texts[-1].append(text)

    for _ in _feed(source, caps, encoding, charset, start, end, characters):
        pass
    return top.children[0]


@dataclass(frozen=True, slots=True)
class Many:
    """Within a record: an element that may come several times, each time with the texts of these elements in it."""

    names: tuple[str, ...]


Fields = Mapping[str, "Many | Fields | None"]
"""Element name -> None for a text, or the fields below it."""

Record = list[Any]
"""What the fields held, in the order in which the shape names them: a text, for `Many` a list of lists of texts. None
stands for an element that did not come. Behind the shape's fields there may be places that mean nothing."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A list of records: `Response/<container>/<record>`, or `<container>` as the root."""

    container: str
    record: str
    fields: Fields
    envelope: tuple[str, ...] = ("Status", "ErrorDescription")


@dataclass(slots=True)
class Envelope:
    """What stood around a list. `values` has lower-case names."""

    values: dict[str, str] = field(default_factory=dict)
    wrapped: bool = False
    container_seen: bool = False


def records(
    source: Iterable[bytes],
    shape: Shape,
    caps: Caps,
    envelope: Envelope,
    *,
    by_likeness: bool = True,
    charset: str | None = None,
) -> Iterator[Record]:
    """The records one by one as they are read; `envelope` is complete when the last one has come. A field that comes
    twice in a record is refused, an unknown element is ignored. `charset` as for `parse`. Raises BadAnswer.

    `by_likeness`: read records alike without the parser; what comes out is the same, in half the time."""
    done: list[Record] = []
    chunks: list[str] = []
    held: list[str] = []
    take = done.append
    clear = chunks.clear

    def text() -> str:
        whole = "".join(held) + "".join(chunks)
        held.clear()
        if len(whole) > caps.text:
            raise _too_long()
        return whole

    def interrupted() -> None:
        held.append("".join(chunks))

    slot, blank = _slots(shape, caps, interrupted)
    root = slot
    record = blank[:]

    # These two run some four million times for a large firm: each line here is a tenth of a second there.
    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal slot
        if attributes:
            _check_attributes(attributes, caps)
        slot = slot[name]
        clear()

    def end(name: str) -> None:
        nonlocal slot, record
        place = slot.place
        if place is not None:
            if record[place] is not None:
                raise BadAnswer(f"The answer holds {_shown(name)} more than once in a record.")
            if held or len(chunks) > 1:
                record[place] = text()
            else:
                record[place] = chunks[0] if chunks else ""
        elif slot.closes:
            if slot.completes:
                take(record)
                record = blank[:]
            else:
                close(name)
        slot = slot.parent

    def close(name: str) -> None:
        if (many := slot.many) is not None:
            low, high = slot.gathered
            found = record[low:high]
            record[low:high] = blank[low:high]
            if record[many] is None:
                record[many] = []
            record[many].append(found)
        elif (around := slot.around) is not None:
            if around in envelope.values:
                raise BadAnswer(f"The answer holds {_shown(name)} more than once.")
            envelope.values[around] = text() if slot.interrupted else ""
        else:
            # An unknown element within a text: the rest of that text follows.
            clear()

    def ask(one: str) -> Record | None:
        bare = slot.parent is root
        around = shape.container if bare else f"Response><{shape.container}"
        behind = shape.container if bare else f"{shape.container}></Response"
        document = f"<{around}>{one}</{behind}>".encode()
        try:
            answer = list(records([document], shape, caps, Envelope(), by_likeness=False))
        except BadAnswer:
            return None
        return answer[0] if len(answer) == 1 else None

    alike = AlikeRecords(shape.record, longest=caps.text, ask=ask, inside=lambda: slot.holds_records, give=take)
    unfinished = lambda: sum(map(len, chunks)) + sum(map(len, held))  # noqa: E731
    for _ in _feed(source, caps, None, charset, start, end, chunks.append, unfinished, alike if by_likeness else None):
        yield from done
        done.clear()
    envelope.wrapped = root.wrapped
    envelope.container_seen = shape.container.lower() in envelope.values


class _Slot(dict[str, "_Slot"]):
    """A place in the expected document: which place a child's name leads to, and what to do when this one ends.

    Names are looked up as they are written; only one not met before takes the way through `__missing__`."""

    __slots__ = (
        "around",
        "closes",
        "completes",
        "gathered",
        "holds_records",
        "interrupted",
        "known",
        "levels",
        "many",
        "parent",
        "place",
        "wrapped",
    )

    def __init__(self, parent: _Slot | None, levels: int) -> None:
        super().__init__()
        self.parent: _Slot = self if parent is None else parent
        self.levels = levels
        """How many levels of elements may still come below."""
        self.known: dict[str, _Slot] = {}
        self.place: int | None = None
        """Where in the record this element's text goes."""
        self.closes = False
        """Whether there is anything to do at the end, other than for a text."""
        self.completes = False
        self.holds_records = False
        self.many: int | None = None
        self.gathered = (0, 0)
        self.around: str | None = None
        self.interrupted: Callable[[], None] | None = None
        self.wrapped = False

    def __missing__(self, name: str) -> _Slot:
        slot = self.known.get(_local(name).lower())
        if slot is not None:
            self[name] = slot
            return slot
        if self.levels == 0:
            raise _too_deep()
        if self.interrupted is not None:
            self.interrupted()
        # One slot for all unknown elements here, whatever they are called.
        slot = self.known.get("")
        if slot is None:
            slot = self.known[""] = _Slot(self, self.levels - 1)
            slot.closes = self.interrupted is not None
        return slot


class _Root(_Slot):
    __slots__ = ()

    def __missing__(self, name: str) -> _Slot:
        slot = self.known.get(_local(name).lower())
        if slot is None:
            raise BadAnswer("The answer is XML, but not the list that was asked for.")
        self.wrapped = _local(name).lower() == "response"
        return slot


def _slots(shape: Shape, caps: Caps, interrupted: Callable[[], None]) -> tuple[_Slot, Record]:
    """The expected document, and a record without anything in it."""
    places = 0
    several: list[tuple[_Slot, tuple[str, ...]]] = []

    def below(parent: _Slot, name: str) -> _Slot:
        slot = parent.known[name.lower()] = _Slot(parent, parent.levels - 1)
        return slot

    def leaf(parent: _Slot, name: str) -> _Slot:
        slot = below(parent, name)
        slot.interrupted = interrupted
        return slot

    def build(fields: Fields, parent: _Slot) -> None:
        nonlocal places
        for name, meaning in fields.items():
            if meaning is None:
                leaf(parent, name).place = places
                places += 1
            elif isinstance(meaning, Many):
                slot = below(parent, name)
                slot.closes = True
                slot.many = places
                places += 1
                several.append((slot, meaning.names))
            else:
                build(meaning, below(parent, name))

    def container(parent: _Slot) -> None:
        nonlocal places
        slot = below(parent, shape.container)
        slot.closes = slot.holds_records = True
        slot.around = shape.container.lower()
        record = below(slot, shape.record)
        record.closes = record.completes = True
        places = 0
        several.clear()
        build(shape.fields, record)
        for repeated, names in several:
            repeated.gathered = (places, places + len(names))
            build(dict.fromkeys(names), repeated)

    root = _Root(None, caps.depth)
    response = below(root, "Response")
    for name in shape.envelope:
        around = leaf(response, name)
        around.closes = True
        around.around = name.lower()
    container(response)
    container(root)
    return root, [None] * places


def _feed(
    source: bytes | Iterable[bytes],
    caps: Caps,
    encoding: str | None,
    charset: str | None,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    characters: Callable[[str], object],
    unfinished: Callable[[], int] | None = None,
    alike: AlikeRecords | None = None,
) -> Iterator[None]:
    """Feeds the parser under every cap; yields after each block. The only caller of the XML parser in the house."""
    parser: expat.XMLParserType | None = None
    to_utf8: Callable[[bytes, bool], bytes] | None = None
    fed = 0
    elements = 0
    cut = False
    try:
        for block in _blocks(source, caps.bytes):
            if parser is None:
                # A template's blank line before the declaration is not well-formed, and no reason to believe nothing of the rest.
                block = block.lstrip(_BLANKS)
                if not block:
                    continue
                encoding, to_utf8 = _how_to_read(block, encoding, charset)
                if encoding not in (None, "utf-8"):
                    alike = None  # it reads UTF-8
                parser = expat.ParserCreate(encoding)
                parser.buffer_text = True
                parser.buffer_size = _TEXT_BUFFER
                parser.StartElementHandler = start
                parser.EndElementHandler = end
                parser.CharacterDataHandler = characters
                parser.StartDoctypeDeclHandler = _refuse_dtd
                parser.EntityDeclHandler = _refuse_dtd
                parser.ExternalEntityRefHandler = cast(Any, _refuse_dtd)
            data = to_utf8(block, False) if to_utf8 else block
            # Each start tag has one "<" without "/": this is at least the number of elements, found at the speed of memory.
            elements += data.count(b"<") - data.count(b"</") - (cut and data.startswith(b"/"))
            if elements > caps.elements:
                raise BadAnswer("The answer holds more elements than it may.")
            cut = data.endswith(b"<")
            for piece in alike.feed(data) if alike else (data,):
                fed += len(piece)
                parser.Parse(piece, False)
            if fed - max(parser.CurrentByteIndex, 0) > caps.text + _TAG:
                raise _too_long()
            if unfinished is not None and unfinished() > caps.text:
                raise _too_long()
            yield
        if parser is None:
            raise BadAnswer("The answer is empty.")
        last = to_utf8(b"", True) if to_utf8 else b""
        for piece in alike.rest() if alike else ():
            parser.Parse(piece, False)
        parser.Parse(last, True)
        yield
    except expat.ExpatError as error:
        raise BadAnswer("The answer is not well-formed XML.") from error
    except (UnicodeError, LookupError, ValueError) as error:
        raise BadAnswer("The answer is in an encoding that can't be read.") from error


def _blocks(source: bytes | Iterable[bytes], cap: int) -> Iterator[bytes]:
    """The source in large pieces. Raises BadAnswer over the cap."""
    if isinstance(source, bytes):
        if len(source) > cap:
            raise _too_large()
        if source:
            yield source[:_FIRST_BLOCK]
        for at in range(_FIRST_BLOCK, len(source), _BLOCK):
            yield source[at : at + _BLOCK]
        return
    waiting: list[bytes] = []
    size = total = 0
    enough = _FIRST_BLOCK
    for piece in source:
        total += len(piece)
        if total > cap:
            raise _too_large()
        waiting.append(piece)
        size += len(piece)
        if size >= enough:
            yield b"".join(waiting)
            waiting.clear()
            size = 0
            enough = _BLOCK
    if size:
        yield b"".join(waiting)


_DECLARED = re.compile(rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
# What is said of text that is in fact UTF-8 (or has nothing but ASCII in it).
_IN_FACT_UTF8 = (b"utf-16", b"ucs-2", b"iso-10646-ucs-2", b"utf8", b"us-ascii", b"ascii")
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE | re.ASCII)


def charset_of(headers: Mapping[str, str]) -> str | None:
    """The alphabet of one byte a letter that a Content-Type names; None for all else, which documents tell of themselves."""
    named = _CHARSET.search(headers.get("content-type", ""))
    try:
        known = codecs.lookup(named[1]).name if named else ""
    except LookupError:
        return None
    return known if known.startswith(("iso8859", "cp125")) else None


def _how_to_read(
    first: bytes, encoding: str | None, charset: str | None
) -> tuple[str | None, Callable[[bytes, bool], bytes] | None]:
    """The encoding that overrides the declaration (None: as declared), and what turns the bytes into UTF-8.

    What the bytes are counts more than what they say: programs write text that was declared UTF-16 as UTF-8, and back."""
    if encoding is not None:
        return encoding, None
    if first.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise BadAnswer("The answer is in an encoding that can't be read.")
    wide = ""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        wide = "utf-16"
    elif first.startswith(b"<\0"):
        wide = "utf-16-le"
    elif first.startswith(b"\0<"):
        wide = "utf-16-be"
    if wide:
        decoder = codecs.getincrementaldecoder(wide)("strict")
        return "utf-8", lambda data, final: decoder.decode(data, final).encode("utf-8")
    declared = _DECLARED.match(first)
    if declared and declared[1].lower().startswith(_IN_FACT_UTF8):
        return "utf-8", None
    return (None if declared or first.startswith(codecs.BOM_UTF8) else charset), None


def _refuse_dtd(*_: object) -> None:
    raise BadAnswer("The answer holds a document type definition, which is refused.")


def _check_attributes(attributes: Mapping[str, str], caps: Caps) -> None:
    if sum(map(len, attributes.values())) > caps.text:
        raise _too_long()


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _shown(name: str) -> str:
    return f"“{name[:40]}”"


def _too_deep() -> BadAnswer:
    return BadAnswer("The answer is nested too deeply.")


def _too_long() -> BadAnswer:
    return BadAnswer("A value in the answer is longer than it may be.")


def _too_large() -> BadAnswer:
    return BadAnswer("The answer is larger than it may be.")


# What XML 1.0 can't hold: control characters, lone surrogates and two non-characters. And what a parser would change:
# both kinds of carriage return become a line feed.
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def writable(text: str) -> str:
    """The text as it will be read back: line ends as one line feed, without characters that XML can't hold."""
    return _IMPOSSIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def build(name: str, values: Iterable[tuple[str, str]]) -> bytes:
    """A document of one element with children in the given order, in UTF-8 with a declaration."""
    from xml.etree import ElementTree

    root = ElementTree.Element(name)
    for child, value in values:
        ElementTree.SubElement(root, child).text = writable(value)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
