"""Is it the file that was asked for? Told by its bytes; the name counts for nothing and the content type for little."""

from __future__ import annotations

import io
import re
import zipfile

from desktop.services.errors import BadAnswer

_TAIL = 4096
_PDF_END = re.compile(rb"%%EOF|startxref\s+[0-9]+\s*\Z")
_HTML = re.compile(rb"(?is)\A(?:<\?xml[^>]*\?>\s*)?<(?:!doctype\s+html|html|head|body|title|script|meta|form|div)\b")
_SIGN_IN = re.compile(rb"(?i)type\s*=\s*[\"']?password|log[\s-]?in|sign[\s-]?in|log[\s-]?on")

_MAGIC = (
    (b"{\\rtf", ".rtf"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF87a", ".gif"),
    (b"GIF89a", ".gif"),
)
_OFFICE_2003 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def extension(content: bytes, content_type: str, *, length_proved: bool) -> str:
    """The extension, with its dot, that the content deserves. Raises BadAnswer with a sentence when it is no result file.

    `length_proved`: the transport itself showed that nothing is missing at the end. Only then may a very short PDF do
    without its end mark."""
    kind = content_type.partition(";")[0].strip().lower()
    if not content.strip(b"\x00\t\n\r "):
        raise BadAnswer("The result file is empty.")
    if b"%PDF-" in content[:1024]:
        return _pdf(content, length_proved)
    if _HTML.match(_without_comments(content[:4096].removeprefix(b"\xef\xbb\xbf"))):
        raise BadAnswer(_page(content))
    for magic, found in _MAGIC:
        if content.startswith(magic):
            return found
    if content.startswith(b"PK\x03\x04"):
        return _zip(content)
    if content.startswith(_OFFICE_2003):
        return ".xls" if "excel" in kind else ".msg" if "outlook" in kind else ".doc"
    if kind in ("text/csv", "application/csv", "text/plain") and _is_text(content):
        return ".txt" if kind == "text/plain" else ".csv"
    if kind in ("text/html", "application/xhtml+xml"):
        raise BadAnswer(_page(content))
    raise BadAnswer("What came instead of the result file is of no known kind, so it was not filed.")


def _without_comments(start: bytes) -> bytes:
    """What follows the comments at the start. By hand: a pattern would try every way to group a hundred of them."""
    rest = start.lstrip()
    while rest.startswith(b"<!--"):
        rest = rest[4:].partition(b"-->")[2].lstrip()
    return rest


def _pdf(content: bytes, length_proved: bool) -> str:
    end = content.rstrip(b"\x00\t\n\r ")[-_TAIL:]
    if not _PDF_END.search(end) and not (length_proved and len(content) < _TAIL):
        raise BadAnswer("The PDF is incomplete: its end is missing.")
    return ".pdf"


def _page(content: bytes) -> str:
    if _SIGN_IN.search(content[:200_000]):
        return "InfoTrack answered with a sign-in page instead of the result file. Check the InfoTrack login under Connections."
    return "InfoTrack answered with a web page instead of the result file."


def _zip(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise BadAnswer("The result file is incomplete: its end is missing.") from error
    for folder, found in (("word/", ".docx"), ("xl/", ".xlsx"), ("ppt/", ".pptx")):
        if "[Content_Types].xml" in names and any(name.startswith(folder) for name in names):
            return found
    return ".zip"


def _is_text(content: bytes) -> bool:
    if b"\x00" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    return not content.lstrip()[:1].startswith((b"<", b"{"))
