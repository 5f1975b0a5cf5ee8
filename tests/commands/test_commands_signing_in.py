"""Signing in and out by commands."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from desktop.demo.person_in_browser import sign_in
from tests.commands.installation import DONE, NEEDS_PERSON, NOT_CONNECTED, WRONG_USE, Installation, Outside

NewPc = Callable[[], Installation]


def test_connect_prints_the_address_alone_and_waits_for_the_callback(new_pc: NewPc) -> None:
    pc = new_pc()
    process = pc.start(
        "connect", "--no-browser", stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, bufsize=1
    )
    with process:
        assert process.stdout is not None
        first = process.stdout.readline()
        address = urlsplit(first.strip())
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        assert first == address.geturl() + "\n"
        assert asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"].startswith("http://localhost:")
        assert process.poll() is None, "it waits"
        assert pc.done("status", "--json").value["connections"][0]["state"] in ("connecting", "disconnected")
        sign_in(first.strip())
        out, err = process.communicate(timeout=30)
    assert process.returncode == DONE
    assert out == "", "the first line is all that it prints there"
    assert "Connected to" in err
    assert pc.done("status", "--json").value["connections"][0]["state"] == "connected"


def test_an_interrupted_sign_in_ends_and_changes_nothing(new_pc: NewPc) -> None:
    pc = new_pc()
    process = pc.start("connect", "--no-browser", stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http")
        process.terminate()
        _, err = process.communicate(timeout=20)
    assert process.returncode == NOT_CONNECTED, err
    assert "Traceback" not in err
    assert pc.done("status", "--json").value["connections"][0]["state"] == "disconnected"


def test_a_person_who_declines_is_told_so_with_3(new_pc: NewPc) -> None:
    pc = new_pc()
    process = pc.start("connect", "--no-browser", stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    with process:
        assert process.stdout is not None
        asked = {name: values[0] for name, values in parse_qs(urlsplit(process.stdout.readline().strip()).query).items()}
        from urllib.request import ProxyHandler, build_opener

        answer = f"{asked['redirect_uri']}?error=access_denied&state={asked['state']}"
        with build_opener(ProxyHandler({})).open(answer, timeout=10) as page:
            page.read()
        _, err = process.communicate(timeout=30)
    assert process.returncode == NOT_CONNECTED, err
    assert "Traceback" not in err


def test_disconnect_revokes_and_forgets(new_pc: NewPc, world: Outside) -> None:
    pc = new_pc()
    assert pc.connect().status == DONE
    world.controls.delete("calls")
    pc.done("disconnect")
    called = world.sandbox.get("/api/calls")["calls"]
    assert sum(count for name, count in called.items() if "revocation" in name) == 1
    assert pc.done("status", "--json").value["connections"][0]["state"] == "disconnected"
    assert pc.run("matters", "refresh").status == NOT_CONNECTED


def test_disconnect_forgets_also_when_the_vendor_does_not_answer(new_pc: NewPc, world: Outside) -> None:
    pc = new_pc()
    assert pc.connect().status == DONE
    fault = world.controls.post("faults", name="drop_before", where="revocation")
    try:
        said = pc.run("disconnect")
    finally:
        world.controls.delete(f"faults?id={fault['id']}")
    assert said.status == DONE, said.err
    assert pc.done("status", "--json").value["connections"][0]["state"] == "disconnected"


def test_a_right_infotrack_password_is_kept(new_pc: NewPc) -> None:
    pc = new_pc()
    said = pc.sign_in_to_infotrack()
    assert said.out == ""
    assert pc.done("status", "--json").value["infotrack"]["state"] == "connected"
    pc.done("infotrack", "sign-out")
    assert pc.done("status", "--json").value["infotrack"] == {"state": "disconnected", "user": None}


def test_an_infotrack_login_that_no_keyring_can_keep_is_told_and_ends_with_1(new_pc: NewPc) -> None:
    pc = new_pc()
    pc.more = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    login = pc.world.sandbox.where["infotrack_login"]
    said = pc.run("infotrack", "sign-in", "--user", login["user"], feed=f"{login['password']}\n")
    assert said.status == NEEDS_PERSON
    assert "secret store can't be used" in said.err
    assert "This command ends now" in said.err
    assert pc.done("status", "--json").value["infotrack"]["state"] == "disconnected"


def test_a_wrong_infotrack_password_ends_with_3_and_is_not_kept(new_pc: NewPc) -> None:
    pc = new_pc()
    user = pc.world.sandbox.where["infotrack_login"]["user"]
    said = pc.run("infotrack", "sign-in", "--user", user, feed="not-the-password\n")
    assert said.status == NOT_CONNECTED
    assert "not-the-password" not in said.out + said.err
    assert pc.done("status", "--json").value["infotrack"]["state"] == "disconnected"


def test_no_infotrack_password_is_wrong_usage(new_pc: NewPc) -> None:
    pc = new_pc()
    for nothing in ("", "\n"):
        assert pc.run("infotrack", "sign-in", "--user", "somebody", feed=nothing).status == WRONG_USE


def test_a_wrong_password_does_not_replace_a_right_one(new_pc: NewPc) -> None:
    pc = new_pc()
    pc.sign_in_to_infotrack()
    user = pc.world.sandbox.where["infotrack_login"]["user"]
    assert pc.run("infotrack", "sign-in", "--user", user, feed="wrong\n").status == NOT_CONNECTED
    assert pc.done("status", "--json").value["infotrack"]["state"] == "connected"


def test_infotrack_out_of_reach_ends_with_1(new_pc: NewPc, world: Outside) -> None:
    pc = new_pc()
    fault = world.controls.post("faults", name="html_503", where="infotrack ")
    try:
        said = pc.run("infotrack", "sign-in", "--user", "kowhai-rata", feed="whatever\n")
    finally:
        world.controls.delete(f"faults?id={fault['id']}")
    assert said.status == NEEDS_PERSON, said.err
