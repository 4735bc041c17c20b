"""What is installed where, without a network: git and pip are small scripts that stand in."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from faceswapd.engines.facefusion import installing
from faceswapd.engines.facefusion.installing import InstallFailure, Plan

REQUIREMENTS = "gradio==5.50.0\nnumpy==2.4.6\nonnxruntime==1.28.0\ntqdm==4.70.0\n"
INSTALLER = """
ONNXRUNTIME_SET =\\
{
	'default': ('onnxruntime', '1.23.2')
}
if is_windows() or is_linux():
	ONNXRUNTIME_SET['cuda'] = ('onnxruntime-gpu', '1.23.1')
"""


def script(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    place = folder / name
    place.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    place.chmod(0o755)
    return place


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of stand-ins, first on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def plan(tmp_path: Path, runtime: str = "default") -> Plan:
    return Plan(tmp_path / "home" / "facefusion", "3.8.1", sys.executable, runtime)


@pytest.mark.parametrize(
    ("runtime", "installer", "last"),
    [
        ("default", "", "onnxruntime==1.28.0"),
        ("coreml", "", "onnxruntime==1.28.0"),
        ("cuda@12", "", "onnxruntime-gpu[cuda,cudnn]==1.24.4"),
        ("cuda@13", "", "onnxruntime-gpu[cuda,cudnn]==1.28.0"),
        ("openvino", "", "onnxruntime-openvino==1.24.1"),
        ("default", INSTALLER, "onnxruntime==1.23.2"),
        ("cuda@12", INSTALLER, "onnxruntime-gpu[cuda,cudnn]==1.23.1"),
    ],
)
def test_the_build_of_onnxruntime_is_the_one_that_this_release_pins(runtime: str, installer: str, last: str) -> None:
    lines = installing.requirements_of(REQUIREMENTS, installer, runtime).splitlines()
    assert lines == ["gradio==5.50.0", "numpy==2.4.6", "tqdm==4.70.0", last]


@pytest.mark.parametrize(
    ("said", "runtime"),
    [
        ("echo '| NVIDIA-SMI 580.1   Driver Version: 580.1   CUDA Version: 13.0 |'", "cuda@13"),
        ("echo '| NVIDIA-SMI 550.1   Driver Version: 550.1   CUDA Version: 12.4 |'", "cuda@12"),
        ("echo '| NVIDIA-SMI 470.1   Driver Version: 470.1   CUDA Version: 11.4 |'", "default"),
        ("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18", "default"),
    ],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac has no NVIDIA driver")
def test_the_build_follows_the_driver(programs: Path, said: str, runtime: str) -> None:
    script(programs, "nvidia-smi", said)
    found, why = asyncio.run(installing.fitting_runtime())
    assert found == runtime
    assert why.endswith(".")


def test_the_source_appears_whole_or_not_at_all(tmp_path: Path, programs: Path) -> None:
    made = plan(tmp_path)
    log = tmp_path / "logs" / "setup.log"
    script(programs, "git", 'for last; do :; done; mkdir -p "$last/facefusion"; echo "fatal: cut off" >&2; exit 128')
    with pytest.raises(InstallFailure) as failed:
        asyncio.run(installing.fetch_source(made, log))
    assert failed.value.tail[-1] == "fatal: cut off"
    assert str(log) in str(failed.value)
    assert not made.folder.exists()
    assert not made.unfinished.exists()
    script(programs, "git", 'for last; do :; done; mkdir -p "$last/facefusion"; touch "$last/facefusion.py"; echo "$@"')
    asyncio.run(installing.fetch_source(made, log))
    assert installing.is_source(made.folder)
    said = log.read_text(encoding="utf-8")
    assert f"clone --depth 1 --branch 3.8.1 {installing.SOURCE} {made.unfinished}" in said


def test_pip_gets_the_requirements_for_this_machine_and_a_failure_shows_its_last_words(
    tmp_path: Path, programs: Path
) -> None:
    made, log = plan(tmp_path), tmp_path / "setup.log"
    (made.folder / "facefusion").mkdir(parents=True)
    (made.folder / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
    made.python.parent.mkdir(parents=True)
    script(made.python.parent, "python", 'echo "$@"; echo "$PIP_NO_INPUT" >&2; exit 0')
    asyncio.run(installing.make_environment(made, log))  # it is there already: nothing is run
    asyncio.run(installing.install_packages(made, log))
    wanted = made.folder / "venv" / installing.REQUIREMENTS
    assert wanted.read_text(encoding="utf-8").endswith("onnxruntime==1.28.0\n")
    assert f"install --progress-bar off --requirement {wanted}" in log.read_text(encoding="utf-8")
    script(made.python.parent, "python", 'echo "ERROR: no matching distribution" >&2; exit 1')
    with pytest.raises(InstallFailure) as failed:
        asyncio.run(installing.install_packages(made, log))
    assert failed.value.tail == ("ERROR: no matching distribution",)
    assert (made.folder / "requirements.txt").read_text(encoding="utf-8") == REQUIREMENTS


def test_a_python_that_is_too_old_or_makes_no_environment_is_passed_by(tmp_path: Path, programs: Path) -> None:
    for name in installing.PYTHONS:
        script(programs, name, "exit 1")
    script(programs, "python3.12", 'echo "ModuleNotFoundError: No module named ensurepip" >&2; exit 1')
    script(programs, "python3.11", "echo 3 11")
    script(programs, "python3", "echo 3 9")
    assert [base.path for base in asyncio.run(installing.bases())] == ["python3.11"]
    assert asyncio.run(installing.bases(installing.oldest_for("3.8.1"))) == ()
    assert installing.oldest_for("3.7.1") == installing.OLDEST


def test_a_folder_with_other_things_is_taken(tmp_path: Path) -> None:
    assert not installing.taken(tmp_path / "new")
    assert not installing.taken(tmp_path)
    (tmp_path / "thesis.txt").touch()
    assert installing.taken(tmp_path)
    (tmp_path / "facefusion").mkdir()
    (tmp_path / "facefusion.py").touch()
    assert not installing.taken(tmp_path)


def test_without_a_network_every_file_has_its_address_and_its_place(tmp_path: Path) -> None:
    told = installing.by_hand(plan(tmp_path, "cuda@12"))
    for word in (installing.SOURCE, "3.8.1.tar.gz", "onnxruntime-gpu==1.24.4", str(tmp_path / "home" / "facefusion")):
        assert word in told
