"""The manual pages, in roff, out of the parsers. What no parser knows stands here: exit codes, files, examples."""

import argparse
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faceswapd import __version__
from faceswapd.cli import parser as faceswapd_parser
from faceswapd.ctl.parser import EPILOG
from faceswapd.ctl.parser import parser as faceswapctl_parser

Rows = Sequence[tuple[str, str]]  # what is told, and its meaning


@dataclass(frozen=True)
class Page:
    """What stands on a page beside the commands."""

    meaning: str  # of the command, in a few words
    about: Sequence[str]  # paragraphs
    exits: Rows
    environment: Rows
    files: Rows
    examples: Rows  # each command line with what it does
    see_also: Sequence[str]


def told(epilog: str, title: str) -> Rows:
    """The indented lines of a part of an epilog, as names and meanings."""
    part = epilog.partition(f"{title}:\n")[2].partition("\n\n")[0]
    return [(name, meaning) for name, meaning in re.findall(r"^  (\S+) +(.+)$", part, flags=re.MULTILINE)]


FACESWAPCTL: Final = Page(
    meaning="see what faceswapd does, and tell it what to do",
    about=(
        """faceswapctl asks the running daemon of the same user over its Unix socket. It writes what it was told to
        standard output, and problems, one sentence each, to standard error.""",
        *EPILOG.partition("no colours\n")[2].split("\n\n"),
    ),
    exits=told(EPILOG, "exit codes"),
    environment=told(EPILOG, "environment"),
    files=[
        ("~/FaceSwap/state/control.sock", "the socket of a user's own daemon"),
        ("$XDG_RUNTIME_DIR/faceswapd/control.sock", "a link to it, where the daemon lies in another folder"),
    ],
    examples=[
        ("faceswapctl status", "Everything on one screen: what runs, what waits and why, what failed, what to do."),
        ("faceswapctl jobs --state failed --face alice", "What failed of the jobs with one face."),
        ("faceswapctl retry --category gpu_oom", "Run again what failed for want of graphics memory."),
        ("faceswapctl priority 50 7 9-12", "Let five jobs go before the others."),
        ("faceswapctl events --since 2h -f", "What has happened in two hours, and what happens from now on."),
        ("faceswapctl submit --face alice --wait clip.mp4 && echo done", "Swap a file where it lies."),
        ("faceswapctl status --json | jq .counts", "How many jobs there are, for a program."),
    ],
    see_also=["faceswapd"],
)

FACESWAPD: Final = Page(
    meaning="a daemon that swaps the faces in what is dropped into a folder",
    about=(
        """faceswapd takes videos and images that are dropped into an inbox, swaps the faces in them, proves each
        result, and puts it into an outbox. Faces are folders of photos, by name.""",
        """The first signal (INT or TERM) lets what runs come to its end, for as long as `grace` in the configuration
        says; the second one ends it at once. What was running waits for the next start.""",
    ),
    exits=[
        ("0", "done"),
        ("1", "it could not be done; of `run`: the daemon ended because of an error, and starting it again may help"),
        ("2", "wrong usage"),
        ("78", "run: a mistake in the configuration, or another daemon is there; starting again would not help"),
        ("130", "it was interrupted"),
    ],
    environment=[
        ("FACESWAPD_CONFIG", "the configuration, where --config is not given"),
        ("FACESWAPD_*", "any setting of the configuration, over what stands there: FACESWAPD_ENGINE__SLOTS=2"),
    ],
    files=[
        ("~/FaceSwap/config.toml", "the configuration; it tells every setting with its default"),
        ("~/FaceSwap/faces/NAME/", "the photos of a person"),
        ("~/FaceSwap/inbox/", "where targets are dropped"),
        ("~/FaceSwap/outbox/", "where results appear"),
        ("~/FaceSwap/failed/", "notes on what failed"),
        ("~/FaceSwap/state/ledger.sqlite3", "the record of all jobs"),
        ("~/FaceSwap/state/logs/faceswapd.log", "the log, as JSON lines"),
    ],
    examples=[
        ("faceswapd init && faceswapd run", "Make the folders and the configuration, and run in the foreground."),
        ("faceswapd setup", "Find or install FaceFusion, and try it."),
        ("faceswapd service install", "Run it as a service of yours from now on."),
        ("faceswapd doctor", "What works, what does not, and the command that mends it."),
    ],
    see_also=["faceswapctl"],
)


def page(grammar: argparse.ArgumentParser, more: Page) -> str:
    """A manual page."""
    name = grammar.prog
    lines = [
        '.\\" Made from the parser; write it anew with: python -m tests.generated',
        f'.TH {name.upper()} 1 "" "faceswapd {__version__}" "User Commands"',
        ".SH NAME",
        f"{name} \\- {_text(more.meaning)}",
        ".SH SYNOPSIS",
        f".B {name}\n[\\fIoption\\fR ...] \\fICOMMAND\\fR [\\fIargument\\fR ...]",
        ".SH DESCRIPTION",
    ]
    for place, paragraph in enumerate(more.about):
        lines += [*([".PP"] if place else []), _text(_sentence(paragraph, first=False))]
    lines += [".SH OPTIONS", *_arguments(grammar), ".SH COMMANDS", *_commands(grammar)]
    for title, rows in (("EXIT STATUS", more.exits), ("ENVIRONMENT", more.environment), ("FILES", more.files)):
        lines += [f".SH {title}", *_rows(rows)]
    lines.append(".SH EXAMPLES")
    for example, meaning in more.examples:
        lines += [".PP", _text(meaning), ".PP", ".RS 4", ".nf", _text(example), ".fi", ".RE"]
    lines += [".SH SEE ALSO", ", ".join(f"\\fB{_text(one)}\\fR(1)" for one in more.see_also)]
    return "\n".join(lines) + "\n"


def _commands(grammar: argparse.ArgumentParser, before: str = "") -> Iterator[str]:
    """Each command, and those below it."""
    for action in grammar._actions:
        if isinstance(action, argparse._SubParsersAction):
            meanings = {one.dest: one.help or "" for one in action._choices_actions}
            for name, command in action.choices.items():
                full = f"{before}{name}"
                words = " ".join(filter(None, map(_word, command._actions)))
                yield f'.SS "{_text(f"{full} {words}".strip())}"'
                yield _text(_sentence(command.description or meanings[name]))
                yield from _arguments(command, shared=False)
                yield from _commands(command, f"{full} ")


def _word(action: argparse.Action) -> str:
    """An argument in the line of its command: those that are no options."""
    if action.option_strings or isinstance(action, argparse._SubParsersAction):
        return "" if action.option_strings else "COMMAND"
    name = _name(action)
    return {"+": f"{name}...", "*": f"[{name}...]", "?": f"[{name}]"}.get(str(action.nargs), name)


def _arguments(grammar: argparse.ArgumentParser, *, shared: bool = True) -> Iterator[str]:
    """What may be said to a command. `shared`: also what every command hears."""
    for action in grammar._actions:
        common = action.dest in ("help", "socket", "json") and grammar.prog.startswith("faceswapctl")
        if isinstance(action, argparse._SubParsersAction) or action.dest == "help" or (common and not shared):
            continue
        if action.help in (None, argparse.SUPPRESS):
            continue
        spelled = ", ".join(f"\\fB{_text(one)}\\fR" for one in action.option_strings)
        value = "" if action.option_strings and action.nargs == 0 else f"\\fI{_text(_name(action))}\\fR"
        yield from (".TP", " ".join(filter(None, (spelled, value))), _text(_sentence(_expanded(grammar, action))))


def _name(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


def _expanded(grammar: argparse.ArgumentParser, action: argparse.Action) -> str:
    said = (action.help or "") % {**vars(action), "prog": grammar.prog}
    return said.replace(str(Path.home()), "~")


def _rows(rows: Rows) -> Iterable[str]:
    for name, meaning in rows:
        yield from (".TP", f"\\fB{_text(name)}\\fR", _text(_sentence(meaning)))


def _sentence(text: str, *, first: bool = True) -> str:
    """As a sentence; `first`: what begins it is an ordinary word."""
    text = " ".join(text.split())
    text = text[:1].upper() + text[1:] if first else text
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _text(text: str) -> str:
    """Words as roff takes them: nothing of them is a request or an escape."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("`", "\\(ga")
    escaped = escaped.replace("~", "\\(ti").replace("^", "\\(ha").replace("'", "\\(aq")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


PAGES: Final = {
    "faceswapctl.1": lambda: page(faceswapctl_parser(), FACESWAPCTL),
    "faceswapd.1": lambda: page(faceswapd_parser(), FACESWAPD),
}
