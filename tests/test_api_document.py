"""docs/api.md says what the API does: its lines are run as they stand there."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import cv2
import pytest

from faceswapd.control.routes.table import OPERATIONS
from tests.acceptance.conftest import NewFarm, media, new_farm  # noqa: F401 - fixtures

DOCUMENT = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
SECONDS = 90.0
USUAL = "http://127.0.0.1:8787"  # which another daemon of this machine may have


def test_each_request_is_told_and_no_other() -> None:
    told = re.findall(r"^\| `([A-Z]+ /\S*)` \| (.*) \|$", DOCUMENT, re.MULTILINE)
    assert told == sorted(
        ((f"{one.method} {one.path}", one.summary) for one in OPERATIONS), key=lambda row: row[0].split()[::-1]
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
def test_its_lines_do_what_is_said(new_farm: NewFarm, media: Path, tmp_path: Path) -> None:  # noqa: F811
    script = "".join(re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL))
    assert script.count("curl ") > 20
    farm = new_farm('[http]\nenabled = true\nport = 0\n[engine]\nname = "preview"\n')
    farm.start()
    link = json.loads(farm.ctl("open", "--print", "--json"))["url"]
    url = link.partition("/login")[0]
    here = tmp_path / "here"
    here.mkdir()
    shutil.copy(media / "photo.png", here / "holiday.png")
    shutil.copy(media / "other.png", here / "alice.png")
    assert USUAL in script
    lines = script.replace(USUAL, url).replace("curl ", "curl --fail-with-body ")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=here,
        env={**os.environ, "STATE": str(farm.folder / "state")},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((here / "job.json").read_text())["job"]["state"] == "succeeded"
    result, small = cv2.imread(str(here / "result.png")), cv2.imread(str(here / "small.jpg"))
    assert result is not None
    assert small is not None
    assert result.shape == (120, 160, 3)
    assert (here / "first.bin").read_bytes() == (here / "result.png").read_bytes()[:100]
    stream = (here / "stream.txt").read_text()
    assert stream.startswith("retry: 1000\n\nevent: hello\ndata: {")
    assert "event: succeeded" in stream
