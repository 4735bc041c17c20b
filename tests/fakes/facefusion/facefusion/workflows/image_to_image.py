# ruff: noqa: TID252  a root stands alone: its package is not tests.fakes.facefusion.facefusion there
"""One picture."""

import time
from pathlib import Path

from .. import content_analyser, faults, logger, state_manager, traits
from ..ffmpeg import cut_short
from ..pictures import read_image, resize, write_image
from ..stand_in import COSTS, pay
from ..temp_helper import get_temp_file_path
from ..traits import say
from ..workflows import steps

_MODULE = traits.workflow_module("image")


def process(start_time: float) -> int:
    """0: done; 1: failed; 3: declined."""
    get = state_manager.get_item
    if content_analyser.analyse_image(get("target_path")):
        return 3
    steps.set_up("image")
    picture = read_image(get("target_path"))
    height, width = picture.shape[:2]
    size = _output_size(width, height)
    logger.info(say(f"copying image with a resolution of {min(width, size[0])}x{min(height, size[1])}"), _MODULE)
    pay(COSTS.ffmpeg_call)
    if faults.has("disk_full_temp"):
        logger.debug("av_interleaved_write_frame(): No space left on device", "ffmpeg")
        logger.error(say("copying image failed"), _MODULE)
        return 1
    temp = get_temp_file_path()
    write_image(str(temp), picture, 100)
    logger.debug(say("copying image succeeded"), _MODULE)
    faults.in_work()
    if traits.VERSION < (3, 8):
        for name in get("processors"):
            logger.info(say("processing"), name if traits.VERSION < (3, 5) else "core")
    write_image(str(temp), steps.process(read_image(str(temp)), COSTS.per_image), 100)
    for module in steps.modules():
        module.post_process()
    return _finalize(temp, Path(get("output_path")), size, start_time)


def _finalize(temp: Path, output: Path, size: tuple[int, int], start_time: float) -> int:
    logger.info(say(f"finalizing image with a resolution of {size[0]}x{size[1]}"), _MODULE)
    pay(COSTS.ffmpeg_call)
    try:
        write_image(str(output), resize(read_image(str(temp)), size), state_manager.get_item("output_image_quality"))
    except OSError as error:
        logger.debug(f"[image2 @ 0x5652ca178b00] Could not open file : {output}", "ffmpeg")
        logger.debug(f"av_interleaved_write_frame(): {error.strerror}", "ffmpeg")
        logger.warn(say("finalizing image skipped"), _MODULE)
    else:
        cut_short(output)
        if faults.has("disk_full_output"):
            logger.debug("av_interleaved_write_frame(): No space left on device", "ffmpeg")
            logger.warn(say("finalizing image skipped"), _MODULE)
        else:
            logger.debug(say("finalizing image succeeded"), _MODULE)
    return steps.finish("image", time.monotonic() - start_time)


def _output_size(width: int, height: int) -> tuple[int, int]:
    told = state_manager.get_item("output_image_resolution")
    if told:
        wide, high = str(told).split("x")
        return int(wide), int(high)
    scale = state_manager.get_item("output_image_scale") or 1.0
    return round(width * scale), round(height * scale)
