"""The Debian package, installed and run where nothing else is: no Python, no Qt, no library that was not asked for."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from installer.facts import ROOT
from tests.installer.clean_root import CleanRoot, possible

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


def test_a_send_that_runs_is_waited_for_and_the_program_ended_before_its_files_are_replaced() -> None:
    """I10: as the package's own script says it, because a running send can't be staged in a bare root."""
    script = (ROOT / "installer" / "linux" / "prerm").read_text(encoding="utf-8")
    waits, ends = script.index("each_person --in-flight"), script.index("kill -TERM")
    assert waits < ends
    assert "remove | upgrade | deconfigure" in script
