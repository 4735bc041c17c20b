"""The canvas on which a portrait is drawn: soft ellipses and glows.

Positions are fractions of the portrait's side, measured from just below its middle: `u` to the right, `v`
down. Colours are BGR, 0 to 255.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (height, width, 3), BGR
Plane = NDArray[np.floating[Any]]  # (height, width)
Colour = NDArray[np.float32]  # (3,)
Window = tuple[slice, slice]

MIDDLE_V = 0.52  # where v is 0, as a fraction of the side


def smooth_step(low: float, high: float, value: Plane) -> Plane:
    """0 below `low`, 1 above `high`, and a smooth way between."""
    step = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(step * step * (3 - 2 * step), np.float32)


class Canvas:
    """A portrait's pixels and the strokes that change them. Each stroke works inside a window."""

    def __init__(self, pixels: NDArray[np.float32], inside: Plane) -> None:
        self.pixels, self.inside = pixels, inside  # `inside`: where the head is, 0 to 1
        self.size = len(pixels)
        self.covered: Plane = np.zeros_like(inside)  # where a stroke has gone, 0 to 1
        axis = (np.arange(self.size, dtype=np.float32) + 0.5) / self.size
        self.u, self.v = (axis - 0.5)[None, :], (axis - MIDDLE_V)[:, None]

    def whole(self) -> Window:
        """All pixels."""
        return slice(0, self.size), slice(0, self.size)

    def window(self, u: float, v: float, half_width: float, half_height: float) -> Window:
        """The pixels around a point; features are drawn in windows because they are small."""

        def span(centre: float, half: float) -> slice:
            low, high = (centre - half) * self.size - 2, (centre + half) * self.size + 3
            return slice(int(np.clip(low, 0, self.size)), int(np.clip(high, 0, self.size)))

        return span(v + MIDDLE_V, half_height), span(u + 0.5, half_width)

    def ellipse_mask(
        self, window: Window, u: float, v: float, half_width: float, half_height: float, *, soft: float = 0.0
    ) -> Plane:
        """1 inside the ellipse, 0 outside, and a soft edge of at least two pixels between."""
        edge = max(soft, 3.2 / self.size) / min(half_width, half_height)
        across, down = (self.u[:, window[1]] - u) / half_width, (self.v[window[0]] - v) / half_height
        return 1 - smooth_step(1 - edge, 1 + edge, np.sqrt(across**2 + down**2))

    def ellipse(
        self,
        u: float,
        v: float,
        half_width: float,
        half_height: float,
        colour: Colour,
        *,
        opacity: float = 1.0,
        soft: float = 0.0,
    ) -> None:
        """Paint an ellipse around a point."""
        window = self.window(u, v, half_width + soft, half_height + soft)
        self.fill(window, self.ellipse_mask(window, u, v, half_width, half_height, soft=soft) * opacity, colour)

    def glow(
        self, u: float, v: float, spread_u: float, spread_v: float, amount: Colour, *, on_head: bool = False
    ) -> None:
        """Add light (or take it away) around a point, fading as a bell curve."""
        window = self.window(u, v, spread_u * 2.6, spread_v * 2.6)
        across, down = (self.u[:, window[1]] - u) / spread_u, (self.v[window[0]] - v) / spread_v
        bell = np.exp(-(across**2)) * np.exp(-(down**2))
        self.add(window, bell * self.inside[window] if on_head else bell, amount)

    def add(self, window: Window, mask: Plane, amount: Colour) -> None:
        """Add light where the mask says, as much as it says."""
        self.pixels[window] += mask[..., None] * amount

    def fill(self, window: Window, mask: Plane, colour: NDArray[np.float32]) -> None:
        """Paint a colour, or pixels, where the mask says; half a mask is half see-through."""
        self.pixels[window] += (colour - self.pixels[window]) * mask[..., None]
        self.covered[window] = np.maximum(self.covered[window], mask)
