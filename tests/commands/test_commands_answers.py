"""The shape of what commands answer: one JSON value, the contract's fields, the contract's exit statuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from tests.commands.installation import DONE, NEEDS_PERSON, NOT_CONNECTED, STATES, WRONG_USE, XPM, Installation, Outside

NewPc = Callable[[], Installation]

COMMANDS = (
    ("demo",),
    ("connect",),
    ("disconnect",),
    ("status",),
    ("infotrack",),
    ("infotrack", "sign-in"),
    ("matters",),
    ("matters", "refresh"),
    ("matters", "find"),
    ("order",),
    ("results",),
    ("results", "import"),
    ("results", "add"),
    ("deliver",),
    ("deliveries",),
    ("deliveries", "retry"),
    ("deliveries", "approve"),
    ("deliveries", "cancel"),
    ("deliveries", "move"),
    ("doctor",),
    ("reconcile",),
    ("audit",),
    ("audit", "export"),
    ("diagnostics",),
    ("update",),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(new_pc: NewPc, words: tuple[str, ...]) -> None:
    said = new_pc().run(*words, "--help")
    assert said.status == DONE
    assert said.out.startswith(f"Usage: iconnect {' '.join(words)}")
    assert said.err == ""


def test_a_new_pc_says_that_nothing_is_connected(new_pc: NewPc) -> None:
    pc = new_pc()
    now = pc.done("status", "--json").value
    assert re.fullmatch(r"[a-z0-9]{6}", now.pop("installation"))
    assert now == {
        "connections": [
            # The firm's own system first, then the others that its platform file has set up.
            {"system": system, "state": "disconnected", "tenant": None, "user": None, "since": None, "problem": None}
            for system in (XPM, "workflowmax", "smokeball")
        ],
        "infotrack": {"state": "disconnected", "user": None},
        "deliveries": dict.fromkeys(STATES, 0),
        "matters": {"count": 0, "refreshed_at": None},
        "budget": now["budget"],
    }


def test_the_installation_id_is_kept_for_good_and_is_each_profiles_own(new_pc: NewPc) -> None:
    one, other = new_pc(), new_pc()
    assert one.installation_id() == one.installation_id() != other.installation_id()


def test_status_of_a_connected_pc(pc: Installation) -> None:
    now = pc.done("status", "--json").value
    assert list(now) == ["installation", "connections", "infotrack", "deliveries", "matters", "budget"]
    connection, *others = now["connections"]
    assert {other["state"] for other in others} == {"disconnected"}
    assert (connection["system"], connection["state"], connection["problem"]) == (XPM, "connected", None)
    assert connection["tenant"] == pc.world.sandbox.where["xero"]["tenant_name"]
    assert connection["user"]
    assert datetime.fromisoformat(connection["since"]).utcoffset() is not None
    assert now["infotrack"] == {"state": "connected", "user": pc.world.sandbox.where["infotrack_login"]["user"]}
    assert tuple(now["deliveries"]) == STATES
    assert now["matters"]["count"] == 60
    assert datetime.fromisoformat(now["matters"]["refreshed_at"]).utcoffset() is not None
    assert XPM in now["budget"]


def test_what_needs_a_sign_in_ends_with_3_and_says_what_to_do(new_pc: NewPc) -> None:
    pc = new_pc()
    for words in (("matters", "refresh"), ("deliver", "--until-idle")):
        said = pc.run(*words)
        assert said.status == NOT_CONNECTED, words
        assert "iconnect connect" in said.err
        assert said.out == ""


def test_what_only_looks_needs_no_sign_in(new_pc: NewPc) -> None:
    pc = new_pc()
    assert pc.done("matters", "find", "J004521", "--json").value == []
    assert pc.done("deliveries", "--json").value == []
    assert pc.done("status").out.startswith("Xero Practice Manager: disconnected")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[practice]\nsystem = "xero"\n', "practice.system"),
        ('[practice]\nsystem = "xero-practice-manager"\n[xero]\nclient = "x"\n', "client"),
        ('[practice]\nsystem = "xero-practice-manager"\n[results]\npoll_seconds = "60"\n', "results.poll_seconds"),
        ("", "practice"),
        ("[practice\n", "TOML"),
    ],
    ids=["wrong value", "unknown key", "wrong type", "missing", "no TOML"],
)
def test_a_wrong_platform_file_ends_with_2_and_names_file_and_key(new_pc: NewPc, tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "firm.toml"
    file.write_text(text, encoding="utf-8")
    said = replace(new_pc(), platform=file).run("status", "--json")
    assert said.status == WRONG_USE
    assert str(file) in said.err
    assert named in said.err
    assert said.out == ""


def test_a_platform_file_that_is_not_there_ends_with_2(new_pc: NewPc, tmp_path: Path) -> None:
    pc = new_pc()
    said = pc.run("--platform", str(tmp_path / "nowhere.toml"), "status")
    assert said.status == WRONG_USE
    assert "nowhere.toml" in said.err


def test_the_command_line_wins_over_the_environment(new_pc: NewPc, tmp_path: Path) -> None:
    pc = new_pc()
    elsewhere = tmp_path / "elsewhere"
    pc.done("--profile", str(elsewhere), "status")
    assert (elsewhere / "ledger.db").exists()
    assert not pc.profile.exists()


def test_an_own_settings_file_that_is_wrong_is_named(new_pc: NewPc) -> None:
    pc = new_pc()
    pc.profile.mkdir()
    (pc.profile / "settings.json").write_text('{"review": "sometimes"}', encoding="utf-8")
    said = pc.run("status")
    assert said.status == WRONG_USE
    assert "settings.json" in said.err
    assert "review" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("stat",),
        ("status", "--jason"),
        ("matters", "find"),
        ("matters", "find", "x", "--limit", "0"),
        ("deliveries", "--state", "lost"),
        ("deliveries", "retry"),
        ("deliveries", "move", "71000123"),
        ("connect", "--system", "xero"),
        ("results", "import"),
        ("results", "add", "--order", "1"),
        ("infotrack", "sign-in"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(new_pc: NewPc, words: tuple[str, ...]) -> None:
    said = new_pc().run(*words)
    assert said.status == WRONG_USE
    assert said.out == ""


def test_find_answers_the_matters_best_first(pc: Installation, world: Outside) -> None:
    job = next(job for job in world.jobs() if job["number"] == "J004521")
    hits = pc.done("matters", "find", "J004521", "--json").value
    assert {"system": XPM, "id": job["uuid"], "number": "J004521", "name": job["name"], "client": job["client"]}.items() <= hits[
        0
    ].items()
    assert list(hits[0]) == ["system", "id", "number", "name", "client", "state"]
    assert len(pc.done("matters", "find", "purchase", "--limit", "2", "--json").value) <= 2


def test_find_answers_a_value_a_line_to_queries_on_standard_input(pc: Installation) -> None:
    said = pc.done("matters", "find", "-", "--json", feed="J004521\n\nzzzzqqqq\nJ004522\n")
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line[0]["number"] if line else None for line in (lines[0], lines[2], lines[3])] == ["J004521", None, "J004522"]
    assert len(lines) == 4


def test_find_asks_for_a_number_that_the_copy_does_not_hold(pc: Installation, world: Outside) -> None:
    closed = next(
        job for job in world.sandbox.get("/api/jobs?limit=400") if job["state"] == "Completed" and job["number"].startswith("J0")
    )
    [hit, *_] = pc.done("matters", "find", closed["number"], "--json").value
    assert (hit["number"], hit["id"]) == (closed["number"], closed["uuid"])


def test_an_order_for_an_unknown_matter_opens_nothing_and_says_so(pc: Installation) -> None:
    said = pc.run("order", "J999999")
    assert said.status == NEEDS_PERSON
    assert "J999999" in said.err


def test_doctor_tells_each_check_with_its_verdict_and_cure(pc: Installation) -> None:
    said = pc.run("doctor", "--json")
    assert said.status == DONE, said.out
    checks = said.value
    assert all(list(check) == ["check", "verdict", "message", "cure"] for check in checks)
    verdicts = {check["check"]: check["verdict"] for check in checks}
    assert set(verdicts.values()) <= {"ok", "note"}
    assert verdicts["keyring"] in ("ok", "note")
    # Loopback addresses and a missing screen are notes, never failures.
    assert verdicts["screen"] == "note"
    assert verdicts["Xero tokens reach"] == "note"
    assert verdicts["ledger"] == "ok"


def test_doctor_ends_with_1_and_a_cure_when_a_check_fails(new_pc: NewPc) -> None:
    said = new_pc().run("doctor", "--json")
    assert said.status == NEEDS_PERSON
    failed = [check for check in said.value if check["verdict"] == "fail"]
    assert failed
    assert all(check["cure"] for check in failed)


def test_doctor_without_a_platform_file_says_so_and_prints_json(new_pc: NewPc, tmp_path: Path) -> None:
    said = replace(new_pc(), platform=tmp_path / "none.toml").run("doctor", "--json")
    assert said.status in (NEEDS_PERSON, WRONG_USE)
    assert any(check["verdict"] == "fail" for check in said.value)
