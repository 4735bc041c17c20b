"""One swap of drawn media by the real FaceFusion: whether what was set up does what it is there for."""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faceswapd.core.failures import Failure
from faceswapd.core.presets import PresetSpec
from faceswapd.core.target import Facts, Unreadable
from faceswapd.engines.engine import EngineFailure, Progress, Work
from faceswapd.engines.facefusion.engine import FaceFusionEngine, Level
from faceswapd.engines.facefusion.site import Site

SECONDS: Final = 900.0  # the first run on a graphics card builds what later ones find
SOURCE_SEED, TARGET_SEEDS = 29, (14,)
SIZE: Final = (640, 480)
LEAST: Final = 6  # levels of 255 by which a pixel must differ to count; coding alone changes fewer
NO_FACE: Final = ("no_source_face", "no_target_face", "nobody_swapped")


class TrialFailed(Exception):
    """The swap did not work; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How the swap went."""

    seconds: float
    doubt: str | None = None  # why it proves less than it should, in one sentence


async def try_out(site: Site, preset: PresetSpec, folder: Path) -> Tried:
    """Start FaceFusion once, on its first device, in a folder of its own below `folder`, which must be there. Raises
    TrialFailed and OSError."""
    with tempfile.TemporaryDirectory(prefix="setup-", dir=folder) as made:
        place = Path(made)
        source, target, output = place / "source.png", place / "drawn-target.png", place / "drawn-output.png"
        facts = _draw(source, target)
        engine = FaceFusionEngine(site, 0, Level.COLD)
        start = time.monotonic()
        try:
            work = Work((source,), target, output, preset.base, facts, options=preset.options)
            await engine.run(work, _unheard)
        except EngineFailure as error:
            if error.failure.category in NO_FACE:
                told = f"FaceFusion ran to its end, but a drawn face is none for it: {error.failure.sentence}"
                return Tried(time.monotonic() - start, told)
            raise TrialFailed(_told(error.failure, engine.tail)) from error
        finally:
            await engine.close()
        seconds = time.monotonic() - start
        _prove(target, output, facts)
        return Tried(seconds)


def _unheard(_: Progress) -> None:
    """Nobody watches an image."""


def _draw(source: Path, target: Path) -> Facts:
    from faceswapd.media.drawn import write_portrait
    from faceswapd.media.drawn_scene import write_scene_image
    from faceswapd.media.probe import probe

    write_portrait(source, SOURCE_SEED)
    write_scene_image(target, TARGET_SEEDS, *SIZE)
    facts = probe(os.fspath(target), lambda _: None)
    if isinstance(facts, Unreadable):
        raise TrialFailed(f"The drawn target cannot be read: {facts.sentence}")
    return facts


def _prove(target: Path, output: Path, facts: Facts) -> None:
    """The output decodes, has the target's size, and is another picture than the target. Our own files: they are
    decoded in this process."""
    import cv2
    import numpy as np

    from faceswapd.media.verify import verify

    proof = verify(os.fspath(target), os.fspath(output), facts)
    if isinstance(proof, Failure):
        raise TrialFailed(_told(proof, ()))
    before, after = (cv2.imread(os.fspath(path), cv2.IMREAD_COLOR) for path in (target, output))
    assert before is not None
    assert after is not None
    if not np.any(cv2.absdiff(before, after) >= LEAST):
        raise TrialFailed("FaceFusion ended well, but its output is the target without a change. Run it once by hand.")


def _told(failure: Failure, tail: tuple[str, ...]) -> str:
    last = f" FaceFusion said last: {tail[-1].strip()[:300]}" if tail else ""
    return f"{failure.sentence} {failure.advice}{last}"
