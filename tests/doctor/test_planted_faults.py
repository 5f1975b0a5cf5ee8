"""One fault at a time, planted for real: doctor finds it, names it and says the cure; and where all is well it says nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.installation import Installation, Outside, outside
from tests.doctor.planted import BLIND, PLANTS, Plant
from tests.doctor.rig import Rig, mounts_work, rig
from tests.ui.virtual_screen import TOOLS

pytestmark = pytest.mark.journey

NORMAL_NOTES = {
    "screen",  # the test has none
    "times",  # the sandbox's are short
    "Expat",  # Python's own
    "ledger's backups",
    "redirect ports",  # the sandbox takes free ones, which lie high
    "WorkflowMax",
    "Smokeball",
}
"""Notes of a healthy PC of these tests; every reach is a note, because the sandbox is on this PC."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(tmp_path_factory.mktemp("outside")) as running:
        yield running


@pytest.fixture(scope="module")
def healthy(world: Outside, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return signed_in(world, tmp_path_factory.mktemp("pc"))


def signed_in(world: Outside, folder: Path) -> Installation:
    """Signed in to both, with deliveries in its ledger."""
    folder.mkdir(exist_ok=True)
    pc = Installation(world, folder / "profile").set_up()
    fee = ("--retailer-fee", "6.00", "--retailer-gst", "0.60")
    pc.done("results", "add", "--order", "71000123", "--matter", "J004510", "--service", "Title", *fee)
    pc.run("deliver", "--until-idle")
    return pc


@pytest.fixture
def pc(healthy: Installation) -> Iterator[Rig]:
    # Not below pytest's own folder: an ordinary user may not enter that.
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="doctor-"))
    folder.chmod(0o755)
    try:
        with rig(healthy, folder) as one:
            yield one
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def missing(needs: str) -> str:
    if needs == "mounts" and not mounts_work():
        return "needs the right to mount disks"
    if needs == "screen" and not all(map(shutil.which, TOOLS)):
        return "needs a virtual screen"
    return ""


@pytest.mark.parametrize("one", PLANTS, ids=[one.name for one in PLANTS])
def test_a_planted_fault_is_found_and_explained(pc: Rig, one: Plant) -> None:
    """J7: check, sentence and cure of each."""
    if why := missing(one.needs):
        pytest.skip(why)
    one.breaks(pc)
    checks = pc.doctor()
    assert found(checks, one), [check for check in checks if check["verdict"] != "ok"]
    assert all(check["cure"] for check in checks if check["verdict"] == "fail"), checks
    everything = repr(checks)
    assert "canary" not in everything, "a proxy's password"
    assert "could not be looked at" not in everything, everything


def found(checks: list[dict[str, str]], one: Plant) -> dict[str, str] | None:
    """The check that tells of the fault: by its name, its verdict, its sentence and its cure."""
    for check in checks:
        named = re.match(rf"(?:{one.check})(?:: |$)", check["check"]) is not None
        explained = _says(check["message"], one.says) and _says(check["cure"] + check["message"], one.cure)
        if named and check["verdict"] == one.verdict and explained:
            return check
    return None


def _says(text: str, pattern: str) -> bool:
    if "|" not in pattern:
        pattern = pattern.replace("(", r"\(").replace(")", r"\)")
    return re.search(pattern, text, re.IGNORECASE) is not None


def alarms(checks: list[dict[str, str]]) -> list[dict[str, str]]:
    """What a PC on which all is well must not be told: any failure, and any note but those of a sandbox without a screen."""
    return [check for check in checks if check["verdict"] == "fail" or (check["verdict"] == "note" and not _normal(check["check"]))]


def test_where_all_is_well_nothing_is_said(pc: Rig) -> None:
    """J7: no false alarm."""
    checks = pc.doctor()
    assert alarms(checks) == []
    assert len({check["check"] for check in checks}) > 25


def _normal(name: str) -> bool:
    return name.endswith(" reach") or name in NORMAL_NOTES or name.startswith("costs.")


def test_every_check_of_a_healthy_pc_was_broken_once(pc: Rig) -> None:
    """A check that no fault ever turned is no check."""
    broken = "|".join(one.check for one in PLANTS)
    never = {check["check"] for check in pc.doctor() if not re.match(rf"(?:{broken})(?:: |$)", check["check"])}
    # These share their code with one that was broken, or are turned by values in test_doctor_bounds.
    assert {name for name in never if not name.endswith((" reach", "redirect port"))} <= {
        *("SQLite", "Expat", "proxy", "updates", "costs.code_untaxed", "WorkflowMax", "Smokeball", "ledger's backups")
    }


def test_what_doctor_cannot_see_is_written_down() -> None:
    assert len(BLIND) >= 5
