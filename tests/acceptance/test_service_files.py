"""The files that `faceswapd service` writes, and what it does to the system."""

import argparse
import os
import plistlib
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from faceswapd.cli import service
from faceswapd.cli.launchd_agent import LABEL, agent_plist
from faceswapd.cli.systemd_unit import unit_file, unit_text

Capture = pytest.CaptureFixture[str]
CHECKOUT = Path(__file__).parents[2]
ODD_PATHS = [
    "/opt/plain/faceswapd",
    "/opt/my swaps/faceswapd",
    "/opt/100%/%h/faceswapd",
    "/opt/$HOME/${USER}/faceswapd",
    "/opt/it's/faceswapd",
    '/opt/"quoted"\\back/faceswapd',
    "/opt/caf\u00e9/\u8996/faceswapd",
    "/opt/line\nbreak\ttab/faceswapd",
    "/opt/;semi #hash/faceswapd",
]


def act(*words: str) -> int:
    parser = argparse.ArgumentParser()
    service.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["service", *words])
    return int(arguments.run(arguments))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home with a configuration, and no way to any real service manager."""
    (tmp_path / "FaceSwap").mkdir()
    (tmp_path / "FaceSwap" / "config.toml").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path


@pytest.fixture
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.fixture
def on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")


def program(home: Path, name: str, script: str) -> Path:
    """A stand-in for the service manager's command that writes down how it was called."""
    log = home / "calls"
    path = home / "bin" / name
    path.write_text(f'#!/bin/sh\necho "{name} $*" >> {shlex.quote(str(log))}\n{script}\n')
    path.chmod(0o755)
    return log


def tree(folder: Path) -> list[tuple[str, bytes | None]]:
    return sorted((str(path), path.read_bytes() if path.is_file() else None) for path in folder.rglob("*"))


def verified(unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "XDG_RUNTIME_DIR": str(unit.parent)},
    )
    # It also tells of other units of the machine; only what it says of ours counts.
    assert [line for line in done.stderr.splitlines() if "faceswapd" in line] == []


@pytest.mark.parametrize("config", ["/home/ann/FaceSwap/config.toml", *ODD_PATHS])
def test_systemd_accepts_the_unit(config: str, tmp_path: Path) -> None:
    unit = tmp_path / "faceswapd.service"
    unit.write_text(unit_text(["/bin/true", "run", "--config", config]), "utf-8")
    verified(unit)


@pytest.mark.parametrize("program", ODD_PATHS)
def test_systemd_finds_a_program_with_an_odd_path(program: str, tmp_path: Path) -> None:
    path = Path(f"{tmp_path}{program}")
    path.parent.mkdir(parents=True)
    path.symlink_to("/bin/true")
    unit = tmp_path / "faceswapd.service"
    unit.write_text(unit_text([str(path), "run", "--config", "/x"]), "utf-8")
    verified(unit)


def test_how_a_command_line_is_quoted() -> None:
    text = unit_text(["/opt/$a b/faceswapd", "run", "--config", '/x/100% $HOME/"\\\n'])
    assert r'ExecStart="/opt/$a b/faceswapd" run --config "/x/100%% $$HOME/\"\\\x0a"' in text.splitlines()


def test_the_unit_keeps_its_promises() -> None:
    lines = unit_text(["/usr/bin/faceswapd", "run"]).splitlines()
    for line in (
        "Type=notify",
        "NotifyAccess=main",
        "WatchdogSec=15",
        "Restart=on-failure",
        "KillMode=mixed",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        "WantedBy=default.target",
    ):
        assert line in lines
    assert not any("@COMMAND@" in line for line in lines if not line.startswith("#"))


KEYS: dict[str, type] = {
    "Label": str,
    "ProgramArguments": list,
    "RunAtLoad": bool,
    "KeepAlive": dict,
    "ThrottleInterval": int,
    "ProcessType": str,
    "Nice": int,
    "ExitTimeOut": int,
    "AbandonProcessGroup": bool,
    "Umask": int,
    "WorkingDirectory": str,
    "StandardOutPath": str,
    "StandardErrorPath": str,
    "EnvironmentVariables": dict,
    "SoftResourceLimits": dict,
    "HardResourceLimits": dict,
}


def test_the_agent_is_well_formed() -> None:
    command = ["/opt/my swaps/faceswapd", "run", "--config", "/Users/ann/a & b/config.toml"]
    raw = agent_plist(command, Path(command[-1]), Path("/Users/ann"))
    agent: dict[str, Any] = plistlib.loads(raw)
    assert {key: type(value) for key, value in agent.items()} == KEYS
    assert agent["ProgramArguments"] == command
    for key in ("WorkingDirectory", "StandardOutPath", "StandardErrorPath"):
        assert Path(agent[key]).is_absolute()
    assert all(Path(folder).is_absolute() for folder in agent["EnvironmentVariables"]["PATH"].split(":"))
    assert b"~" not in raw
    assert b"$HOME" not in raw


def test_the_example_agent_is_what_the_program_writes() -> None:
    config = Path("/Users/ann/FaceSwap/config.toml")
    program = "/Users/ann/.local/bin/faceswapd"
    example = (CHECKOUT / "launchd" / f"{LABEL}.plist").read_bytes()
    assert example == agent_plist([program, "run", "--config", str(config)], config, Path("/Users/ann"))


@pytest.mark.usefixtures("on_linux")
def test_dry_run_shows_everything_and_changes_nothing(home: Path, capsys: Capture) -> None:
    before = tree(home)
    assert act("install", "--dry-run") == 0
    said = capsys.readouterr()
    assert f"# {home}/.config/systemd/user/faceswapd.service\n" in said.out
    assert f"run --config {home}/FaceSwap/config.toml\n" in said.out
    assert said.out.endswith("systemctl --user daemon-reload\nsystemctl --user enable --now faceswapd.service\n")
    assert said.err == ""
    assert act("uninstall", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [
        "systemctl --user disable --now faceswapd.service",
        f"rm {home}/.config/systemd/user/faceswapd.service",
        "systemctl --user daemon-reload",
    ]
    assert tree(home) == before


@pytest.mark.usefixtures("on_macos")
def test_dry_run_on_macos(home: Path, capsys: Capture) -> None:
    before = tree(home)
    assert act("install", "--dry-run") == 0
    said = capsys.readouterr().out
    assert f"# {home}/Library/LaunchAgents/{LABEL}.plist\n<?xml" in said
    assert f"launchctl bootstrap gui/{os.getuid()} {home}/Library/LaunchAgents/{LABEL}.plist\n" in said
    assert act("uninstall", "--dry-run") == 0
    assert f"launchctl bootout gui/{os.getuid()}/{LABEL}\n" in capsys.readouterr().out
    assert tree(home) == before


@pytest.mark.usefixtures("on_linux")
def test_install_status_uninstall(home: Path, capsys: Capture) -> None:
    log = program(home, "systemctl", "case $2 in is-enabled) echo enabled;; is-active) echo active;; esac")
    config = home / "my swaps.toml"
    config.touch()
    assert act("status") == 1
    assert "not installed" in capsys.readouterr().out
    assert act("install", "--config", str(config)) == 0
    said = capsys.readouterr().out
    assert f"The service is installed ({unit_file()}) and runs." in said
    assert "loginctl enable-linger" in said
    assert f'run --config "{config}"\n' in unit_file().read_text()
    assert log.read_text().splitlines()[-2:] == [
        "systemctl --user daemon-reload",
        "systemctl --user enable --now faceswapd.service",
    ]
    assert act("install") == 0
    assert "For the new unit: systemctl --user restart faceswapd" in capsys.readouterr().out
    assert act("status") == 0
    assert "enabled:   yes\nrunning:   yes" in capsys.readouterr().out
    assert act("uninstall") == 0
    assert not unit_file().exists()
    assert log.read_text().splitlines()[-2:] == [
        "systemctl --user disable --now faceswapd.service",
        "systemctl --user daemon-reload",
    ]
    assert act("uninstall") == 0
    assert "not installed" in capsys.readouterr().out


@pytest.mark.usefixtures("on_macos")
def test_install_status_uninstall_on_macos(home: Path, capsys: Capture) -> None:
    log = program(home, "launchctl", 'case $1 in print) echo "state = running";; esac')
    assert act("install") == 0
    agent = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    assert plistlib.loads(agent.read_bytes())["Label"] == LABEL
    assert (home / "Library" / "Logs" / "faceswapd").is_dir()
    assert act("status") == 0
    assert act("uninstall") == 0
    assert not agent.exists()
    uid = os.getuid()
    assert [line for line in log.read_text().splitlines() if " print " not in line] == [
        f"launchctl bootout gui/{uid}/{LABEL}",  # an agent that runs is taken out before the new one is read
        f"launchctl bootstrap gui/{uid} {agent}",
        f"launchctl bootout gui/{uid}/{LABEL}",
    ]


@pytest.mark.usefixtures("on_linux")
def test_install_says_what_is_missing(home: Path, capsys: Capture) -> None:
    before = tree(home)
    assert act("install") == 1
    assert "This system has no systemd." in capsys.readouterr().err
    assert act("install", "--config", str(home / "none.toml")) == 1
    assert f"There is no configuration at {home}/none.toml. Make it with: faceswapd init" in capsys.readouterr().err
    assert tree(home) == before
    program(home, "systemctl", "echo 'Failed to connect to bus: No medium found' >&2; exit 1")
    assert act("install") == 1
    said = capsys.readouterr().err
    assert said.startswith("faceswapd: No systemd of yours is running (Failed to connect to bus: No medium found).")
    assert said.count("\n") == 1
    assert not unit_file().exists()


@pytest.mark.usefixtures("on_linux")
def test_a_start_that_fails_says_where_to_look(home: Path, capsys: Capture) -> None:
    program(home, "systemctl", "case $2 in enable) echo 'Job failed.' >&2; exit 1;; is-active) exit 3;; esac")
    assert act("install") == 1
    said = capsys.readouterr().err
    assert "failed: Job failed. See why: journalctl --user -u faceswapd" in said
    assert f"faceswapd run --config {home}/FaceSwap/config.toml" in said


def test_the_installed_script_is_named_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "bin" / "faceswapd"
    script.parent.mkdir()
    script.symlink_to("/bin/true")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bin/faceswapd"])
    assert service.daemon_command() == [str(script)]
    monkeypatch.setattr(sys, "argv", ["/somewhere/pytest"])
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / name))
    assert service.daemon_command() == [sys.executable, "-m", "faceswapd"]
    (tmp_path / "bin").rename(tmp_path / "scripts")
    assert service.daemon_command() == [str(tmp_path / "scripts" / "faceswapd")]
