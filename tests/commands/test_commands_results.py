"""Results that come by hand, and what people do with deliveries, by commands."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.commands.installation import DONE, NEEDS_PERSON, STATES, WRONG_USE, XPM, Installation, Outside

NewPc = Callable[[], Installation]

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
ROW = ["key", "kind", "order_id", "matter", "system", "state", "amount", "gst", "attempts", "reason", "remote_id", "updated_at"]


def order_message(order: int, **more: object) -> dict[str, object]:
    return {
        "OrderId": order,
        "ClientReference": "J004510",
        "ServiceName": "Title Search",
        "Reference": "12/RP90001",
        "RetailerFee": 6.0,
        "RetailerFeeGST": 0.6,
        "RetailerFeeTotal": 6.6,
        "SupplierFee": 15.28,
        "SupplierFeeGST": 0.0,
        "SupplierFeeTotal": 15.28,
        **more,
    }


@pytest.fixture(scope="module")
def typed(pc: Installation) -> Installation:
    """With three typed orders: 501 and 502 on J004510, 503 on a matter that nobody knows."""
    for order, matter in (("501", "J004510"), ("502", "J004511"), ("503", "NOBODY-1")):
        pc.done(
            *("results", "add", "--order", order, "--matter", matter, "--service", "Title Search", "--reference", "1/2"),
            *("--retailer-fee", "6.00", "--retailer-gst", "0.60", "--supplier-fee", "15.28", "--supplier-gst", "0"),
        )
    return pc


def test_a_typed_result_has_its_rows_before_anything_is_sent(typed: Installation) -> None:
    rows = typed.rows("--order", "501")
    assert [list(row) for row in rows] == [ROW, ROW]
    assert {row["key"]: (row["kind"], row["state"], row["amount"], row["gst"], row["attempts"]) for row in rows} == {
        "IT-501-R-1": ("cost", "queued", "6.00", "0.60", 0),
        "IT-501-S-1": ("cost", "queued", "15.28", "0.00", 0),
    }
    assert all((row["matter"], row["system"], row["order_id"]) == ("J004510", XPM, "501") for row in rows)
    assert all(datetime.fromisoformat(row["updated_at"]).utcoffset() is not None for row in rows)
    assert all(row["remote_id"] is None for row in rows)


def test_an_order_without_a_matter_has_its_rows_too(typed: Installation) -> None:
    rows = typed.rows("--order", "503")
    assert {row["key"] for row in rows} == {"IT-503-R-1", "IT-503-S-1"}
    assert all(row["state"] == "held" and row["system"] is None for row in rows)
    assert all(row["reason"] for row in rows)


def test_listing_filters_by_matter_order_and_state(typed: Installation) -> None:
    assert {row["order_id"] for row in typed.rows("--matter", "J004510")} == {"501"}
    assert {row["order_id"] for row in typed.rows("--order", "502")} == {"502"}
    assert {row["order_id"] for row in typed.rows("--state", "held")} == {"503"}
    assert typed.rows("--matter", "J004510", "--state", "held") == []
    counts = typed.done("status", "--json").value["deliveries"]
    assert tuple(counts) == STATES
    assert counts == {**dict.fromkeys(STATES, 0), **Counter(row["state"] for row in typed.rows())}


@pytest.mark.parametrize("action", ["retry", "approve", "cancel"])
def test_each_key_is_handled_alone_and_a_failing_one_is_named(typed: Installation, action: str) -> None:
    order = {"retry": "601", "approve": "602", "cancel": "603"}[action]
    # A fee whose GST is neither nothing nor ten per cent waits for a person.
    typed.done(
        *("results", "add", "--order", order, "--matter", "J004512", "--service", "Rates", "--supplier-fee", "100"),
        *("--supplier-gst", "4.00"),
    )
    first, second = f"IT-{order}-S-1", f"IT-{order}-S-2"
    rows = {row["key"]: row for row in typed.rows("--order", order)}
    assert {key: (row["state"], row["amount"]) for key, row in rows.items()} == {
        first: ("held", "40.00"),
        second: ("held", "60.00"),
    }
    said = typed.run("deliveries", action, "IT-999-R-1", first)
    assert said.status == NEEDS_PERSON
    assert said.out == ""
    assert "IT-999-R-1" in said.err
    assert first not in said.err
    wanted = {"retry": "held", "approve": "queued", "cancel": "cancelled"}[action]
    assert {row["key"]: row["state"] for row in typed.rows("--order", order)} == {first: wanted, second: "held"}


def test_a_cancelled_delivery_can_not_be_cancelled_again(typed: Installation) -> None:
    typed.done("results", "add", "--order", "611", "--matter", "J004512", "--service", "X", "--retailer-fee", "5")
    [key] = [row["key"] for row in typed.rows("--order", "611")]
    typed.done("deliveries", "cancel", key)
    said = typed.run("deliveries", "cancel", key)
    assert said.status == NEEDS_PERSON
    assert key in said.err


def test_an_order_that_was_held_for_its_matter_is_moved_and_goes(typed: Installation, world: Outside) -> None:
    typed.done(
        "results", "add", "--order", "621", "--matter", "NOBODY-2", "--service", "X", "--retailer-fee", "5", "--retailer-gst", "0.5"
    )
    said = typed.run("deliveries", "move", "621", "--to", "J009999")
    assert said.status == NEEDS_PERSON
    assert "J009999" in said.err
    assert typed.run("deliveries", "move", "62100", "--to", "J004513").status == NEEDS_PERSON
    typed.done("deliveries", "move", "621", "--to", "J004513")
    rows = typed.rows("--order", "621")
    assert [(row["state"], row["matter"]) for row in rows if row["state"] != "cancelled"] == [("queued", "J004513")]


def test_deliver_until_idle_delivers_everything_and_ends_with_1_while_something_waits(typed: Installation, world: Outside) -> None:
    said = typed.run("deliver", "--until-idle")
    assert said.status == NEEDS_PERSON
    assert "iconnect deliveries" in said.err
    assert said.out == ""
    rows = {row["key"]: row for row in typed.rows()}
    for key in ("IT-501-R-1", "IT-501-S-1", "IT-502-R-1", "IT-502-S-1"):
        assert (rows[key]["state"], rows[key]["attempts"]) == ("confirmed", 1)
        assert rows[key]["remote_id"]
        assert world.keys_in_books().count(key) == 1
    assert rows["IT-503-R-1"]["state"] == "held"
    again = typed.run("deliver", "--until-idle")
    assert again.status == NEEDS_PERSON
    assert len(world.keys_in_books()) == len(set(world.keys_in_books()))


def test_deliver_until_idle_ends_with_0_when_all_is_done(world: Outside, new_pc: NewPc) -> None:
    pc = new_pc().set_up()
    # Left to the PC that it belongs to: no reason to stay, nor to fail.
    number = world.jobs()[5]["number"]
    order = world.order(number, retailer_reference=pc.reference_for(number))
    said = pc.done("deliver", "--until-idle")
    assert said.out == ""
    assert {row["state"] for row in pc.rows("--order", str(order))} == {"confirmed"}


def test_a_file_with_one_or_many_messages_is_taken(pc: Installation, tmp_path: Path) -> None:
    one, many, xml = tmp_path / "one.json", tmp_path / "many.json", tmp_path / "one.xml"
    one.write_text(json.dumps(order_message(701)), encoding="utf-8")
    many.write_text(json.dumps([order_message(702), order_message(703)]), encoding="utf-8")
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in order_message(704).items())
    xml.write_text(f"<Order>{fields}</Order>", encoding="utf-16")
    said = pc.done("results", "import", str(one), str(many), str(xml))
    assert said.err == "4 new messages.\n"
    assert said.out == ""
    assert all(len(pc.rows("--order", order)) == 2 for order in ("701", "702", "703", "704"))
    assert pc.done("results", "import", str(one)).err == "0 new messages.\n"


def test_files_that_can_not_be_read_are_named_and_the_others_are_taken(pc: Installation, tmp_path: Path) -> None:
    bad, cut, good = tmp_path / "bad.json", tmp_path / "cut.xml", tmp_path / "good.json"
    bad.write_bytes(b"\x00\x01 no message at all")
    cut.write_text("<Order><OrderId>711</OrderId><Serv", encoding="utf-8")
    good.write_text(json.dumps(order_message(712)), encoding="utf-8")
    gone = tmp_path / "gone.json"
    said = pc.run("results", "import", str(bad), str(cut), str(gone), str(good))
    assert said.status == NEEDS_PERSON
    assert all(str(path) in said.err for path in (bad, cut, gone))
    assert str(good) not in said.err
    assert len(pc.rows("--order", "712")) == 2
    assert bad.exists()
    assert cut.exists()


def test_of_a_batch_with_a_bad_message_the_good_ones_are_kept(pc: Installation, tmp_path: Path) -> None:
    file = tmp_path / "batch.json"
    file.write_text(json.dumps([order_message(721), {"ServiceName": "no id"}, order_message(722)]), encoding="utf-8")
    said = pc.run("results", "import", str(file))
    assert said.status == NEEDS_PERSON
    assert "2 of 3" in said.err
    assert len(pc.rows("--order", "721")) == len(pc.rows("--order", "722")) == 2


@pytest.mark.parametrize(
    ("words", "status", "named"),
    [
        (("--retailer-fee", "twelve"), WRONG_USE, "--retailer-fee"),
        (("--retailer-fee", "1.234"), WRONG_USE, "--retailer-fee"),
        (("--retailer-fee", "NaN"), WRONG_USE, "--retailer-fee"),
        (("--supplier-gst", "1e99"), WRONG_USE, "--supplier-gst"),
        (("--supplier-gst", "0.60"), NEEDS_PERSON, "GST"),
        (("--retailer-fee", "6", "--file", "/nowhere/at/all.pdf"), NEEDS_PERSON, "file"),
    ],
    ids=["words", "three decimals", "NaN", "too large", "GST without fee", "no such file"],
)
def test_a_typed_result_that_makes_no_sense_is_refused_with_a_reason(
    pc: Installation, words: tuple[str, ...], status: int, named: str
) -> None:
    said = pc.run("results", "add", "--order", "731", "--matter", "J004510", "--service", "X", *words)
    assert said.status == status
    assert named in said.err
    assert pc.rows("--order", "731") == []


@pytest.mark.parametrize("order", ["0", "-5", "twelve", "12.5", "IT-12"])
def test_an_order_id_that_is_no_order_id_is_refused(pc: Installation, order: str) -> None:
    said = pc.run("results", "add", f"--order={order}", "--matter", "J004510", "--service", "X", "--retailer-fee", "1")
    assert said.status in (NEEDS_PERSON, WRONG_USE)
    assert "order" in said.err


def test_a_typed_document_is_in_the_books_to_the_byte(pc: Installation, world: Outside, tmp_path: Path) -> None:
    import hashlib

    file = tmp_path / "result.pdf"
    file.write_bytes(PDF)
    pc.done("results", "add", "--order", "741", "--matter", "J004514", "--service", "Title Search", "--file", str(file))
    file.unlink()  # what was taken does not depend on the file any more
    pc.run("deliver", "--until-idle")
    [row] = pc.rows("--order", "741")
    assert (row["key"], row["kind"], row["state"], row["amount"]) == ("IT-741-D-1", "document", "confirmed", None)
    [document] = [each for each in world.controls.books("J004514")["documents"] if each["text"].endswith("IT-741-D-1")]
    assert document["sha256"] == hashlib.sha256(PDF).hexdigest()


def test_a_message_that_comes_later_for_a_typed_order_posts_the_difference_alone(
    pc: Installation, world: Outside, tmp_path: Path
) -> None:
    pc.done(
        "results",
        "add",
        "--order",
        "751",
        "--matter",
        "J004515",
        "--service",
        "Title Search",
        "--retailer-fee",
        "6",
        "--retailer-gst",
        "0.60",
    )
    pc.run("deliver", "--until-idle")
    assert world.keys_in_books().count("IT-751-T-1") + world.keys_in_books().count("IT-751-R-1") == 1
    file = tmp_path / "later.json"
    later = order_message(751, ClientReference="J004515", RetailerFee=8.0, RetailerFeeGST=0.8, RetailerFeeTotal=8.8)
    del later["SupplierFee"], later["SupplierFeeGST"], later["SupplierFeeTotal"]
    file.write_text(json.dumps(later), encoding="utf-8")
    pc.done("results", "import", str(file))
    pc.run("deliver", "--until-idle")
    costs = [cost for cost in world.controls.books("J004515")["costs"] if "IT-751-" in cost["note"]]
    assert [float(cost["unit_cost"]) for cost in costs] == [6.0, 2.0]


def test_a_rejected_delivery_names_the_reason_and_goes_after_the_cure(pc: Installation, world: Outside) -> None:
    world.controls.post("jobs/J004516/refuse")
    pc.done(
        "results", "add", "--order", "761", "--matter", "J004516", "--service", "X", "--retailer-fee", "5", "--retailer-gst", "0.5"
    )
    assert pc.run("deliver", "--until-idle").status == NEEDS_PERSON
    [row] = pc.rows("--order", "761")
    assert row["state"] == "rejected"
    assert row["reason"]
    world.controls.post("jobs/J004516/accept")
    pc.done("deliveries", "retry", row["key"])
    pc.run("deliver", "--until-idle")
    [row] = pc.rows("--order", "761")
    assert row["state"] == "confirmed"


def test_a_move_posts_to_the_other_matter_and_lists_the_old_line(pc: Installation, world: Outside) -> None:
    pc.done(
        "results", "add", "--order", "771", "--matter", "J004517", "--service", "X", "--retailer-fee", "5", "--retailer-gst", "0.5"
    )
    pc.run("deliver", "--until-idle")
    said = pc.run("deliveries", "move", "771", "--to", "J004518")
    assert said.status == DONE
    assert said.out == ""
    assert "IT-771-" in said.err
    pc.run("deliver", "--until-idle")
    keys = {cost["note"].split()[-1] for cost in world.controls.books("J004518")["costs"]}
    assert any(key.startswith("IT-771-") and key.endswith("-2") for key in keys)


def test_listing_for_people_shows_each_key(pc: Installation) -> None:
    pc.done("results", "add", "--order", "781", "--matter", "J004517", "--service", "X", "--retailer-fee", "5")
    said = pc.done("deliveries", "--order", "781")
    assert "IT-781-" in said.out
    assert "5.00" in said.out
