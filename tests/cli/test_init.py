from pathlib import Path

import pytest

from faceswapd.cli import main
from faceswapd.settings import load


def test_the_page_is_there_on_this_machine_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "farm"
    assert main(["init", str(folder)]) == 0
    assert "faceswapctl open" in capsys.readouterr().out
    http = load(folder / "config.toml").http
    assert (http.enabled, http.address, http.certificate) == (True, "127.0.0.1", None)


def test_what_is_there_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text("# mine\n", encoding="utf-8")
    assert main(["init", str(tmp_path)]) == 0
    assert "Left as it was" in capsys.readouterr().out
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == "# mine\n"
