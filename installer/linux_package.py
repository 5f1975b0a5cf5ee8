"""The .deb: the bundle under /usr/lib/iconnect, a command, a menu entry, the `iconnect:` links and the icons.

It neither holds nor removes anything of a person's: the queue lies in each person's own folder and outlives upgrade and removal.
`/etc/iconnect` is made for the firm's platform file and never emptied.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

from installer import facts
from installer.elf import dependencies, needed_from_outside, packages_with
from installer.pictures import SVG, png

HOME = "usr/lib/iconnect"
ALSO_NEEDED = ("ca-certificates", "tzdata", "fonts-dejavu-core | fonts-liberation | ttf-mscorefonts-installer")
RECOMMENDED = ("gnome-keyring | kwalletmanager", "xdg-utils", "desktop-file-utils")
ICON_SIZES = (16, 24, 32, 48, 64, 128, 256)

MENU_ENTRY = """[Desktop Entry]
Type=Application
Name=iConnect
GenericName=Searches for a job
Comment=Order InfoTrack searches for a job, and see costs and documents arrive there
Exec=/usr/bin/iconnect
Icon=iconnect
Terminal=false
Categories=Office;
StartupWMClass=iconnect
"""

LINK_ENTRY = """[Desktop Entry]
Type=Application
Name=iConnect
Exec=/usr/bin/iconnect --link %u
Icon=iconnect
Terminal=false
NoDisplay=true
MimeType=x-scheme-handler/iconnect;
"""

AT_SIGN_IN = """[Desktop Entry]
Type=Application
Name=iConnect
Exec=/usr/bin/iconnect
Icon=iconnect
X-GNOME-Autostart-enabled=true
"""
"""An example only: whether iConnect starts with a person is the person's own switch in Settings; IT copies this file where it
should start for everybody."""


class MissingLibrary(Exception):
    """The bundle needs a library that no installed package of this machine holds."""


def control(version: str, depends: list[str], kilobytes: int) -> str:
    """The package's description, for dpkg."""
    return (
        f"Package: {facts.PACKAGE}\nVersion: {version}\nArchitecture: amd64\nMaintainer: {facts.PUBLISHER}\n"
        f"Installed-Size: {kilobytes}\nDepends: {', '.join(depends)}\nRecommends: {', '.join(RECOMMENDED)}\n"
        f"Section: misc\nPriority: optional\nDescription: {facts.SUMMARY}\n"
        " A tray program for law and accounting firms: it orders InfoTrack searches for a job in the practice\n"
        " system, delivers documents and costs to that job, and calls them confirmed when it has read them back.\n"
    )


def build(bundle: Path, out: Path, *, version: str, epoch: int, fast: bool = False) -> Path:
    """Makes the package from the bundle; a `fast` one is not compressed. Gives its path.

    Raises MissingLibrary, OSError, CalledProcessError."""
    packages, unknown = packages_with(needed_from_outside(bundle))
    if unknown:
        raise MissingLibrary(f"No installed package holds {', '.join(sorted(unknown))}. Install it here, then build again.")
    tree = out / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    _lay_out(bundle, tree)
    kilobytes = sum(path.lstat().st_size for path in tree.rglob("*") if not path.is_dir()) // 1024
    papers = tree / "DEBIAN"
    papers.mkdir()
    depends = [*dependencies(packages), *ALSO_NEEDED]
    (papers / "control").write_text(control(version, depends, kilobytes), encoding="utf-8")
    for script in ("postinst", "prerm", "postrm"):
        shutil.copyfile(Path(__file__).parent / "linux" / script, papers / script)
        (papers / script).chmod(0o755)
    made = out / f"{facts.PACKAGE}_{version}_amd64.deb"
    # One time for all files, and no owner of the build machine: two builds should differ in nothing.
    for path in [tree, *tree.rglob("*")]:
        os.utime(path, (epoch, epoch), follow_symlinks=False)
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", *(("-Znone",) if fast else ("-Zxz", "-z6")), "--build", str(tree), str(made)],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return made


def _lay_out(bundle: Path, tree: Path) -> None:
    shutil.copytree(bundle, tree / HOME, symlinks=True)
    _put(tree / "usr/share/applications/iconnect.desktop", MENU_ENTRY)
    _put(tree / "usr/share/applications/iconnect-link.desktop", LINK_ENTRY)
    _put(tree / "usr/share/doc" / facts.PACKAGE / "examples/autostart/iconnect.desktop", AT_SIGN_IN)
    sample = facts.ROOT / "installer" / "platform.sample.toml"
    _put(tree / "usr/share/doc" / facts.PACKAGE / "examples/platform.toml", sample.read_text(encoding="utf-8"))
    licence = bundle / "_internal" / "licences" / "LICENCES.txt"
    _put(tree / "usr/share/doc" / facts.PACKAGE / "copyright", licence.read_text(encoding="utf-8"))
    change = f"{facts.PACKAGE} is described in its own change log.\n"
    _put(tree / "usr/share/doc" / facts.PACKAGE / "changelog.gz", gzip.compress(change.encode(), mtime=0))
    icons = tree / "usr/share/icons/hicolor"
    _put(icons / "scalable/apps/iconnect.svg", SVG.read_bytes())
    for size in ICON_SIZES:
        _put(icons / f"{size}x{size}/apps/iconnect.png", png(size))
    (tree / "etc/iconnect").mkdir(parents=True)
    (tree / "usr/bin").mkdir()
    (tree / "usr/bin/iconnect").symlink_to("../lib/iconnect/iconnect")
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or os.access(path, os.X_OK)
            path.chmod(0o755 if runs else 0o644)


def _put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
