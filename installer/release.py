"""The update repository, kept by whoever releases: made once, added to at each release, its timestamp renewed each week.

    python -m installer.release init REPOSITORY --keys FOLDER
    python -m installer.release publish REPOSITORY --keys FOLDER --platform windows --version 1.2.0 --file iConnect-Setup.exe
    python -m installer.release renew REPOSITORY --keys FOLDER

`init` makes three root keys, of which two must sign, and one key for each other role, and leaves the root of trust that is shipped
with the program in REPOSITORY/metadata/1.root.json. Move `root-*.pem` and `targets.pem` off this machine afterwards, each to a
medium of its own: `renew` needs only `snapshot.pem` and `timestamp.pem`. The repository is plain files for any web server.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

ROOT_KEYS = ("root-1", "root-2", "root-3")
THRESHOLD = 2
LIVES = {
    "root": timedelta(days=365),
    "targets": timedelta(days=365),
    "snapshot": timedelta(days=30),
    "timestamp": timedelta(days=10),
}
PLATFORMS = ("windows", "linux-deb", "macos")
_VERSION = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}")
_PRETTY = JSONSerializer(compact=False)


class Repository:
    """`now` is when it is signed; what expires is counted from it."""

    def __init__(self, folder: Path, keys: Path, *, now: datetime) -> None:
        self.metadata = folder / "metadata"
        self.targets = folder / "targets"
        self._keys = keys
        self._now = now.replace(microsecond=0)

    def init(self) -> None:
        """Raises FileExistsError where there is a repository already."""
        for each in (self.metadata, self.targets, self._keys):
            each.mkdir(parents=True, exist_ok=True)
        if any(self.metadata.iterdir()):
            raise FileExistsError(f"{self.metadata} holds a repository already.")
        root = Root(consistent_snapshot=True, expires=self._end("root"))
        for name in ROOT_KEYS:
            root.add_key(self._new_key(name).public_key, "root")
        root.roles["root"].threshold = THRESHOLD
        for role in ("targets", "snapshot", "timestamp"):
            root.add_key(self._new_key(role).public_key, role)
        self._write(Metadata(root), "1.root.json", *ROOT_KEYS)
        self._write(Metadata(Targets(expires=self._end("targets"))), "1.targets.json", "targets")
        snapshot = Snapshot(expires=self._end("snapshot"), meta={"targets.json": MetaFile(1)})
        self._write(Metadata(snapshot), "1.snapshot.json", "snapshot")
        self._write(Metadata(Timestamp(expires=self._end("timestamp"), snapshot_meta=MetaFile(1))), "timestamp.json", "timestamp")

    def publish(self, platform: str, version: str, file: Path) -> None:
        """Adds the package and names it as the platform's latest. Raises ValueError for a version that is none."""
        if not _VERSION.fullmatch(version):
            raise ValueError(f"{version} is no version such as 1.2.0.")
        latest = json.dumps({"version": version, "file": file.name}).encode() + b"\n"
        signed = Metadata[Targets].from_file(self._newest("targets")).signed
        for name, content in ((f"{platform}/{file.name}", file), (f"{platform}/latest.json", latest)):
            known = TargetFile.from_file(name, str(content)) if isinstance(content, Path) else TargetFile.from_data(name, content)
            signed.targets[name] = known
            place = self.targets / platform / f"{known.hashes['sha256']}.{Path(name).name}"
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, place)
            else:
                place.write_bytes(content)
        signed.version += 1
        signed.expires = self._end("targets")
        self._write(Metadata(signed), f"{signed.version}.targets.json", "targets")
        self._snapshot(signed.version)

    def renew(self) -> None:
        """A new snapshot and timestamp over the same targets: says that this is still the newest state."""
        self._snapshot(Metadata[Targets].from_file(self._newest("targets")).signed.version)

    def _snapshot(self, targets: int) -> None:
        snapshot = Metadata[Snapshot].from_file(self._newest("snapshot")).signed
        snapshot.version += 1
        snapshot.expires = self._end("snapshot")
        snapshot.meta["targets.json"] = MetaFile(targets)
        self._write(Metadata(snapshot), f"{snapshot.version}.snapshot.json", "snapshot")
        timestamp = Metadata[Timestamp].from_file(str(self.metadata / "timestamp.json")).signed
        timestamp.version += 1
        timestamp.expires = self._end("timestamp")
        timestamp.snapshot_meta = MetaFile(snapshot.version)
        self._write(Metadata(timestamp), "timestamp.json", "timestamp")

    def _newest(self, role: str) -> str:
        return str(max(self.metadata.glob(f"*.{role}.json"), key=lambda path: int(path.name.split(".")[0])))

    def _write(
        self, made: Metadata[Root] | Metadata[Targets] | Metadata[Snapshot] | Metadata[Timestamp], name: str, *keys: str
    ) -> None:
        for key in keys:
            made.sign(self._key(key), append=True)
        made.to_file(str(self.metadata / name), _PRETTY)

    def _end(self, role: str) -> datetime:
        return self._now + LIVES[role]

    def _new_key(self, name: str) -> CryptoSigner:
        signer = CryptoSigner.generate_ed25519()
        path = self._keys / f"{name}.pem"
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(signer.private_bytes)
        return signer

    def _key(self, name: str) -> CryptoSigner:
        path = self._keys / f"{name}.pem"
        if not path.exists():
            raise FileNotFoundError(f"The key {path} is not here. Bring the medium that holds it.")
        return CryptoSigner(load_pem_private_key(path.read_bytes(), None))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("init", "publish", "renew"))
    parser.add_argument("repository", type=Path)
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--platform", choices=PLATFORMS)
    parser.add_argument("--version")
    parser.add_argument("--file", type=Path)
    options = parser.parse_args(arguments)
    repository = Repository(options.repository, options.keys, now=datetime.now(UTC))
    try:
        if options.what == "init":
            repository.init()
        elif options.what == "renew":
            repository.renew()
        elif not (options.platform and options.version and options.file):
            parser.error("publish needs --platform, --version and --file")
        else:
            repository.publish(options.platform, options.version, options.file)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
