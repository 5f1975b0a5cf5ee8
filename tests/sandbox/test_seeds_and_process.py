"""The seeded firms, and the sandbox as a process of its own."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.house import Sandbox
from sandbox.seeds import abn, acn, make_firm
from tests.sandbox.visitors import Controls

TODAY = date(2026, 11, 22)


def test_the_same_seed_gives_the_same_firm() -> None:
    first, second, other = (make_firm("t", "A firm", 200, seed, TODAY) for seed in (1, 1, 2))
    assert first.jobs == second.jobs
    assert first.clients == second.clients
    assert first.jobs != other.jobs


@pytest.mark.parametrize("matters", [50, 1_000, 20_000])
def test_a_firm_has_as_many_current_jobs_as_asked_for(matters: int) -> None:
    firm = make_firm("t", "A firm", matters, 1, TODAY)
    current = [job for job in firm.jobs.values() if job.state not in ("Completed", "Cancelled")]
    assert len(current) == matters
    assert len(firm.jobs) > matters
    assert "J004521" in firm.jobs
    assert len({job.uuid for job in firm.jobs.values()}) == len(firm.jobs)


def test_some_numbers_were_typed_by_people_and_names_are_as_they_are_here() -> None:
    firm = make_firm("t", "A firm", 2_000, 1, TODAY)
    assert any("/" in number for number in firm.jobs)
    assert any("&" in number for number in firm.jobs)
    names = " ".join(client.name for client in firm.clients)
    for piece in ("ā", "ō", "'", "’", "&", "+", "Pty Ltd", "Limited", "Trust", "Nguyễn", "ø", "王"):
        assert piece in names, piece
    staff = [member.name for member in firm.staff]
    assert len(set(staff)) < len(staff)  # two people of one name
    assert len({member.email for member in firm.staff}) == len(staff)


def test_company_and_business_numbers_have_right_check_digits() -> None:
    dice = random.Random(1)
    for _ in range(500):
        number = [int(digit) for digit in acn(dice)]
        assert (10 - sum(d * w for d, w in zip(number, range(8, 0, -1), strict=False)) % 10) % 10 == number[8]
        business = [int(digit) for digit in abn(dice)]
        business[0] -= 1
        assert len(business) == 11
        assert sum(d * w for d, w in zip(business, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19), strict=True)) % 89 == 0


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """The sandbox as a process, once it says where it is."""
    command = [sys.executable, "-W", "error", "-m", "sandbox", *arguments]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert running.stdout
        text = b""
        for line in running.stdout:
            text += line
            if line == b"}\n":
                break
        yield running, json.loads(text)
    finally:
        running.kill()
        running.communicate()


def test_the_process_tells_where_it_is_and_ends_with_its_standard_input(tmp_path: Path) -> None:
    where_file = tmp_path / "where.json"
    with process("--dir", str(tmp_path / "box"), "--port-file", str(where_file), "--until-stdin-closes", "--no-limits") as (
        running,
        where,
    ):
        assert json.loads(where_file.read_text(encoding="utf-8")) == where
        assert requests.get(f"{where['controls']}/").status_code == 200
        assert requests.get(f"{where['controls']}/api/limits").json()["minute"] == 0
        assert running.stdin
        running.stdin.close()
        assert running.wait(timeout=20) == 0
        running.stdin = None


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to receive")
def test_the_process_ends_when_told(tmp_path: Path) -> None:
    with process("--dir", str(tmp_path)) as (running, where):
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0
        with pytest.raises(requests.ConnectionError):
            requests.get(where["controls"])


def test_the_platform_file_points_every_address_at_the_sandbox(box: Sandbox) -> None:
    platform = tomllib.loads(box.platform_file.read_text(encoding="utf-8"))
    addresses = [value for section in platform.values() for key, value in section.items() if key.endswith("_url")]
    assert len(addresses) >= 10  # of all practice systems
    assert all(address.startswith("http://127.0.0.1:") for address in addresses)
    ports = platform["xero"]["redirect_ports"]
    assert len(set(ports)) == 5
    assert all(port < 49152 for port in ports)
    assert Path(platform["results"]["folder"]).is_dir()


def test_the_product_accepts_the_platform_file(box: Sandbox) -> None:
    from desktop.settings import read_platform

    assert read_platform(box.platform_file).costs.code_taxed == "DISB-GST"


def test_a_reset_puts_everything_back(box: Sandbox, controls: Controls) -> None:
    controls.post("orders", matter="J004500")
    controls.post("jobs/J004521/close")
    controls.post("faults", name="slow")
    controls.post("reset", matters=60)
    assert controls.get("orders")["orders"] == []
    assert controls.get("faults")["faults"] == []
    states = [row["state"] for row in controls.get("jobs", limit=100)]
    assert len(states) == 62


def test_the_page_of_controls_works_by_its_buttons(controls: Controls) -> None:
    page = requests.get(f"{controls.url}/").text
    assert 'id="order"' in page
    answer = requests.post(
        f"{controls.url}/form/orders", data={"matter": "J004500", "service": "qld-title", "retailer_reference": ""}
    )
    assert answer.url == f"{controls.url}/"
    assert [order["client_reference"] for order in controls.get("orders")["orders"]] == ["J004500"]
    requests.post(f"{controls.url}/form/switches", data={"delay_seconds": "7"})
    requests.post(f"{controls.url}/form/faults", data={"name": "slow", "where": "staff", "count": "", "seconds": "1"})
    assert controls.get("switches")["delay_seconds"] == 7
    assert controls.get("faults")["faults"][0]["count"] is None


def test_a_switch_that_does_not_exist_changes_nothing(controls: Controls) -> None:
    before = controls.get("switches")
    answer = requests.post(f"{controls.url}/api/switches", json={"delay_seconds": 9, "no_such": 1})
    assert answer.status_code == 400
    assert controls.get("switches") == before


def test_notes_are_edited_and_costs_removed_as_people_do(controls: Controls, practice: Any) -> None:
    practice.post_cost("IT-1-T-1")
    (cost,) = controls.books()["costs"]
    controls.post(f"costs/{cost['uuid']}/note", note="checked by Kim - IT-1-T-1")
    assert practice.notes() == ["checked by Kim - IT-1-T-1"]
    controls.delete(f"costs/{cost['uuid']}")
    assert practice.notes() == []
