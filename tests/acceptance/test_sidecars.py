"""What a sidecar asks for, on the real daemon: a part of a video."""

from pathlib import Path

import numpy as np
import pytest

from tests.acceptance.farm import Farm
from tests.acceptance.test_main_job import frames


def beside(target: Path, text: str) -> Path:
    """Write the sidecar of a target that is still to be dropped."""
    target.parent.mkdir(exist_ok=True)
    sidecar = target.with_name(f"{target.name}.toml")
    sidecar.write_text(text, encoding="utf-8")
    return sidecar


def test_a_part_of_a_phones_video(farm: Farm, media: Path) -> None:
    beside(farm.inbox / "alice" / "phone.mov", "trim = { start = 0.5, end = 1.2 }\n")
    target = farm.drop(media / "phone.mov")
    job = farm.ended(target)
    assert (job.state, job.reason) == ("succeeded", None)
    assert job.output is not None
    before, coded, _ = frames(target)
    after, upright, flag = frames(Path(job.output))
    wanted = [number for number, at in enumerate(before) if 0.5 <= at < 1.2]
    assert flag == 0
    assert after == pytest.approx([before[number] - before[wanted[0]] for number in wanted], abs=1e-6)
    for made, number in zip(upright, wanted, strict=True):
        assert float(np.abs(np.rot90(coded[number], -1).astype(int) - made).mean()) < 20, "the same scene"
    assert "from 0:00.5 to 0:01.2" in farm.ctl("explain", str(target))


def test_a_part_that_the_video_does_not_have_is_a_mistake_with_a_sentence(farm: Farm, media: Path) -> None:
    beside(farm.inbox / "alice" / "clip.mp4", 'trim = { start = "0:10" }\n')
    beside(farm.inbox / "alice" / "photo.jpg", "trim = { end = 1 }\n")
    for name, told in (("clip.mp4", "begin before its end"), ("photo.jpg", "an image has no length")):
        job = farm.job_of(farm.drop(media / name))
        assert job.state == "parked"
        assert told in farm.ctl("explain", f"alice/{name}")
