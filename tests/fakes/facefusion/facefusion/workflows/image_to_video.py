# ruff: noqa: TID252  a root stands alone: its package is not tests.fakes.facefusion.facefusion there
"""One video: over the memory, or frame by frame over the disk."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import content_analyser, faults, ffmpeg, logger, state_manager, traits
from ..bars import Bar
from ..ffprobe import extract_static_video_metadata, restrict_trim_frame
from ..pictures import Picture, read_image, resize, write_image
from ..stand_in import COSTS, pay
from ..temp_helper import get_temp_directory_path, get_temp_file_path
from ..traits import say
from ..workflows import steps

_MODULE = traits.workflow_module("video")


@dataclass(frozen=True, slots=True)
class _Plan:
    target: str
    first: int
    end: int  # exclusive
    fps: float  # of the result
    source_fps: float
    size: tuple[int, int]  # of the target's frames
    output_size: tuple[int, int]

    @property
    def total(self) -> int:
        return self.end - self.first


def process(start_time: float) -> int:
    """0: done; 1: failed; 3: declined."""
    get = state_manager.get_item
    plan = _plan(get("target_path"))
    if content_analyser.analyse_video(plan.target, plan.first, plan.end):
        return 3
    steps.set_up("video")
    over_disk = traits.DISK_ONLY or get("workflow_strategy") == "disk"
    if over_disk or get("workflow_strategy") == "memory":
        error = _over_disk(plan) if over_disk else _over_memory(plan)
        if error:
            return error
    _restore_audio(plan, get_temp_file_path(), Path(get("output_path")))
    return steps.finish("video", time.monotonic() - start_time)


def _plan(target: str) -> _Plan:
    get = state_manager.get_item
    facts = extract_static_video_metadata(target)
    first, end = restrict_trim_frame(target, get("trim_frame_start"), get("trim_frame_end"))
    facts.resolution[0]
    told, scale = get("output_video_resolution"), get("output_video_scale") or 1.0
    width, height = (
        (int(side) for side in str(told).split("x")) if told else (round(side * scale) for side in facts.resolution)
    )
    fps = min(get("output_video_fps") or facts.fps, facts.fps)
    return _Plan(target, first, end, fps, facts.fps, facts.resolution, (width, height))


def _no_frames() -> int:
    logger.error(say("temporary frames not found"), _MODULE)
    return 1


def _over_memory(plan: _Plan) -> int:
    if plan.total <= 0:
        return _no_frames()
    pay(COSTS.ffmpeg_call)
    with Bar("processing", plan.total) as bar:
        bar.note(execution_providers=state_manager.get_item("execution_providers"))
        frames = _torn(_processed(plan, bar), plan.size)
        ffmpeg.write_video(get_temp_file_path(), frames, plan.fps, plan.output_size)
    return _after_frames()


def _processed(plan: _Plan, bar: Bar) -> Iterator[Picture]:
    """The frames that were planned. What the video does not have is black."""
    import numpy as np

    width, height = plan.size
    frames = ffmpeg.read_frames(plan.target, plan.first)
    faults.in_work()
    for number in range(plan.total):
        frame = next(frames, None)
        picture = np.zeros((height, width, 3), np.uint8) if frame is None else frame
        yield _blackened(steps.process(picture, COSTS.per_frame), number, plan.total)
        bar.move(number + 1)


def _torn(frames: Iterator[Picture], size: tuple[int, int]) -> Iterator[Picture]:
    """Enlarged frames, written into a pipe that expects small ones, come out in pieces."""
    import numpy as np

    factor = max(module.scale() for module in steps.modules()) if traits.TEARS_ENLARGED_FRAMES else 1
    for frame in frames:
        if factor == 1:
            yield frame
        else:
            large = resize(frame, (size[0] * factor, size[1] * factor))
            yield from np.ascontiguousarray(large).reshape(factor * factor, size[1], size[0], 3)


def _blackened(frame: Picture, number: int, total: int) -> Picture:
    return frame * 0 if faults.has("black_tail") and number >= total * 2 // 3 else frame


def _after_frames() -> int:
    for module in steps.modules():
        module.post_process()
    return 0


def _over_disk(plan: _Plan) -> int:
    logger.info(
        say(f"extracting frames with a resolution of {_by(plan.size)} and {plan.fps} frames per second"), _MODULE
    )
    pay(COSTS.ffmpeg_call)
    if plan.total <= 0:
        logger.error(say("extracting frames failed"), _MODULE)
        return 1
    folder, suffix = get_temp_directory_path(), "." + state_manager.get_item("temp_frame_format")
    paths: list[Path] = []
    with _bar_of_ffmpeg("extracting", plan.total) as move:
        for number, frame in enumerate(_extracted(plan), plan.first):
            paths.append(folder / f"{number:08d}{suffix}")
            write_image(str(paths[-1]), frame, 100)
            move(len(paths))
    if faults.has("disk_full_temp"):
        logger.debug("av_interleaved_write_frame(): No space left on device", "ffmpeg")
        logger.error(say("extracting frames failed"), _MODULE)
        return 1
    logger.debug(say("extracting frames succeeded"), _MODULE)
    if not paths:
        return _no_frames()
    _process_files(paths)
    logger.info(
        say(f"merging video with a resolution of {_by(plan.output_size)} and {plan.fps} frames per second"), _MODULE
    )
    pay(COSTS.ffmpeg_call)
    with _bar_of_ffmpeg("merging", plan.total) as move:
        ffmpeg.write_video(get_temp_file_path(), _read(paths, move), plan.fps, plan.output_size)
    logger.debug(say("merging video succeeded"), _MODULE)
    return 0


def _extracted(plan: _Plan) -> Iterator[Picture]:
    scale = plan.fps / plan.source_fps
    return ffmpeg.extract_frames(plan.target, plan.fps, round(plan.first * scale), round(plan.end * scale))


def _read(paths: list[Path], move: Callable[[int], None]) -> Iterator[Picture]:
    for done, path in enumerate(paths, 1):
        yield read_image(str(path))
        move(done)


def _process_files(paths: list[Path]) -> None:
    get = state_manager.get_item
    if traits.VERSION < (3, 5):
        logger.info(say("processing"), get("processors")[0])
    with Bar("processing", len(paths)) as bar:
        extra = {
            name: get(name) for name in ("execution_thread_count", "execution_queue_count") if traits.VERSION < (3, 1)
        }
        bar.note(execution_providers=get("execution_providers"), **extra)
        faults.in_work()
        for number, path in enumerate(paths):
            frame = steps.process(read_image(str(path)), COSTS.per_frame)
            write_image(str(path), _blackened(frame, number, len(paths)), 100)
            bar.move(number + 1)
    _after_frames()


class _bar_of_ffmpeg:  # noqa: N801  a context, not a thing
    """The bar of ffmpeg's own work, which 3.0 did not have."""

    def __init__(self, phase: str, total: int) -> None:
        self._bar = Bar(phase, total) if traits.VERSION >= (3, 1) else None

    def __enter__(self) -> Callable[[int], None]:
        return self._bar.__enter__().move if self._bar else lambda _: None

    def __exit__(self, *error: object) -> None:
        if self._bar:
            self._bar.__exit__(None, None, None)


def _restore_audio(plan: _Plan, temp: Path, output: Path) -> None:
    get = state_manager.get_item
    if faults.has("disk_full_temp"):
        temp.write_bytes(b"")
    extract_static_video_metadata.__wrapped__(str(temp))  # its length is asked; a broken one breaks here
    if get("output_audio_volume") == 0 or get("skip_audio"):
        logger.info(say("skipping audio"), _MODULE)
        shutil.move(temp, output)
    elif ffmpeg.restore_audio(plan.target, temp, output, (plan.first / plan.source_fps, plan.end / plan.source_fps)):
        logger.debug(say("restoring audio succeeded"), _MODULE)
    else:
        logger.warn(say("restoring audio skipped"), _MODULE)
        shutil.move(temp, output)
    ffmpeg.cut_short(output)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
