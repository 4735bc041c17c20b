"""`faceswapctl status`: golden screens, each on 80 x 24."""

from collections.abc import Callable

import pytest

from faceswapd.control.wire.messages import Face, Inbox, Skipped, Status
from faceswapd.ctl.plain import columns
from faceswapd.ctl.status_screen import status_screen
from faceswapd.ctl.terminal import Terminal
from tests.control import samples

IDLE = """\
faceswapd 0.1.0 is running and idle (up 2 h 5 min, pid 4711).
Engine: preview, 2 slots. No FaceFusion was found.
Jobs: 12 succeeded.
Drop a video or an image into /home/ann/FaceSwap/inbox/<face>/.
Faces: alice, bob
Results appear in /home/ann/FaceSwap/outbox.
"""

BUSY = """\
faceswapd 0.1.0 is running (up 2 h 5 min, pid 4711).
Engine: preview, 2 slots. No FaceFusion was found.
Jobs: about 12 min left: 2 running, 5 queued, 2 parked, 2 failed, 1,200
succeeded.
Running
  41  alice  clip-41.mp4               [#######-------]  50 %  2 min left
  42  bob    clip-42.mp4               [--------------]   0 %  reading the ta...
Waiting (3 of 5)
  43  alice  clip-43.mp4               both slots are busy
  44  alice  clip-44.mp4               both slots are busy
  45  alice  clip-45.mp4               both slots are busy
Failed last
  39  bob    holiday.mp4               The video ends in the middle of a frame.
      -> Copy the file again. Then: faceswapctl retry 39
  30  alice  clip-30.mp4               No face was found in any frame.
      -> faceswapctl retry 30
Parked: needs you
  38  -      it's me.mp4               There are 2 faces and nothing says which.
      -> faceswapctl assign '/home/ann/FaceSwap/inbox/it'"'"'s me.mp4' FACE
  37  -      notes.mp4                 It is a text file.
      -> Put a video or an image there.
Arriving
  alice/new.mp4                         still growing
"""

HELD = """\
faceswapd 0.1.0 is held (up 2 h 5 min, pid 4711).
Nothing new starts: the outbox's disk is nearly full.
Engine: preview, 2 slots. No FaceFusion was found.
Jobs: 5 queued.

Held because
  The outbox's disk is nearly full: 1.2 GB free, limit 5.0 GB

Waiting
  43  alice  clip-43.mp4               both slots are busy
  44  alice  clip-44.mp4               both slots are busy
  45  alice  clip-45.mp4               both slots are busy
  46  alice  clip-46.mp4               both slots are busy
  47  alice  clip-47.mp4               both slots are busy
"""

PAUSED = """\
faceswapd 0.1.0 is paused (up 2 h 5 min, pid 4711).
The daemon is paused. `faceswapctl resume` lets it go on.
Engine: preview, 2 slots. No FaceFusion was found.
Jobs: 1 running, 5 queued.

Running
  41  alice  clip-41.mp4               [#######-------]  50 %  2 min left
"""

EVERYTHING_WRONG = """\
faceswapd 0.1.0 is held (up 2 h 5 min, pid 4711).
Nothing new starts: Memory is short and the disk is full, and this sentence is
much longer than eighty columns are.
Engine: preview, 2 slots. No FaceFusion was found.
Jobs: about 11 d 13 h of work: 9 running, 9,876 queued, 55 parked, 77 failed,...
Held because (1 of 4)
  Reason 0 for holding back: 1.2 GB free, limit 5.0 GB
Running (1 of 9)
  100000  a ve...nce   a very long...ence 0.mp4  [--------------]   0 %  has...
Waiting (1 of 9,876)
  200000  alice        a very long...ence 0.mp4  again in 2 min: a very long...
Failed last (1 of 77)
  300000  alice        clip-300000.mp4           a very long name of a file t...
      -> a very long name of a file that someb... Then: faceswapctl retry 300000
Parked: needs you (1 of 55)
  400000  -            a very long...ence 0.mp4  a very long name of a file t...
      -> faceswapctl assign 400000 FACE
Arriving (1 of 12)
  a very long name ...lot of patience   a very long name of a file that someb...
Not taken (1 of 9)
  \\u202egnp.mp4\\n\\x1b[2J\\xff            a very long name of a file that someb...
Look at (1 of 9)
  inbox inbox0: The folder is gone.
"""


def screen(status: Status, terminal: Terminal | None = None) -> str:
    terminal = terminal or Terminal()
    return "".join(terminal.paint(line).rstrip() + "\n" for line in status_screen(status, terminal))


@pytest.mark.parametrize(
    ("status", "golden"),
    [
        (samples.status, IDLE),
        (samples.busy, BUSY),
        (samples.held, HELD),
        (samples.paused, PAUSED),
        (samples.everything_wrong, EVERYTHING_WRONG),
    ],
    ids=["idle", "busy", "held", "paused", "everything wrong"],
)
def test_the_screen(status: Callable[[], Status], golden: str) -> None:
    assert screen(status()) == golden


@pytest.mark.parametrize("status", [samples.status, samples.busy, samples.paused, samples.everything_wrong])
@pytest.mark.parametrize(("width", "rows"), [(40, 24), (60, 24), (80, 24), (80, 10), (132, 50)])
def test_it_fits(status: Callable[[], Status], width: int, rows: int) -> None:
    terminal = Terminal(width, rows)
    lines = [terminal.paint(line) for line in status_screen(status(), terminal)]
    assert len(lines) < max(rows, 24)
    # A command that is to be copied is whole, even on a terminal too narrow for it.
    assert [line for line in lines if columns(line) > width and "faceswapctl" not in line] == []
    if width >= 60:
        assert max(map(columns, lines)) <= width


ROOMY = """\
faceswapd 0.1.0 is running and idle (up 2 h 5 min, pid 4711).
Engine: preview, 2 slots. No FaceFusion was found.
Jobs: 1 parked, 1 failed.

Failed last
  39  alice  clip-39.mp4
      No face was found in any of the 241 frames of this video, which is said at
      some length.
      -> Use a target in which a face is seen from the front and is not too
         small. Then: faceswapctl retry 39

Parked: needs you
  38  alice  clip-38.mp4               It is a text file.
      -> Replace the file by a video or an image that plays, or take it out of
         the inbox.

Arriving
  alice/new.mp4
      The video is cut off: it has no index, which is written last. Waiting for
      the rest.
"""


def test_where_there_is_room_no_sentence_is_cut() -> None:
    failed = samples.job(
        39,
        "failed",
        reason="No face was found in any of the 241 frames of this video, which is said at some length.",
        advice="Use a target in which a face is seen from the front and is not too small.",
    )
    parked = samples.job(
        38,
        "parked",
        reason="It is a text file.",
        category="unreadable",
        advice="Replace the file by a video or an image that plays, or take it out of the inbox.",
    )
    cut_off = "The video is cut off: it has no index, which is written last. Waiting for the rest."
    status = samples.status(
        counts={"failed": 1, "parked": 1},
        failed=[failed],
        parked=[parked],
        arriving=[Skipped(f"{samples.FOLDER}/inbox/alice/new.mp4", cut_off)],
    )
    assert screen(status) == ROOMY


def test_photos_that_came_with_the_target_cannot_be_mended_by_a_retry() -> None:
    sent = {"face": "photos-224c77409", "target": "/state/uploads/1/clip.mp4", "reason": "There is no face."}
    again = samples.job(7, "failed", category="no_source_face", advice="Send the target again.", **sent)
    other = samples.job(8, "failed", category="no_target_face", advice="Use another.", **sent)
    lines = screen(samples.status(counts={"failed": 2}, failed=[again, other])).splitlines()
    assert lines[-4:] == [
        "  7  own photos  clip.mp4                  There is no face.",
        "      -> Send the target again.",
        "  8  own photos  clip.mp4                  There is no face.",
        "      -> Use another. Then: faceswapctl retry 8",
    ]


def test_a_larger_terminal_shows_more() -> None:
    assert "Waiting (1 of 9,876)" in screen(samples.everything_wrong())
    assert "Waiting (5 of 9,876)" in screen(samples.everything_wrong(), Terminal(80, 60))


def test_without_a_face_the_next_step_is_a_face() -> None:
    text = screen(samples.status(faces=[], counts={}))
    assert "Jobs: none yet." in text
    assert "Put photos of a person into /home/ann/FaceSwap/faces/<name>/." in text


def test_with_one_face_its_own_folder_is_named() -> None:
    assert "into /home/ann/FaceSwap/inbox/alice/." in screen(samples.status(faces=[Face("alice", 2, None)]))


def test_paused_says_how_to_go_on() -> None:
    assert "Go on with: faceswapctl resume\n" in screen(samples.status(state="paused"))


def test_only_while_it_runs_it_is_known_how_much_time_is_left() -> None:
    assert "Jobs: about 12 min left: 2 running" in screen(samples.busy())
    paused = samples.status(state="paused", counts={"queued": 5}, waiting=samples.WAITING, queue_seconds_left=700.0)
    assert "Jobs: about 12 min of work: 5 queued." in screen(paused)
    inbox = Inbox("rush", "/srv/rush", "fast", 5, True, None, 0, "events")
    held = samples.status(counts={"queued": 5}, waiting=samples.WAITING, inboxes=[inbox], queue_seconds_left=700.0)
    assert "Jobs: about 12 min of work: 5 queued." in screen(held)


def test_draining_says_how_to_stop_at_once() -> None:
    text = screen(samples.status(state="draining", running=samples.RUNNING))
    assert "is stopping" in text
    assert "At once: faceswapctl stop" in text


def test_a_paused_inbox_says_how_to_resume_it() -> None:
    inbox = Inbox("rush hour", "/srv/rush", "fast", 5, True, None, 0, "polling")
    assert "inbox rush hour is paused. Go on with: faceswapctl resume 'rush hour'" in screen(
        samples.status(inboxes=[inbox])
    )


def test_what_a_hostile_name_becomes() -> None:
    name = "/srv/in/\x1b]0;owned\x07\u202e\udcff\n\u2028--.mp4"
    parked = samples.job(9, "parked", target=name, face=None, reason="which face?\r\x9b2J")
    status = samples.status(parked=[parked], skipped=[Skipped(name, "\x1b[31mred")])
    text = screen(status, Terminal(width=160))
    assert text.replace("\n", "").isprintable()
    spelled = r"$'/srv/in/\x1b]0;owned\x07\xe2\x80\xae\xff\x0a\xe2\x80\xa8--.mp4'"
    assert f"faceswapctl assign {spelled} FACE" in text


def test_colours_are_only_for_terminals_that_want_them() -> None:
    assert "\x1b" not in screen(samples.busy())
    coloured = screen(samples.busy(), Terminal(colours=True))
    assert "\x1b[1mRunning\x1b[0m" in coloured


def test_a_wide_script_is_measured_in_columns() -> None:
    long = "視頻" * 60 + ".mp4"
    running = [samples.job(1, "running", target=f"/in/{long}", face="愛麗絲愛麗絲愛麗絲")]
    lines = screen(samples.status(running=running)).splitlines()
    assert max(map(columns, lines)) <= 80
    assert "....mp4" not in lines[-1]
    assert ".mp4" in lines[-1]
