"""`iconnect demo`: the whole job against the built-in sandbox, through the product's public commands and windows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SYSTEMS = {
    "xero-practice-manager": "Xero Practice Manager",
    "workflowmax": "WorkflowMax",
    "workflowmax-v1": "WorkflowMax by its XML interface",
    "smokeball": "Smokeball",
}
"""What the demo can run on; WorkflowMax by either of its interfaces."""

LONGEST = 270
"""Seconds for the headless journey; the contract promises three minutes for the whole."""


def run_demo(*, headless: bool, system: str | None, matters: int, out: Path | None) -> int:
    """Gives the exit status: 0 when every step passed."""
    from desktop.demo.private_keyring import PrivateKeyring
    from desktop.demo.sandbox_process import SandboxFailed, SandboxProcess

    system = system or "xero-practice-manager"
    if not headless and not _has_screen():
        sys.stderr.write("There is no screen here: running the demo offscreen.\n")
        headless = True
    out = (out or Path("iconnect-demo")).absolute()
    out.mkdir(parents=True, exist_ok=True)
    for old in (*out.glob("*.png"), *out.glob("report.*")):
        old.unlink()
    work = Path(tempfile.mkdtemp(prefix="iconnect-demo-"))
    keyring = PrivateKeyring(work / "keyring")
    sandbox = SandboxProcess(work / "sandbox")
    try:
        sys.stderr.write("Starting the sandbox …\n")
        sandbox.start(matters=matters, delay=3.0 if headless else 8.0, system=system)
        keyring.start()
        environment = {
            **os.environ,
            **keyring.environment,
            "ICONNECT_PROFILE": str(work / "profile"),
            "ICONNECT_PLATFORM": str(sandbox.platform_file),
            "ICONNECT_DEMO_KEYRING_NAME": keyring.name,
        }
        if headless:
            return _headless(environment, work, out, system)
        return _interactive(environment, sandbox, system)
    except SandboxFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        keyring.close()
        sandbox.close()
        shutil.rmtree(work, ignore_errors=True)


def _has_screen() -> bool:
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _headless(environment: dict[str, str], work: Path, out: Path, system: str) -> int:
    offscreen = {
        "QT_QPA_PLATFORM": "offscreen",
        # Read as a shell would: a folder may hold blanks, and a backslash would be eaten.
        "BROWSER": f'"{Path(sys.executable).as_posix()}" -m desktop.demo.person_in_browser %s',
    }
    command = [sys.executable, "-m", "desktop.demo.headless", str(work / "sandbox" / "sandbox.json"), str(out), system]
    try:
        done = subprocess.run(command, env={**environment, **offscreen}, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"The journey did not end within {LONGEST} s.\n")
        return 1
    report = out / "report.txt"
    if report.exists():
        sys.stdout.write(report.read_text(encoding="utf-8"))
        sys.stdout.write(f"Pictures and report: {out}\n")
    return done.returncode


def _interactive(environment: dict[str, str], sandbox: object, system: str) -> int:
    from desktop.demo.sandbox_process import SandboxProcess

    assert isinstance(sandbox, SandboxProcess)
    where = sandbox.where
    login = where["infotrack_login"]
    person = where[{"xero-practice-manager": "xero"}.get(system, system.removesuffix("-v1"))]["user"]
    sys.stderr.write(
        "iConnect starts now, against the sandbox; nothing leaves this PC.\n"
        f"  {SYSTEMS[system]}: press Connect; the sign-in page in your browser is filled in ({person}).\n"
        f"  InfoTrack: user {login['user']}, password {login['password']}\n"
        f"  The sandbox's controls and books: {sandbox.controls}/\n"
        "Quit from the tray's menu to end the demo.\n"
    )
    command = [sys.executable, "-m", "desktop.demo.interactive"]
    status = subprocess.run(command, env=environment, check=False).returncode
    for firm in sandbox.get("/api/books")["tenants"]:
        if firm["costs"] or firm["documents"]:
            sys.stdout.write(f"In the books of {firm['name']}:\n")
        for cost in firm["costs"]:
            sys.stdout.write(f"  {cost['job']}  {cost['code']}  {cost['unit_cost']}  {cost['description']}  ({cost['note']})\n")
        for document in firm["documents"]:
            sys.stdout.write(f"  {document['job']}  {document['file_name']}  {document['size']} bytes  ({document['text']})\n")
    return status
