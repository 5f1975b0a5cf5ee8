"""A Debian of its own to install into: bare, in a folder, with mounts that end with each command. Needs root and debootstrap."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

RELEASE = "bookworm"
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SETTINGS = Path("/etc/apt")


def possible() -> bool:
    """Whether this machine can make one."""
    tools = all(shutil.which(tool) for tool in ("debootstrap", "unshare", "chroot", "dpkg-deb"))
    return tools and os.geteuid() == 0 and _KEYS.exists() and _mirror() is not None


def _mirror() -> str | None:
    """Where this machine's own packages come from; the test brings no address."""
    for file in sorted((_SETTINGS / "sources.list.d").glob("*.sources")):
        if found := re.search(r"^URIs:\s*(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE):
            return found[1]
    return None


class CleanRoot:
    """The root; `run` runs a shell line in it, as root or as the person `anna`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        base = os.environ.get("ICONNECT_CLEAN_BASE")
        if base:
            subprocess.run(["cp", "-a", base, str(folder)], check=True)
        else:
            subprocess.run(
                ["debootstrap", "--variant=minbase", f"--keyring={_KEYS}", RELEASE, str(folder), str(_mirror())],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        # How this machine reaches its packages: name service, certificates, proxy settings of apt.
        for name in ("resolv.conf", "ssl/certs"):
            self._take(Path("/etc") / name)
        for file in (_SETTINGS / "apt.conf.d").glob("99*"):
            self._take(file)
        (folder / "etc/apt/sources.list").unlink(missing_ok=True)
        for file in (_SETTINGS / "sources.list.d").glob("*.sources"):
            self._take(file)
        self._take(_KEYS)
        self.run("apt-get -q update && useradd --create-home anna")

    def _take(self, path: Path) -> None:
        target = self.folder / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-rL", str(path), str(target.parent)], check=True)

    def run(self, line: str, *, person: bool = False, may_fail: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs the line with sh. Raises AssertionError with its output when it fails and may not."""
        command = self._command(line, person=person)
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert may_fail or done.returncode == 0, f"{line}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done

    def start(self, line: str, *, person: bool = False) -> subprocess.Popen[str]:
        """Starts the line with sh. All that it started ends with it. This machine's loopback and screens are the root's too."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self._command(line, person=person), text=True, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)

    def _command(self, line: str, *, person: bool) -> list[str]:
        mounts = (
            'root=$1; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; '
            'mount -t tmpfs -o mode=1777 shm "$root/dev/shm"; shift; exec "$@"'
        )
        inner = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb", "DEBIAN_FRONTEND=noninteractive"]
        inner += ["HOME=/home/anna", "setpriv", "--reuid=anna", "--regid=anna", "--init-groups"] if person else ["HOME=/root"]
        return [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", mounts, "sh", str(self.folder)),
            *("chroot", str(self.folder), *inner, "sh", "-c", f"cd ~ && {line}" if person else line),
        ]

    def bring(self, file: Path) -> str:
        """Copies a file into the root's /srv. Gives its path there."""
        shutil.copyfile(file, self.folder / "srv" / file.name)
        return f"/srv/{file.name}"
