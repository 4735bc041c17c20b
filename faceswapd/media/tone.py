"""Brightness beyond a standard screen's (HDR) brought down to it: BT.2020 with PQ or HLG becomes BT.709.

The whole way is one table of colours, which FFmpeg applies to each picture: light by the standard's curve,
BT.709's primaries, the highlights rolled off, and the curve of a standard screen.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PQ: Final = 16  # SMPTE ST 2084, in FFmpeg's numbers for a transfer curve
HLG: Final = 18  # ARIB STD-B67
BRIGHT: Final = frozenset({PQ, HLG})

_SIDE: Final = 33  # points of the table along each colour
_WHITE: Final = 203.0  # candela per square metre of white paper in HDR (ITU-R BT.2408)
_PEAK: Final = 1000.0  # and of the brightest light that is told apart
_KNEE: Final = 0.7  # of the screen's light, up to which nothing is rolled off
_TO_709: Final = np.array(  # linear BT.2020 to linear BT.709 (ITU-R BT.2407)
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)


def standard(coded: NDArray[Any], transfer: int) -> NDArray[np.float64]:
    """Colours (..., 3) in BT.2020, coded 0 to 1 by PQ or HLG, as BT.709's coded 0 to 1."""
    light = _light(np.asarray(coded, np.float64), transfer) @ _TO_709.T
    light = np.maximum(light, 0.0)
    bright = light.max(-1, keepdims=True)
    light *= _rolled(bright) / np.maximum(bright, 1e-9)
    return np.asarray(np.clip(light, 0.0, 1.0) ** (1 / 2.4), np.float64)


def write_cube(folder: Path, transfer: int) -> Path:
    """Write the table as a .cube file into the folder. Raises OSError."""
    axis = np.linspace(0.0, 1.0, _SIDE)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")  # red changes fastest
    table = standard(np.stack([red, green, blue], -1), transfer).reshape(-1, 3)
    place = folder / f"tone-{transfer}.cube"
    rows = "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in table)
    place.write_text(f"LUT_3D_SIZE {_SIDE}\n{rows}\n", encoding="ascii")
    return place


def _light(coded: NDArray[np.float64], transfer: int) -> NDArray[np.float64]:
    """Linear light; 1 is white paper."""
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = np.power(coded, 1 / m2)
        return np.asarray(10000 / _WHITE * np.power(np.maximum(power - c1, 0) / (c2 - c3 * power), 1 / m1))
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    luma = np.maximum((scene * np.array([0.2627, 0.678, 0.0593])).sum(-1, keepdims=True), 1e-9)
    return np.asarray(_PEAK / _WHITE * scene * luma**0.2)  # the system's gamma on a screen of 1000 cd/m2


def _rolled(bright: NDArray[np.float64]) -> NDArray[np.float64]:
    """The brightest colour's light, 0 to 1: as it is up to the knee, then less and less up to the peak."""
    top = _PEAK / _WHITE
    over = np.clip((bright - _KNEE) / (top - _KNEE), 0.0, 1.0)
    slope = (top - _KNEE) / (1 - _KNEE)
    rolled = _KNEE + (1 - _KNEE) * (1 - (1 - over) ** slope)
    return np.asarray(np.where(bright <= _KNEE, bright, np.minimum(rolled, 1.0)))
