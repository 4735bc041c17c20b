"""One video, swapped frame by frame."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av

from faceswapd.children.serve import Refusal
from faceswapd.core.presets import Preset
from faceswapd.engines.preview.label import burn
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


def swap_video(path: Path, output: Path, source: SourceFace, preset: Preset, report: FrameReport) -> Swapped:
    """Swap every face in every frame and write the output. Raises Refusal, and then leaves no output."""
    target = open_video(path)
    with target.container:
        work = _VideoSwap(target, output, source, preset)
        try:
            swapped = work.run(report)
        except BaseException:
            work.abandon()
            raise
    return swapped


class _VideoSwap:
    def __init__(self, target: Target, output: Path, source: SourceFace, preset: Preset) -> None:
        self._target, self._output, self._source, self._preset = target, output, source, preset
        self._tracker = Tracker(preset)
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
        places = self._tracker.update(picture)
        for points in places:
            swap_face(picture, self._source, points, self._preset.levels)
        burn(picture)
        writer.put_picture(picture, frame)
        return len(places)


def _searched(frames: int) -> str:
    return "1 frame was searched" if frames == 1 else f"{frames} frames were searched"
