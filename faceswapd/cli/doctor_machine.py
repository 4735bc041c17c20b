"""What the doctor looks at in the machine: the programs that FaceFusion needs, the service, the daemon."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from faceswapd.children import program
from faceswapd.children.limits import NICE
from faceswapd.cli.looking import Look, aside
from faceswapd.cli.service import service
from faceswapd.cli.systemd_unit import SYSTEMCTL, UNIT, lingers
from faceswapd.control.wire import address, messages
from faceswapd.core.checkup import Finding, ok, problem, warning
from faceswapd.ctl.client import UNREACHABLE, Client, Problem
from faceswapd.settings import Settings

LOOK_SECONDS: Final = 20.0
ANSWER_SECONDS: Final = 5.0  # for a program that only says its version, and for the daemon
PROGRAMS: Final = ("ffmpeg", "ffprobe", "curl")
MANAGERS: Final = (
    ("apt-get", "sudo apt-get install"),
    ("dnf", "sudo dnf install"),
    ("pacman", "sudo pacman -S"),
    ("zypper", "sudo zypper install"),
    ("apk", "sudo apk add"),
    ("brew", "brew install"),
)


def looks(settings: Settings, config: Path, *, needed: bool) -> list[Look]:
    """All that is looked at; `needed` says whether FaceFusion is there or wanted, which needs the programs."""
    return [
        *programs(needed=needed),
        Look("service", LOOK_SECONDS, partial(_service, config.absolute())),
        Look("daemon", LOOK_SECONDS, partial(aside, partial(_daemon, settings, config.absolute()))),
        Look("nice", LOOK_SECONDS, partial(aside, _nice)),
    ]


def programs(*, needed: bool) -> list[Look]:
    """The programs that FaceFusion starts."""
    return [Look(name, LOOK_SECONDS, partial(_program, name, needed=needed)) for name in PROGRAMS]


def install_command(name: str) -> str:
    """How a program is installed here. ffprobe comes with ffmpeg."""
    package = "ffmpeg" if name == "ffprobe" else name
    managers = reversed(MANAGERS) if sys.platform == "darwin" else MANAGERS
    known = next((install for manager, install in managers if shutil.which(manager)), None)
    return f"{known or ('brew install' if sys.platform == 'darwin' else 'sudo apt-get install')} {package}"


async def _program(name: str, *, needed: bool) -> Iterable[Finding]:
    judged = problem if needed else warning
    if shutil.which(name) is None:
        return [judged(name, "It is not installed. FaceFusion needs it.", install_command(name))]
    try:
        ended = await program.run((name, "--version" if name == "curl" else "-version"), seconds=ANSWER_SECONDS)
    except program.ProgramError as error:
        return [judged(name, f"It does not work: {error.failure.sentence}", install_command(name))]
    found = re.search(r"^\w+(?: version)? (\S+)", ended.out)
    if ended.code != 0 or found is None:
        return [judged(name, f"It does not work (exit code {ended.code}).", install_command(name))]
    return [ok(name, f"{found[1]}, {shutil.which(name)}.")]


async def _service(config: Path) -> Iterable[Finding]:
    wanted = service(config)
    if not wanted.file.exists():
        told = "The daemon does not start by itself when you log in."
        option = f" --config {shlex.quote(str(config))}"
        return [warning("service", told, f"faceswapd service install{option}")]
    if sys.platform == "darwin":
        domain = f"gui/{os.getuid()}/{wanted.file.stem}"
        code, said = await _said("launchctl", "print", domain)
        if code == 0 and "state = running" in said:
            return [ok("service", f"It is installed ({wanted.file}) and runs.")]
        start = f"launchctl bootstrap gui/{os.getuid()} {shlex.quote(str(wanted.file))}"
        return [problem("service", f"It is installed and does not run. Its log: {wanted.log}.", start)]
    if shutil.which("systemctl") is None:
        return [warning("service", f"{wanted.file} is there, and this system has no systemd.", "faceswapd run")]
    found = []
    _, state = await _said(*SYSTEMCTL, "is-active", UNIT)
    _, enabled = await _said(*SYSTEMCTL, "is-enabled", UNIT)
    if state not in ("active", "reloading", "activating"):
        told = f"It is installed and does not run ({state or 'unknown'}). Its log: {wanted.log}."
        return [problem("service", told, "systemctl --user start faceswapd")]
    if enabled != "enabled":
        found.append(
            warning("service", "It runs, and is not started at the next login.", "systemctl --user enable faceswapd")
        )
    user = psutil.Process().username()
    if not lingers(user):
        found.append(warning("service", "It ends when you log out.", f"loginctl enable-linger {shlex.quote(user)}"))
    return found or [ok("service", f"It is installed ({wanted.file}), runs, and goes on when you log out.")]


async def _said(*argv: str) -> tuple[int, str]:
    try:
        ended = await program.run(argv, seconds=ANSWER_SECONDS)
    except program.ProgramError as error:
        return 1, error.failure.sentence
    return ended.code, ended.out.strip()


def _daemon(settings: Settings, config: Path) -> Iterable[Finding]:
    place = address.place_for(settings.socket_path)
    status = Client(str(place)).get(messages.Status, "/api/status", ANSWER_SECONDS)
    if isinstance(status, Problem):
        absent = status.code == UNREACHABLE and "is not running" in status.sentence
        option = f" --config {shlex.quote(str(config))}"
        if absent:
            return [warning("daemon", "It is not running.", f"faceswapd run{option}")]
        return [problem("daemon", status.sentence)]
    told = f"It runs (pid {status.pid}, version {status.version}) with the engine {status.engine}."
    if status.state == "running":
        return [ok("daemon", told)]
    resume = "faceswapctl resume" if status.state == "paused" else None
    return [warning("daemon", f"{told} It is {status.state}: {status.why or 'no reason is told.'}", resume)]


def _nice() -> Iterable[Finding]:
    ours = psutil.Process().nice()
    if ours > NICE:
        return [warning("nice", f"This shell is niced to {ours}: a daemon started from it would be slow.")]
    return [ok("nice", f"Engines run at nice {NICE}, so that other programs go first.")]
