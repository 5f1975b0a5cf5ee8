"""J3: sign-ins, sign-outs and changed settings stand in the trail, beside every step of every delivery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from desktop.places import places
from desktop.services.ledger.errors import LedgerTrouble
from desktop.services.office import Office, open_office
from desktop.settings import Costs, Practice, Settings, SystemName

XPM: SystemName = "xero-practice-manager"
SETTINGS = Settings(practice=Practice(system=XPM))


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    made = open_office(SETTINGS, tmp_path / "platform.toml", places(str(tmp_path / "profile"), {}))
    # Neither a vendor nor a keyring is there.
    monkeypatch.setattr(made._identity, "disconnect", lambda system: "Signed out.")
    monkeypatch.setattr(made._credentials, "sign_out", lambda: None)
    yield made
    made.close()


def told(office: Office) -> list[tuple[str, str, str]]:
    return [(row.what, row.reason, row.by) for row in office._ledger.trail()]


def test_a_sign_out_stands_in_the_trail(office: Office) -> None:
    """J3: who, what, when, for whom."""
    office.disconnect(XPM)
    office.sign_out_of_infotrack()
    assert told(office) == [("signed out", XPM, "person"), ("signed out", "infotrack", "person")]
    assert office._ledger.is_sound()


def test_changed_settings_are_named_in_the_trail_without_their_values(office: Office) -> None:
    """J3: a changed setting, by its name in the platform file."""
    office.use(msgspec.structs.replace(SETTINGS, costs=Costs(code_taxed="SECRET-CODE", review="always")))
    assert told(office) == [("changed settings", "costs.code_taxed, costs.review", "person")]
    office.use(office.settings)
    assert len(told(office)) == 1


def test_a_full_disk_keeps_nobody_from_signing_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """J3: the trail is written where it can be; what a person decides counts all the same."""

    def full(what: str, **_: str) -> None:
        raise LedgerTrouble("The disk is full.")

    monkeypatch.setattr(office._ledger, "note", full)
    office.sign_out_of_infotrack()
    assert told(office) == []
