"""faceswapctl events -f and wait, while the daemon is killed and comes back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from faceswapd.control.wire.event_messages import Events
from tests.acceptance.farm import JOB_SECONDS, Farm


def begun(farm: Farm, *words: str) -> subprocess.Popen[str]:
    """faceswapctl, which goes on while the test does."""
    return subprocess.Popen(
        [sys.executable, "-m", "faceswapd.ctl", "--socket", farm.client.path, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=farm.environment(),
    )


@pytest.mark.deep
def test_who_follows_loses_no_event_and_who_waits_hears_the_end(farm: Farm, media: Path) -> None:
    farm.ctl("pause")
    following = begun(farm, "events", "-f", "--since", "1d", "--json")
    job = farm.job_of(farm.drop(media / "clip.mp4"))
    waiting = begun(farm, "wait", str(job.id))
    assert following.stdout is not None
    heard = [json.loads(following.stdout.readline()) for _ in range(2)]
    assert [one["kind"] for one in heard] == ["paused", "queued"]
    farm.kill()
    farm.start()
    farm.ctl("resume")
    told, _ = waiting.communicate(timeout=JOB_SECONDS)
    assert waiting.returncode == 0
    assert told.startswith(f"Job {job.id} (clip.mp4): succeeded")
    while heard[-1]["kind"] != "succeeded":
        heard.append(json.loads(following.stdout.readline()))
    following.terminate()
    _, said = following.communicate(timeout=JOB_SECONDS)
    there = farm.ask(Events, "/api/events?after=0&limit=1000").events
    assert [one["id"] for one in heard] == [one.id for one in there if one.id <= heard[-1]["id"]]
    assert {"queued", "started", "succeeded"} <= {one["kind"] for one in heard}
    assert said.splitlines() == [
        "faceswapctl: The daemon is away. Waiting for it; Ctrl-C ends this.",
        "faceswapctl: The daemon is back.",
    ]
    assert farm.stop() == 0
