"""`faceswapd doctor` as a process: one page, and an end whatever hangs."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from faceswapd.cli.doctor import lines
from faceswapd.core.checkup import problem
from faceswapd.ctl.terminal import Terminal
from tests.acceptance.farm import drain
from tests.cli.bench import Machine
from tests.fakes.facefusion_root import MODELS, write_settings

SHAPE = {"shape", "version", "config", "problems", "warnings", "ok", "findings"}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine.made(tmp_path)


def diagnosed(machine: Machine, *arguments: str, code: int = 0, **environment: str) -> dict[str, list[dict[str, Any]]]:
    """What --json tells, by what was looked at."""
    done = machine.run("doctor", "--json", *arguments, code=code, **environment)
    answer = json.loads(done.stdout)
    assert set(answer) == SHAPE
    assert answer["problems"] + answer["warnings"] + answer["ok"] == len(answer["findings"])
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in answer["findings"]:
        assert set(finding) == {"level", "about", "sentence", "command"}
        assert finding["sentence"]
        found.setdefault(finding["about"], []).append(finding)
    return found


def levels(found: dict[str, list[dict[str, Any]]], about: str) -> list[str]:
    return [finding["level"] for finding in found[about]]


def test_nothing_is_set_up_at_all(machine: Machine) -> None:
    shutil.rmtree(machine.config.parent)
    found = diagnosed(machine)
    assert found["settings"][0]["command"] == "faceswapd init"
    assert levels(found, "FaceFusion") == ["warning"]
    assert "faceswapd setup" in found["FaceFusion"][0]["command"]
    assert not machine.config.parent.exists()


def test_the_preview_engine_alone_is_no_problem(machine: Machine) -> None:
    done = machine.run("doctor")
    assert "It is not installed; the preview engine is used." in done.stdout
    assert "\x1b[" not in done.stdout
    assert "0 problems" not in done.stdout
    assert done.stdout.rstrip().endswith("ok.")


def test_a_configuration_that_names_facefusion_where_there_is_none(machine: Machine) -> None:
    with machine.config.open("a", encoding="utf-8") as file:
        file.write('\n[engine]\nname = "facefusion"\n')
    found = diagnosed(machine, code=1)
    assert levels(found, "FaceFusion") == ["problem"]


def test_colours_are_for_a_terminal_that_wants_them(capsys: pytest.CaptureFixture[str]) -> None:
    findings = [problem("disk", "It is full.", "rm -r downloads")]
    for colours in (True, False):
        Terminal(colours=colours).show(lines("Folders", findings))
        said = capsys.readouterr().out
        assert ("\x1b[31m" in said) is colours
        assert "problem  disk  It is full." in said
        assert "$ rm -r downloads" in said


def test_a_mistake_in_the_configuration_is_told_with_its_line(machine: Machine) -> None:
    with machine.config.open("a", encoding="utf-8") as file:
        file.write("\n[engine]\nslots = 0\n")
    found = diagnosed(machine, code=1)
    assert "line" in found["settings"][0]["sentence"]


def test_a_configuration_of_that_name_is_not_there(machine: Machine, tmp_path: Path) -> None:
    found = diagnosed(machine, "--config", str(tmp_path / "other.toml"), code=1)
    assert levels(found, "settings") == ["problem"]


def test_a_whole_facefusion_is_told_with_all_that_it_runs_on(machine: Machine) -> None:
    machine.facefusion()
    found = diagnosed(machine)
    assert levels(found, "FaceFusion")[0] == "ok"
    assert "3.8.1" in found["FaceFusion"][0]["sentence"]
    assert levels(found, "models of balanced") == ["ok"]
    assert [name for name in found if name.startswith("provider")] == ["provider cpu"]
    assert levels(found, "slots") == ["ok"]
    [encoder] = [found[name][0] for name in found if name.startswith("encoder")]
    assert encoder["level"] == "ok"
    refuses = 'case "$*" in *lavfi*) echo "Cannot load libcuda.so.1" >&2; exit 1;; esac'
    machine.script("ffmpeg", f'{refuses}; echo "ffmpeg version 7"')
    found = diagnosed(machine, code=1)
    [encoder] = [found[name][0] for name in found if name.startswith("encoder")]
    assert "Cannot load libcuda.so.1" in encoder["sentence"]


@pytest.mark.deep
def test_models_that_lack_are_fetched_by_the_command_that_is_told(machine: Machine) -> None:
    machine.facefusion(models=[name for name in MODELS if name != "hyperswap_1a_256"])
    found = diagnosed(machine)
    [finding] = found["models of balanced"]
    assert finding["level"] == "warning"
    assert "hyperswap_1a_256" in finding["sentence"]
    assert finding["command"].endswith("--presets balanced")
    with machine.config.open("a", encoding="utf-8") as file:
        file.write("\n[engine.facefusion]\ndownloads = false\n")
    assert levels(diagnosed(machine, code=1), "models of balanced") == ["problem"]


def test_a_daemon_that_runs_and_one_that_hangs(machine: Machine) -> None:
    daemon = subprocess.Popen(
        [sys.executable, "-m", "faceswapd", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=machine.environment(FACESWAPD_LIMITS__CPU_PERCENT="0"),
    )
    try:
        assert daemon.stderr is not None
        assert any("ready" in line for line in daemon.stderr)
        drain(daemon)
        [finding] = diagnosed(machine)["daemon"]
        assert finding["level"] == "ok"
        assert f"pid {daemon.pid}" in finding["sentence"]
    finally:
        daemon.terminate()
        daemon.wait(60)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(machine.config.parent / "state" / "control.sock"))
        silent.listen()
        [finding] = diagnosed(machine, code=1)["daemon"]
    assert finding["level"] == "problem"
    assert "did not answer" in finding["sentence"]


def test_a_configuration_that_hangs_is_not_waited_for(machine: Machine) -> None:
    machine.config.unlink()
    os.mkfifo(machine.config)
    start = time.monotonic()
    found = diagnosed(machine, code=1)
    assert time.monotonic() - start < 60
    assert "did not answer" in found["settings"][0]["sentence"]


@pytest.mark.deep
def test_a_model_that_hangs_is_not_waited_for_either(machine: Machine) -> None:
    """Threads that the system holds would keep Python from ending."""
    root = machine.facefusion()
    model = root / ".assets" / "models" / "hyperswap_1a_256.onnx"
    model.unlink()
    os.mkfifo(model)
    found = diagnosed(machine, "--seconds", "5", code=1)
    assert "did not answer" in found["models"][0]["sentence"]


def test_the_programs_are_missing(machine: Machine) -> None:
    (machine.home / "bin" / "ffmpeg").unlink()
    found = diagnosed(machine, PATH=str(machine.home / "bin"))
    assert found["ffmpeg"][0]["level"] == "warning"  # the preview engine needs none
    assert "install ffmpeg" in found["ffmpeg"][0]["command"]


def test_a_version_with_known_faults_is_told(machine: Machine) -> None:
    root = machine.facefusion()
    write_settings(root, version="3.8.0")
    found = diagnosed(machine)
    assert "warning" in levels(found, "FaceFusion")
