"""Two PCs of one firm on one feed and one drop folder: each order once, by the PC that it belongs to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.commands.installation import DONE, XPM, Installation, Outside, outside, until


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Outside]:
    with outside(tmp_path / "outside", results="both") as running:
        yield running


@pytest.fixture
def pcs(world: Outside, tmp_path: Path) -> tuple[Installation, Installation]:
    """Whose take-over time is twelve seconds instead of half an hour."""
    text = world.sandbox.platform_file.read_text(encoding="utf-8")
    assert "takeover_minutes = 30" in text
    platform = tmp_path / "platform.toml"
    platform.write_text(text.replace("takeover_minutes = 30", "takeover_minutes = 0.2"), encoding="utf-8")
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        made.append(Installation(world, tmp_path / name / "profile", platform).set_up())
    return made[0], made[1]


def by_key(pc: Installation) -> dict[str, str]:
    return {row["key"]: row["state"] for row in pc.rows()}


@pytest.mark.journey
def test_each_order_is_delivered_once_and_by_its_own_pc(world: Outside, pcs: tuple[Installation, Installation]) -> None:
    """D9, C10: two PCs share a feed and a folder; orders of nobody go to whoever comes first."""
    jobs = world.jobs()[1:7]
    orders: dict[str, list[int]] = {"first": [], "second": [], "nobody": []}
    for index, job in enumerate(jobs * 2):
        owner = ("first", "second", "nobody")[index % 3]
        reference = ""
        if owner != "nobody":
            pc = pcs[0] if owner == "first" else pcs[1]
            reference = f"ICONNECT1_{pc.installation_id()}|{XPM}|{job['uuid']}"
        orders[owner].append(world.order(job["number"], "nsw-title", retailer_reference=reference))
    until(lambda: all(order["status"] == "Complete" for order in world.sandbox.get("/api/orders")["orders"]))
    with ThreadPoolExecutor(2) as both:
        said = list(both.map(lambda pc: pc.run("deliver", "--until-idle"), pcs))
    assert [one.status for one in said] == [DONE, DONE], [one.err for one in said]
    sent_by = [{row["order_id"] for row in pc.rows() if row["attempts"]} for pc in pcs]
    assert {str(order) for order in orders["first"]} <= sent_by[0]
    assert {str(order) for order in orders["second"]} <= sent_by[1]
    assert not sent_by[0] & {str(order) for order in orders["second"]}
    assert not sent_by[1] & {str(order) for order in orders["first"]}

    def all_there() -> bool:
        for pc in pcs:  # one after the other: a double in the same moment is what the contract can't exclude
            assert pc.run("deliver", "--until-idle").status == DONE
        return len(set(world.keys_in_books())) == 36

    until(all_there, patience=120)
    keys = Counter(world.keys_in_books())
    assert set(keys.values()) == {1}
    assert {key.split("-")[1] for key in keys} == {str(order) for owner in orders.values() for order in owner}
    for pc in pcs:
        assert pc.run("deliver", "--until-idle").status == DONE
    assert Counter(world.keys_in_books()) == keys
    confirmed = [{key for key, state in by_key(pc).items() if state == "confirmed"} for pc in pcs]
    assert confirmed[0] | confirmed[1] == set(keys)
    left = [path.name for path in Path(world.sandbox.where["drop_folder"]).glob("*") if path.is_file()]
    assert left == [], "every file was taken by somebody"


@pytest.mark.journey
def test_the_same_results_on_both_pcs_make_the_same_keys_and_one_posting(
    world: Outside, pcs: tuple[Installation, Installation], tmp_path: Path
) -> None:
    """D9: the second PC finds the line in the books and adopts it."""
    message = {
        "OrderId": 88001,
        "ClientReference": "J004510",
        "ServiceName": "Title Search",
        "RetailerFee": 6.0,
        "RetailerFeeGST": 0.6,
        "RetailerFeeTotal": 6.6,
    }
    file = tmp_path / "message.json"
    file.write_text(json.dumps(message), encoding="utf-8")
    for pc in pcs:
        pc.done("results", "import", str(file))

        def delivered(pc: Installation = pc) -> bool:
            assert pc.run("deliver", "--until-idle").status == DONE
            return set(by_key(pc).values()) == {"confirmed"}

        until(delivered, patience=90)
    assert world.keys_in_books().count("IT-88001-R-1") + world.keys_in_books().count("IT-88001-T-1") == 1
    [first], [second] = (pc.rows("--order", "88001") for pc in pcs)
    assert (first["key"], first["state"], first["remote_id"]) == (second["key"], second["state"], second["remote_id"])
    assert (first["attempts"], second["attempts"]) == (1, 0)
