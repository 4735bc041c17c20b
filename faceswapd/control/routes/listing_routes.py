"""What there is to choose from: faces, inboxes and presets."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from starlette.requests import Request

from faceswapd.control.live import House, InboxLive, Live
from faceswapd.control.operation import Operation
from faceswapd.control.views import faces_told, inbox_line
from faceswapd.control.wire.listing_messages import FaceLine, Faces, Inboxes, InboxLine, PresetLine, Presets
from faceswapd.core.intake import fold
from faceswapd.core.job import State
from faceswapd.core.presets import Preset, PresetSpec, preset_of
from faceswapd.ledger import report, standing
from faceswapd.ledger.connection import Reads

MOST_PHOTOS = 200  # that are named of one face
_NAMED = ("name", "about")


async def _faces(house: House, _: Request) -> Faces:
    live = house.live()
    jobs, faces = await house.ledger.together(_known)
    lines = []
    for face in faces:
        states = jobs.get(fold(face.name), {})
        lines.append(
            FaceLine(
                name=face.name,
                photos=list(house.orders.photos_of(face.name)[:MOST_PHOTOS]),
                photo_count=face.photos,
                problem=None if face.problem is None else f"The face '{face.name}' {face.problem}.",
                jobs=sum(states.values()),
                waiting=states.get(State.QUEUED, 0) + states.get(State.RUNNING, 0),
                succeeded=states.get(State.SUCCEEDED, 0),
            )
        )
    return Faces(lines, live.faces, faces_told(live))


async def _known(reads: Reads) -> tuple[Mapping[str, Mapping[State, int]], Sequence[standing.FaceRecord]]:
    return await report.jobs_of_faces(reads), await standing.faces(reads)


async def _inboxes(house: House, _: Request) -> Inboxes:
    paused = (await standing.pauses(house.ledger)).inboxes
    return Inboxes([_inbox(inbox, paused) for inbox in house.live().inboxes])


def _inbox(inbox: InboxLive, paused: frozenset[str]) -> InboxLine:
    line = inbox_line(inbox, paused)
    return InboxLine(
        name=line.name,
        path=line.path,
        preset=line.preset,
        priority=line.priority,
        paused=line.paused,
        watch=line.watching,
        note=" ".join(filter(None, (line.problem, *line.remarks))) or None,
        options=dict(inbox.options),
        arriving=line.arriving,
        skipped=len(inbox.skipped),
    )


async def _presets(house: House, _: Request) -> Presets:
    live = house.live()
    return Presets([_preset(spec, live) for spec in live.presets])


def _preset(spec: PresetSpec, live: Live) -> PresetLine:
    base = preset_of(spec.base)
    own = spec.name != spec.base
    return PresetLine(
        name=spec.name,
        about=f"Your own, on top of {spec.base}: {base.about}" if own else base.about,
        base=spec.base,
        options=dict(spec.options),
        preview=_numbers(base),
        inboxes=[inbox.name for inbox in live.inboxes if inbox.preset == spec.name],
    )


def _numbers(preset: Preset) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(preset).items() if name not in _NAMED}


OPERATIONS = (
    Operation("GET", "/api/faces", _faces, "The faces, with their photos and how much was asked of them.", Faces),
    Operation("GET", "/api/inboxes", _inboxes, "The inboxes, as they are configured and as they are.", Inboxes),
    Operation("GET", "/api/presets", _presets, "The presets, and what each means.", Presets),
)
