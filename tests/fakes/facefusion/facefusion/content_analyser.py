"""The content check. Red stands for what must not be processed; the answer is final, and kept by path."""

from functools import lru_cache

from . import faults, inference_manager, models
from .bars import Bar
from .ffmpeg import read_frames
from .ffprobe import extract_static_video_metadata
from .pictures import Picture, read_image

LIMIT = 10.0  # per cent of the looked-at frames of a video


def analyse_frame(vision_frame: Picture) -> bool:
    """Whether a picture is declined."""
    inference_manager.get_inference_pool("content_analyser", models.common_names("content_analyser"))
    blue, green, red = (float(vision_frame[:, :, channel].mean()) for channel in range(3))
    return faults.has("nsfw") or red > 2 * max(green, blue) + 40


@lru_cache
def analyse_image(image_path: str) -> bool:
    """Whether a picture file is declined."""
    vision_frame = read_image(image_path)
    vision_frame.shape  # noqa: B018  an unreadable picture breaks here, as it does there
    return analyse_frame(vision_frame)


@lru_cache
def analyse_video(video_path: str, trim_frame_start: int, trim_frame_end: int) -> bool:
    """Whether a video is declined, by one frame in each second."""
    every = int(extract_static_video_metadata(video_path).fps)
    rate, looked_at, declined = 0.0, 0, 0
    frames = read_frames(video_path, trim_frame_start)
    with Bar("analysing", trim_frame_end - trim_frame_start) as bar:
        for number in range(trim_frame_start, trim_frame_end):
            vision_frame = next(frames, None)
            if number % every == 0 and vision_frame is not None:
                looked_at += 1
                declined += analyse_frame(vision_frame)
                rate = declined / looked_at * 100
            bar.done = number - trim_frame_start + 1
            bar.note(rate=f"{rate:.3g}")
    return rate > LIMIT
