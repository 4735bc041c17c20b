"""What is printed about jobs: the table, one job in full, how one ended, why a file gets its face."""

from collections.abc import Sequence

from faceswapd.control.wire.job_messages import Execution, Explanation, JobDetail
from faceswapd.control.wire.messages import Job, Jobs
from faceswapd.ctl.plain import (
    bar,
    base_name,
    clean,
    clock,
    columns,
    count,
    cut,
    duration,
    face_name,
    pad,
    percent,
    shorten,
)
from faceswapd.ctl.terminal import ENDLESS, Line, Look, Terminal

LOOKS = {
    "running": Look.GOOD,
    "succeeded": Look.PLAIN,
    "queued": Look.PLAIN,
    "parked": Look.HELD,
    "failed": Look.BAD,
    "cancelled": Look.ASIDE,
}


def file_name(job: Job) -> str:
    """The target's own name, without its folders, as it is shown."""
    return clean(base_name(job.target))


def jobs_table(answer: Jobs, terminal: Terminal, *, paged: bool = False) -> list[Line]:
    """One line a job, newest first, and how many there are beside those. `paged`: newer ones are left out."""
    if not answer.jobs:
        none = (
            "No jobs." if answer.total == 0 else f"{count(answer.total, 'job')}, none {'older' if paged else 'shown'}."
        )
        return [Line(none)]
    rows = [
        (
            str(job.id),
            clean(job.state),
            face_name(job.face),
            file_name(job),
            clean(job.preset),
            _progress(job),
            clean(job.reason or ""),
        )
        for job in answer.jobs
    ]
    titles = ("ID", "STATE", "FACE", "TARGET", "PRESET", "PROGRESS", "REASON")
    wide = [max(columns(row[place]) for row in [titles, *rows]) for place in range(7)]
    width = ENDLESS if terminal.piped else terminal.width
    if not terminal.piped:
        wide[2], wide[4] = min(wide[2], 12), min(wide[4], 10)
    room = width - wide[0] - wide[1] - wide[2] - wide[4] - wide[5] - 12
    # The reason gets half of what is left at most, and no more than it needs.
    wide[6] = min(wide[6], max(room // 2, room - wide[3]))
    wide[3] = min(wide[3], max(room - wide[6], 12))
    lines = [Line(_row(titles, wide, width), Look.TITLE)]
    lines += [
        Line(_row(row, wide, width), LOOKS.get(job.state, Look.PLAIN))
        for row, job in zip(rows, answer.jobs, strict=True)
    ]
    if paged and answer.next is not None:
        lines.append(Line(f"older ones: --before {answer.next}", Look.ASIDE))
    elif answer.total > len(rows) and not paged:
        missing = answer.total - len(rows)
        lines.append(Line(f"and {missing:,} more; see them with --limit {answer.total}", Look.ASIDE))
    return lines


def _row(cells: tuple[str, ...], wide: list[int], width: int) -> str:
    texts = [pad(shorten(cell, size), size) for cell, size in zip(cells[:-1], wide[:-1], strict=True)]
    texts[0] = " " * (wide[0] - len(cells[0])) + cells[0]
    return cut("  ".join([*texts, cells[-1]]), width).rstrip()


def _progress(job: Job) -> str:
    if job.state == "running":
        left = f", {duration(job.seconds_left)}" if job.seconds_left is not None else ""
        return percent(job.progress).strip() + left
    if job.finished_at is not None and job.started_at is not None:
        return f"in {duration(job.finished_at - job.started_at)}"
    return ""


def run_on(jobs: Sequence[Job], terminal: Terminal) -> list[Line]:
    """What goes on running after pause."""
    return [
        Line(cut(f"Job {job.id} ({file_name(job)}) goes on: {percent(job.progress).strip()}.", terminal.width))
        for job in jobs
    ]


def how_it_ended(job: Job) -> Line:
    """One sentence on a job, for wait and watch."""
    told = f"Job {job.id} ({file_name(job)}): {clean(job.state)}."
    if job.state == "succeeded" and job.output:
        told = f"Job {job.id} ({file_name(job)}): succeeded, the result is {clean(job.output)}"
    elif job.reason:
        told += " " + _sentence(job.reason)
    if job.state == "failed":
        told += f" {_sentence(job.advice) if job.advice else ''}".rstrip()
        told += f" Again: faceswapctl retry {job.id}"
    if job.state == "parked" and job.category in (None, "", "needs_face"):
        told += f" Settle it: faceswapctl assign {job.id} FACE"
    return Line(told, LOOKS.get(job.state, Look.PLAIN))


def _sentence(text: str) -> str:
    text = clean(text).rstrip()
    return text if text.endswith((".", "!", "?")) else text + "."


def job_screen(detail: JobDetail) -> list[Line]:
    """Everything about a job; nothing is shortened here."""
    job = detail.job
    rows = [
        ("target", job.target),
        ("kind", ", ".join(filter(None, [job.kind, _frames(job.frames)]))),
        ("face", f"{job.face or 'none'}" + (f" ({detail.rule})" if detail.rule else "")),
        ("preset", f"{job.preset}, priority {job.priority}" + (f", inbox {job.inbox}" if job.inbox else ", submitted")),
        ("attempt", str(job.attempt) if job.attempt else ""),
        ("output", job.output or ""),
        ("created", clock(job.created_at)),
        ("started", clock(job.started_at) if job.started_at is not None else ""),
        ("finished", clock(job.finished_at) if job.finished_at is not None else ""),
        ("not before", clock(job.not_before) if job.not_before is not None and job.state == "queued" else ""),
        ("reason", job.reason or ""),
        ("category", job.category or ""),
        ("to do", job.advice or _to_do(job)),
    ]
    title = f"Job {job.id} is {job.state}" + (", and is being cancelled" if job.cancel_requested else "")
    lines = [Line(title, LOOKS.get(job.state, Look.PLAIN))]
    if job.state == "running":
        left = f", {duration(job.seconds_left)} left" if job.seconds_left is not None else ""
        phase = f", {job.phase}" if job.phase else ""
        rows.insert(1, ("progress", f"{bar(job.progress, 30)} {percent(job.progress).strip()}{left}{phase}"))
    lines += [Line(f"  {name:<10}  {clean(text)}") for name, text in rows if text]
    if detail.asked:
        lines.append(Line("Asked", Look.TITLE))
        lines += [Line(f"  {clean(text)}") for text in detail.asked]
    if detail.executions:
        lines.append(Line("Executions", Look.TITLE))
        for execution in detail.executions:
            lines += _execution(execution)
    if detail.events:
        lines.append(Line("History", Look.TITLE))
        lines += [Line(f"  {clock(event.at)}  {event.kind}: {event.text}") for event in detail.events]
    return lines


def _frames(frames: int | None) -> str:
    return count(frames, "frame") if frames else ""


def _to_do(job: Job) -> str:
    if job.state in ("failed", "cancelled"):
        return f"run it again: faceswapctl retry {job.id}"
    if job.state == "parked" and job.category in (None, "", "needs_face"):
        return f"say whose face it gets: faceswapctl assign {job.id} FACE"
    return ""


def _execution(execution: Execution) -> list[Line]:
    if execution.outcome is None:
        told, look = "runs", Look.GOOD
    else:
        told = execution.outcome
        look = Look.BAD if execution.outcome == "failed" else Look.PLAIN
    if execution.seconds is not None:
        told += f" after {duration(execution.seconds)}"
    if execution.frames:
        told += f", {count(execution.frames, 'frame')}"
        if execution.seconds:
            told += f" ({execution.frames / execution.seconds:.1f} a second)"
    if execution.sentence:
        told += f": {execution.sentence}"
    head = f"  {execution.attempt}  {execution.engine}  {clock(execution.started_at)}  {told}"
    return [Line(head, look), *(Line(f"       | {text}", Look.ASIDE) for text in execution.log)]


def explanation_screen(answer: Explanation) -> list[Line]:
    """Why a file gets its face: the answer first, then every rule and what it found."""
    lines = [Line(answer.sentence)]
    rows = [("path", answer.path), ("rule", answer.rule), ("face", answer.face), ("preset", answer.preset)]
    lines += [Line(f"  {name:<6}  {clean(text)}") for name, text in rows if text]
    if answer.job is not None:
        lines.append(Line(f"  job     {answer.job.id}, {answer.job.state}"))
    if answer.said:
        lines.append(Line("What is said of it", Look.TITLE))
        lines += [Line(f"  {clean(text)}") for text in answer.said]
    if answer.considered:
        lines.append(Line("Rules, in order", Look.TITLE))
        lines += [Line(f"  {place}. {rule}") for place, rule in enumerate(answer.considered, 1)]
    return lines
