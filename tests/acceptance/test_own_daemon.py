"""faceswapctl finds the user's own daemon without being told where it is."""

import json
import subprocess
import sys

from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm

ANOTHER = "Another daemon of yours"


def warnings(farm: Farm) -> list[str]:
    """All that the daemon warned of, in all of its lives."""
    lines = (farm.folder / "state" / "logs" / "faceswapd.log").read_text(encoding="utf-8").splitlines()
    return [line["event"] for line in map(json.loads, lines) if line["level"] == "warning"]


def found(farm: Farm) -> str:
    """The folder of the daemon that answers where no socket is named."""
    done = subprocess.run(
        [sys.executable, "-m", "faceswapd.ctl", "status", "--json"],
        capture_output=True,
        text=True,
        timeout=30,
        env={**farm.environment(), "HOME": str(farm.folder / "nobody")},
    )
    assert done.returncode == 0, done.stderr
    folder: str = json.loads(done.stdout)["folder"]
    return folder


def test_it_is_found_and_found_again_after_it_was_killed(farm: Farm) -> None:
    assert found(farm) == str(farm.folder)
    farm.kill()
    farm.start()
    assert found(farm) == str(farm.folder)
    assert not [words for words in warnings(farm) if ANOTHER in words]
    farm.stop()
    assert not (farm.folder / "run" / "faceswapd" / "control.sock").is_symlink()


def test_a_second_one_says_that_it_is_not_the_one_that_is_found(farm: Farm, new_farm: NewFarm) -> None:
    second = new_farm(name="second")
    second.start(XDG_RUNTIME_DIR=str(farm.folder / "run"))
    assert [words for words in warnings(second) if ANOTHER in words and second.client.path in words]
    second.stop()
    assert found(farm) == str(farm.folder)
