"""Faces of nobody: drawn and shaded by rule from a seed, with no photograph and no weights.

They serve the demo, the self-check and the tests. The same seed is the same person at every size and in
every pose.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswapd.media.drawn_canvas import Canvas, Colour, Picture, Plane, Window, smooth_step

SKINS = ((188, 206, 238), (160, 190, 228), (135, 168, 212), (108, 142, 190), (88, 118, 168), (72, 96, 138))
HAIRS = ((34, 32, 36), (42, 62, 96), (78, 128, 184), (28, 38, 62), (152, 152, 158), (40, 68, 138))
IRISES = ((120, 80, 40), (60, 110, 60), (40, 70, 110), (96, 92, 88))
# The unit vector to the lamp: left, up, near.
LIGHT = np.array([-0.5, -0.45, 0.8], np.float32) / np.float32(1.067)


@dataclass(frozen=True, slots=True)
class Pose:
    """What moves in a face."""

    yaw: float = 0.0  # -1: looks to the picture's left, 1: to its right
    mouth: float = 0.0  # 0: shut, 1: wide open
    blink: float = 0.0  # 0: eyes open, 1: shut


@dataclass(frozen=True, slots=True)
class Looks:
    """What makes one drawn person differ from the next. Lengths are fractions of the portrait's side."""

    skin: Colour
    hair: Colour
    iris: Colour
    shirt: Colour
    wall: tuple[Colour, Colour]  # the background's colour, above and below
    half_width: float
    half_height: float
    jaw: float  # the chin's width against the cheeks'
    eye_u: float
    eye_v: float
    eye_size: float
    brow_weight: float
    brow_tilt: float
    nose_width: float
    mouth_v: float
    mouth_width: float
    lip_weight: float
    smile: float
    hair_height: float
    parting: float
    long_hair: bool
    beard: bool

    @classmethod
    def of(cls, seed: int) -> "Looks":
        """The person that this seed stands for."""
        rng = np.random.default_rng(seed)

        def pick(table: tuple[tuple[int, int, int], ...]) -> Colour:
            return np.array(table[int(rng.integers(len(table)))], np.float32)

        def between(low: float, high: float) -> float:
            return float(rng.uniform(low, high))

        beard = between(0, 1) < 0.22
        return cls(
            skin=pick(SKINS),
            hair=pick(HAIRS),
            iris=pick(IRISES),
            shirt=rng.uniform(45, 200, 3).astype(np.float32),
            wall=(rng.uniform(110, 190, 3).astype(np.float32), rng.uniform(60, 130, 3).astype(np.float32)),
            half_width=between(0.265, 0.295),
            half_height=between(0.355, 0.385),
            jaw=between(0.78, 0.94),
            eye_u=between(0.108, 0.122),
            eye_v=between(-0.05, -0.04),
            eye_size=between(0.047, 0.055),
            brow_weight=between(0.012, 0.018),
            brow_tilt=between(-0.025, 0.025),
            nose_width=between(0.045, 0.06),
            mouth_v=between(0.195, 0.207),
            mouth_width=between(0.085, 0.108),
            lip_weight=between(0.8, 1.2),
            smile=between(0.1, 0.9),
            hair_height=between(0.0, 0.05),
            parting=between(-0.12, 0.12),
            long_hair=not beard and between(0, 1) < 0.55,
            beard=beard,
        )


def draw_portrait(seed: int, size: int, pose: Pose | None = None) -> Picture:
    """A portrait of the person of this seed: (size, size, 3), BGR. Sizes under 64 show no features."""
    still = _still(seed, size)
    face = _Features(still, Looks.of(seed), pose or Pose())
    face.beard()
    face.nose()
    for side in (-1, 1):
        face.eye(side)
        face.brow(side)
    face.mouth()
    return face.finished()


def write_portrait(path: Path, seed: int, size: int = 512) -> None:
    """Write a portrait as an image file; its suffix says the format. Raises OSError."""
    done, data = cv2.imencode(path.suffix, draw_portrait(seed, size))
    if not done:
        raise OSError(f"cannot write an image as {path.suffix}")
    path.write_bytes(data.tobytes())


def draw_figure(seed: int, size: int) -> Plane:
    """Where the portrait of this seed and size shows the person and not the wall: (size, size), 0 to 1."""
    return _still(seed, size).figure


@dataclass(frozen=True, slots=True)
class _Still:
    """What no pose changes: drawn once for a person and a size."""

    pixels: NDArray[np.float32]  # wall, shirt, neck, ears and skin
    inside: Plane  # where the head is, 0 to 1
    hair: Plane  # where the hair in front is, 0 to 1
    hair_pixels: NDArray[np.float32]
    grain: NDArray[np.float32]  # added last
    figure: Plane  # where the person is, 0 to 1


@lru_cache(maxsize=8)
def _still(seed: int, size: int) -> _Still:
    ground = _Ground(Looks.of(seed), size, seed)
    ground.wall()
    ground.shoulders()
    ground.head()
    hair, hair_pixels = ground.hair()
    return _Still(ground.pixels, ground.inside, hair, hair_pixels, ground.grain(), np.maximum(ground.covered, hair))


class _Ground(Canvas):
    """The parts of a portrait that do not move."""

    def __init__(self, looks: Looks, size: int, seed: int) -> None:
        super().__init__(np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32))
        self.looks = looks
        self.rng = np.random.default_rng(seed + 7919)
        self.inside, self.light = self._solid_head()

    def wall(self) -> None:
        """The background: two colours that flow into each other."""
        above, below = self.looks.wall
        share = (self.v + 0.5)[..., None]
        self.pixels[:] = above * (1 - share) + below * share
        self.pixels += (np.sin(self.u * 11 + 2) * np.cos(self.v * 8) * 5)[..., None]

    def shoulders(self) -> None:
        """Long hair behind, shirt, neck and ears."""
        looks = self.looks
        if looks.long_hair:
            self.ellipse(0, 0.06, looks.half_width * 1.27, looks.half_height * 1.3, looks.hair * 0.62)
        self.ellipse(0, 0.62, 0.46, 0.24, looks.shirt)
        self.ellipse(0, 0.60, 0.30, 0.20, looks.shirt * 1.12, opacity=0.5, soft=0.1)
        self.ellipse(0, 0.27, looks.half_width * 0.52, 0.17, looks.skin * 0.72)
        self.glow(0, 0.33, looks.half_width * 0.5, 0.05, looks.skin * -0.22)
        for side in (-1, 1):
            self.ellipse(side * looks.half_width, 0.01, 0.035, 0.065, looks.skin * 0.84)
            self.ellipse(side * looks.half_width * 1.02, 0.015, 0.018, 0.04, looks.skin * 0.66, opacity=0.6, soft=0.01)

    def head(self) -> None:
        """The skin, lit from the upper left, with cheeks, sockets, forehead and beard."""
        looks = self.looks
        shade = (0.50 + 0.54 * self.light)[..., None]
        self.fill(self.whole(), self.inside, np.clip(looks.skin * shade, 0, 255))
        for side in (-1, 1):
            blush = np.array([-7.0, -5.0, 11.0], np.float32)
            self.glow(side * 0.135, 0.09, 0.07, 0.06, blush, on_head=True)
            self.glow(side * looks.eye_u, looks.eye_v - 0.006, 0.075, 0.045, looks.skin * -0.30, on_head=True)
        self.glow(0, -0.2, 0.16, 0.08, looks.skin * 0.06, on_head=True)

    def hair(self) -> tuple[Plane, NDArray[np.float32]]:
        """Where the hair in front is, and its pixels: a cap with strands that fall from a parting, and locks
        beside a long-haired face."""
        looks = self.looks
        wide, high = looks.half_width * 1.06, looks.half_height * 1.07 + looks.hair_height
        reach = np.sqrt((self.u / wide) ** 2 + ((self.v + 0.03 + looks.hair_height * 0.4) / high) ** 2)
        across = (self.u - looks.parting) / looks.half_width
        hairline = -0.235 + 0.13 * np.tanh(across**2) - 0.05 * np.exp(-((across / 0.35) ** 2))
        temple = 0.13 * smooth_step(0.80, 0.95, np.abs(self.u) / looks.half_width)
        mask = (1 - smooth_step(0.985, 1.015, reach)) * (1 - smooth_step(-0.012, 0.012, self.v - hairline - temple))
        if looks.long_hair:
            mask = np.maximum(mask, self._locks())
        shine = 0.24 * np.exp(-(((reach - 0.72) / 0.12) ** 2)) * smooth_step(-0.3, 0.2, -self.u)
        colour = looks.hair * (0.62 + 0.5 * self.light + shine)[..., None] * self._strands()[..., None]
        return np.asarray(mask, np.float32), np.clip(colour, 0, 255).astype(np.float32)

    def grain(self) -> NDArray[np.float32]:
        """The unevenness of skin and sensor that a smooth drawing lacks."""
        rough = self.rng.normal(0, 1, (self.size, self.size)).astype(np.float32)
        soft = cv2.GaussianBlur(rough, (0, 0), max(0.5, self.size / 420))
        fine = self.rng.normal(0, 1.6, (self.size, self.size)).astype(np.float32)
        fine[-1], soft[-1] = 0, 0  # a scene draws the last row on downward, and streaks would show
        return np.asarray((soft * 5 + fine)[..., None], np.float32)

    def _locks(self) -> Plane:
        """Long hair in front of the cheeks' edge, from the temples to the shoulders."""
        wide = self.looks.half_width
        inner = wide * (0.93 + 0.08 * smooth_step(0.0, 0.3, self.v))
        curve = np.clip(1 - ((self.v - 0.06) / (self.looks.half_height * 1.3)) ** 2, 0, 1)
        outer = wide * 1.25 * np.sqrt(curve)
        beside = smooth_step(-0.008, 0.012, np.abs(self.u) - inner) * (
            1 - smooth_step(-0.012, 0.008, np.abs(self.u) - outer)
        )
        return beside * smooth_step(-0.24, -0.10, self.v) * (1 - smooth_step(0.38, 0.47, self.v))

    def _solid_head(self) -> tuple[Plane, Plane]:
        """Where the head is, and how much of the lamp's light each point of it gets; both 0 to 1."""
        looks = self.looks
        taper = 1 - (1 - looks.jaw) * smooth_step(0.0, 0.36, self.v)
        radius = np.sqrt((self.u / (looks.half_width * taper)) ** 2 + ((self.v + 0.01) / looks.half_height) ** 2)
        depth = np.sqrt(np.clip(1 - np.minimum(radius, 1) ** 2, 0, 1))
        across, down = self.u / looks.half_width, self.v / looks.half_height
        lit = across * LIGHT[0] + down * LIGHT[1] + depth * LIGHT[2]
        return 1 - smooth_step(0.985, 1.015, radius), np.clip(lit, 0, 1).astype(np.float32)

    def _strands(self) -> Plane:
        """Brightness of the hair around 1, along lines that fall from the parting."""
        angle = np.arctan2(self.v + 0.62, self.u - self.looks.parting)
        distance = np.hypot(self.u - self.looks.parting, self.v + 0.62)
        places = np.linspace(0, math.pi, 420)
        fine = np.interp(angle + 0.02 * np.sin(distance * 30), places, self.rng.normal(0, 1, 420))
        broad = np.interp(angle + 0.05 * np.sin(distance * 9), places[::10], self.rng.normal(0, 1, 42))
        return np.asarray(np.clip(1 + 0.09 * fine + 0.09 * broad, 0.5, 1.5), np.float32)


class _Features(Canvas):
    """The parts of a face that move, over the parts that do not."""

    def __init__(self, still: _Still, looks: Looks, pose: Pose) -> None:
        super().__init__(still.pixels.copy(), still.inside)
        self.still, self.looks, self.pose = still, looks, pose

    def beard(self) -> None:
        """Hair on chin and cheeks, for those who wear it; the lips stay free."""
        if not self.looks.beard:
            return
        opening = self.pose.mouth * 0.045
        lips = self.ellipse_mask(
            self.whole(),
            0,
            self.looks.mouth_v + opening * 0.4,
            self.looks.mouth_width * 1.12,
            0.045 + opening,
        )
        edge = 0.09 + 0.12 * (1 - np.abs(self.u) / self.looks.half_width)
        mask = smooth_step(0.0, 0.12, self.v - edge) * self.inside * (1 - lips)
        self.fill(self.whole(), mask * 0.6, self.looks.hair * 0.85)

    def nose(self) -> None:
        """Bridge, side shadow, tip and nostrils; it turns with the head."""
        skin, turn = self.looks.skin, self.pose.yaw * 0.03
        self.glow(turn * 0.6, 0.02, 0.018, 0.075, skin * 0.15, on_head=True)
        self.glow(turn + 0.036, 0.06, 0.016, 0.05, skin * -0.16, on_head=True)
        self.glow(turn, 0.096, 0.034, 0.026, skin * 0.09)
        self.glow(turn, 0.13, self.looks.nose_width * 1.2, 0.012, skin * -0.24, on_head=True)
        for side in (-1, 1):
            nostril = turn + side * self.looks.nose_width * 0.52
            self.ellipse(nostril, 0.118, 0.0125, 0.0075, skin * 0.32, opacity=0.75, soft=0.005)

    def eye(self, side: int) -> None:
        """One eye: socket, white, iris, pupil, glint, lid and crease."""
        looks = self.looks
        u, v, width = side * looks.eye_u + self.pose.yaw * 0.012, looks.eye_v, looks.eye_size
        height = width * 0.47 * max(0.05, 1 - self.pose.blink)
        self.ellipse(u, v - 0.003, width * 1.13, height * 1.25, looks.skin * 0.5, opacity=0.85, soft=0.006)
        window = self.window(u, v, width * 1.3, width * 1.3)
        opening = self.ellipse_mask(window, u, v, width, height)
        white = np.minimum(228, looks.skin * 0.55 + 85).astype(np.float32)
        self.fill(window, opening, white)
        self.add(
            window,
            opening * np.exp(-(((self.v[window[0]] - v + height) / (height * 0.8)) ** 2)),
            white * -0.42,
        )
        iris_u = u + self.pose.yaw * 0.012
        self.fill(
            window,
            self.ellipse_mask(window, iris_u, v, width * 0.5, width * 0.5) * opening,
            looks.iris * 0.45,
        )
        self.fill(window, self.ellipse_mask(window, iris_u, v, width * 0.41, width * 0.41) * opening, looks.iris)
        self.glow(iris_u + 0.004, v + 0.008, width * 0.25, width * 0.2, looks.iris * 0.5 * (1 - self.pose.blink))
        self.fill(window, self.ellipse_mask(window, iris_u, v, width * 0.24, width * 0.24) * opening, _grey(13))
        glint = self.ellipse_mask(window, iris_u - 0.009, v - 0.009, 0.0068, 0.0068) * opening
        self.fill(window, glint, _grey(255))
        self._lid(window, u, v, width, height)

    def brow(self, side: int) -> None:
        """One eyebrow: an arc that thins outward."""
        looks = self.looks
        middle = side * looks.eye_u + self.pose.yaw * 0.012
        window = self.window(middle, looks.eye_v - 0.075, 0.1, 0.06)
        along = (self.u[:, window[1]] - middle) * side
        line = looks.eye_v - 0.08 + looks.brow_tilt * 0.5 + along**2 * 3.2 - along * 0.1 * (0.5 + looks.brow_tilt * 8)
        weight = looks.brow_weight * (1.15 - smooth_step(-0.05, 0.085, along) * 0.75)
        distance = np.abs(self.v[window[0]] - line) / weight
        ends = smooth_step(-0.075, -0.05, along) * (1 - smooth_step(0.06, 0.088, along))
        self.fill(window, (1 - smooth_step(0.55, 1.2, distance)) * ends * 0.88, looks.hair * 0.6 + 6)

    def mouth(self) -> None:
        """Lips, the line or the opening between them, teeth, and the shadow below."""
        looks, opening = self.looks, self.pose.mouth * 0.045
        u, v, width = self.pose.yaw * 0.02, looks.mouth_v, looks.mouth_width
        red = np.array([looks.skin[0] * 0.54, looks.skin[1] * 0.5, min(235.0, float(looks.skin[2]) * 0.82)], np.float32)
        thick = looks.lip_weight
        self.glow(u, v + 0.048 + opening, width * 0.8, 0.013, looks.skin * -0.17, on_head=True)
        self._lip(u, v - 0.004 - opening * 0.2, width, 0.018 * thick, red * 0.84)
        self._lip(u, v + 0.010 + opening, width * 0.86, 0.023 * thick, red)
        self.glow(u, v + 0.014 + opening, width * 0.45, 0.006, _grey(26))
        if self.pose.mouth > 0.08:
            self.ellipse(
                u,
                v + opening * 0.45,
                width * 0.78,
                0.007 + opening * 0.62,
                np.array([30, 24, 52], np.float32),
            )
            teeth = np.array([216, 222, 226], np.float32)
            self.ellipse(u, v - opening * 0.05, width * 0.6, 0.004 + opening * 0.18, teeth, opacity=0.9)
        else:
            self._lip_line(u, v + 0.003, width, red * 0.4)
        for side in (-1, 1):  # the corners
            self.glow(
                u + side * width,
                v + 0.002 - looks.smile * 0.018,
                0.012,
                0.01,
                looks.skin * -0.2,
                on_head=True,
            )

    def finished(self) -> Picture:
        """The hair over it all, and the grain."""
        self.fill(self.whole(), self.still.hair, self.still.hair_pixels)
        return np.asarray(np.clip(self.pixels + self.still.grain, 0, 255), np.uint8)

    def _lid(self, window: Window, u: float, v: float, width: float, height: float) -> None:
        outer = self.ellipse_mask(window, u, v - 0.004, width * 1.08, height * 1.22)
        inner = self.ellipse_mask(window, u, v + 0.005, width * 1.1, height * 1.15)
        self.fill(window, np.clip(outer - inner, 0, 1) * 0.95, _grey(24))
        high = self.ellipse_mask(window, u, v - 0.016, width * 1.12, height * 1.25)
        low = self.ellipse_mask(window, u, v - 0.009, width * 1.15, height * 1.25)
        self.fill(window, np.clip(high - low, 0, 1) * 0.4, self.looks.skin * 0.5)

    def _lip(self, u: float, v: float, width: float, height: float, colour: Colour) -> None:
        """An ellipse whose ends the smile lifts."""
        window = self.window(u, v, width * 1.3, height * 2.5)
        along = (self.u[:, window[1]] - u) / width
        lifted = self.v[window[0]] - v + along**2 * self.looks.smile * 0.022
        radius = np.sqrt(along**2 + (lifted / height) ** 2)
        self.fill(window, (1 - smooth_step(0.86, 1.14, radius)) * 0.9, colour)

    def _lip_line(self, u: float, v: float, width: float, colour: Colour) -> None:
        window = self.window(u, v, width * 1.2, 0.03)
        along = (self.u[:, window[1]] - u) / width
        line = v + 0.002 * np.cos(along * 6) - along**2 * self.looks.smile * 0.022
        near = np.exp(-(((self.v[window[0]] - line) / 0.0042) ** 2))
        self.fill(window, near * (1 - smooth_step(0.85, 1.05, np.abs(along))) * 0.85, colour)


def _grey(level: float) -> Colour:
    return np.full(3, level, np.float32)
