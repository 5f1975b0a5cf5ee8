"""Commands while the tray runs on the same profile, and a second start of the tray."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.commands.installation import DONE, Installation, Outside, until


@pytest.fixture(scope="module")
def tray(pc: Installation) -> Iterator[subprocess.Popen[str]]:
    """The real tray program, offscreen."""
    process = pc.start(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    log = pc.profile / "logs" / "tray.log"
    until(lambda: process.poll() is not None or (pc.profile / "tray.socket").exists())
    assert process.poll() is None, process.communicate()[1]
    yield process
    process.terminate()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, f"{out}{err}"
    assert "Traceback" not in err + (log.read_text(encoding="utf-8") if log.exists() else "")


def test_the_tray_delivers_what_a_command_records(pc: Installation, tray: subprocess.Popen[str], world: Outside) -> None:
    """C10: commands open the ledger beside the tray."""
    pc.done(
        "results", "add", "--order", "901", "--matter", "J004510", "--service", "X", "--retailer-fee", "5", "--retailer-gst", "0.5"
    )
    until(lambda: {row["state"] for row in pc.rows("--order", "901")} == {"confirmed"}, patience=40)
    assert sum(key.startswith("IT-901-") for key in world.keys_in_books()) == 1


def test_the_tray_collects_from_the_feed_by_itself(pc: Installation, tray: subprocess.Popen[str], world: Outside) -> None:
    order = world.order("J004511", retailer_reference=pc.reference_for("J004511"))
    until(lambda: {row["state"] for row in pc.rows("--order", str(order))} == {"confirmed"}, patience=40)
    assert sum(key.startswith(f"IT-{order}-") for key in world.keys_in_books()) == 3


def test_commands_answer_while_the_tray_runs(pc: Installation, tray: subprocess.Popen[str]) -> None:
    for words in (("status", "--json"), ("matters", "find", "J004512", "--json"), ("matters", "refresh"), ("deliveries",)):
        pc.done(*words)
    assert pc.run("doctor", "--json").status == DONE


def test_deliver_beside_the_tray_takes_turns_and_sends_nothing_twice(
    pc: Installation, tray: subprocess.Popen[str], world: Outside
) -> None:
    """C10: one process at a time delivers."""
    for order in range(911, 915):
        pc.done("results", "add", "--order", str(order), "--matter", f"J00{order + 3600}", "--service", "X", "--retailer-fee", "5")
    said = pc.run("deliver", "--until-idle")
    assert said.status == DONE, said.err
    keys = world.keys_in_books()
    assert all(sum(key.startswith(f"IT-{order}-") for key in keys) == 1 for order in range(911, 915))


def test_a_second_start_hands_over_and_ends(pc: Installation, tray: subprocess.Popen[str]) -> None:
    """C10: a second tray brings the first one forward."""
    began = time.monotonic()
    said = pc.run()
    assert said.status == DONE, said.err
    assert time.monotonic() - began < 10
    assert tray.poll() is None


def test_disconnecting_by_command_reaches_the_tray(pc: Installation, tray: subprocess.Popen[str], world: Outside) -> None:
    pc.done("disconnect")
    pc.done("results", "add", "--order", "921", "--matter", "J004510", "--service", "X", "--retailer-fee", "5")
    assert pc.connect().status == DONE
    until(lambda: {row["state"] for row in pc.rows("--order", "921")} == {"confirmed"}, patience=60)
    assert sum(key.startswith("IT-921-") for key in world.keys_in_books()) == 1
