"""`faceswapd service install | status | uninstall`: the daemon as a service of the running user."""

import argparse
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from faceswapd.cli.launchd_agent import LABEL, agent_file, agent_plist, log_folder
from faceswapd.cli.place import add_config, default_config
from faceswapd.cli.systemd_unit import SYSTEMCTL, UNIT, lingers, unit_file, unit_text

COMMAND_SECONDS: Final = 150.0  # a start ends with READY=1, a stop takes the grace


@dataclass(frozen=True, slots=True)
class Service:
    """What the service manager of this system needs."""

    file: Path
    content: bytes
    folders: tuple[Path, ...]  # that must exist before the start
    start: tuple[tuple[str, ...], ...]  # commands after the file is written
    stop: tuple[tuple[str, ...], ...]  # commands before it is removed
    afterwards: tuple[tuple[str, ...], ...]  # and after
    log: str  # the command that shows what the daemon said


def add_parser(subparsers: Any) -> None:
    """Register the commands with what `ArgumentParser.add_subparsers` gave."""
    service = subparsers.add_parser("service", help="run the daemon as a service of yours")
    actions = service.add_subparsers(dest="action", metavar="ACTION", required=True)

    install = actions.add_parser("install", help="install and start the service")
    add_config(install)
    install.add_argument("--dry-run", action="store_true", help="only print what would be done")
    install.set_defaults(run=_install)

    status = actions.add_parser("status", help="is it installed, enabled, running?")
    status.set_defaults(run=_status)

    uninstall = actions.add_parser("uninstall", help="stop and remove the service; files and ledger stay")
    uninstall.add_argument("--dry-run", action="store_true", help="only print what would be done")
    uninstall.set_defaults(run=_uninstall)


def service(config: Path) -> Service:
    """The service for this system and user. The configuration's path is made absolute, links stay."""
    config = config.absolute()
    command = [*daemon_command(), "run", "--config", str(config)]
    if sys.platform == "darwin":
        home = Path.home()
        domain, file = f"gui/{os.getuid()}", agent_file(home)
        return Service(
            file,
            agent_plist(command, config, home),
            (log_folder(home),),
            (("launchctl", "bootstrap", domain, str(file)),),
            (("launchctl", "bootout", f"{domain}/{LABEL}"),),
            (),
            f"tail {shlex.quote(str(log_folder(home)))}/*.log",
        )
    return Service(
        unit_file(),
        # Bytes that are not UTF-8 are spelled as escapes, so nothing is lost here.
        unit_text(command).encode("utf-8"),
        (),
        ((*SYSTEMCTL, "daemon-reload"), (*SYSTEMCTL, "enable", "--now", UNIT)),
        ((*SYSTEMCTL, "disable", "--now", UNIT),),
        ((*SYSTEMCTL, "daemon-reload"),),
        "journalctl --user -u faceswapd -n 30",
    )


def daemon_command() -> list[str]:
    """The installed `faceswapd` by its absolute path; the module where no script is installed."""
    called = Path(sys.argv[0])
    scripts = Path(sysconfig.get_path("scripts"), "faceswapd")
    for script in (called.absolute(), scripts):
        # As it was called: what pipx or a package manager links to may move with the next version.
        if script.name == "faceswapd" and script.is_file() and os.access(script, os.X_OK):
            return [str(script)]
    return [sys.executable, "-m", "faceswapd"]


def _install(arguments: argparse.Namespace) -> int:
    config: Path = arguments.config
    wanted = service(config)
    init = f"Make it with: faceswapd init {shlex.quote(str(config.absolute().parent))}"
    missing = "" if config.is_file() else f"There is no configuration at {config}. {init}"
    if arguments.dry_run:
        _show_plan(wanted)
        if missing:
            _complain(missing)
        return 0
    problem = missing or _no_manager()
    if problem:
        return _complain(problem)
    running_before = _is_running()
    changed = wanted.file.exists() and wanted.file.read_bytes() != wanted.content
    try:
        for folder in (wanted.file.parent, *wanted.folders):
            folder.mkdir(parents=True, exist_ok=True)
        wanted.file.write_bytes(wanted.content)
    except OSError as failure:
        return _complain(f"{wanted.file} cannot be written: {failure.strerror}.")
    if sys.platform == "darwin" and running_before:
        # launchd keeps what it has read until the agent is taken out.
        _ran(wanted.stop[0])
    for command in wanted.start:
        done = _ran(command)
        if done.returncode != 0:
            return _complain(
                f"`{shlex.join(command)}` failed: {_last_line(done)}. See why: {wanted.log}. "
                f"To try it by hand: faceswapd run --config {shlex.quote(str(config.absolute()))}"
            )
    print(f"The service is installed ({wanted.file}) and runs. See it work: faceswapctl status")
    if changed and running_before and sys.platform != "darwin":
        print("It was running already and goes on as it was. For the new unit: systemctl --user restart faceswapd")
    _advise_lingering()
    return 0


def _advise_lingering() -> None:
    user = _user()
    if sys.platform != "darwin" and not lingers(user):
        print(f"It ends when you log out. To let it run on: loginctl enable-linger {shlex.quote(user)}")


def _uninstall(arguments: argparse.Namespace) -> int:
    wanted = service(default_config())
    if arguments.dry_run:
        for command in (*wanted.stop, ("rm", str(wanted.file)), *wanted.afterwards):
            print(shlex.join(command))
        return 0
    if not wanted.file.exists():
        print(f"The service is not installed (there is no {wanted.file}).")
        return 0
    # Where no manager runs, nothing of its runs either: the file alone is left to remove.
    managed = _no_manager() is None
    if managed:
        failed = [done for done in map(_ran, wanted.stop) if done.returncode != 0]
        if failed and _is_running():
            return _complain(f"The service does not stop and was left as it is: {_last_line(failed[0])}.")
    try:
        wanted.file.unlink(missing_ok=True)
    except OSError as failure:
        return _complain(f"{wanted.file} cannot be removed: {failure.strerror}.")
    for command in wanted.afterwards if managed else ():
        _ran(command)
    print("The service is stopped and removed. Your files, the configuration and the ledger are untouched.")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    """0 when it runs, 1 when it does not."""
    del arguments
    wanted = service(default_config())
    if not wanted.file.exists():
        print(f"The service is not installed (there is no {wanted.file}). Install it: faceswapd service install")
        return 1
    print(f"installed: yes, {wanted.file}")
    problem = _no_manager()
    if problem:
        return _complain(problem)
    if sys.platform == "darwin":
        running = _is_running()
        restart = f"launchctl bootstrap gui/{os.getuid()} {shlex.quote(str(wanted.file))}"
        print(f"running:   {'yes' if running else f'no. Start it: {restart}. Its log: {wanted.log}'}")
        return 0 if running else 1
    enabled = _ran([*SYSTEMCTL, "is-enabled", UNIT]).stdout.strip()
    state = _ran([*SYSTEMCTL, "is-active", UNIT]).stdout.strip()
    print("enabled:   " + ("yes" if enabled == "enabled" else "no. Enable it: systemctl --user enable faceswapd"))
    running = state in ("active", "reloading")
    advice = f"no ({state or 'unknown'}). Start it: systemctl --user start faceswapd. Its log: {wanted.log}"
    print("running:   " + ("yes. See it work: faceswapctl status" if running else advice))
    _advise_lingering()
    return 0 if running else 1


def _show_plan(wanted: Service) -> None:
    print(f"# {wanted.file}")
    print(wanted.content.decode("utf-8").rstrip("\n"))
    print("\n# commands")
    for folder in (wanted.file.parent, *wanted.folders):
        print(f"mkdir -p {shlex.quote(str(folder))}")
    for command in wanted.start:
        print(shlex.join(command))


def _no_manager() -> str | None:
    """Why no service can be installed here, in one sentence; None where one can."""
    by_hand = "Without it, start the daemon by hand: faceswapd run"
    if sys.platform == "darwin":
        return None if shutil.which("launchctl") else f"There is no launchctl here. {by_hand}"
    if shutil.which("systemctl") is None:
        return f"This system has no systemd. {by_hand}"
    done = _ran([*SYSTEMCTL, "show-environment"])
    if done.returncode == 0:
        return None
    user = shlex.quote(_user())
    return (
        f"No systemd of yours is running ({_last_line(done)}). Log in as {user} itself, not through su or sudo, "
        f"or let it run always: loginctl enable-linger {user}. {by_hand}"
    )


def _is_running() -> bool:
    if sys.platform == "darwin":
        done = _ran(["launchctl", "print", f"gui/{os.getuid()}/{LABEL}"])
        return done.returncode == 0 and "state = running" in done.stdout
    return _ran([*SYSTEMCTL, "is-active", UNIT]).returncode == 0


def _ran(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=COMMAND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        return subprocess.CompletedProcess(command, 1, "", str(failure))


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return lines[-1].rstrip(".") if lines else f"exit code {done.returncode}"


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number that has no name
        return str(os.getuid())


def _complain(sentence: str) -> int:
    print(f"faceswapd: {sentence}", file=sys.stderr)
    return 1
