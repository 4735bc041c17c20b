"""Completion while somebody types, in real shells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faceswapd.control.wire.messages import Error, Face, Inbox, Jobs
from faceswapd.ctl import main
from tests.control import samples
from tests.control.answering_daemon import Answers, listening
from tests.control.test_ctl_commands import _own_home, path  # noqa: F401 - fixtures
from tests.generated import COMPLETIONS, SHELLS

Capture = pytest.CaptureFixture[str]
STATUS = samples.status(
    faces=[
        Face(name, 1, None) for name in ("alice", "bob", "Ärger", "$(touch x)", "two words", "-rf", "a;b", "\x1b[2J")
    ],
    inboxes=[Inbox(name, "/in", "fast", 0, False, None, 0, "events") for name in ("main", "rush")],
)
ANSWERS: Answers = {
    "GET /api/status": STATUS,
    "GET /api/jobs": Jobs([samples.job(12), samples.job(7)], 2),
    "GET /api/jobs?limit=200&state=failed&state=cancelled": Jobs([samples.job(9, "failed")], 1),
}


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("ids", ["12", "7"]),
        ("open", ["12", "7"]),
        ("ended", ["9"]),
        ("faces", ["alice", "bob", "Ärger"]),
        ("inboxes", ["main", "rush"]),
        ("presets", ["fast"]),
        ("anything", []),
    ],
)
def test_names_are_given_that_do_no_harm_on_a_command_line(
    what: str,
    names: list[str],
    path: Path,  # noqa: F811
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACESWAPD_SOCKET", str(path))
    with listening(path, ANSWERS):
        assert main(["__complete", what]) == 0
    assert capsys.readouterr() == ("".join(f"{name}\n" for name in names), "")


def test_presets_are_those_that_the_daemon_lists(
    path: Path,  # noqa: F811
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACESWAPD_SOCKET", str(path))
    with listening(path, {"GET /api/presets": {"presets": [{"name": "fast", "x": 1}, {"name": "own"}]}}):
        main(["__complete", "presets"])
    assert capsys.readouterr().out == "fast\nown\n"


@pytest.mark.parametrize("words", [[], ["ids"], ["faces"], ["presets"]])
def test_without_a_daemon_there_are_no_names_and_no_complaint(words: list[str], capsys: Capture) -> None:
    assert main(["__complete", *words]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_daemon_that_refuses_gives_no_names(
    path: Path,  # noqa: F811
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACESWAPD_SOCKET", str(path))
    with listening(path, {"GET /api/status": (403, Error("No."))}):
        assert main(["__complete", "faces"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_file_of_a_shell_is_printed(shell: str, capsys: Capture) -> None:
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == (COMPLETIONS / f"faceswapctl.{shell}").read_text(encoding="utf-8")
    assert main(["completion", "tcsh"]) == 2
    assert "__complete" not in capsys.readouterr().err


def test_the_word_of_the_shells_is_not_told(capsys: Capture) -> None:
    main(["--help"])
    assert "__complete" not in capsys.readouterr().out


# Each gets the words, the last of which is being typed, and prints what is offered.
BASH = """
source "$FILE"; COMP_WORDS=(faceswapctl "$@"); COMP_CWORD=$#
_shtab_faceswapctl 2>/dev/null; printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'source $FILE; complete -C (string join -- " " faceswapctl $argv) | string split -f1 \\t'
ZSH = """
compdef() { : }; compadd() { print -l -- "${(@P)2}" }; _files() { : }
eval "$(cat $FILE)"; "_faceswapctl_$1"
"""


def offered(shell: str, script: str, path: Path, words: list[str]) -> list[str]:  # noqa: F811
    """What a shell offers; it calls faceswapctl by its name."""
    own = path.with_name("bin")
    own.mkdir(exist_ok=True)
    command = own / "faceswapctl"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m faceswapd.ctl "$@"\n')
    command.chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{own}:{os.environ['PATH']}",
        "PYTHONPATH": str(COMPLETIONS.parents[2]),
        "FACESWAPD_SOCKET": str(path),
        "FILE": str(COMPLETIONS / f"faceswapctl.{shell}"),
        "LC_ALL": "C.UTF-8",
        "HOME": str(path.parent),
    }
    options = {
        "bash": ["--norc", "-c", script, "bash"],
        "fish": ["-N", "-c", script],
        "zsh": ["-f", "-c", script, "zsh"],
    }
    with listening(path, ANSWERS):
        done = subprocess.run([shell, *options[shell], *words], env=env, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return sorted(set(done.stdout.split()))


WORDS = [
    (["pri"], ["priority"]),
    (["cancel", "1"], ["12"]),
    (["cancel", "12", ""], ["12", "7"]),
    (["retry", ""], ["9"]),
    (["jobs", "--face", ""], ["alice", "bob", "Ärger"]),
    (["pause", "r"], ["rush"]),
    (["logs", "7"], ["7"]),
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_offers_what_fits(path: Path) -> None:  # noqa: F811
    for words, names in WORDS:
        assert offered("bash", BASH, path, words) == names, words


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_offers_what_fits(path: Path) -> None:  # noqa: F811
    for words, names in WORDS:
        assert offered("fish", FISH, path, words) == names, words


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_is_given_the_names(path: Path) -> None:  # noqa: F811
    for sort, names in (("open", ["12", "7"]), ("ended", ["9"]), ("faces", ["alice", "bob", "Ärger"])):
        assert offered("zsh", ZSH, path, [sort]) == names, sort
    done = subprocess.run(["zsh", "-n", COMPLETIONS / "faceswapctl.zsh"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
