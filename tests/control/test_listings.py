"""GET /api/faces, /api/inboxes and /api/presets, and what faceswapctl shows of them."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from faceswapd.control.routes import listing_routes
from faceswapd.control.routes.listing_routes import MOST_PHOTOS
from faceswapd.control.wire import messages
from faceswapd.control.wire.listing_messages import FaceLine, Faces, Inboxes, InboxLine, PresetLine, Presets
from faceswapd.core.presets import PresetSpec
from faceswapd.ctl import main
from faceswapd.ctl.listings import faces_screen, inboxes_screen, presets_screen
from faceswapd.ctl.terminal import Line, Look, Terminal
from faceswapd.ledger import outcomes, standing
from faceswapd.ledger.standing import FaceRecord
from tests.control.answering_daemon import listening
from tests.control.serving import Control

WIDE = Terminal(width=200)


async def test_a_face_is_told_with_its_photos_and_what_was_asked_of_it(control: Control) -> None:
    known = [FaceRecord("Alice", 300, None), FaceRecord("bob", 0, "has no photo yet")]
    await standing.see_faces(control.ledger, known, time.time())
    await outcomes.request_cancel(control.ledger, 1, time.time())
    await outcomes.requeue(control.ledger, 1, time.time())
    names = tuple(f"{number}.jpg" for number in range(300))
    orders = replace(control.house.orders, photos_of=lambda face: names if face == "Alice" else ())
    told = await listing_routes._faces(replace(control.house, orders=orders), None)  # type: ignore[arg-type]
    alice, bob = told.faces
    assert (alice.name, alice.photos, alice.photo_count) == ("Alice", list(names[:MOST_PHOTOS]), 300)
    assert (alice.jobs, alice.waiting, alice.succeeded, alice.problem) == (1, 1, 0, None)
    assert (bob.photos, bob.jobs, bob.problem) == ([], 0, "The face 'bob' has no photo yet.")


async def test_an_inbox_is_told_with_its_pause_and_what_is_wrong(control: Control) -> None:
    await standing.pause(control.ledger, "inbox", time.time())
    status, said = await control.ask("/api/inboxes")
    (inbox,) = messages.from_wire(Inboxes, said).inboxes
    assert (status, inbox.name, inbox.preset, inbox.paused, inbox.watch) == (200, "inbox", "balanced", True, "events")
    assert (inbox.note, inbox.path) == (None, str(control.path.parent / "inbox"))
    live = control.house.live()
    wrong = replace(live.inboxes[0], problem="is not there", remarks=("It is polled.",), options=(("a", "b"),))
    house = replace(control.house, live=lambda: replace(live, inboxes=(wrong,)))
    (inbox,) = (await listing_routes._inboxes(house, None)).inboxes  # type: ignore[arg-type]
    assert inbox.note == f"The inbox {inbox.path} is not there. It is polled."
    assert inbox.options == {"a": "b"}


async def test_a_preset_is_told_with_its_meaning_and_its_own_options(control: Control) -> None:
    presets = (PresetSpec("balanced", "balanced"), PresetSpec("portrait", "best", (("face_mask_blur", "0.5"),)))
    live = replace(control.house.live(), presets=presets)
    told = await listing_routes._presets(replace(control.house, live=lambda: live), None)  # type: ignore[arg-type]
    balanced, portrait = told.presets
    assert (balanced.inboxes, balanced.options, balanced.preview["crf"]) == (["inbox"], {}, "18")
    assert balanced.about == "Good pictures in reasonable time; right for most videos."
    assert portrait.about.startswith("Your own, on top of best: Finds smaller faces")
    assert (portrait.base, portrait.options, portrait.inboxes) == ("best", {"face_mask_blur": "0.5"}, [])


FACES = Faces(
    [
        FaceLine("alice", ["1.jpg"], 12, None, 5, 1, 3),
        FaceLine("b\x1b[2Job", [], 0, "The face 'bob' has no photo yet.", 0, 0, 0),
    ],
    "/home/ann/faces",
    None,
)
INBOXES = Inboxes(
    [
        InboxLine("main", "/home/ann/inbox", "balanced", 0, False, "events", None, {}, 0, 0),
        InboxLine("rush", "/mnt/rush", "fast", 10, True, "polling", "The inbox /mnt/rush is not there.", {}, 0, 0),
    ]
)
PRESETS = Presets(
    [
        PresetLine("fast", "The quickest look.", "fast", {}, {}, ["rush"]),
        PresetLine("portrait", "Your own, on top of best.", "best", {"face_mask_blur": "0.5"}, {}, []),
    ]
)


def test_the_screens() -> None:
    assert [line.text for line in faces_screen(FACES, WIDE)] == [
        "FACE        PHOTOS  WAITING  DONE  NOTE",
        "alice           12        1     3",
        "b\\x1b[2Job       0        0     0  The face 'bob' has no photo yet.",
    ]
    assert [line.text for line in inboxes_screen(INBOXES, WIDE)] == [
        "INBOX  PRESET    PRIORITY  STATE   WATCHED BY  FOLDER",
        "main   balanced         0  open    events      /home/ann/inbox",
        "rush   fast            10  paused  polling     /mnt/rush",
        "  The inbox /mnt/rush is not there.",
    ]
    assert [line.text for line in presets_screen(PRESETS, WIDE)] == [
        "PRESET    USED BY  MEANING",
        "fast      rush     The quickest look.",
        "portrait  -        Your own, on top of best.",
        "  face_mask_blur = 0.5",
    ]
    none = faces_screen(FACES._replace(faces=[], problem="The faces folder is not there."), WIDE)
    assert none[0] == Line("The faces folder is not there.", Look.BAD)
    assert none[1].text.endswith("in /home/ann/faces.")
    assert max(len(line.text) for line in inboxes_screen(INBOXES, Terminal(width=40))[:3]) <= 40


@pytest.mark.parametrize(("command", "message"), [("faces", FACES), ("inboxes", INBOXES), ("presets", PRESETS)])
def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, message: object) -> None:
    with listening(tmp_path / "s", {f"GET /api/{command}": message}):
        assert main(["--socket", str(tmp_path / "s"), command]) == 0
        assert "rush" in capsys.readouterr().out or command == "faces"
        assert main(["--socket", str(tmp_path / "s"), command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == messages.to_wire(message)
    assert main(["--socket", str(tmp_path / "s"), command]) == 3
