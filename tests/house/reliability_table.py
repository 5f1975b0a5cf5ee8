"""What shows each reliability item: a table made from the item ids in the tests' docstrings.

python -m tests.house.reliability_table            prints docs/reliability.md as it should be
python -m tests.house.reliability_table --write    writes it
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.house.reliability_lists import LEVELS, MISTAKES, Shown

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability.md"

GROUPS = {"A": 27, "B": 11, "C": 19, "D": 20, "G": 19, "H": 8, "I": 15, "J": 12}
TITLES = {
    "A": "Signing in",
    "B": "Keeping secrets",
    "C": "The durable store",
    "D": "Exactly one effect",
    "G": "The embedded browser",
    "H": "XML",
    "I": "Installer, update, supply chain",
    "J": "Privacy, audit, diagnostics",
}
ITEMS = {
    "A1": "Sign-in in the system's browser only",
    "A2": "PKCE S256, fresh for each attempt",
    "A3": "State: random, one use, bound to the attempt",
    "A4": "Wrong callbacks neither end nor hang the sign-in",
    "A5": "Listener on loopback, open for the sign-in only",
    "A6": "Both address families where `localhost` is asked",
    "A7": "Several registered ports, tried in order",
    "A8": "Exclusive bind on Windows",
    "A9": "Idle connections do not block the callback",
    "A10": "Bounded, cancellable, repeatable sign-in",
    "A11": "Shared host: foreign users of the port",
    "A12": "Static, unstored reply page; the code leaves the address bar",
    "A13": "Issuer compared and pinned",
    "A14": "Claims of the ID token",
    "A15": "Clock skew",
    "A16": "Expiry from receipt; sleep and clock jumps",
    "A17": "One refresh at a time in a process",
    "A18": "One refresh at a time across processes",
    "A19": "A refused refresh reads the store first",
    "A20": "Rotation durable before use",
    "A21": "A network failure is no sign-out",
    "A22": "Sign-out revokes, then forgets",
    "A23": "Another tenant never gets the old queue",
    "A24": "No secret in logs, arguments, files, windows",
    "A25": "Least scopes, shown before",
    "A26": "TLS by the system's store, no way around",
    "A27": "The system's proxy, also for our calls",
    "B1": "Nothing large is handed to the keyring",
    "B2": "Keyring errors told apart",
    "B3": "Keyring calls off the GUI thread, with a limit",
    "B4": "A changed backend is not «signed out»",
    "B5": "No silent plain-text fallback",
    "B6": "Local-machine persistence on Windows",
    "B7": "Another user or machine can't read it",
    "B8": "Atomic under concurrency",
    "B9": "No usable token in files",
    "B10": "Removal and reinstall",
    "B11": "A changed code signature or renamed program",
    "C1": "Settings of the database are read back",
    "C2": "A SQLite without the lost-commit bug",
    "C3": "Power cut loses nothing acknowledged",
    "C4": "Any I/O error loses nothing acknowledged",
    "C5": "`kill -9` at any time",
    "C6": "Disk full",
    "C7": "Reserve for state changes on a full disk",
    "C8": "Store in the local profile only",
    "C9": "File systems that are not known good",
    "C10": "One tray; commands beside it; one courier",
    "C11": "No file calls on live databases",
    "C12": "Immediate transactions, no network inside",
    "C13": "Corruption is found, and nothing sent",
    "C14": "Client data at rest",
    "C15": "Schema changes",
    "C16": "Virus scanners and renames",
    "C17": "Sleep, clock and time zone",
    "C18": "A vanished database file is noticed",
    "C19": "Forks and descriptors",
    "D1": "No duplicates, no losses",
    "D2": "Checked against the server's own books",
    "D3": "Every fate of a request",
    "D4": "The HTTP stack never sends a write again",
    "D5": "Redirects on writes are not followed",
    "D6": "«Absent» is believed after a quiet time only",
    "D7": "A deterministic key in the books",
    "D8": "Look-alikes never confirm",
    "D9": "The first send looks first",
    "D10": "Late sweep for doubles",
    "D11": "A bad item blocks no other",
    "D12": "Order within a job",
    "D13": "Back-off and Retry-After",
    "D14": "Limits shared by all desks",
    "D15": "People before background",
    "D16": "Nothing shown as posted before it is confirmed",
    "D17": "Honest cancelling",
    "D18": "A repeated body is the same to the byte",
    "D19": "Money is decimal",
    "D20": "Local metrics",
    "G1": "Every engine setting is set by us",
    "G2": "Top-level navigation by allow-list",
    "G3": "Sub-resources are filtered",
    "G4": "Certificate errors are final",
    "G5": "Permissions denied, never stored",
    "G6": "Downloads by our handler only",
    "G7": "Popups",
    "G8": "No channel to remote pages",
    "G9": "Our scripts in a world of their own",
    "G10": "Sign-out wipes the browser's profile",
    "G11": "Our tokens never enter a page",
    "G12": "The engine's sandbox is on",
    "G13": "Gate on the engine's patch level",
    "G14": "No debugging door",
    "G15": "No GPU, remote desktops, crashes",
    "G16": "Single sign-on that refuses embedded browsers",
    "G17": "Honest user agent",
    "G18": "A crashed page",
    "G19": "The packaged program",
    "H1": "One parse function",
    "H2": "DTDs refused",
    "H3": "Bodies capped while read",
    "H4": "Depth, count and length caps",
    "H5": "Expat's version",
    "H6": "Built by library, never by string",
    "H7": "Unknown, missing, doubled elements",
    "H8": "Strict numbers and dates",
    "I1": "Everything executable is signed and time-stamped",
    "I2": "What expires is a calendar job",
    "I3": "A folder, no packer, full version resource",
    "I4": "Per machine by default, per user as the choice",
    "I5": "An NSIS that is safe, or never run as SYSTEM",
    "I6": "Nothing is loaded from a Downloads folder",
    "I7": "Nothing of an elevated installation is writable by persons",
    "I8": "Updates: signed list and signed package, no rollback, no freeze, keys offline",
    "I9": "WinSparkle, if used",
    "I10": "An update never interrupts a send",
    "I11": "Going back works or is refused in words, and never eats the queue",
    "I12": "Managed firms decide on updates by policy",
    "I13": "Builds repeatable",
    "I14": "Bill of parts with the embedded C libraries",
    "I15": "Silent setup, repair and removal keep what they promise",
    "J1": "Logs hold no name, matter, file, note, address, token",
    "J2": "Redaction by allow-list",
    "J3": "Audit trail of every step",
    "J4": "Append-only and tamper-evident",
    "J5": "Retention is a setting",
    "J6": "Export that an auditor can read",
    "J7": "Diagnostics: made, seen and sent by the person only",
    "J8": "No telemetry; crash reports stay here",
    "J9": "Data minimum",
    "J10": "Screen privacy",
    "J11": "Self-assessment made from tests",
    "J12": "Security contact, advisories, runbook",
}

WITHOUT = {
    "B11": "About macOS, for which there is no build. Windows' and Linux' stores ask nothing of a program's signature or name.",
    "D20": "The numbers can be had from the trail; no report is made of them yet.",
    "G16": "By hand for each identity provider.",
    "I9": "Not used: iConnect's own updates are TUF's (I8).",
    "J11": "This page is made from tests and a test fails when it is out of date; Xero's yearly sheet is not made from it yet.",
    "J12": "For whoever sells iConnect: contact, advisory page and promised times are to be named before the first release.",
}
"""Why there is no test (yet). An item that gets one must leave this table: a test sees to it."""

SO_FAR = {
    "C9": "That it is told. Working on a mounted FAT or network volume is tried by hand.",
    "G19": "Not tried: a bundle that its own update replaced on a real Windows; under Wine and in a clean Debian it was.",
    "H5": "Python 3.11 brings what its builder chose; our guard refuses long tokens whatever Expat does.",
    "I1": "With a certificate made for the test; no release has a publisher's certificate yet.",
    "I2": "For the update lists. The certificate's own end is for the release calendar: there is none yet.",
    "I4": "Under Wine. AppLocker itself was not tried.",
    "I6": "For the current folder. Fake system libraries beside the setup were not tried on a real Windows.",
    "I7": "For the Debian package. The Windows setup asks for the same by icacls; no access list of a real Windows was dumped.",
    "I11": "For the queue and the update's offers; setups of the last three versions do not exist yet.",
    "I14": "The daily check for known holes is the scanner's of whoever releases: the bill names each part as such lists do.",
    "J3": "For deliveries; a sign-in and a sign-out are not in the trail.",
    "J8": "Crash reports. First day's traffic was not watched on a firm's network.",
}
"""What of an item its tests do not show. It stands beside them."""

_ID = re.compile(r"\b([ABCDGHIJ])(\d{1,2})\b(?:\s*(?:-|–|to)\s*\1?(\d{1,2})\b)?")


def ids_in(docstring: str) -> list[str]:
    """The item ids that a docstring begins with: `A16, A17: …`, `A3.`"""
    head = re.match(r"((?:[ABCDGHIJ]\d{1,2}(?:\s*(?:-|–)\s*[ABCDGHIJ]?\d{1,2})?(?:\s*(?:,|and)\s*)?)+)", docstring.strip())
    sentences = [head.group(1)] if head else []
    # A second item may come later in the text, at the beginning of a sentence.
    sentences += [match.group(1) for match in re.finditer(r"[.;]\s+([ABCDGHIJ]\d{1,2}(?:, [ABCDGHIJ]\d{1,2})*):", docstring)]
    found = []
    for sentence in sentences:
        for letter, first, last in _ID.findall(sentence):
            numbers = range(int(first), int(last or first) + 1)
            found += [f"{letter}{number}" for number in numbers if 1 <= number <= GROUPS[letter]]
    return found


def collect(root: Path = ROOT) -> dict[str, list[str]]:
    """Item -> the tests that name it, as `path::name`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = path.relative_to(root / "tests").as_posix()
        for item in ids_in(ast.get_docstring(tree) or ""):
            found[item].append(name)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and (node.name.startswith(("test", "Test"))):
                for item in dict.fromkeys(ids_in(ast.get_docstring(node) or "")):
                    found[item].append(f"{name}::{node.name}")
    return found


def page(found: dict[str, list[str]]) -> str:
    """The whole page."""
    with_tests = sum(1 for item in ITEMS if found.get(item))
    tests = len({test for item in ITEMS for test in found.get(item, ())})
    lines = [
        "# Reliability: what is shown, and by which test",
        "",
        "Each item is a promise about what can go wrong on a firm's PC, at a vendor or on the way. A test names the items that",
        "it shows at the beginning of its docstring. This page is made from those names, and a test fails when it is out of date:",
        "",
        "    python -m tests.house.reliability_table --write",
        "",
        "Where there is no test, the reason stands in its place.",
        "",
        f"{with_tests} of {len(ITEMS)} items are shown by {tests} tests.",
    ]
    for letter, count in GROUPS.items():
        lines += ["", f"## {letter}. {TITLES[letter]}", "", "| item | promise | shown by |", "| --- | --- | --- |"]
        for number in range(1, count + 1):
            item = f"{letter}{number}"
            lines.append(
                f"| {item} | {ITEMS[item]} | {_shown_by(found.get(item, []), WITHOUT.get(item) or SO_FAR.get(item, ''))} |"
            )
    lines += ["", "## F. The levels of testing", "", "| level | what | shown by |", "| --- | --- | --- |", *_listed(LEVELS)]
    lines += ["", "The code with bugs planted in it is the proof of the tests: `python tests/faults/plant.py`."]
    lines += ["", "## Others' mistakes", "", "Each was made by somebody in public.", ""]
    lines += ["| no. | mistake | shown by |", "| --- | --- | --- |", *_listed(MISTAKES)]
    return "\n".join(lines) + "\n"


def _listed(shown: Sequence[Shown]) -> list[str]:
    return [f"| {number} | {one.what} | {_shown_by(one.tests, one.remark)} |" for number, one in enumerate(shown, start=1)]


def _shown_by(tests: Sequence[str], otherwise: str) -> str:
    if not tests:
        return f"— {otherwise or 'Not yet.'}"
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        file, _, name = test.partition("::")
        by_file[file].append(name)
    parts = []
    for file, names in by_file.items():
        named = [name.removeprefix("test_").replace("_", " ") for name in names if name]
        parts.append(f"`{file}`" + (": " + "; ".join(named) if named else ""))
    return "<br>".join([*parts, otherwise] if otherwise else parts)


def main() -> int:
    text = page(collect())
    if "--write" in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
