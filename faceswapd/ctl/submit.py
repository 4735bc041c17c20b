"""`faceswapctl submit`: files become jobs, a few at a time, so that whatever ends it has lost nothing."""

import json
import os
import sys
import time
from argparse import Namespace
from typing import Any, Final

from faceswapd.control.wire.submit_messages import Offer, Submission, Submitted
from faceswapd.ctl.client import REFUSED, Client, Problem
from faceswapd.ctl.output import complain, complain_of, print_json
from faceswapd.ctl.plain import clean, count, duration
from faceswapd.ctl.terminal import Line, Look, Terminal, is_dumb

BATCH: Final = 25  # files of one request
BATCH_BYTES: Final = 40_000  # of their names in it: the daemon takes no request of more than 64 KiB
ANSWER_SECONDS: Final = 60.0  # the daemon answers in five, with what it has done by then
BETWEEN_SECONDS: Final = 0.5  # between two questions where the first one brought nothing
NO_JOB: Final = ("output", "declined")  # outcomes from which nothing will come


def submit(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    """Hand all files over, say of each what became of it, and wait where that is asked for."""
    files = {os.path.realpath(target): target for target in reversed(arguments.targets)}
    files = dict(reversed(files.items()))  # the first name of a file counts, and the order of the command line
    body = {
        "faces": arguments.face or [],
        "presets": arguments.preset or [],
        "matrix": arguments.matrix,
        "priority": arguments.priority,
        "not_before": arguments.not_before,
        "dry_run": arguments.dry_run,
    }
    told = _Told(files, terminal, quiet=arguments.json or arguments.dry_run)
    problem = _hand_over(client, list(files), body, told)
    if problem is not None:
        complain_of(problem)
        done, all_of_them = len(told.submissions), len(files)
        if done and not arguments.dry_run:
            complain(
                f"{done:,} of {all_of_them:,} files are handed over; the same command again goes on with the rest."
            )
        return problem.code
    answer = told.answer()
    if arguments.json:
        print_json(answer)
    elif arguments.dry_run:
        terminal.show(_foreseen(answer))
    worst = REFUSED if told.refused else 0
    jobs = [offer.job for one in answer.submissions for offer in one.offers if offer.outcome not in NO_JOB]
    if arguments.wait and jobs:
        from faceswapd.ctl.waiting import wait

        numbers = [job for job in jobs if job is not None]
        return max(worst, wait(client, numbers, None, terminal, as_json=arguments.json))
    return worst


def _hand_over(client: Client, left: list[str], body: dict[str, Any], told: "_Told") -> Problem | None:
    """Ask for a few, and for what was not done of them once more."""
    while left:
        batch = _batch(left)
        asked_at = time.monotonic()
        answer = client.post(Submitted, "/api/submit", {**body, "targets": batch}, ANSWER_SECONDS)
        if isinstance(answer, Problem):
            told.clear()
            return answer
        body = {**body, "not_before": answer.not_before}  # the same moment for all of them
        told.hear(answer)
        done = {one.target for one in answer.submissions}
        left = [target for target in batch if target not in done] + left[len(batch) :]
        if not done:
            time.sleep(max(0.0, BETWEEN_SECONDS - (time.monotonic() - asked_at)))
        told.progress(len(left))
    return None


def _batch(left: list[str]) -> list[str]:
    size = 0
    batch: list[str] = []
    for target in left[:BATCH]:
        size += len(json.dumps(target))
        if batch and size > BATCH_BYTES:
            break
        batch.append(target)
    return batch


class _Told:
    """What the daemon has answered so far, said as it comes."""

    def __init__(self, files: dict[str, str], terminal: Terminal, *, quiet: bool) -> None:
        """`files`: by absolute path, as each was named. `quiet`: what went well is not said one by one."""
        self._files = files
        self._terminal = terminal
        self._quiet = quiet
        self._shows_progress = sys.stderr is not None and sys.stderr.isatty() and not is_dumb()
        self._last: Submitted | None = None
        self.submissions: list[Submission] = []
        self.refused = False

    def hear(self, answer: Submitted) -> None:
        """Take it in, and say it."""
        self.clear()
        self._last = answer
        for one in answer.submissions:
            self.submissions.append(one)
            name = self._files.get(one.target, one.target)
            if one.problem is not None:
                self.refused = True
                complain(f"{name}: {one.problem}")
            for offer in one.offers:
                if offer.outcome in NO_JOB:
                    self.refused = True
                    complain(f"{name}: {offer.text}.")
                elif not self._quiet:
                    self._terminal.show([Line(f"{clean(name)}: {_about(offer)}", Look.PLAIN)])
        if sys.stdout is not None:
            sys.stdout.flush()

    def progress(self, left: int) -> None:
        """On a terminal: how far it is."""
        if self._shows_progress and left:
            all_of_them = len(self._files)
            sys.stderr.write(f"\r\x1b[K{all_of_them - left:,} of {count(all_of_them, 'file')} looked at ...")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take that line away."""
        if self._shows_progress:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def answer(self) -> Submitted:
        """All answers as one."""
        last = self._last
        assert last is not None
        return Submitted(self.submissions, [], last.not_before, last.slots, last.queue_seconds_left)


def _about(offer: Offer) -> str:
    return clean(f"{offer.text} ({offer.face}, {offer.preset})")


def _foreseen(answer: Submitted) -> list[Line]:
    """How many jobs there would be, and how long they take, as far as anybody knows."""
    offers: dict[str, tuple[Offer, Submission]] = {}
    for one in answer.submissions:
        for offer in one.offers:
            offers.setdefault(offer.key, (offer, one))
    new = [(offer, one) for offer, one in offers.values() if offer.outcome in ("queued", "again")]
    asked = sum(len(one.offers) for one in answer.submissions)
    files = sum(bool(one.offers) for one in answer.submissions)  # the others are told one by one
    there = asked - len(new)
    lines = [f"{count(asked, 'job')} of {count(files, 'file')}: {len(new):,} to do"]
    lines[0] += f", {there:,} there already or the same as another." if there else "."
    if new:
        frames = sum(one.frames for _, one in new)
        seconds = sum(one.duration or 0.0 for _, one in new)
        video = f", {duration(seconds)} of video" if seconds else ""
        lines.append(f"They have {count(frames, 'frame')} to swap{video}.")
        lines.append(_estimated([offer.seconds for offer, _ in new], answer))
    lines.append("Nothing was written: this was a dry run.")
    return [Line(line) for line in lines]


def _estimated(seconds: list[float | None], answer: Submitted) -> str:
    known = [one for one in seconds if one is not None]
    if len(known) < len(seconds):
        return "How long they take is not known: no job of their kind and preset was done before."
    own = max([*known, sum(known) / max(1, answer.slots)])
    queued = answer.queue_seconds_left
    before = f", after about {duration(queued)} of what waits and runs already" if queued else ""
    return f"They take about {duration(own)}{before}, if nothing holds them."
