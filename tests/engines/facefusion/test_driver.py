"""What the driver remembers of model files, so that they are not summed up for every job."""

import os
from pathlib import Path

import pytest

from faceswapd.engines.facefusion.driver import _once_for_each_file, _stamp


class Check:
    """FaceFusion's own check, which counts how often it is asked."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.answer = True

    @property
    def asked(self) -> int:
        return len(self.paths)

    def __call__(self, path: str) -> bool:
        self.paths.append(path)
        return self.answer


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "gfpgan_1.4.hash").write_text("0" * 8, encoding="ascii")
    (tmp_path / "gfpgan_1.4.onnx").write_bytes(b"model")
    return tmp_path / "gfpgan_1.4.onnx"


def proof(*paths: Path) -> dict[str, list[int]]:
    """What the daemon hands over of files that it has compared."""
    return {str(path): list(_stamp(str(path))) for path in paths}


def test_a_file_that_was_right_is_asked_once(model: Path) -> None:
    check = Check()
    remembered = _once_for_each_file(check, {})
    assert [remembered(str(model)) for _ in range(3)] == [True] * 3
    assert check.asked == 1


def test_a_file_that_was_wrong_is_asked_again(model: Path) -> None:
    check = Check()
    check.answer = False
    remembered = _once_for_each_file(check, {})
    assert [remembered(str(model)) for _ in range(2)] == [False] * 2
    assert check.asked == 2


def test_what_the_daemon_has_compared_is_not_asked_at_all(model: Path) -> None:
    check = Check()
    assert _once_for_each_file(check, proof(model, model.with_suffix(".hash")))(str(model))
    assert check.asked == 0


@pytest.mark.parametrize("changed", [".onnx", ".hash"])
def test_one_that_looks_otherwise_by_now_is_asked(model: Path, changed: str) -> None:
    check = Check()
    remembered = _once_for_each_file(check, proof(model, model.with_suffix(".hash")))
    os.utime(model.with_suffix(changed), (1, 1))
    assert remembered(str(model))
    assert check.asked == 1


def test_half_a_proof_is_none(model: Path) -> None:
    check = Check()
    assert _once_for_each_file(check, proof(model))(str(model))
    assert check.asked == 1


def test_a_file_without_its_hash_is_for_facefusion_to_judge(model: Path) -> None:
    check = Check()
    remembered = _once_for_each_file(check, {})
    model.with_suffix(".hash").unlink()
    assert [remembered(str(model)) for _ in range(2)] == [True] * 2
    assert check.asked == 2
