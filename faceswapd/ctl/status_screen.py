"""`faceswapctl status`: what goes on, on one screen.

Each section shows at least one entry; the rows that are left go to the sections in the order of what a
person wants to know first. What did not fit stands as a number in the section's title.
"""

from typing import NamedTuple

from faceswapd.control.messages import Job, Skipped, Status
from faceswapd.ctl.plain import bar, base_name, clean, columns, count, cut, duration, pad, percent, shell_quote, shorten
from faceswapd.ctl.terminal import Line, Look, Terminal

LEAST_ROWS = 24  # on a smaller terminal the screen scrolls, and nothing is left out for it
NEEDS_FACE = (None, "", "needs_face")  # categories of parked jobs that `assign` settles
STATES = ("running", "queued", "parked", "failed", "succeeded", "cancelled")


class Section(NamedTuple):
    """A title and its entries of one or two lines, of which the first few are shown."""

    title: str
    rank: int  # the lower, the sooner it gets the rows that are left
    entries: list[list[Line]]
    total: int  # entries there are, given or not

    def lines(self, shown: int) -> list[Line]:
        """The section with so many of its entries."""
        missing = self.total - shown
        title = f"{self.title} ({shown} of {self.total:,})" if missing > 0 else self.title
        return [Line(title, Look.TITLE), *(line for entry in self.entries[:shown] for line in entry)]


def status_screen(status: Status, terminal: Terminal) -> list[Line]:
    """All lines of the screen; no more than the terminal has rows, less one for the prompt."""
    sections = [section for section in _sections(status, terminal.width) if section.entries]
    head = _head(status, terminal.width, quiet=not sections)
    room = max(terminal.rows, LEAST_ROWS) - 1 - len(head)
    shown = _allot(sections, room)
    blocks = [section.lines(number) for section, number in zip(sections, shown, strict=True)]
    # Blank lines between the sections where nothing is lost by them.
    airy = sum(len(block) + 1 for block in blocks) <= room
    screen = head
    for block in blocks:
        screen = [*screen, *([Line("")] if airy else []), *block]
    return screen


def _allot(sections: list[Section], room: int) -> list[int]:
    """How many entries of each section are shown."""
    shown = [1 for _ in sections]
    left = room - sum(1 + len(section.entries[0]) for section in sections)
    order = sorted(range(len(sections)), key=lambda place: sections[place].rank)
    grown = True
    while grown:
        grown = False
        for place in order:
            entries = sections[place].entries
            if shown[place] < len(entries) and len(entries[shown[place]]) <= left:
                left -= len(entries[shown[place]])
                shown[place] += 1
                grown = True
    return shown


def _head(status: Status, width: int, *, quiet: bool) -> list[Line]:
    up = duration(status.now - status.started_at)
    word, look = {
        "running": ("running", Look.GOOD),
        "paused": ("paused", Look.HELD),
        "held": ("held", Look.HELD),
        "draining": ("stopping", Look.HELD),
    }.get(status.state, (status.state, Look.HELD))
    idle = " and idle" if status.state == "running" and not status.running and not status.waiting else ""
    lines = [Line(cut(f"faceswapd {status.version} is {word}{idle} (up {up}, pid {status.pid}).", width), look)]
    lines += [Line(cut(text, width), Look.HELD) for text in _why(status)]
    engine = f"Engine: {status.engine}, {count(status.slots, 'slot')}. {clean(status.engine_why)}"
    lines.append(Line(cut(engine, width)))
    lines.append(Line(cut(_counted(status), width)))
    if quiet and status.state in ("running", "held"):
        lines += _what_next(status, width)
    return lines


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
        # While nothing new starts, nobody knows when it is done, but only how much there is to do.
        what = "left" if status.state == "running" else "of work"
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
            [[Line(cut(f"  {one.reason.rstrip('.')}: {one.reading}, limit {one.limit}", width))] for one in held],
            len(held),
        ),
        Section(
            "Running",
            1,
            [[shape.running(job)] for job in status.running],
            max(counts.get("running", 0), len(status.running)),
        ),
        Section(
            "Waiting",
            5,
            [[shape.waiting(job, status)] for job in status.waiting],
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
            [[_file(one, status, width)] for one in status.arriving],
            max(sum(inbox.arriving for inbox in status.inboxes), len(status.arriving)),
        ),
        Section("Not taken", 7, [[_file(one, status, width)] for one in status.skipped], len(status.skipped)),
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
        faces = [columns(clean(job.face or "-")) for job in jobs]
        return _Shape(width, max((len(str(job.id)) for job in jobs), default=1), min(max(faces, default=1), width // 7))

    def row(self, job: Job, name_width: int) -> str:
        face = pad(shorten(job.face or "-", self.face_width), self.face_width)
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

    def waiting(self, job: Job, status: Status) -> Line:
        told = clean(job.reason or "waits for a free slot")
        if job.not_before is not None and job.not_before > status.now:
            told = f"again in {duration(job.not_before - status.now)}: {told}"
        return Line(cut(self.row(job, self.names()) + told, self.width))

    def failed(self, job: Job) -> list[Line]:
        told = job.reason or "it did not say why"
        command = f"faceswapctl retry {job.id}"
        advice = ""
        if job.advice:
            advice = cut(job.advice.rstrip(".") + ".", self.width - len(command) - 16) + " Then: "
        return [
            Line(cut(self.row(job, self.names()) + clean(told), self.width), Look.BAD),
            Line(f"      -> {advice}{command}", Look.DO),
        ]

    def parked(self, job: Job, status: Status) -> list[Line]:
        told = clean(job.reason or "nobody said whose face it gets")
        return [
            Line(cut(self.row(job, self.names()) + told, self.width), Look.HELD),
            Line("      -> " + _settle(job, status, self.width - 9), Look.DO),
        ]


def _settle(job: Job, status: Status, room: int) -> str:
    """What settles a parked job. A command is never shortened: one with a long path names the job instead."""
    if job.category not in NEEDS_FACE:
        return cut(job.advice or f"faceswapctl show {job.id}", room)
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


def _file(file: Skipped, status: Status, width: int) -> Line:
    path = file.path
    for inbox in status.inboxes:
        if path.startswith(inbox.path.rstrip("/") + "/"):
            path = path[len(inbox.path.rstrip("/")) + 1 :]
            break
    name_width = width // 2 - 4
    return Line(cut(f"  {pad(shorten(path, name_width), name_width)}  {clean(file.reason)}", width), Look.ASIDE)


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
    for face in status.faces:
        if face.problem:
            told = f"  face {shorten(face.name, 20)}: {clean(face.problem)}"
            lines.append(Line(cut(told, width), Look.BAD))
    return Section("Look at", 2, [[line] for line in lines], len(lines))
