"""The faces of a video from frame to frame.

Faces are searched every few frames; between two searches each face moves with the flow of the picture
around it. What a search finds pulls a face's points gently, over the frames until the next search, so that
the swapped face neither shakes nor drifts. A cut to another scene drops all faces and searches at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswapd.core.presets import Preset
from faceswapd.engines.preview.detect import (
    Face,
    Grey,
    Picture,
    Points,
    eye_distance,
    find_faces,
    find_near,
    grey_of,
    shrink,
)

FLOW_LIMIT = 480  # pixels of the longer side while the flow is measured
MISSES = 2  # searches in a row that may miss a face before it is dropped
FEWEST = 6  # points that must flow alike, or the face is lost
MANY = 14  # marks that must agree on more than a shift: few are easily wrong about a turn
PULL_EYES, PULL_BOX = 0.5, 0.15  # how far a search moves a face that it found with, or without, its eyes


@dataclass(slots=True)
class _Track:
    number: int  # no two have the same
    points: Points
    sure: bool  # it is swapped; else it waits for a second search that sees it
    pull: Points = field(default_factory=lambda: np.zeros((3, 2), np.float32))  # for each coming frame
    pulls: int = 0  # frames that are still pulled
    misses: int = 0
    lost: bool = False  # the flow gave out
    marks: NDArray[np.float32] | None = None  # (n, 1, 2), in the small picture: what the flow follows


class Tracker:
    """Follows the faces of one video. Feed it every frame in order."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self._tracks: list[_Track] = []
        self._before: Grey | None = None
        self._number = 0  # of the frame in its scene
        self._searches = 0
        self._ever = 0  # tracks there have been
        self.scene = 0  # how many cuts there have been

    def update(self, picture: Picture) -> list[Points]:
        """The faces of the next frame."""
        grey, scale = shrink(grey_of(picture), FLOW_LIMIT)
        if self._before is not None and is_cut(self._before, grey):
            self._tracks, self._number, self.scene = [], 0, self.scene + 1
        elif self._before is not None:
            for track in self._tracks:
                _flow(track, self._before, grey, scale)
        if self._due():
            self._search(picture)
        self._before = grey
        self._number += 1
        return [track.points for track in self._tracks if track.sure]

    @property
    def seen(self) -> Mapping[int, Points]:
        """All faces of the last frame, also those that no second search has seen yet, each under the number that it
        keeps for as long as it can be followed."""
        return {track.number: track.points for track in self._tracks}

    def _due(self) -> bool:
        every = self._preset.detect_every
        if not self._tracks:
            return self._number % max(1, every // 3) == 0
        return self._number % every == 0 or any(track.lost for track in self._tracks)

    def _search(self, picture: Picture) -> None:
        every = self._preset.detect_every
        thorough = not self._tracks and self._number % (every * 4) == 0
        self._searches += 1
        found: list[Face] = []
        if not self._tracks or self._searches % 2 == 0:  # to look for newcomers is dear
            found = find_faces(picture, self._preset.detect_limit, thorough=thorough)
        for track in self._tracks:
            face = _nearest(track, found) or find_near(picture, track.points)
            found = [other for other in found if other is not face and not are_near(track.points, other.points)]
            self._meet(track, face)
        first = not self._tracks
        self._tracks = [track for track in self._tracks if track.misses <= MISSES and not track.lost]
        for face in found:
            self._ever += 1
            self._tracks.append(_Track(self._ever, face.points.copy(), sure=face.eyes or first))

    def _meet(self, track: _Track, face: Face | None) -> None:
        """Let what a search found, or that it found nothing, change a track."""
        track.marks = None  # fresh marks from here on
        if face is None:
            track.misses += 1
            return
        apart = face.points - track.points
        if not face.eyes:  # the points are guessed: they say where the face is, not its shape
            apart = np.broadcast_to(apart.mean(0), (3, 2)).astype(np.float32)
        if track.lost or float(np.abs(apart).max()) > 0.6 * eye_distance(track.points):
            track.points, track.pulls = track.points + apart, 0
        else:
            share = PULL_EYES if face.eyes else PULL_BOX
            track.pulls = self._preset.detect_every
            track.pull = (apart * share / track.pulls).astype(np.float32)
        track.misses, track.lost, track.sure = 0, False, track.sure or face.sure


def is_cut(before: Grey, after: Grey) -> bool:
    """Whether two frames that follow each other show different scenes. A flash of light is none."""
    if before.shape != after.shape:
        return True
    old, new = (np.asarray(cv2.resize(g, (32, 18), interpolation=cv2.INTER_AREA), np.float32) for g in (before, after))
    old, new = old - old.mean(), new - new.mean()
    strength = float(np.sqrt((old**2).mean() * (new**2).mean()))
    different = float(np.abs(old - new).mean()) > 10
    return different and float((old * new).mean()) < 0.5 * strength


def _flow(track: _Track, before: Grey, after: Grey, scale: float) -> None:
    """Move a track as the picture around it moved."""
    if track.lost:
        return
    left, top, right, bottom = _surroundings(track.points * scale, before.shape)
    if right - left < 16 or bottom - top < 16:
        track.lost = True
        return
    origin = np.array([left, top], np.float32)
    if track.marks is None or len(track.marks) < 2 * FEWEST:
        track.marks = _marks(track.points * scale, before, origin, (right, bottom))
    if track.marks is None or len(track.marks) < FEWEST:
        track.lost = True
        return
    old, new = before[top:bottom, left:right], after[top:bottom, left:right]
    places = np.ascontiguousarray(track.marks - origin)
    moved = _followed(old, new, places)
    returned = _followed(new, old, moved)
    good = np.abs(returned - places).max(axis=(1, 2)) < 0.7  # a mark that does not find its way back is lost
    start, end = places[good], moved[good]
    track.marks = end + origin
    _move(track, start + origin, end + origin, scale)


def _followed(old: Grey, new: Grey, places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where the marks of one picture are in the next; a mark that is not seen there goes far away."""
    moved, seen, _ = cv2.calcOpticalFlowPyrLK(old, new, places, np.zeros_like(places), winSize=(21, 21), maxLevel=2)
    return np.where(seen.reshape(-1, 1, 1) == 1, moved, np.float32(-1e4)).astype(np.float32)


def _move(track: _Track, start: NDArray[Any], end: NDArray[Any], scale: float) -> None:
    """Turn, scale and shift the track's points as most of the marks did, and pull them on."""
    matrix = _motion(start, end) if len(start) >= FEWEST else None
    if matrix is None or not 0.85 < float(np.hypot(matrix[0, 0], matrix[1, 0])) < 1.18:
        track.lost = True
        return
    points = track.points @ matrix[:, :2].T + matrix[:, 2] / scale
    if track.pulls:
        points, track.pulls = points + track.pull, track.pulls - 1
    track.points = points.astype(np.float32)


def _motion(start: NDArray[Any], end: NDArray[Any]) -> NDArray[Any] | None:
    """The turn, scale and shift of most marks; only the shift where they do not agree on more."""
    matrix, agreeing = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=1.0)
    if matrix is not None and int(np.sum(agreeing)) >= MANY and float(np.mean(agreeing)) >= 0.6:
        return np.asarray(matrix)
    shift = np.median((end - start).reshape(-1, 2), axis=0)
    return np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)


def _surroundings(points: Points, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the window in which a face is followed."""
    middle, reach = points.mean(0), eye_distance(points) * 2 + 8
    left, top = np.clip(np.floor(middle - reach), 0, None).astype(int)
    right, bottom = np.clip(np.ceil(middle + reach), None, (shape[1], shape[0])).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _marks(points: Points, grey: Grey, origin: NDArray[np.float32], end: tuple[int, int]) -> NDArray[np.float32] | None:
    """Corners on the face that the flow can follow."""
    left, top = int(origin[0]), int(origin[1])
    window = grey[top : end[1], left : end[0]]
    span, middle = eye_distance(points), points.mean(0) - origin
    mask = np.zeros_like(window)
    axes = (max(2, int(span * 0.95)), max(2, int(span * 1.1)))
    cv2.ellipse(mask, (int(middle[0]), int(middle[1])), axes, 0, 0, 360, 255, -1)
    found: Any = cv2.goodFeaturesToTrack(cv2.GaussianBlur(window, (0, 0), 1.0), 80, 0.01, 3, mask=mask)
    return None if found is None else np.asarray(found + origin, np.float32)


def _nearest(track: _Track, faces: list[Face]) -> Face | None:
    near = [face for face in faces if are_near(track.points, face.points)]
    return min(near, key=lambda face: float(np.hypot(*(track.points.mean(0) - face.points.mean(0)))), default=None)


def are_near(one: Points, other: Points) -> bool:
    """Whether two places are so near to each other that only one face can be there."""
    apart = np.hypot(*(one.mean(0) - other.mean(0)))
    return bool(apart < 1.5 * max(eye_distance(one), eye_distance(other)))
