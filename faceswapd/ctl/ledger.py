"""`faceswapctl ledger`, and retrying all failed jobs at once: one question each, which may take its time."""

import os
from argparse import Namespace

from faceswapd.control.wire.job_messages import Retried
from faceswapd.control.wire.ledger_messages import LedgerCheck
from faceswapd.control.wire.messages import Done
from faceswapd.ctl.client import REFUSED, Client, Problem
from faceswapd.ctl.output import complain_of, print_json
from faceswapd.ctl.terminal import Line, Terminal

READING_SECONDS = 3600.0  # the whole file is read, and written for a backup


def backup(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    """Have the ledger copied to a new file."""
    path = os.path.abspath(arguments.file)  # noqa: PTH100  the daemon stands in another folder; links stay as named
    answer = client.post(Done, "/api/ledger/backup", {"path": path}, READING_SECONDS)
    if isinstance(answer, Problem):
        return complain_of(answer)
    if arguments.json:
        print_json(answer)
    else:
        terminal.show([Line(answer.text)])
    return 0


def check(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    """Have the ledger looked through. 1 when something is wrong with it."""
    answer = client.get(LedgerCheck, "/api/ledger/check", READING_SECONDS)
    if isinstance(answer, Problem):
        return complain_of(answer)
    if arguments.json:
        print_json(answer)
    else:
        terminal.show([*map(Line, answer.problems), Line(answer.text)])
    return REFUSED if answer.problems else 0


def retry_failed(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    """Have all failed jobs, or those of a category, run again."""
    body = {} if arguments.category is None else {"category": arguments.category}
    answer = client.post(Retried, "/api/retry", body, READING_SECONDS)
    if isinstance(answer, Problem):
        return complain_of(answer)
    if arguments.json:
        print_json(answer)
    else:
        terminal.show([Line(answer.text)])
    return 0
