"""The doctor really writes, really waits for an event, and leaves nothing behind."""

import asyncio
import os
from pathlib import Path

import pytest

from faceswapd.cli import doctor_folders, init
from faceswapd.cli.looking import look_at_all
from faceswapd.core.checkup import Finding, Level
from faceswapd.settings import Settings, load

root = pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to the superuser")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(init.make(tmp_path / "farm"))


def found(settings: Settings, about: str) -> list[Finding]:
    seen = asyncio.run(look_at_all(doctor_folders.looks(settings)))
    assert not seen.stuck
    return [finding for finding in seen.findings if finding.about == about]


def everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_a_fresh_farm_is_well_but_for_its_faces(settings: Settings) -> None:
    before = everything(settings.faces.parent)
    seen = asyncio.run(look_at_all(doctor_folders.looks(settings)))
    levels = {finding.about: finding.level for finding in seen.findings if finding.about != "disk"}
    assert levels == {
        "faces": Level.WARNING,
        "inbox inbox": Level.OK,
        "outbox": Level.OK,
        "failed": Level.OK,
        "state": Level.OK,
        "scratch": Level.OK,
        "clock": Level.OK,
    }
    assert everything(settings.faces.parent) == before
    assert "noticed at once" in found(settings, "inbox inbox")[0].sentence


def test_a_folder_that_is_a_file_is_a_problem(settings: Settings) -> None:
    settings.outbox.rmdir()
    settings.outbox.write_text("not a folder", encoding="utf-8")
    [finding] = found(settings, "outbox")
    assert (finding.level, "is not a folder" in finding.sentence) == (Level.PROBLEM, True)


@root
def test_a_folder_without_rights_is_a_problem_with_its_command(settings: Settings) -> None:
    settings.outbox.chmod(0o500)
    [finding] = found(settings, "outbox")
    settings.outbox.chmod(0o700)
    assert finding.level is Level.PROBLEM
    assert finding.command == f"chmod u+rwX {settings.outbox}"


def test_a_full_disk_is_told_by_the_limit_that_stops_the_queue(settings: Settings) -> None:
    limits = settings.limits.model_copy(update={"disk_free": 10**18})
    [finding] = found(settings.model_copy(update={"limits": limits}), "disk")
    assert finding.level is Level.PROBLEM
    assert "disk_free" in finding.sentence


def test_faces_are_counted(settings: Settings) -> None:
    for name in ("alice", "bob", ".hidden"):
        (settings.faces / name).mkdir()
    [finding] = found(settings, "faces")
    assert finding.sentence.startswith(f"2 faces in {settings.faces}. New ones are noticed at once. On ")


def test_a_folder_that_is_polled_says_so(settings: Settings) -> None:
    polled = settings.inbox[0].model_copy(update={"watch": "polling"})
    [finding] = found(settings.model_copy(update={"inbox": (polled,)}), "inbox inbox")
    assert finding.level is Level.OK
    assert "it is listed every 5 s. The configuration says so." in finding.sentence
