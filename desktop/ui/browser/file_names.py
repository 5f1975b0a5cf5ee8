"""Names and kinds of files that a page may save. Pure; the names come from the web."""

from __future__ import annotations

import re
import unicodedata

MOST_LETTERS = 120
"""Of the whole name: a path on Windows must still fit with a folder before it."""

ALLOWED = frozenset(
    {".pdf", ".doc", ".docx", ".rtf", ".txt", ".csv", ".xls", ".xlsx", ".tif", ".tiff", ".jpg", ".jpeg", ".png", ".zip"}
)

_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"} | {f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"}
)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_BY_TYPE = {
    "application/pdf": ".pdf",
    "application/msword": ".doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/zip": ".zip",
    "image/tiff": ".tif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "text/csv": ".csv",
    "text/plain": ".txt",
    "application/rtf": ".rtf",
}
_RISKY = re.compile(
    r"\.(exe|com|bat|cmd|scr|pif|msi|msp|js|jse|vbs|vbe|wsf|wsh|ps1|psm1|hta|lnk|url|jar|cpl|dll|reg|html?|svg|xht|xhtml|chm|iso|img|app|sh|desktop)"
    r"(?=\.|$)",
    re.IGNORECASE,
)


def safe_name(suggested: str, content_type: str = "") -> str | None:
    """A name that is safe on Windows and shows what it is; None for a kind of file that is not saved.

    Folders, control and direction marks, device names, trailing dots and spaces go; an inner ending that a program would
    run («deed.exe.pdf») loses its dot; the ending comes from the name, else from the content type."""
    text = unicodedata.normalize("NFC", suggested)
    text = "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    text = re.split(r"[/\\]", text)[-1]
    text = _FORBIDDEN.sub("_", text)
    text = re.sub(r"\s+", " ", text).strip(" .")
    stem, dot, ending = text.rpartition(".")
    ending = (dot + ending).lower()
    if not dot or not stem.strip(" ."):
        stem, ending = text.strip(" ."), ""
        if f".{stem.lower()}" in ALLOWED:  # «.pdf» alone
            stem, ending = "", f".{stem.lower()}"
    if not re.fullmatch(r"\.[a-z0-9]{1,5}", ending):
        stem, ending = (stem + ending).strip(" ."), _BY_TYPE.get(content_type.split(";")[0].strip().lower(), "")
    if ending not in ALLOWED:
        return None
    stem = _RISKY.sub(lambda found: "_" + found.group(1), stem)
    stem = re.sub(r"\.{2,}", ".", stem).strip(" .") or "document"
    if stem.split(".")[0].strip().lower() in _DEVICES:
        stem = "_" + stem
    return stem[: MOST_LETTERS - len(ending)].strip(" .") + ending


def looks_like_pdf(beginning: bytes) -> bool:
    """By its content: %PDF- within the first 1024 bytes, as readers accept it."""
    return b"%PDF-" in beginning[:1024]


def order_number_in(url: str, name: str) -> str:
    """The order's number where the download's address ends in …/order/download/NUMBER (seen in public client code), or where the
    file's name holds exactly one number of 7 to 10 digits; else empty. A suggestion for a person to check."""
    found = re.search(r"/order/download/0*([1-9][0-9]{3,11})(?:[/?#]|$)", url, re.IGNORECASE)
    if found:
        return found.group(1)
    numbers = re.findall(r"(?<![0-9])[1-9][0-9]{6,9}(?![0-9])", name)
    return numbers[0] if len(numbers) == 1 else ""
