"""Bytes that came from elsewhere, as text: by byte order mark, by what is evident, or by what the XML itself declares."""

from __future__ import annotations

import codecs
import re

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["'][^>]{0,200}?\?>""")
_DECLARATION = re.compile(r"^\s*<\?xml\b[^>]{0,400}?\?>")
_DECLARATIONS = re.compile(r"<\?xml\s[^<>]{0,400}\?>")

# What programs in offices write. Others (UTF-7 above all) exist only to smuggle something past a reader.
_READABLE = frozenset(
    {"utf-8", "ascii", "utf-16", "utf-16-le", "utf-16-be", "cp437", "cp850", "cp852", "cp858", "cp866", "cp874", "mac-roman"}
    | {f"iso8859-{part}" for part in range(1, 17)}
    | {f"cp{page}" for page in range(1250, 1259)}
    | {"koi8-r", "koi8-u", "gb18030", "gbk", "gb2312", "big5", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949"}
)


class NotText(ValueError):
    """The bytes are no text in an encoding that is accepted. The message is a sentence."""


def decode(data: bytes) -> str:
    """The text without a byte order mark and without an XML declaration. Raises NotText.

    A byte order mark wins over a declaration, and so does what is evident from the first bytes: programs that write a
    text as UTF-8 often leave a declaration of UTF-16 in it, and the other way round."""
    try:
        return _DECLARATION.sub("", data.decode(_encoding(data)).removeprefix("\ufeff"), count=1)
    except (UnicodeDecodeError, UnicodeError):
        raise NotText("The text is not in the encoding that it claims (UTF-8, where it claims none).") from None


def without_declarations(text: str) -> str:
    """Text that was decoded already: what an XML declaration in it, at the start or further on, says of bytes is past."""
    return _DECLARATIONS.sub("", text)


def _encoding(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(data) >= 2 and data[0] and not data[1]:
        return "utf-16-le"
    if len(data) >= 2 and data[1] and not data[0]:
        return "utf-16-be"
    declared = _DECLARED.match(data[:1000])
    if not declared:
        return "utf-8"
    try:
        name = codecs.lookup(declared[1].decode("ascii")).name
    except LookupError:
        raise NotText("The file declares an encoding that is not known here.") from None
    if name not in _READABLE:
        raise NotText("The file declares an encoding that is not accepted here.")
    # The declaration itself was readable as single bytes, so it can't be UTF-16.
    return "utf-8" if name.startswith("utf-16") else name
