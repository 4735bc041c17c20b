"""One function for each command: it asks the daemon, prints, and returns the exit code."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from faceswapd.control.wire.messages import Done, Job, Jobs, Status
from faceswapd.ctl import socket_path
from faceswapd.ctl.client import REFUSED, UNREACHABLE, Client, Problem
from faceswapd.ctl.output import complain, complain_of, print_json
from faceswapd.ctl.terminal import Line, Terminal, standard_output

USAGE = 2  # what argparse exits with, too
BROKEN_PIPE = 141  # 128 + SIGPIPE, as shells have it
JOBS_SHOWN = 50


def run(argv: Sequence[str] | None) -> int:
    """Understand the arguments and carry the command out."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["__complete"]:  # a shell asks, while somebody types
        from faceswapd.ctl.completing import complete

        return complete(Client(socket_path.find(None)), words[1:])
    from faceswapd.ctl.parser import parser

    terminal = standard_output()
    grammar = parser()
    try:
        arguments = grammar.parse_args(argv)
        code = _carry_out(arguments, terminal, grammar.format_help)
        if sys.stdout is not None:
            sys.stdout.flush()
    except SystemExit as ended:  # argparse has printed its help or its complaint
        return int(ended.code or 0)
    except BrokenPipeError:  # the reader, like `head`, has enough
        _give_up_output()
        return BROKEN_PIPE
    except OSError as problem:  # nothing but standard output is written to: a full disk
        _give_up_output()
        complain(f"The output cannot be written: {problem.strerror or problem}.")
        return REFUSED
    return code


def _carry_out(arguments: Namespace, terminal: Terminal, help_text: Callable[[], str]) -> int:
    if arguments.version:
        from faceswapd import __version__

        print(f"faceswapctl {__version__}")
        return 0
    if arguments.command is None:
        print(help_text(), end="", file=sys.stderr)
        return USAGE
    client = Client(socket_path.find(getattr(arguments, "socket", None)))
    arguments.json = getattr(arguments, "json", False)
    return COMMANDS[arguments.command](client, arguments, terminal)


def _give_up_output() -> None:
    """Keep Python from complaining once more when it flushes what nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _status(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    answer = client.get(Status, "/api/status")
    if isinstance(answer, Problem):
        return complain_of(answer)
    if arguments.json:
        print_json(answer)
    else:
        from faceswapd.ctl.status_screen import status_screen

        terminal.show(status_screen(answer, terminal))
    return 0


def _jobs(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    words = [f"state={state}" for state in arguments.state or []]
    asked = {name: getattr(arguments, name) for name in ("inbox", "face", "preset", "category", "text")}
    words += [f"{name}={_quoted(value)}" for name, value in asked.items() if value is not None]
    # A script that names no limit wants all of them, a person a screen or two.
    if arguments.limit or not arguments.json:
        words.append(f"limit={arguments.limit or JOBS_SHOWN}")
    if arguments.before is not None:
        words.append(f"before={arguments.before}")
    answer = client.get(Jobs, "/api/jobs" + ("?" + "&".join(words) if words else ""))
    if isinstance(answer, Problem):
        return complain_of(answer)
    if arguments.json:
        print_json(answer)
    else:
        from faceswapd.ctl.job_screens import jobs_table

        terminal.show(jobs_table(answer, terminal, paged=arguments.before is not None))
    return 0


def _show(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.control.wire.job_messages import JobDetail
    from faceswapd.ctl.job_screens import job_screen

    worst = 0
    for place, job in enumerate(arguments.ids):
        answer = client.get(JobDetail, f"/api/jobs/{job}")
        if isinstance(answer, Problem):
            worst = complain_of(answer)
            if worst == UNREACHABLE:
                break
        elif arguments.json:
            print_json(answer)
        else:
            terminal.show([*([Line("")] if place else []), *job_screen(answer)])
    return worst


def _wait(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl.waiting import wait

    return wait(client, arguments.ids, arguments.timeout, terminal, as_json=arguments.json)


def _logs(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl.logs import logs

    return logs(client, arguments.id, terminal, follow=arguments.follow, as_json=arguments.json)


def _events(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl import events

    if len(arguments.ids) > events.MOST_JOBS:
        complain(f"events tells of at most {events.MOST_JOBS} jobs at once; without IDs it tells of all.")
        return USAGE
    if arguments.since is not None and arguments.limit is not None:
        complain("Give --since or --limit: one of the two.")
        return USAGE
    return events.events(client, arguments, terminal)


def _watch(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl.watch import watch

    return watch(client, terminal, as_json=arguments.json)


def _explain(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.control.wire.job_messages import Explanation

    answer = client.get(Explanation, f"/api/explain?path={_asked_path(arguments.path)}")
    if isinstance(answer, Problem):
        return complain_of(answer)
    if arguments.json:
        print_json(answer)
    else:
        from faceswapd.ctl.job_screens import explanation_screen

        terminal.show(explanation_screen(answer))
    return 0


def _assign(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    """One target that cannot be assigned does not keep the others from it. Each job is ordered once, also where a
    target and its job's ID are both given."""
    worst, done = 0, set()
    for target in dict.fromkeys(arguments.targets):
        job = _parked_job(client, target)
        if isinstance(job, Problem):
            code = complain_of(job)
        elif job in done:
            continue
        else:
            done.add(job)
            code = _order(client, f"/api/jobs/{job}/assign", {"face": arguments.face}, arguments, terminal)
        if code == UNREACHABLE:
            return code
        worst = max(worst, code)
    return worst


def _parked_job(client: Client, target: str) -> int | Problem:
    """The ID of the one parked job of a target; the target may be an ID itself."""
    number = target.removeprefix("#")
    if number.isascii() and number.isdigit() and not os.path.lexists(target):
        return int(number)
    answer = client.get(Jobs, f"/api/find?path={_asked_path(target)}")
    if isinstance(answer, Problem):
        return answer
    parked = [job for job in answer.jobs if job.state == "parked"]
    if len(parked) == 1:
        return parked[0].id
    if parked:
        several = ", ".join(f"{job.id} ({job.target})" for job in parked)
        return Problem(f"Several parked jobs are called {target}: {several}. Give one ID instead.", REFUSED)
    if answer.jobs:
        return Problem(f"No parked job of {target}: {_told(answer.jobs[0])}. Nothing is to be assigned.", REFUSED)
    return Problem(f"No job of {target} is known. See `faceswapctl explain` with its path.", REFUSED)


def _told(job: Job) -> str:
    return f"job {job.id} is {job.state}" + (f" with the face {job.face}" if job.face else "")


def _asked_path(path: str) -> str:
    """A path as it goes into a query: absolute where it is a path; a bare name is looked for by the daemon
    in its inboxes. A link stays a link, since the name in the inbox is what counts."""
    if path.startswith(("./", "../")) or os.path.lexists(path):
        path = os.path.abspath(path)  # noqa: PTH100 - Path.resolve would follow links
    return _quoted(path)


def _quoted(text: str) -> str:
    """A text as it goes into a query."""
    from urllib.parse import quote

    return quote(os.fsencode(text), safe="/")


def _pause(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    code = _order(client, "/api/pause", _inbox(arguments), arguments, terminal)
    if code == 0 and not arguments.json:
        answer = client.get(Status, "/api/status")
        if not isinstance(answer, Problem) and answer.running:
            from faceswapd.ctl.job_screens import run_on

            terminal.show(run_on(answer.running, terminal))
    return code


def _resume(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    return _order(client, "/api/resume", _inbox(arguments), arguments, terminal)


def _inbox(arguments: Namespace) -> dict[str, Any]:
    return {} if arguments.inbox is None else {"inbox": arguments.inbox}


def _cancel(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    return _order_each(client, "cancel", {}, arguments, terminal)


def _prioritise(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    return _order_each(client, "priority", {"priority": arguments.priority}, arguments, terminal)


def _retry(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    if bool(arguments.ids) + arguments.failed + (arguments.category is not None) != 1:
        complain("Give the IDs of jobs, or --category NAME, or --failed: one of the three.")
        return USAGE
    if arguments.ids:
        return _order_each(client, "retry", {}, arguments, terminal)
    from faceswapd.ctl import ledger

    return ledger.retry_failed(client, arguments, terminal)


def _ledger(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl import ledger

    if (arguments.action == "backup") != (arguments.file is not None):
        complain("Use `faceswapctl ledger backup FILE` or `faceswapctl ledger check`.")
        return USAGE
    return {"backup": ledger.backup, "check": ledger.check}[arguments.action](client, arguments, terminal)


def _order_each(client: Client, order: str, body: dict[str, Any], arguments: Namespace, terminal: Terminal) -> int:
    """Give the order for each job; one that is refused does not keep the others from it."""
    worst = 0
    for job in arguments.ids:
        code = _order(client, f"/api/jobs/{job}/{order}", body, arguments, terminal)
        if code == UNREACHABLE:
            return code
        worst = max(worst, code)
    return worst


def _submit(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl import submit

    if arguments.dry_run and arguments.wait:
        complain("--dry-run makes no job, so there is nothing for --wait to wait for.")
        return USAGE
    return submit.submit(client, arguments, terminal)


def _models(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl import models

    if arguments.yes and arguments.action != "prune":
        complain("--yes belongs to `faceswapctl models prune`.")
        return USAGE
    return models.carry_out(client, arguments.action, terminal, yes=arguments.yes, as_json=arguments.json)


def _faces(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    if arguments.action == "list":
        from faceswapd.ctl import listings

        return listings.faces(client, terminal, as_json=arguments.json)
    from faceswapd.ctl import face_orders

    return face_orders.carry_out(client, arguments, terminal)


def _inboxes(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl import listings

    return listings.inboxes(client, terminal, as_json=arguments.json)


def _presets(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl import listings

    return listings.presets(client, terminal, as_json=arguments.json)


def _report(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl import report

    return report.report(client, arguments.days, terminal, as_json=arguments.json)


def _open(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl import open_page

    return open_page.open_page(client, arguments, terminal)


def _doctor(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    del terminal
    from faceswapd.ctl.doctor import doctor

    doctor(client.path, as_json=arguments.json, online=arguments.online)


def _completion(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    del client, terminal
    folder = os.path.join(os.path.dirname(__file__), "completions")  # noqa: PTH118, PTH120
    with open(os.path.join(folder, f"faceswapctl.{arguments.shell}"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
        print(file.read(), end="")
    return 0


def _webhook(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    from faceswapd.ctl import webhook

    if arguments.name is not None and arguments.action != "test":
        complain("A name belongs to `faceswapctl webhook test NAME`.")
        return USAGE
    return webhook.carry_out(client, arguments.action, arguments.name, terminal, as_json=arguments.json)


def _stop(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    return _order(client, "/api/stop", {}, arguments, terminal)


def _order(client: Client, route: str, body: dict[str, Any], arguments: Namespace, terminal: Terminal) -> int:
    answer = client.post(Done, route, body)
    if isinstance(answer, Problem):
        return complain_of(answer)
    if arguments.json:
        print_json(answer)
    else:
        terminal.show([Line(answer.text)])
    return 0


COMMANDS: dict[str, Callable[[Client, Namespace, Terminal], int]] = {
    "status": _status,
    "jobs": _jobs,
    "show": _show,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "retry": _retry,
    "priority": _prioritise,
    "wait": _wait,
    "logs": _logs,
    "events": _events,
    "watch": _watch,
    "explain": _explain,
    "assign": _assign,
    "ledger": _ledger,
    "submit": _submit,
    "models": _models,
    "faces": _faces,
    "inboxes": _inboxes,
    "presets": _presets,
    "report": _report,
    "open": _open,
    "doctor": _doctor,
    "completion": _completion,
    "webhook": _webhook,
    "stop": _stop,
}
