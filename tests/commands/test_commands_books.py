"""The supplier's invoice against the books, and the auditor's export, by commands on the real program."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.installation import DONE, NEEDS_PERSON, Installation

NewPc = Callable[[], Installation]


@pytest.fixture(scope="module")
def booked(pc: Installation) -> Installation:
    """One order posted and read back, one that waits, both typed in."""
    fees = ("--retailer-fee", "6.00", "--retailer-gst", "0.60", "--supplier-fee", "15.28", "--supplier-gst", "0")
    pc.done("results", "add", "--order", "801", "--matter", "J004510", "--service", '=HYPERLINK("x")', "--reference", "-1+1", *fees)
    pc.done("results", "add", "--order", "802", "--matter", "NOBODY-2", "--service", "Title", "--reference", "1/2", *fees)
    pc.run("deliver", "--until-idle")
    assert {row["state"] for row in pc.rows("--order", "801")} == {"confirmed"}
    return pc


def invoice(folder: Path, *lines: str) -> str:
    file = folder / "invoice.csv"
    file.write_text("\n".join(("OrderId,ServiceName,TotalFee,TotalFeeGST,TotalFeeTotal", *lines)) + "\n")
    return str(file)


def test_an_invoice_that_agrees_ends_with_nothing_to_do(booked: Installation, tmp_path: Path) -> None:
    said = booked.done("reconcile", invoice(tmp_path, "801,Title,21.28,0.60,21.88"), "--json")
    assert [(order["order_id"], order["verdict"]) for order in said.value["orders"]] == [("801", "matched")]
    assert said.value["orders"][0]["posted"] == {"net": "21.28", "gst": "0.60", "total": "21.88"}
    assert said.value["totals"]["posted"] == {
        "taxed": "6.00",
        "untaxed": "15.28",
        "gst": "0.60",
        "unknown": "0.00",
        "total": "21.88",
    }


def test_an_order_never_posted_needs_a_person(booked: Installation, tmp_path: Path) -> None:
    file = invoice(
        tmp_path, "801,Title,22.28,0.60,22.88", "802,Title,21.28,0.60,21.88", "899,Title,1.00,0.10,1.10", "x,Title,1,0,1"
    )
    said = booked.run("reconcile", file, "--json", "--export", str(tmp_path / "out.csv"))
    assert said.status == NEEDS_PERSON
    found = json.loads(said.out)
    assert {order["order_id"]: order["verdict"] for order in found["orders"]} == {
        "801": "different",
        "802": "missing",
        "899": "missing",
    }
    assert [line["row"] for line in found["unread"]] == [5]
    assert "Line 5 of invoice.csv" in said.err
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as table:
        assert [row["verdict"] for row in csv.DictReader(table)] == ["different", "missing", "missing"]


def test_a_file_that_is_no_invoice_is_refused_in_words(booked: Installation, tmp_path: Path) -> None:
    (tmp_path / "letter.csv").write_text("Dear Sir\n")
    said = booked.run("reconcile", str(tmp_path / "letter.csv"))
    assert said.status == NEEDS_PERSON
    assert "OrderId" in said.err
    assert "Traceback" not in said.err


def test_the_audit_export_answers_who_what_when_and_runs_nothing(booked: Installation, tmp_path: Path) -> None:
    """J6: billed once, when, by whom; a cell that begins with = + - @ is defused."""
    said = booked.run("audit", "export", str(tmp_path / "audit.csv"))
    assert said.status == DONE
    assert "The trail is whole" in said.err
    with (tmp_path / "audit.csv").open(encoding="utf-8-sig", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["order"] == "801"]
    assert {row["key"]: (row["state"], row["amount ex GST"], row["GST"], row["matter"]) for row in rows} == {
        "IT-801-R-1": ("confirmed", "6.00", "0.60", "J004510"),
        "IT-801-S-1": ("confirmed", "15.28", "0.00", "J004510"),
    }
    assert all(row["read back at"] and row["sent at"] for row in rows)
    assert {row["service"] for row in rows} == {'\'=HYPERLINK("x")'}
    assert {row["reference"] for row in rows} == {"'-1+1"}
    with (tmp_path / "audit-steps.csv").open(encoding="utf-8-sig", newline="") as table:
        steps = [row for row in csv.DictReader(table) if row["key"] == "IT-801-R-1"]
    assert [row["to"] for row in steps if row["to"]] == ["queued", "sending", "accepted", "confirmed"]
    assert len({row["hash"] for row in steps}) == len(steps)


def test_a_trail_that_was_tampered_with_is_said_aloud(new_pc: NewPc, tmp_path: Path) -> None:
    """J4: the export names the first bad step and ends with 1."""
    pc = new_pc()
    pc.done(
        "results", "add", "--order", "811", "--matter", "J1", "--service", "Title", "--retailer-fee", "1", "--retailer-gst", "0.1"
    )
    ledger = next(pc.profile.rglob("ledger.db"))
    with sqlite3.connect(ledger) as db:
        db.execute("DROP TRIGGER trail_is_for_good_update")
        db.execute("UPDATE trail SET reason = 'nothing' WHERE seq = (SELECT max(seq) FROM trail)")
    db.close()
    said = pc.run("audit", "export", str(tmp_path / "audit.csv"))
    assert said.status == NEEDS_PERSON
    assert "does not verify: step" in said.err


def test_a_folder_that_cannot_be_written_is_said_in_words(booked: Installation, tmp_path: Path) -> None:
    said = booked.run("audit", "export", str(tmp_path / "nowhere" / "audit.csv"))
    assert said.status == NEEDS_PERSON
    assert "can't be written" in said.err
    assert "Traceback" not in said.err
