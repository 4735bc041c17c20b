"""One person of several: found in one frame by the place among the faces there, and followed from it both ways.

Two faces that are seen in the same frame are two persons. A face that gets out of sight is taken up again where it is
seen again soon, at the same place, and in the same scene. After a cut nobody can tell here who is who: the person is
left as he is rather than another one swapped.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av

from faceswapd.children.serve import Refusal
from faceswapd.core.presets import Preset
from faceswapd.engines.preview.detect import Face, Picture, Points, find_faces
from faceswapd.engines.preview.reading import open_video, upright
from faceswapd.engines.preview.track import Tracker, are_near

SOON: Final = 30  # frames that a face may be out of sight
AROUND: Final = 12  # frames from the one that is named in which its face must be followed

FrameReport = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Meant:
    """Who is meant."""

    frame: int  # from 0
    position: int  # among its faces from the left, from 0
    shown: Path  # where the persons are seen as they were


@dataclass(frozen=True, slots=True)
class Look:
    """What a frame shows."""

    faces: Mapping[int, Points]  # by the number of their track
    scene: int


def the_one(picture: Picture, meant: Meant, preset: Preset) -> Face:
    """The face that is meant in this picture. Raises Refusal."""
    faces = find_faces(picture, preset.detect_limit * 2, thorough=True, most=64)
    if meant.position >= len(faces):
        there = "1 face is" if len(faces) == 1 else f"{len(faces) or 'no'} faces are"
        raise Refusal(
            "person_missing",
            f"Person {meant.position + 1} from the left in frame {meant.frame} is meant, and {there} found in it.",
        )
    return sorted(faces, key=_left)[meant.position]


def follow(meant: Meant, preset: Preset, report: FrameReport) -> list[Points | None]:
    """Where the person's face is in each frame of the video; None where it is not seen. Raises Refusal."""
    looks: list[Look] = []
    face: Face | None = None
    target = open_video(meant.shown)
    with target.container:
        tracker = Tracker(preset)
        for item in target:
            if not isinstance(item, av.VideoFrame):
                continue
            picture = upright(item)
            if len(looks) == meant.frame:
                face = the_one(picture, meant, preset)
            tracker.update(picture)
            looks.append(Look(tracker.seen, tracker.scene))
            report(len(looks))
    if face is None:
        raise Refusal("person_missing", f"Frame {meant.frame} is meant, and the video has {len(looks)} frames.")
    return places_of(looks, meant, face.points)


def _left(face: Face) -> float:
    """The left edge of its box, by which faces are counted."""
    return float(face.points.mean(0)[0]) - face.width / 2


def places_of(looks: Sequence[Look], meant: Meant, points: Points) -> list[Points | None]:
    """Where the face is in each of these frames that is at this place in the frame that is meant. Raises Refusal."""
    start = _start(looks, meant.frame, points)
    if start is None:
        raise Refusal(
            "person_missing",
            f"Person {meant.position + 1} from the left in frame {meant.frame} is not seen well enough to be followed.",
        )
    places: list[Points | None] = [None] * len(looks)
    for way in (range(start.frame, len(looks)), range(start.frame, -1, -1)):
        for number, there in _followed(looks, way, start.track):
            places[number] = there
    return places


@dataclass(frozen=True, slots=True)
class _Start:
    frame: int
    track: int


def _start(looks: Sequence[Look], frame: int, points: Points) -> _Start | None:
    """The track that is at this place, in the frame that is named or in the nearest one of its scene."""
    first, last = max(0, frame - AROUND), min(len(looks), frame + AROUND + 1)
    for number in sorted(range(first, last), key=lambda one: abs(one - frame)):
        track = _nearest(looks[number].faces, points)
        if track is not None and looks[number].scene == looks[frame].scene:
            return _Start(number, track)
    return None


def _followed(looks: Sequence[Look], way: Iterable[int], track: int) -> Iterator[tuple[int, Points]]:
    """The person's places in these frames, from the first one on, where the face has this track."""
    others: set[int] = set()
    last: tuple[int, Points] | None = None
    scene: int | None = None
    for number in way:
        look = looks[number]
        scene = look.scene if scene is None else scene
        if look.scene != scene:
            return
        if track not in look.faces and last is not None:
            if abs(number - last[0]) > SOON:
                return
            strangers = {one: points for one, points in look.faces.items() if one not in others}
            again = _nearest(strangers, last[1])
            if again is None:
                continue
            track = again
        if track in look.faces:
            others |= look.faces.keys() - {track}
            last = (number, look.faces[track])
            yield last


def _nearest(faces: Mapping[int, Points], points: Points) -> int | None:
    """The track that is so near that it must be this face."""
    near = [one for one, there in faces.items() if are_near(there, points)]
    return min(near, key=lambda one: float(abs(faces[one].mean(0) - points.mean(0)).sum()), default=None)
