"""Where things lie on this PC: the profile's folder and files, and the folders that a platform file is looked for in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PLATFORM_FILE = "platform.toml"


@dataclass(frozen=True)
class Places:
    """The folders of one profile. `profile` holds all of the person's own state; it is local, never roaming."""

    profile: Path
    explicit: bool

    @property
    def own_settings(self) -> Path:
        return self.profile / "settings.json"

    @property
    def ledger(self) -> Path:
        return self.profile / "ledger.db"

    @property
    def directory(self) -> Path:
        return self.profile / "directory.db"

    @property
    def downloads(self) -> Path:
        return self.profile / "downloads"

    @property
    def logs(self) -> Path:
        return self.profile / "logs"

    @property
    def crashes(self) -> Path:
        return self.profile / "crashes"

    def platform_candidates(self, environment: Mapping[str, str]) -> tuple[Path, ...]:
        """Where a platform file is looked for when neither the command line nor the environment names one."""
        own = self.profile if self.explicit else _config_folder()
        return (own / PLATFORM_FILE, machine_wide_folder(environment) / PLATFORM_FILE)


def places(profile: str | None, environment: Mapping[str, str]) -> Places:
    """The profile named on the command line, by ICONNECT_PROFILE, or by the operating system's convention."""
    chosen = profile or environment.get("ICONNECT_PROFILE") or ""
    if chosen:
        return Places(Path(chosen).expanduser().absolute(), explicit=True)
    import platformdirs

    return Places(Path(platformdirs.user_data_dir("iConnect", appauthor=False, roaming=False)), explicit=False)


def _config_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_config_dir("iConnect", appauthor=False))


def machine_wide_folder(environment: Mapping[str, str], *, platform: str = sys.platform) -> Path:
    if platform == "win32":
        return Path(environment.get("PROGRAMDATA", r"C:\ProgramData")) / "iConnect"
    if platform == "darwin":
        return Path("/Library/Application Support/iConnect")
    return Path("/etc/iconnect")
