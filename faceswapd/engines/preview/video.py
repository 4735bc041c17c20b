"""One video, swapped frame by frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import av

from faceswapd.children.serve import Refusal
from faceswapd.core.presets import Preset
from faceswapd.engines.preview.detect import Picture, Points
from faceswapd.engines.preview.label import burn
from faceswapd.engines.preview.person import Meant, follow
from faceswapd.engines.preview.reading import Sound, Target, open_video, upright
from faceswapd.engines.preview.refusals import unreadable
from faceswapd.engines.preview.swap import SourceFace, swap_face
from faceswapd.engines.preview.track import Tracker
from faceswapd.engines.preview.writing import VideoWriter

FrameReport = Callable[[int], None]  # is told after each frame how many are done


@dataclass(frozen=True, slots=True)
class Swapped:
    """What was made of a target."""

    frames: int
    faces: int  # summed over the frames


def swap_video(
    path: Path, output: Path, source: SourceFace, preset: Preset, report: FrameReport, meant: Meant | None = None
) -> Swapped:
    """Swap every face in every frame, or only the one that is meant, and write the output. Raises Refusal, and then
    leaves no output."""
    if meant is None:
        return _swapped(path, output, source, _Everybody(preset), preset, report)
    halves = _Halves(report)
    person = _OnePerson(follow(meant, preset, halves.first))
    return _swapped(path, output, source, person, preset, halves.second)


class _Faces(Protocol):
    """Whose faces are swapped. It is fed every frame in order."""

    def places(self, picture: Picture) -> list[Points]:
        """Where they are in the next frame."""


class _Everybody:
    """All that are seen."""

    def __init__(self, preset: Preset) -> None:
        self._tracker = Tracker(preset)

    def places(self, picture: Picture) -> list[Points]:
        """Where they are in the next frame."""
        return self._tracker.update(picture)


class _OnePerson:
    """One person, who was followed before."""

    def __init__(self, places: Sequence[Points | None]) -> None:
        self._places = iter(places)

    def places(self, picture: Picture) -> list[Points]:
        """Where the person is in the next frame."""
        del picture
        points = next(self._places, None)
        return [] if points is None else [points]


class _Halves:
    """A video that is gone through twice, each time for half of the progress."""

    def __init__(self, report: FrameReport) -> None:
        self._report, self._frames = report, 0

    def first(self, done: int) -> None:
        """So many frames have been looked through."""
        self._frames = done
        self._report(done // 2)

    def second(self, done: int) -> None:
        """So many frames have been swapped."""
        self._report((self._frames + done + 1) // 2)


def _swapped(
    path: Path, output: Path, source: SourceFace, faces: _Faces, preset: Preset, report: FrameReport
) -> Swapped:
    target = open_video(path)
    with target.container:
        work = _VideoSwap(target, output, source, faces, preset)
        try:
            swapped = work.run(report)
        except BaseException:
            work.abandon()
            raise
    return swapped


class _VideoSwap:
    def __init__(self, target: Target, output: Path, source: SourceFace, faces: _Faces, preset: Preset) -> None:
        self._target, self._output, self._source, self._preset = target, output, source, preset
        self._faces = faces
        self._writer: VideoWriter | None = None

    def run(self, report: FrameReport) -> Swapped:
        frames = faces = 0
        early: list[Sound] = []  # sound that comes before the first picture, whose size the output's head must tell
        for item in self._target:
            if isinstance(item, av.VideoFrame):
                if self._writer is None:
                    self._writer = VideoWriter(self._output, self._target, item, self._preset)
                    for packet in early:
                        self._writer.put_sound(packet)
                faces += self._swap(item, self._writer)
                frames += 1
                report(frames)
            elif self._writer is None:
                early.append(item)
            else:
                self._writer.put_sound(item)
        if self._writer is None:
            raise unreadable(self._target.path, "no frame of it is whole")
        if not faces:
            raise Refusal("no_target_face", f"No face was found in the video: {_searched(frames)}.")
        self._writer.finish()
        self._writer = None
        return Swapped(frames, faces)

    def abandon(self) -> None:
        if self._writer is not None:
            self._writer.abandon()

    def _swap(self, frame: av.VideoFrame, writer: VideoWriter) -> int:
        picture = upright(frame)
        places = self._faces.places(picture)
        for points in places:
            swap_face(picture, self._source, points, self._preset.levels)
        burn(picture)
        writer.put_picture(picture, frame)
        return len(places)


def _searched(frames: int) -> str:
    return "1 frame was searched" if frames == 1 else f"{frames} frames were searched"
