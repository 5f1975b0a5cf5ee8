"""How far the browser engine's security patches are behind (G13): for the build, `doctor`, and the diagnostics bundle.

The list is kept by hand, newest last: whoever takes a new PySide6-WebEngine, or reads of a newer Chromium patch release,
adds a line with the day on which it could be had. An engine more than 30 days behind the newest line must not be shipped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

KNOWN: tuple[tuple[str, date], ...] = (
    # PySide6-WebEngine 6.12.0.140: the newest that could be had on that day
    ("152.0.7977.83", date(2026, 11, 22)),
)

MOST_BEHIND = timedelta(days=30)
LIST_GROWS_OLD = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class PatchFinding:
    """`ok` False: must be updated. `sentence` says what was found and, if need be, what to do."""

    ok: bool
    version: str
    sentence: str


def running_patch_level() -> str:
    """Loads the engine's library (some 30 MiB): not for the tray process."""
    from PySide6.QtWebEngineCore import qWebEngineChromiumSecurityPatchVersion

    version: object = qWebEngineChromiumSecurityPatchVersion()  # text, though declared as bytes
    return version.decode("ascii") if isinstance(version, bytes) else str(version)


def patch_finding(version: str, today: date, known: tuple[tuple[str, date], ...] = KNOWN) -> PatchFinding:
    """Compares with the list, which is in the order of the versions and not empty."""
    running = _parts(version)
    newest, newest_day = known[-1]
    if not running:
        return PatchFinding(False, version, "The browser engine does not say how far it is patched. Install iConnect again.")
    if running < _parts(newest):
        older = [day for one, day in known if _parts(one) <= running]
        behind = newest_day - older[-1] if older else None
        if behind is None or behind > MOST_BEHIND:
            days = "too far" if behind is None else f"{behind.days} days"
            return PatchFinding(
                False, version, f"The browser engine's security patches ({version}) are {days} behind {newest}. Update iConnect."
            )
    if today - newest_day > LIST_GROWS_OLD:
        return PatchFinding(
            True,
            version,
            f"Security patches up to {version}; the list ends on {newest_day.isoformat()}. Look for an update.",
        )
    return PatchFinding(True, version, f"Security patches up to {version}.")


def _parts(version: str) -> tuple[int, ...]:
    parts = version.strip().split(".")
    return tuple(int(part) for part in parts) if all(part.isascii() and part.isdigit() for part in parts) else ()
