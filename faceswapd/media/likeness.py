"""Whether anybody was swapped at all: what an engine made, held against what it got; in the child.

An engine that found no face makes a coded copy. A copy differs everywhere a little, and its blocks' mean
colours hardly at all; a swapped face changes the mean colours of some blocks by much.

Measured with drawn people at 854 x 480 to 1920 x 1080, on a ground with noise: coded copies (x264 at crf 12 to
32, "ultrafast" and "veryfast"; JPEG at 95 to 40) differ by -0.8 to 0.7, gradients and noise by -2.3 to 1.0, and
squares of random colours by 3.5 at the most. Swapped faces, coded at crf 12 to 32, differ by 4.5 to 6.9 where
they take 5 % of the width, by 8.6 to 13 at 8 %, by 22 to 55 where they are larger. The threshold is nearer to
the copies: to say wrongly that nobody was swapped costs a whole job, the other mistake a sentence.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from faceswapd.media.opened import Opened
from faceswapd.media.timeline import Reel, read_reel
from faceswapd.media.video import every_picture, open_video

SIDE: Final = 960  # pixels of the longer side at which pictures are compared, at most
BLOCK: Final = 8  # pixels of a block's side
THRESHOLD: Final = 2.5  # levels
SAMPLES: Final = 12  # pictures that are looked at, over the whole length, beside the first and the last
_BRAKE: Final = 25.0  # squared levels: colours that vary by less are no ground for a map
_OFTEN: Final = 6  # where none of them was swapped: every so manieth picture


_Pair = tuple[NDArray[Any], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Film:
    """A video, and where its pictures are."""

    file: Opened
    reel: Reel


def difference(before: NDArray[Any], after: NDArray[Any]) -> float:
    """How much one picture's most changed place differs from the other's, in levels (0 to 255).

    Both are (height, width, 3) and of one size. What is the same all over the picture (another colour space, a
    loss in contrast) counts as nothing, and what a codec's noise can explain is taken off.
    """
    old, new = _blocks(before), _blocks(after)
    change = np.minimum(np.abs(new - old), np.abs(new - _recoloured(old, new))).mean(-1)
    noise = float(np.median(change))
    place = cv2.blur(change, (3, 3), borderType=cv2.BORDER_REPLICATE) if min(change.shape) >= 3 else change
    return float(place.max()) - 3 * noise


def is_swapped(before: NDArray[Any], after: NDArray[Any]) -> bool:
    """Whether a face differs between the two."""
    return difference(before, after) >= THRESHOLD


def anybody_swapped(before: Opened, parts: Sequence[Film], passed: Callable[[], None]) -> bool:
    """Look at pictures over the whole length; where none was swapped, at every sixth of all, so that nobody
    who is seen for a moment only is missed. True as well where nothing can be compared.

    `passed` is called for each picture that is decoded. Raises NotAVideoError and OSError.
    """
    seen = 0
    for pairs in (_sampled(before, parts, passed), _often(before, parts, passed)):
        for old, new in pairs:
            seen += 1
            if old.shape != new.shape or is_swapped(old, new):
                return True
    return not seen


def _sampled(before: Opened, parts: Sequence[Film], passed: Callable[[], None]) -> "Iterator[_Pair]":
    """Some pictures, evenly spread, by seeking; none where a picture cannot be found by its moment."""
    reel = read_reel(before, lambda: None)
    places = [(part, number) for part in parts for number in range(len(part.reel.coded))]
    count = min(len(places), len(reel.coded))
    if not count:
        return
    for place in sorted({round(sample * (count - 1) / (SAMPLES + 1)) for sample in range(SAMPLES + 2)}):
        part, number = places[place]
        old, new = _picture_at(Film(before, reel), place, passed), _picture_at(part, number, passed)
        if old is not None and new is not None:
            yield old, new


def _picture_at(film: Film, number: int, passed: Callable[[], None]) -> NDArray[Any] | None:
    timeline = film.reel.timeline
    assert timeline is not None
    moment = timeline.moments[number]
    # Seeking goes by when pictures are decoded, which is some pictures before they are shown.
    early = moment - (film.reel.delay + 1) * timeline.step
    container, stream = open_video(film.file)
    with container:
        try:
            container.seek(max(early, timeline.moments[0]), stream=stream)
        except av.FFmpegError:
            return None
        for frame in every_picture(container, stream):  # from the key picture before it
            passed()
            if frame.pts is not None and frame.pts >= moment:
                return _pixels(frame) if frame.pts == moment else None
    return None


def _often(before: Opened, parts: Sequence[Film], passed: Callable[[], None]) -> "Iterator[_Pair]":
    container, stream = open_video(before)
    with container:
        made = (frame for part in parts for frame in _played(part.file))
        for number, (old, new) in enumerate(zip(every_picture(container, stream), made, strict=False)):
            passed()
            if number % _OFTEN == 0:
                yield _pixels(old), _pixels(new)


def _played(file: Opened) -> Iterator[VideoFrame]:
    container, stream = open_video(file)
    with container:
        yield from every_picture(container, stream)


def _pixels(frame: VideoFrame) -> NDArray[Any]:
    return frame.to_ndarray(format="bgr24", threads=1)


def _blocks(picture: NDArray[Any]) -> NDArray[np.float32]:
    """The mean colour of each block."""
    height, width = picture.shape[:2]
    shrink = max(1.0, max(height, width) / SIDE) * BLOCK
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _recoloured(old: NDArray[np.float32], new: NDArray[np.float32]) -> NDArray[np.float32]:
    """The old colours moved by the one linear map that brings most of them to the new ones."""
    colours, goal = old.reshape(-1, 3).astype(np.float64), new.reshape(-1, 3)
    source = np.concatenate([colours, np.ones((len(colours), 1))], 1)
    keep, moved = np.ones(len(goal), bool), colours
    for _ in range(3):
        kept = source[keep]
        # A picture of few colours says little about the others: these are rather left as they are.
        brake = np.diag([_BRAKE * len(kept)] * 3 + [1e-3])
        moved = colours + source @ np.linalg.solve(kept.T @ kept + brake, kept.T @ (goal[keep] - colours[keep]))
        left = np.abs(goal - moved).mean(1)
        keep = left <= max(float(np.quantile(left, 0.75)), 0.5)
    return np.asarray(moved, np.float32).reshape(old.shape)
