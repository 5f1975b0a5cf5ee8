"""What a refresh changes for the whole process is put back."""

from __future__ import annotations

import gc
import sys

import pytest

from desktop.services.practice.considerate import considerate


def test_full_collections_and_long_turns_are_put_off_until_the_last_work_ends() -> None:
    """A window is not kept waiting by a refresh in its process."""
    before = (sys.getswitchinterval(), gc.get_threshold())

    def work() -> None:
        with considerate():
            with considerate():
                assert gc.get_threshold()[2] > 1_000_000
                assert gc.get_threshold()[:2] == before[1][:2]
            assert gc.get_threshold()[2] > 1_000_000
            assert sys.getswitchinterval() <= 0.001
            raise OSError

    with pytest.raises(OSError):
        work()
    assert (sys.getswitchinterval(), gc.get_threshold()) == before
