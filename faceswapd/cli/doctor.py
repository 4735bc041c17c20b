"""`faceswapd doctor`: everything that a swap depends on, looked at once; one line each, with what mends it."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from faceswapd import __version__
from faceswapd.cli import doctor_facefusion, doctor_folders, doctor_machine
from faceswapd.cli.looking import Look, Seen, aside, look_at_all
from faceswapd.cli.place import add_config, default_config
from faceswapd.core.checkup import Finding, Level, count, ok, problem, summary, warning
from faceswapd.ctl import terminal
from faceswapd.ctl.plain import clean
from faceswapd.ctl.terminal import Line, Terminal, standard_output
from faceswapd.engines.facefusion.site import Site
from faceswapd.settings import Settings, SettingsError, load, unknown_variables

SHAPE: Final = 1  # of what --json prints; a new number only where a field changes its meaning or goes
READ_SECONDS: Final = 10.0
LONGEST: Final = 300  # seconds
COLOURS: Final = {Level.OK: terminal.Look.GOOD, Level.WARNING: terminal.Look.HELD, Level.PROBLEM: terminal.Look.BAD}


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "doctor",
        help="look at everything a swap depends on",
        description="Look at FaceFusion, the machine, the folders, the service and the configuration. "
        "Ends with 1 if there is a problem, with 0 if all is well or there are only warnings.",
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--online", action="store_true", help="also ask whether there is a newer FaceFusion")
    parser.add_argument(
        "--seconds", type=_seconds, default=LONGEST, metavar="N", help=f"what each look may take (default: {LONGEST})"
    )
    parser.set_defaults(run=_run)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 86_400:
        raise ValueError(text)
    return seconds


def _run(arguments: argparse.Namespace) -> int:
    config: Path = arguments.config.expanduser().absolute()
    screen = standard_output()
    show = None if arguments.json else screen
    # Not closed where something is stuck: closing waits for threads that a dead disk may hold for ever.
    runner = asyncio.Runner()
    seen = runner.run(_look(config, show, arguments.seconds, online=arguments.online))
    if arguments.json:
        print(json.dumps(_as_json(config, seen.findings), indent=2))
    else:
        print(f"\n{summary(seen.findings)}")
    code = 1 if count(seen.findings, Level.PROBLEM) else 0
    if seen.stuck:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    runner.close()
    return code


async def _look(config: Path, screen: Terminal | None, seconds: float, *, online: bool) -> Seen:
    """One group after the other; within a group all at the same time."""
    settings: list[Settings] = []
    groups: list[Seen] = []

    async def reading() -> Iterable[Finding]:
        found, known = await aside(lambda: _settings(config))
        settings.extend(known)
        return found

    async def look(title: str, looks: Sequence[Look]) -> None:
        group = await look_at_all([replace(one, seconds=min(one.seconds, seconds)) for one in looks])
        groups.append(group)
        if screen is not None and group.findings:
            screen.show(lines(title, group.findings))
            sys.stdout.flush()

    await look("Configuration", [Look("settings", READ_SECONDS, reading)])
    known = settings[0] if settings else None
    if known is None:
        await look("Machine", doctor_machine.programs(needed=False))
    else:
        named = doctor_facefusion.is_named(known)
        await look("Folders", doctor_folders.looks(known))
        await look("Machine", doctor_machine.looks(known, config, needed=named))
    sites: list[Site] = []
    if known is not None or not count(groups[0].findings, Level.PROBLEM):
        await look("FaceFusion", doctor_facefusion.first(known, config, sites.append, online=online))
    if known is not None and sites:
        await look("Models and encoders", doctor_facefusion.further(sites[0], known, config))
    return Seen(tuple(one for group in groups for one in group.findings), any(group.stuck for group in groups))


def _settings(config: Path) -> tuple[list[Finding], list[Settings]]:
    strange = [problem("settings", str(one)) for one in unknown_variables()]
    if not config.exists() and config == default_config().absolute():
        told = f"Nothing is set up yet: there is no {config}."
        return [warning("settings", told, "faceswapd init"), *strange], []
    try:
        settings = load(config)
    except SettingsError as error:
        return [*(problem("settings", str(one)) for one in error.problems), *strange], []
    return strange or [ok("settings", f"{config} can be used.")], [settings]


def lines(title: str, findings: Sequence[Finding]) -> Iterable[Line]:
    """A group as it is printed."""
    yield Line("")
    yield Line(title, terminal.Look.TITLE)
    width = max(len(finding.about) for finding in findings)
    for finding in findings:
        yield Line(f"{finding.level:<8} {clean(finding.about):<{width}}  {finding.sentence}", COLOURS[finding.level])
        if finding.command:
            yield Line(f"{'':<8} {'':<{width}}  $ {finding.command}", terminal.Look.DO)


def _as_json(config: Path, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "shape": SHAPE,
        "version": __version__,
        "config": os.fsencode(config).decode(errors="backslashreplace"),
        "problems": count(findings, Level.PROBLEM),
        "warnings": count(findings, Level.WARNING),
        "ok": count(findings, Level.OK),
        "findings": [asdict(finding) for finding in findings],
    }
