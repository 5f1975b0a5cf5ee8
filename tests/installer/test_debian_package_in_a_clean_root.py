"""The Debian package, installed and run where nothing else is: no Python, no Qt, no library that was not asked for."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from desktop.demo.person_in_browser import sign_in
from installer.facts import ROOT
from tests.commands.installation import Outside, outside, until
from tests.installer.clean_root import CleanRoot, possible
from tests.ui.virtual_screen import Screen

HOME = "/home/anna"

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not sys.platform.startswith("linux") or not possible(), reason="needs root and debootstrap"),
]

PLATFORM = '[practice]\nsystem = "xero-practice-manager"\n\n[xero]\nclient_id = "0123456789ABCDEF"\n'


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The package, and the same one with a higher number. ICONNECT_BUNDLE names a bundle that was built before."""
    out = tmp_path_factory.mktemp("packages")
    bundle = Path(os.environ.get("ICONNECT_BUNDLE") or out / "bundle" / "iconnect")
    build = [sys.executable, "-m", "installer.build", "--bundle", str(bundle)]
    made = {}
    for version in ("0.1.0", "0.1.1"):
        if not bundle.exists():
            subprocess.run([*build, "--bundle-only", "--out", str(out)], cwd=ROOT, check=True)
        line = [*build, "--package-only", "--compression", "zlib", "--package-version", version, "--out", str(out / version)]
        subprocess.run(line, cwd=ROOT, check=True)
        made[version] = out / version / f"iconnect-desktop_{version}_amd64.deb"
    return made


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CleanRoot]:
    folder = tmp_path_factory.mktemp("clean") / "root"
    yield CleanRoot(folder)
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)


def test_the_queue_outlives_installing_using_upgrading_and_removing(root: CleanRoot, packages: dict[str, Path]) -> None:
    """G19, I15: what each step promises, in the order of a firm's life with the program."""
    before = root.run("find / -xdev -path /proc -prune -o -path /var -prune -o -print | sort").stdout.splitlines()
    first, second = (root.bring(packages[version]) for version in ("0.1.0", "0.1.1"))

    began = time.monotonic()
    root.run(f"dpkg -i {first}", may_fail=True)
    root.run("apt-get -q -y --no-install-recommends -f install")
    print(f"installed with its libraries in {time.monotonic() - began:.0f} s")
    assert root.run("iconnect --version", person=True).stdout.strip() == "iConnect, version 0.1.0"
    missing = root.run(
        "find /usr/lib/iconnect -type f -name '*.so*' -exec ldd {} + | grep 'not found' | sort -u", may_fail=True
    ).stdout
    assert missing == "", "a library of the bundle finds another one nowhere"

    (root.folder / "etc/iconnect/platform.toml").write_text(PLATFORM, encoding="utf-8")
    checks = root.run("iconnect doctor --json", person=True, may_fail=True)
    found = json.loads(checks.stdout)
    assert found, checks.stderr
    print(json.dumps(found, indent=1))

    began = time.monotonic()
    shown = root.run("iconnect demo --headless --out ~/shown", person=True).stdout
    print(f"demo in {time.monotonic() - began:.0f} s\n{shown}")
    assert "12 of 12 steps passed." in shown
    assert "The embedded browser ran with its sandbox on." in shown

    # A ledger of anna's, with what status and doctor put into it.
    root.run("iconnect status --json", person=True, may_fail=True)
    ledger = root.folder / "home/anna/.local/share/iConnect/ledger.db"
    digest = hashlib.sha256(ledger.read_bytes()).hexdigest()
    root.run(f"dpkg -i {second}")
    assert root.run("dpkg-query -W -f '${Version}' iconnect-desktop").stdout == "0.1.1"
    assert hashlib.sha256(ledger.read_bytes()).hexdigest() == digest
    assert (root.folder / "etc/iconnect/platform.toml").read_text(encoding="utf-8") == PLATFORM

    told = root.run("apt-get -q -y purge iconnect-desktop")
    after = root.run("find / -xdev -path /proc -prune -o -path /var -prune -o -print | sort").stdout.splitlines()
    left = [path for path in sorted(set(after) - set(before)) if "iconnect" in path.lower()]
    ours = [path for path in left if not path.startswith(("/srv/", f"{HOME}/shown"))]
    print("left:", *ours, told.stderr, sep="\n")
    assert not [path for path in ours if not path.startswith(("/etc/iconnect", f"{HOME}/"))]
    assert ledger.exists()
    assert "/etc/iconnect/platform.toml" in ours


AS_ANNA = f"setpriv --reuid=anna --regid=anna --init-groups env HOME={HOME}"
KEYRING = f"PYTHON_KEYRING_BACKEND=desktop.demo.file_keyring.FileKeyring ICONNECT_DEMO_KEYRING={HOME}/keyring.json"
"""The demo's own store: the bare root has no Secret Service."""
ORDERS = range(941, 945)
SLOW = 8.0
"""Seconds that a send takes: less than what the sandbox's platform file gives an answer."""


class Desk:
    """anna's iConnect in the root, signed in to the sandbox of this machine."""

    def __init__(self, root: CleanRoot, world: Outside) -> None:
        self.root, self.world = root, world
        platform = root.folder / "etc/iconnect/platform.toml"
        platform.write_bytes(world.sandbox.platform_file.read_bytes())
        process = root.start(f"env {KEYRING} iconnect connect --no-browser", person=True)
        with process:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address.startswith("http"), address
            sign_in(address)
            _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
        login = world.sandbox.where["infotrack_login"]
        self.do(f"infotrack sign-in --user {login['user']}", feed=login["password"])
        self.do("matters refresh")

    def do(self, words: str, *, feed: str = "") -> str:
        line = f"env {KEYRING} iconnect {words}"
        return self.root.run(f"echo '{feed}' | {line}" if feed else line, person=True).stdout

    def states(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.do("status --json"))["deliveries"]
        return found

    def in_books(self) -> list[int]:
        return [sum(key.startswith(f"IT-{order}-") for key in self.world.keys_in_books()) for order in ORDERS]


def is_green(screen: Screen) -> bool:
    """Whether the tray host shows an icon that is mostly green."""
    shot = ["import", "-display", screen.display, "-window", "root", "-crop", "200x40+1080+0", "-depth", "8", "rgb:-"]
    pixels = subprocess.run(shot, capture_output=True, check=True).stdout
    colours = zip(pixels[0::3], pixels[1::3], pixels[2::3], strict=True)
    return sum(green > 90 and green > 1.6 * red and green > 1.6 * blue for red, green, blue in colours) >= 12


def test_an_upgrade_while_the_program_sends_waits_for_the_send_and_loses_nothing(
    root: CleanRoot, packages: dict[str, Path], tmp_path: Path
) -> None:
    """G19, I10, I15: the tray runs and a cost is on its way: the package lets that come to its end, then replaces the program; the
    rest goes out after the next start, once."""
    first, second = (root.bring(packages[version]) for version in ("0.1.0", "0.1.1"))
    root.run(f"dpkg -i {first}", may_fail=True)
    root.run("apt-get -q -y --no-install-recommends -f install")
    go = root.folder / "srv/go"
    with outside(tmp_path) as world, closing(Screen()) as screen:
        desk = Desk(root, world)
        for number, order in enumerate(ORDERS):
            desk.do(f"results add --order {order} --matter J00{4541 + number} --service X --retailer-fee 5")
        made = world.controls.post("faults", name="slow", where="api POST practicemanager/3.1/job.api/*", seconds=SLOW, count=2)
        tray = f"{AS_ANNA} {KEYRING} QT_QPA_PLATFORM=offscreen iconnect"
        wait = "until [ -e /srv/go ]; do sleep 0.1; done"
        ended = "if kill -0 $tray 2>/dev/null; then echo RUNS; else echo ENDED; fi"
        upgrade = root.start(f"cd /; {tray} & tray=$!; {wait}; dpkg -i {second} && {ended}")
        until(lambda: any(each["hits"] for each in world.controls.get("faults")["faults"] if each["id"] == made["id"]), patience=90)
        began = time.monotonic()
        go.touch()
        told, complaints = upgrade.communicate(timeout=240)
        print(f"upgraded in the middle of a send in {time.monotonic() - began:.0f} s")
        assert told.rstrip().endswith("ENDED"), told + complaints
        assert root.run("dpkg-query -W -f '${Version}' iconnect-desktop").stdout == "0.1.1"
        states = desk.states()
        assert states["sending"] == 0, "it was ended in the middle of a send"
        assert desk.in_books() != [1] * len(ORDERS), "nothing was left for the next start: the test shows less than it says"
        assert max(desk.in_books()) == 1

        screen.start_host()
        began = time.monotonic()
        again = root.start(f"env {KEYRING} DISPLAY={screen.display} iconnect", person=True)
        until(lambda: is_green(screen), patience=60)
        print(f"first green icon {time.monotonic() - began:.1f} s after the start")
        until(lambda: desk.states()["confirmed"] == len(ORDERS), patience=120)
        assert desk.in_books() == [1] * len(ORDERS)
        assert desk.do("quit --when-idle --wait 60") == "quitting\n"
        again.communicate(timeout=60)
    root.run("apt-get -q -y purge iconnect-desktop")
