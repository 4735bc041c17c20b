"""`faceswapctl faces`, `inboxes` and `presets`: what there is to choose from."""

from collections.abc import Callable
from typing import Any, TypeVar

from faceswapd.control.wire.listing_messages import FaceLine, Faces, Inboxes, InboxLine, PresetLine, Presets
from faceswapd.ctl.client import Client, Problem
from faceswapd.ctl.output import complain_of, print_json
from faceswapd.ctl.table import table
from faceswapd.ctl.terminal import Line, Look, Terminal

T = TypeVar("T")


def faces(client: Client, terminal: Terminal, *, as_json: bool) -> int:
    """The faces."""
    return _listed(client, Faces, "/api/faces", faces_screen, terminal, as_json=as_json)


def inboxes(client: Client, terminal: Terminal, *, as_json: bool) -> int:
    """The inboxes."""
    return _listed(client, Inboxes, "/api/inboxes", inboxes_screen, terminal, as_json=as_json)


def presets(client: Client, terminal: Terminal, *, as_json: bool) -> int:
    """The presets."""
    return _listed(client, Presets, "/api/presets", presets_screen, terminal, as_json=as_json)


def _listed(
    client: Client,
    kind: type[T],
    route: str,
    screen: Callable[[Any, Terminal], list[Line]],
    terminal: Terminal,
    *,
    as_json: bool,
) -> int:
    answer = client.get(kind, route)
    if isinstance(answer, Problem):
        return complain_of(answer)
    if as_json:
        print_json(answer)
    else:
        terminal.show(screen(answer, terminal))
    return 0


def faces_screen(told: Faces, terminal: Terminal) -> list[Line]:
    """One line for each face."""
    lines = [] if told.problem is None else [Line(told.problem, Look.BAD)]
    if not told.faces:
        return [*lines, Line(f"There are no faces yet: make a folder with a person's name in {told.folder}.", Look.DO)]
    rows = [((*_face(face),), Look.PLAIN if face.problem is None else Look.HELD) for face in told.faces]
    return lines + table(("FACE", "PHOTOS", "WAITING", "DONE", "NOTE"), rows, terminal, frozenset({1, 2, 3}))


def _face(face: FaceLine) -> tuple[str, ...]:
    return face.name, str(face.photo_count), str(face.waiting), str(face.succeeded), face.problem or ""


def inboxes_screen(told: Inboxes, terminal: Terminal) -> list[Line]:
    """One line for each inbox, and below it what a user should know of it."""
    rows = [(_inbox(inbox), Look.HELD if inbox.paused or inbox.note else Look.PLAIN) for inbox in told.inboxes]
    head, *lines = table(
        ("INBOX", "PRESET", "PRIORITY", "STATE", "WATCHED BY", "FOLDER"), rows, terminal, frozenset({2})
    )
    found = [head]
    for line, inbox in zip(lines, told.inboxes, strict=True):
        found.append(line)
        if inbox.note:
            found.append(Line(f"  {inbox.note}", Look.ASIDE))
    return found


def _inbox(inbox: InboxLine) -> tuple[str, ...]:
    state = "paused" if inbox.paused else "open"
    return inbox.name, inbox.preset, str(inbox.priority), state, inbox.watch, inbox.path


def presets_screen(told: Presets, terminal: Terminal) -> list[Line]:
    """One line for each preset, and below it its own options."""
    head, *lines = table(
        ("PRESET", "USED BY", "MEANING"), [(_preset(preset), Look.PLAIN) for preset in told.presets], terminal
    )
    found = [head]
    for line, preset in zip(lines, told.presets, strict=True):
        found.append(line)
        found += [Line(f"  {name} = {value}", Look.ASIDE) for name, value in preset.options.items()]
    return found


def _preset(preset: PresetLine) -> tuple[str, ...]:
    return preset.name, ", ".join(preset.inboxes) or "-", preset.about
