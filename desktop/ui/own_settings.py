"""What the Settings window edits, and the door through which it is read and kept.

One value, so that the window depends on nothing else: the composition root translates it from and to the person's file.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

Amounts = Literal["ex_gst", "inc_gst"]
Review = Literal["never", "differences", "always"]
Notifications = Literal["none", "errors", "all"]


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """The values in force now, whoever set them. `system` is a practice system's contract name; `folder` is where documents
    are filed in the practice system; `results_folder` is the drop folder on this PC, empty for none. `shortcut` is a key
    combination as text, empty for none. `matters_in_notices`: tray notices name matters, which others may see."""

    system: str
    code_taxed: str = ""
    code_untaxed: str = ""
    amounts: Amounts = "ex_gst"
    markup_percent: Decimal = Decimal(0)
    billable: bool = True
    description: str = "{service} - {reference}"
    file_name: str = "{service} {reference} {order_id}"
    folder: str = "InfoTrack"
    review: Review = "never"
    results_folder: str = ""
    notifications: Notifications = "errors"
    start_at_sign_in: bool = False
    shortcut: str = ""
    matters_in_notices: bool = False


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """`locked` names the fields that the firm's platform file does not let a person change; `systems` are those on offer;
    `proxy` says in a sentence how this PC reaches the internet, empty where that is not known."""

    values: OwnSettings
    systems: tuple[str, ...]
    locked: frozenset[str] = frozenset()
    proxy: str = ""


class SettingsDoor(Protocol):
    """Both are called on a worker thread and raise ActionFailed with a sentence for a person."""

    def load(self) -> LoadedSettings: ...

    def save(self, values: OwnSettings) -> None:
        """Keeps the values, durably, and makes the services use them."""
        ...
