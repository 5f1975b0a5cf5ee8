"""What comes from elsewhere is printed by commands and kept by the profile: neither may surprise the person."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from desktop.commands import cli

ORDER = {
    "OrderId": 71000123,
    "ClientReference": "J1\u001b]0;owned\u0007\u009b31m\u202etxt\nconfirmed",
    "ServiceName": "Title Search",
    "RetailerFee": 1,
    "RetailerFeeGST": 0,
}


@pytest.fixture
def called(tmp_path: Path) -> list[str]:
    (tmp_path / "platform.toml").write_text('[practice]\nsystem = "xero-practice-manager"\n')
    (tmp_path / "orders.json").write_text(json.dumps(ORDER))
    return ["--platform", str(tmp_path / "platform.toml"), "--profile", str(tmp_path / "profile")]


def test_a_reason_from_elsewhere_steers_no_terminal_and_begins_no_line(called: list[str], tmp_path: Path) -> None:
    taken = CliRunner().invoke(cli, [*called, "results", "import", str(tmp_path / "orders.json")])
    assert taken.exit_code == 0, taken.output
    listed = CliRunner().invoke(cli, [*called, "deliveries"]).stdout
    assert "IT-71000123-T-1" in listed
    assert "owned 31mtxt confirmed" in listed
    assert len(listed.splitlines()) == 1
    assert listed.removesuffix("\n").isprintable()


@pytest.mark.skipif(sys.platform == "win32", reason="rights are kept otherwise there")
def test_every_file_of_a_new_profile_is_its_owners_alone(called: list[str], tmp_path: Path) -> None:
    """B9: the copy of the matters names clients."""
    before = os.umask(0)
    try:
        CliRunner().invoke(cli, [*called, "results", "import", str(tmp_path / "orders.json")])
        assert CliRunner().invoke(cli, [*called, "status"]).exit_code == 0
    finally:
        os.umask(before)
    profile = tmp_path / "profile"
    assert stat.S_IMODE(profile.stat().st_mode) == 0o700
    open_to_others = {path.name for path in profile.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert open_to_others == set()
    assert (profile / "directory.db").exists()
