"""`faceswapctl status`: what goes on, on one screen.

Each section shows at least one entry; the rows that are left go to the sections in the order of what a
person wants to know first, and then to sentences that were cut. What did not fit stands as a number in the
section's title.
"""

from typing import NamedTuple

from faceswapd.control.wire.messages import WISHED, Job, Skipped, Status, must_be_sent_again
from faceswapd.ctl.plain import (
    bar,
    base_name,
    clean,
    columns,
    count,
    cut,
    duration,
    face_name,
    pad,
    percent,
    shell_quote,
    shorten,
    wrap,
)
from faceswapd.ctl.terminal import Line, Look, Terminal

LEAST_ROWS = 24  # on a smaller terminal the screen scrolls, and nothing is left out for it
MOST_LINES = 4  # of one sentence
ARROW = "-> "
NEEDS_FACE = (None, "", "needs_face")  # categories of parked jobs that `assign` settles
STATES = ("running", "queued", "parked", "failed", "succeeded", "cancelled")


class Entry(NamedTuple):
    """What belongs together: in as few lines as possible, and with every sentence whole."""

    short: list[Line]
    whole: list[Line]


class Section(NamedTuple):
    """A title and its entries, of which the first few are shown."""

    title: str
    rank: int  # the lower, the sooner it gets the rows that are left
    entries: list[Entry]
    total: int  # entries there are, given or not

    def titled(self, shown: int) -> Line:
        """The title, with how many of its entries are shown where some are not."""
        missing = self.total - shown
        return Line(f"{self.title} ({shown} of {self.total:,})" if missing > 0 else self.title, Look.TITLE)


def status_screen(status: Status, terminal: Terminal) -> list[Line]:
    """All lines of the screen; no more than the terminal has rows, less one for the prompt."""
    sections = [section for section in _sections(status, terminal.width) if section.entries]
    head = _head(status, terminal.width, quiet=not sections)
    room = max(terminal.rows, LEAST_ROWS) - 1
    left = room - len(head) - sum(1 + len(section.entries[0].short) for section in sections)
    top, left = _spelled_out(head, left)
    shown, left = _allot(sections, left)
    order = sorted(range(len(sections)), key=lambda place: sections[place].rank)
    bodies: dict[int, list[Line]] = {}
    for place in order:
        bodies[place], left = _spelled_out(sections[place].entries[: shown[place]], left)
    airy = left >= len(sections)  # blank lines between the sections where nothing is lost by them
    screen = top
    for place, section in enumerate(sections):
        screen = [*screen, *([Line("")] if airy else []), section.titled(shown[place]), *bodies[place]]
    return screen


def _allot(sections: list[Section], left: int) -> tuple[list[int], int]:
    """How many entries of each section are shown, and the rows that are left then."""
    shown = [1 for _ in sections]
    order = sorted(range(len(sections)), key=lambda place: sections[place].rank)
    grown = True
    while grown:
        grown = False
        for place in order:
            entries = sections[place].entries
            if shown[place] < len(entries) and len(entries[shown[place]].short) <= left:
                left -= len(entries[shown[place]].short)
                shown[place] += 1
                grown = True
    return shown, left


def _spelled_out(entries: list[Entry], left: int) -> tuple[list[Line], int]:
    """The entries, whole as far as the rows that are left allow, and the rows that are left then."""
    lines: list[Line] = []
    for entry in entries:
        more = len(entry.whole) - len(entry.short)
        lines += entry.whole if more <= left else entry.short
        left -= more if more <= left else 0
    return lines, left


def _line(text: str, width: int, look: Look = Look.PLAIN) -> Entry:
    """A sentence: cut to one line, or on as many as it needs."""
    return Entry([Line(cut(text, width), look)], [Line(one, look) for one in wrap(text.split(), width, MOST_LINES)])


def _fixed(*lines: Line) -> Entry:
    """Lines that cannot be told at greater length."""
    return Entry([*lines], [*lines])


def _head(status: Status, width: int, *, quiet: bool) -> list[Entry]:
    up = duration(status.now - status.started_at)
    word, look = {
        "running": ("running", Look.GOOD),
        "paused": ("paused", Look.HELD),
        "held": ("held", Look.HELD),
        "draining": ("stopping", Look.HELD),
    }.get(status.state, (status.state, Look.HELD))
    idle = " and idle" if status.state == "running" and not status.running and not status.waiting else ""
    entries = [_line(f"faceswapd {status.version} is {word}{idle} (up {up}, pid {status.pid}).", width, look)]
    entries += [_line(text, width, Look.HELD) for text in _why(status)]
    engine = f"Engine: {status.engine}, {count(status.slots, 'slot')}. {clean(status.engine_why)}"
    entries.append(_line(engine, width))
    entries += [_line(f"Note: {clean(remark)}", width, Look.HELD) for remark in status.remarks]
    entries.append(_line(_counted(status), width))
    if quiet and status.state in ("running", "held"):
        entries += [_fixed(line) for line in _what_next(status, width)]
    return entries


def _why(status: Status) -> list[str]:
    """What the state means and what to do, for every state but running."""
    if status.state == "paused":
        return [status.why or "Nothing new starts. Go on with: faceswapctl resume"]
    if status.state == "draining":
        return ["Nothing new starts, what runs may end. At once: faceswapctl stop"]
    if status.state == "held":
        return [f"Nothing new starts: {status.why or 'see below'}"]
    return [status.why] if status.why else []


def _counted(status: Status) -> str:
    left = ""
    if status.queue_seconds_left is not None:
        # While something is kept from starting, nobody knows when all is done, but only how much there is to do.
        held = status.state != "running" or any(inbox.paused for inbox in status.inboxes)
        what = "of work" if held else "left"
        left = f"about {duration(status.queue_seconds_left)} {what}: "
    known = [f"{status.counts[state]:,} {state}" for state in STATES if status.counts.get(state)]
    return "Jobs: " + left + (", ".join(known) if known else "none yet") + "."


def _what_next(status: Status, width: int) -> list[Line]:
    usable = [face.name for face in status.faces if face.problem is None]
    if not usable:
        folder = f"{status.folder}/faces/<name>/"
        return [Line("Put photos of a person into " + shorten(folder, width - 29) + ".", Look.DO)]
    inbox = status.inboxes[0].path if status.inboxes else f"{status.folder}/inbox"
    folder = f"{inbox}/{usable[0] if len(usable) == 1 else '<face>'}/"
    lines = [Line("Drop a video or an image into " + shorten(folder, width - 31) + ".", Look.DO)]
    if len(usable) > 1:
        lines.append(Line(cut("Faces: " + ", ".join(usable), width)))
    lines.append(Line("Results appear in " + shorten(status.outbox, width - 19) + "."))
    return lines


def _sections(status: Status, width: int) -> list[Section]:
    counts = status.counts
    held = status.held if status.state != "running" else []
    shape = _Shape.of(status, width)
    return [
        Section(
            "Held because",
            0,
            [_fixed(Line(cut(f"  {one.reason.rstrip('.')}: {one.reading}, limit {one.limit}", width))) for one in held],
            len(held),
        ),
        Section(
            "Running",
            1,
            [_fixed(shape.running(job)) for job in status.running],
            max(counts.get("running", 0), len(status.running)),
        ),
        Section(
            "Waiting",
            5,
            [shape.waiting(job, status) for job in status.waiting],
            max(counts.get("queued", 0), len(status.waiting)),
        ),
        Section(
            "Failed last",
            3,
            [shape.failed(job) for job in status.failed],
            max(counts.get("failed", 0), len(status.failed)),
        ),
        Section(
            "Parked: needs you",
            4,
            [shape.parked(job, status) for job in status.parked],
            max(counts.get("parked", 0), len(status.parked)),
        ),
        Section(
            "Arriving",
            6,
            [_file(one, status, width) for one in status.arriving],
            max(sum(inbox.arriving for inbox in status.inboxes), len(status.arriving)),
        ),
        Section("Not taken", 7, [_file(one, status, width) for one in status.skipped], len(status.skipped)),
        _attention(status, width),
    ]


class _Shape(NamedTuple):
    """The columns that all rows of jobs share."""

    width: int
    id_width: int
    face_width: int

    @staticmethod
    def of(status: Status, width: int) -> "_Shape":
        jobs = [*status.running, *status.waiting, *status.failed, *status.parked]
        faces = [columns(face_name(job.face)) for job in jobs]
        return _Shape(width, max((len(str(job.id)) for job in jobs), default=1), min(max(faces, default=1), width // 7))

    def row(self, job: Job, name_width: int) -> str:
        face = pad(shorten(face_name(job.face), self.face_width), self.face_width)
        name = shorten(base_name(job.target), name_width)
        return f"  {job.id:>{self.id_width}}  {face}  {pad(name, name_width)}  "

    def names(self) -> int:
        """Columns for a name, where a sentence follows it."""
        return max(12, self.width * 3 // 10)

    def running(self, job: Job) -> Line:
        if job.cancel_requested:
            told = "is being cancelled"
        elif job.seconds_left is not None:
            told = f"{duration(job.seconds_left)} left"
        else:
            told = clean(job.phase or "has just started")
        told = f"{bar(job.progress, 16)} {percent(job.progress)}  {cut(told, 20)}"
        return Line(cut(self.row(job, self.names()) + told, self.width), Look.GOOD)

    def told(self, job: Job, words: str, look: Look = Look.PLAIN) -> Entry:
        """A job and one sentence about it: beside it, or where that has no room, below it."""
        beside = self.row(job, self.names()) + clean(words)
        if columns(beside) <= self.width:
            return _fixed(Line(beside, look))
        alone = self.row(job, self.width - columns(self.row(job, 0))).rstrip()
        return Entry([Line(cut(beside, self.width), look)], [Line(alone, look), *self.below("", words.split(), look)])

    def below(self, mark: str, pieces: list[str], look: Look) -> list[Line]:
        """What belongs to the row above, indented; its first line behind a mark."""
        indent = " " * 6
        lines = wrap(pieces, self.width - len(indent) - len(mark), MOST_LINES)
        return [Line(indent + (" " * len(mark) if number else mark) + line, look) for number, line in enumerate(lines)]

    def waiting(self, job: Job, status: Status) -> Entry:
        told = job.reason or "waits for a free slot"
        if job.not_before is not None and job.not_before > status.now and not told.startswith(WISHED):
            told = f"again in {duration(job.not_before - status.now)}: {told}"
        return self.told(job, told)

    def failed(self, job: Job) -> Entry:
        row = self.told(job, job.reason or "it did not say why", Look.BAD)
        if job.advice and must_be_sent_again(job.face, job.category):
            return self.advised(row, job.advice)
        command = f"faceswapctl retry {job.id}"
        advice = ""
        if job.advice:
            advice = cut(job.advice.rstrip(".") + ".", self.width - len(command) - 16) + " Then: "
        pieces = [*f"{job.advice.rstrip('.')}. Then:".split(), command] if job.advice else [command]
        return Entry(
            [*row.short, Line(f"      -> {advice}{command}", Look.DO)],
            [*row.whole, *self.below(ARROW, pieces, Look.DO)],
        )

    def advised(self, row: Entry, advice: str) -> Entry:
        """A row with what is to be done, where no command does it."""
        short = Line("      -> " + cut(advice, self.width - 9), Look.DO)
        return Entry([*row.short, short], [*row.whole, *self.below(ARROW, advice.split(), Look.DO)])

    def parked(self, job: Job, status: Status) -> Entry:
        row = self.told(job, job.reason or "nobody said whose face it gets", Look.HELD)
        if job.category not in NEEDS_FACE and job.advice:
            return self.advised(row, job.advice)
        settle = Line("      -> " + _settle(job, status, self.width - 9), Look.DO)
        return Entry([*row.short, settle], [*row.whole, settle])


def _settle(job: Job, status: Status, room: int) -> str:
    """The command that settles a parked job. It is never shortened: one with a long path names the job instead."""
    if job.category not in NEEDS_FACE:
        return f"faceswapctl show {job.id}"
    if not status.faces:
        return "Put photos of the person into " + shorten(f"{status.folder}/faces/<name>/", room - 30)
    face = status.faces[0].name if len(status.faces) == 1 else "FACE"
    if not face.isprintable() or not job.target.startswith("/"):
        return f"faceswapctl assign {job.id} FACE"
    face = shell_quote(face) if face != "FACE" else face
    command = f"faceswapctl assign {shell_quote(job.target)} {face}"
    if columns(command) > room:
        command = f"faceswapctl assign {job.id} {face}"
    if columns(command) > room:
        command = f"faceswapctl assign {job.id} FACE"
    return command


def _file(file: Skipped, status: Status, width: int) -> Entry:
    path = file.path
    for inbox in status.inboxes:
        if path.startswith(inbox.path.rstrip("/") + "/"):
            path = path[len(inbox.path.rstrip("/")) + 1 :]
            break
    name_width = width // 2 - 4
    beside = f"  {pad(shorten(path, name_width), name_width)}  {clean(file.reason)}"
    if columns(beside) <= width:
        return _fixed(Line(beside, Look.ASIDE))
    reason = wrap(file.reason.split(), width - 6, MOST_LINES)
    whole = [Line(f"  {shorten(path, width - 2)}", Look.ASIDE), *(Line(" " * 6 + one, Look.ASIDE) for one in reason)]
    return Entry([Line(cut(beside, width), Look.ASIDE)], whole)


def _attention(status: Status, width: int) -> Section:
    """Inboxes and faces with something to say."""
    lines: list[Line] = []
    for inbox in status.inboxes:
        name = shorten(inbox.name, 20)
        if inbox.problem:
            lines.append(Line(cut(f"  inbox {name}: {clean(inbox.problem)}", width), Look.BAD))
        if inbox.paused:
            command = f"faceswapctl resume {shell_quote(inbox.name)}"
            room = max(width - columns(command) - 31, 6)
            lines.append(Line(f"  inbox {shorten(name, room)} is paused. Go on with: {command}", Look.HELD))
        lines += [Line(cut(f"  inbox {name}: {clean(one)}", width), Look.ASIDE) for one in inbox.remarks]
        if inbox.watching == "polling":
            told = f"  inbox {name} is listed every few seconds. {clean(inbox.watching_why)}"
            lines.append(Line(cut(told, width), Look.ASIDE))
    for face in status.faces:
        if face.problem:
            told = f"  face {shorten(face.name, 20)}: {clean(face.problem)}"
            lines.append(Line(cut(told, width), Look.BAD))
    return Section("Look at", 2, [_fixed(line) for line in lines], len(lines))
