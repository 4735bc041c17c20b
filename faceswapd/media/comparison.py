"""Source, target and output side by side, as one picture: what the demo shows at its end."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from faceswapd.core.target import Kind, kind_of

HEIGHT = 300  # pixels of one cell
GAP = 12
PAPER = 245
INK = (40, 40, 40)

Picture = NDArray[np.uint8]  # (height, width, 3), BGR


def write_comparison(place: Path, source: Path, rows: Sequence[tuple[Path, Path]]) -> None:
    """Write one row for each pair of target and output. For the demo's own files: it decodes in this process.

    Raises OSError when a file cannot be read or the picture cannot be written.
    """
    first = _cell(_look(source), "source")
    sheet = [_row([first, _cell(_look(target), "target"), _cell(_look(output), "output")]) for target, output in rows]
    width = max(row.shape[1] for row in sheet)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=PAPER) for row in sheet]
    done, data = cv2.imencode(".png", np.vstack(padded))
    if not done:
        raise OSError(f"{place} cannot be made")
    place.write_bytes(data.tobytes())


def _look(path: Path) -> Picture:
    """An image, or the frame in the middle of a video."""
    if kind_of(path.suffix) is Kind.IMAGE:
        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise OSError(f"{path} cannot be read")
        return np.asarray(picture, np.uint8)
    with av.open(path) as container:
        stream = container.streams.video[0]
        middle = (stream.frames or 2) // 2
        for number, frame in enumerate(container.decode(stream)):
            if number == middle:
                return np.asarray(frame.to_ndarray(format="bgr24", threads=1), np.uint8)
    raise OSError(f"{path} has no frame")


def _cell(picture: Picture, title: str) -> Picture:
    width = max(1, round(picture.shape[1] * HEIGHT / picture.shape[0]))
    cell = np.full((HEIGHT + 3 * GAP, width + 2 * GAP, 3), PAPER, np.uint8)
    cell[2 * GAP + 4 : 2 * GAP + 4 + HEIGHT, GAP : GAP + width] = cv2.resize(
        picture, (width, HEIGHT), interpolation=cv2.INTER_AREA
    )[: HEIGHT + GAP]
    cv2.putText(cell, title, (GAP, 2 * GAP - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.6, INK, 1, cv2.LINE_AA)
    return cell


def _row(cells: Sequence[Picture]) -> Picture:
    return np.hstack(cells)
