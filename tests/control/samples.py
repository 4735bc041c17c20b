"""Messages as the daemon would send them."""

from typing import Any

from faceswapd.control.wire.job_messages import Event, Execution, JobDetail
from faceswapd.control.wire.messages import Face, Held, Inbox, Job, Skipped, Status

NOW = 1_763_816_400.0
FOLDER = "/home/ann/FaceSwap"


def job(number: int, state: str = "queued", **given: Any) -> Job:
    values: dict[str, Any] = {
        "id": number,
        "state": state,
        "face": "alice",
        "target": f"{FOLDER}/inbox/alice/clip-{number}.mp4",
        "output": None,
        "preset": "balanced",
        "priority": 0,
        "attempt": 1 if state in ("running", "failed", "succeeded") else 0,
        "progress": 0.0,
        "reason": None,
        "inbox": "main",
        "kind": "video",
        "created_at": NOW - 600,
    }
    return Job(**{**values, **given})


def status(**given: Any) -> Status:
    values: dict[str, Any] = {
        "version": "0.1.0",
        "wire": 1,
        "pid": 4711,
        "started_at": NOW - 7500,
        "now": NOW,
        "state": "running",
        "why": None,
        "engine": "preview",
        "engine_why": "No FaceFusion was found.",
        "slots": 2,
        "counts": {"succeeded": 12},
        "held": [],
        "running": [],
        "waiting": [],
        "failed": [],
        "parked": [],
        "arriving": [],
        "skipped": [],
        "inboxes": [Inbox("main", f"{FOLDER}/inbox", "balanced", 0, False, None, 0, "events")],
        "faces": [Face("alice", 3, None), Face("bob", 1, None)],
        "queue_seconds_left": None,
        "folder": FOLDER,
        "outbox": f"{FOLDER}/outbox",
        "readings": {"cpu_percent": 12.5},
    }
    return Status(**{**values, **given})


RUNNING = [
    job(41, "running", progress=0.505, seconds_left=130.0, phase="swapping"),
    job(42, "running", face="bob", progress=0.0, phase="reading the target"),
]
WAITING = [job(number, reason="both slots are busy") for number in range(43, 48)]
FAILED = [
    job(
        39,
        "failed",
        face="bob",
        target=f"{FOLDER}/inbox/bob/holiday.mp4",
        reason="The video ends in the middle of a frame.",
        category="target_damaged",
        advice="Copy the file again.",
    ),
    job(30, "failed", reason="No face was found in any frame.", category="no_face"),
]
PARKED = [
    job(
        38,
        "parked",
        face=None,
        target=f"{FOLDER}/inbox/it's me.mp4",
        reason="There are 2 faces and nothing says which.",
        category="needs_face",
    ),
    job(
        37,
        "parked",
        face=None,
        target=f"{FOLDER}/inbox/notes.mp4",
        reason="It is a text file.",
        category="unreadable",
        advice="Put a video or an image there.",
    ),
]


def busy() -> Status:
    return status(
        counts={"running": 2, "queued": 5, "succeeded": 1200, "failed": 2, "parked": 2},
        running=RUNNING,
        waiting=WAITING,
        failed=FAILED,
        parked=PARKED,
        queue_seconds_left=700.0,
        arriving=[Skipped(f"{FOLDER}/inbox/alice/new.mp4", "still growing")],
    )


def held() -> Status:
    return status(
        state="held",
        why="the outbox's disk is nearly full.",
        held=[Held("The outbox's disk is nearly full.", "1.2 GB free", "5.0 GB")],
        counts={"queued": 5},
        waiting=WAITING,
    )


def paused() -> Status:
    return status(
        state="paused",
        why="The daemon is paused. `faceswapctl resume` lets it go on.",
        counts={"queued": 5, "running": 1},
        running=RUNNING[:1],
    )


def everything_wrong() -> Status:
    long = "a very long name of a file that somebody typed with both hands and a lot of patience " * 3
    return status(
        state="held",
        why="Memory is short and the disk is full, and this sentence is much longer than eighty columns are.",
        held=[Held(f"Reason {number} for holding back.", "1.2 GB free", "5.0 GB") for number in range(4)],
        counts={"running": 9, "queued": 9876, "failed": 77, "parked": 55, "succeeded": 123456, "cancelled": 1},
        running=[
            job(100_000 + n, "running", face=long, target=f"/x/{long}{n}.mp4", cancel_requested=n == 1)
            for n in range(9)
        ],
        waiting=[job(200_000 + n, target=f"/x/{long}{n}.mp4", reason=long, not_before=NOW + 90) for n in range(9)],
        failed=[job(300_000 + n, "failed", reason=long, advice=long) for n in range(9)],
        parked=[
            job(400_000 + n, "parked", face=None, target=f"/x/{long}{n}.mp4", reason=long, category="needs_face")
            for n in range(9)
        ],
        arriving=[Skipped(f"{FOLDER}/inbox/{long}", long) for _ in range(9)],
        skipped=[Skipped(f"{FOLDER}/inbox/\u202egnp.mp4\n\x1b[2J\udcff", long) for _ in range(9)],
        inboxes=[
            Inbox(f"inbox{n}", f"{FOLDER}/inbox", "balanced", 0, True, "The folder is gone.", 3, "events")
            for n in range(4)
        ],
        faces=[Face(long, 0, "No photo of it shows a face.")],
        queue_seconds_left=1e6,
    )


def detail(of: Job) -> JobDetail:
    return JobDetail(
        of,
        "the folder's name",
        [Execution(1, "preview", NOW - 60, NOW - 50, "failed", "The child died.", 240, 10.0, ["frame 240", "boom"])],
        [Event(7, NOW - 600, "admitted", of.id, "found in the inbox"), Event(8, NOW - 60, "claim", of.id, "slot 0")],
    )
