"""Targets with a date that no clock shows: a camera's or a copy's mistake, which must stop nothing."""

import os
from pathlib import Path

import pytest

from faceswapd.control.wire import messages
from tests.acceptance.farm import Farm

FAR = 9_500_000_000  # seconds: the year 2271, whose nanoseconds since 1970 are more than 63 bits hold


@pytest.mark.deep
def test_a_target_from_the_year_2271_is_swapped_and_holds_up_no_other(farm: Farm, media: Path) -> None:
    aside = farm.folder / "far.jpg"
    aside.write_bytes((media / "photo.jpg").read_bytes())
    os.utime(aside, ns=(FAR * 10**9, FAR * 10**9))
    if aside.stat().st_mtime_ns != FAR * 10**9:
        pytest.skip("the file system keeps no such date")
    far = farm.inbox / "alice" / "far.jpg"
    far.parent.mkdir(exist_ok=True)
    aside.rename(far)
    near = farm.drop(media / "photo.png", "alice", "near.png")
    assert [farm.ended(target).state for target in (far, near)] == ["succeeded", "succeeded"]
    farm.kill()
    farm.start()
    later = farm.drop(media / "other.mp4", "alice", "later.mp4")
    assert farm.ended(later).state == "succeeded"
    assert len(farm.ask(messages.Jobs, "/api/jobs?limit=50").jobs) == 3, "and after a restart it is still the same file"
