"""The log grows neither large nor old."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.logs import KEPT_SECONDS, LOG_SECONDS, log_to

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    before, level = list(logger.handlers), logger.level
    yield logger
    for handler in [one for one in logger.handlers if one not in before]:
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(level)


def line(at: datetime, text: str) -> str:
    return json.dumps({"at": at.isoformat(timespec="milliseconds"), "message": text}) + "\n"


def test_a_file_that_was_begun_more_than_a_week_ago_is_followed_by_the_next(tmp_path: Path, root: logging.Logger) -> None:
    """J1: kept apart by age as well as by size."""
    now = datetime.now(UTC)
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "tray.log"
    path.write_text(line(now - timedelta(seconds=LOG_SECONDS + 60), "long ago") + line(now, "today"))
    log_to(tmp_path / "logs", "tray")
    logging.getLogger("desktop.x").warning("new")
    assert "new" in path.read_text()
    assert "long ago" not in path.read_text()
    assert "long ago" in path.with_name("tray.log.1").read_text()


@pytest.mark.parametrize("first", ["", "not a line of ours\n", '{"at": 7}\n'], ids=["young", "foreign", "ageless"])
def test_a_young_file_and_one_that_does_not_tell_its_age_are_gone_on_with(tmp_path: Path, root: logging.Logger, first: str) -> None:
    first = first or line(datetime.now(UTC) - timedelta(days=2), "recent")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "tray.log").write_text(first)
    log_to(tmp_path / "logs", "tray")
    logging.getLogger("desktop.x").warning("new")
    assert (tmp_path / "logs" / "tray.log").read_text().startswith(first)
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["tray.log"]


def test_files_that_nobody_wrote_to_for_a_month_go(tmp_path: Path, root: logging.Logger) -> None:
    (tmp_path / "logs").mkdir()
    for name, age in (("tray.log.1", KEPT_SECONDS - 3600), ("tray.log.2", KEPT_SECONDS + 3600), ("other.log.1", KEPT_SECONDS * 2)):
        (tmp_path / "logs" / name).write_text("x\n")
        then = time.time() - age
        os.utime(tmp_path / "logs" / name, (then, then))
    log_to(tmp_path / "logs", "tray")
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["other.log.1", "tray.log.1"]


def test_a_command_that_ends_calmly_leaves_no_empty_report(tmp_path: Path) -> None:
    """J8: there are many commands a day."""
    start = "import sys, faulthandler; from pathlib import Path; from desktop.logs import report_crashes_to\n"
    start += "report_crashes_to(Path(sys.argv[1]), short=True)\n"
    for end, left in (("", 0), ("faulthandler._sigsegv()", 1)):
        subprocess.run([sys.executable, "-c", start + end, str(tmp_path)], check=False, cwd=ROOT, capture_output=True)
        assert len(list(tmp_path.iterdir())) == left
