"""The words of the command line."""

import argparse
from collections.abc import Callable, Sequence

from faceswapd.ctl import face_words

Adder = Callable[[str, str], argparse.ArgumentParser]  # name and meaning of a command

STATES = ("parked", "queued", "running", "succeeded", "failed", "cancelled")

MOST_IDS = 10_000  # jobs that one command takes

LEDGER_ACTIONS = ("backup", "check")

SHELLS = ("bash", "zsh", "fish")
WEBHOOK_ACTIONS = ("list", "test")

MODEL_ACTIONS = ("list", "pull", "verify", "prune")

LISTINGS = {  # what there is to choose from
    "inboxes": "the inboxes: where they lie, with which preset and priority, and whether all is well there",
    "presets": "the presets, what each means, and which inboxes use it",
}

EPILOG = """\
exit codes:
  0  done
  1  refused, also a part of it, or the job did not succeed (wait: failed, cancelled or parked)
  2  wrong usage
  3  the daemon is not running, or does not answer
  4  wait: the time is over

environment:
  FACESWAPD_SOCKET  the daemon's socket, where --socket is not given
  NO_COLOR          no colours

ID is a job's number; there may be several: 7 9-12 14,15.

With --json the answer is the daemon's own message, one JSON document on one line; a command that takes
several IDs prints one line for each, events one for each event, and watch one a second. Errors go to
standard error in words.
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help of a fixed width. argparse makes a formatter for each argument, and left alone would import
    shutil and ask for the terminal's size every time."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    # For each of its own words argparse looks for a translation in four files, and Python brings none: 5 ms.
    setattr(argparse, "_", str)  # noqa: B010 - the name is argparse's own
    shared = argparse.ArgumentParser(add_help=False, formatter_class=_Help)
    # SUPPRESS: what stands before the command is not undone by the command's own default.
    shared.add_argument("--socket", metavar="PATH", default=argparse.SUPPRESS, help="the daemon's socket")
    shared.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")

    top = argparse.ArgumentParser(
        prog="faceswapctl",
        description="See what faceswapd does, and tell it what to do.",
        epilog=EPILOG,
        formatter_class=_Help,
        parents=[shared],
    )
    top.add_argument("--version", action="store_true", help="print the version")
    commands = top.add_subparsers(
        dest="command",
        metavar="COMMAND",
        prog="faceswapctl",  # else argparse formats a usage line to find out, which takes 2 ms
    )

    def add(name: str, text: str) -> argparse.ArgumentParser:
        sentence = text[0].upper() + text[1:] + "."
        return commands.add_parser(name, help=text, description=sentence, parents=[shared], formatter_class=_Help)

    _looking(add)
    _ordering(add)
    _listings(add)
    _daily(add)
    return top


def _looking(add: Adder) -> None:
    """Commands that only ask."""
    add("status", "what runs, what waits and why, what failed and what needs you")

    jobs = add("jobs", "list the jobs, newest first")
    jobs.add_argument(
        "--state", action="append", choices=STATES, metavar="STATE", help="only these: " + ", ".join(STATES)
    )
    jobs.add_argument("--inbox", metavar="NAME", help="only of this inbox")
    jobs.add_argument("--face", metavar="NAME", help="only with this face")
    jobs.add_argument("--preset", metavar="NAME", help="only under this preset")
    jobs.add_argument("--category", metavar="NAME", help="only what failed or is parked for this, e.g. gpu_oom")
    jobs.add_argument("--text", metavar="TEXT", help="only where this stands in the target's name or folder")
    jobs.add_argument("--limit", type=_natural, metavar="N", help="at most N jobs (default: 50; all with --json)")
    jobs.add_argument("--before", type=_job_id, metavar="ID", help="only older ones than this job")

    show = add("show", "everything about jobs")
    _several(show)

    logs = add("logs", "what the engine said in a job's last execution; -f: and what it says until the job has ended")
    logs.add_argument("id", type=_job_id, metavar="ID")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until the job has ended")

    wait = add("wait", "wait until jobs have ended")
    _several(wait)
    wait.add_argument("--timeout", type=_seconds, metavar="S", help="give up after S seconds (default: never)")

    events = add("events", "what has happened, a line for each event; -f: and what happens from now on")
    _several(events, "*")
    events.add_argument(
        "--since", type=_since, metavar="TIME", help="all since 2h (30s, 5m, 3d, 1w) ago, 22:00 or 2026-12-24T22:00:00"
    )
    events.add_argument("--limit", type=_natural, metavar="N", help="without --since: the last N (default: 50)")
    events.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C, over a restart of the daemon")

    add("watch", "the status, redrawn as it changes; on no terminal one line for each change")

    explain = add("explain", "which face a file gets, and by which rule")
    explain.add_argument("path", metavar="PATH", help="a path, or a name as it lies in an inbox")


def _ordering(add: Adder) -> None:
    """Commands that change what is done."""
    pause = add("pause", "start nothing new, in the whole daemon or from one inbox; what runs goes on")
    pause.add_argument("inbox", nargs="?", metavar="INBOX", help="the inbox's name")

    resume = add("resume", "go on after pause; with an INBOX, also without the files that it lacks")
    resume.add_argument("inbox", nargs="?", metavar="INBOX", help="the inbox's name")

    cancel = add("cancel", "take jobs back; a running one is stopped")
    _several(cancel)

    retry = add("retry", "run failed or cancelled jobs again")
    _several(retry, "*")
    retry.add_argument("--category", metavar="NAME", help="all failed jobs of one category, e.g. gpu_oom")
    retry.add_argument("--failed", action="store_true", help="all failed jobs")

    priority = add("priority", "let jobs go before others, or after them")
    priority.add_argument("priority", type=_priority, metavar="N", help="from -100 to 100; higher goes first")
    _several(priority)

    assign = add("assign", "give parked targets their face")
    assign.add_argument("targets", nargs="+", metavar="TARGET", help="its path, its name in the inbox, or its job's ID")
    assign.add_argument("face", metavar="FACE", help="the face's name")

    submit = add("submit", "make jobs of files that lie anywhere; they are only read, and stay where they are")
    submit.add_argument("targets", nargs="+", metavar="TARGET", help="videos and images")
    submit.add_argument(
        "--face", action="append", metavar="NAME", help="the face; several: a job with each (default: the only one)"
    )
    submit.add_argument(
        "--preset", action="append", metavar="NAME", help="the preset; several: a job with each (default: the inbox's)"
    )
    submit.add_argument("--matrix", action="store_true", help="with every face there is, where no --face is given")
    submit.add_argument("--priority", type=_priority, metavar="N", help="from -100 to 100; higher goes first")
    submit.add_argument(
        "--not-before", metavar="TIME", help="start no earlier, such as 22:00 or 2026-12-24T22:00:00 (local time)"
    )
    submit.add_argument("--dry-run", action="store_true", help="only tell how many jobs, and how long they take")
    submit.add_argument("--wait", action="store_true", help="return when all of the jobs have ended")


def _daily(add: Adder) -> None:
    """Commands that look after the daemon."""
    _models(add)

    ledger = add("ledger", "the record of all jobs: copy it while it is in use, or look whether it is whole")
    ledger.add_argument(
        "action",
        choices=LEDGER_ACTIONS,
        metavar="ACTION",
        help="backup FILE: a whole copy, which replaces no file; check: is it whole, and do its books balance?",
    )
    ledger.add_argument("file", nargs="?", metavar="FILE", help="backup: the new file")

    _webhook(add)

    add("open", "open the dashboard in a browser, by a link that works once").add_argument(
        "--print", action="store_true", help="only print the link"
    )
    doctor = add("doctor", "look at FaceFusion, the machine, the folders, the service and the configuration")
    doctor.add_argument("--online", action="store_true", help="also ask whether there is a newer FaceFusion")
    completion = add("completion", "what a shell needs to complete commands, names and IDs while you type")
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish; see the README")

    add("stop", "let the daemon finish what runs and end; a second stop ends it at once")


def _models(add: Adder) -> None:
    models = add("models", "the model files that FaceFusion needs: list, fetch, verify, or remove what is not needed")
    models.add_argument(
        "action",
        nargs="?",
        choices=MODEL_ACTIONS,
        default="list",
        metavar="ACTION",
        help="list (the default); pull: fetch what lacks; verify: read each anew; prune: what no preset needs",
    )
    models.add_argument("--yes", action="store_true", help="prune: remove it, instead of only showing it")


class _Collect(argparse.Action):
    """The jobs of all words, each once, in the order in which they are named."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Sequence[int]] | None,
        option_string: str | None = None,
    ) -> None:
        del option_string
        ids = list(dict.fromkeys(job for some in values or () for job in some))
        if len(ids) > MOST_IDS:
            parser.error(f"more than {MOST_IDS:,} jobs are named")
        setattr(namespace, self.dest, ids)


def _several(command: argparse.ArgumentParser, many: str = "+") -> None:
    command.add_argument(
        "ids",
        nargs=many,
        type=_job_ids,
        action=_Collect,
        metavar="ID",
        help="the job's number; also several: 7 9-12 14,15",
    )


def _job_ids(text: str) -> Sequence[int]:
    """7, #7, 9-12, 3,4, and all of them with commas between."""
    found: list[int] = []
    for word in text.split(","):
        first, dash, last = word.partition("-")
        low = _job_id(first)
        high = _job_id(last) if dash else low
        if high < low:
            raise argparse.ArgumentTypeError(f"{word!r} ends before it begins")
        if high - low >= MOST_IDS:
            raise argparse.ArgumentTypeError(f"{word!r} names more than {MOST_IDS:,} jobs")
        found += range(low, high + 1)
    return found


def _since(text: str) -> float:
    from faceswapd.ctl.since import since  # datetime takes its milliseconds

    try:
        return since(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _listings(add: Adder) -> None:
    face_words.add_words(add("faces", "the faces, and what was asked of each; or photos for one, or one taken out"))
    for name, text in LISTINGS.items():
        add(name, text)
    report = add("report", "what was done: jobs, frames, how fast, what failed and why, how busy the slots were")
    report.add_argument("--days", type=_natural, metavar="N", help="today and the days before, N in all (default: 7)")


def _webhook(add: Adder) -> None:
    webhook = add("webhook", "the programs that are told what happens: list them, or send them a test")
    webhook.add_argument(
        "action",
        nargs="?",
        choices=WEBHOOK_ACTIONS,
        default="list",
        metavar="ACTION",
        help="list (the default); test: send one of them, or all, something right now",
    )
    webhook.add_argument("name", nargs="?", metavar="NAME", help="test: the webhook's name")


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 up")
    return int(text)


def _priority(text: str) -> int:
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _job_id(text: str) -> int:
    number = text.removeprefix("#")
    if not (number.isascii() and number.isdigit()) or len(number) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no job's ID (a number; see `faceswapctl jobs`)")
    return int(number)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
