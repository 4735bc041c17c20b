"""The options of the one-shot command, in their order, with their choices; and which version knows which."""

from dataclasses import dataclass

from .processor_options import PROCESSOR_OPTIONS
from .spans import Option
from .stand_in import WISHES
from .traits import IS_FOUR, VERSION

_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_REGIONS = (
    "skin", "left-eyebrow", "right-eyebrow", "left-eye", "right-eye", "glasses", "nose", "mouth", "upper-lip",
    "lower-lip",
)  # fmt: skip
_ORDERS = (
    "left-right", "right-left", "top-bottom", "bottom-top", "small-large", "large-small", "best-worst", "worst-best",
)  # fmt: skip
_AREAS = ("upper-face", "lower-face", "mouth")
_RACES = ("white", "black", "latino", "asian", "indian", "arabic")
_AUDIO = ("flac", "aac", "libmp3lame", "libopus", "libvorbis", "pcm_s16le", "pcm_s32le")
_MARKS = "aligner" if IS_FOUR else "landmarker"
_AUTO = ("auto",) if VERSION >= (3, 7) else ()
_MODES = ("auto", "image-to-image", "image-to-video")
_MORE_MODES = ("audio-to-image:frames", "audio-to-image:video", "image-to-video:frames")
_OLD = VERSION < (3, 1)


@dataclass(frozen=True, slots=True)
class Encoders:
    """What ffmpeg can write."""

    audio: tuple[str, ...]
    video: tuple[str, ...]


ENCODERS = Encoders(
    tuple(name for name in _AUDIO if not _OLD or name not in {"flac", "pcm_s16le", "pcm_s32le"}), WISHES.encoders
)

CONFIG = Option("config_path", "facefusion.ini")
TEMP = Option("temp_path", "", since=(3, 1))  # the default is the system's, known when the program is made
JOBS = Option("jobs_path", ".jobs")
SOURCE = Option("source_paths", short="-s", many=True, free=True)
TARGET = Option("target_path", short="-t")
OUTPUT = Option("output_path", short="-o")
PATTERNS = tuple(Option(f"{kind}_pattern", short="-" + kind[0]) for kind in ("source", "target", "output"))

STEP = (
    Option("face_detector_model", "yoloface" if _OLD else "yolo_face",
           ("many", "retinaface", "scrfd", *(("yoloface",) if _OLD else ("yolo_face", "yunet")))),
    Option("face_detector_size", "640x640", ("640x640",)),
    Option("face_detector_margin", [0, 0, 0, 0], kind=int, many=True, free=True, since=(3, 5)),
    Option("face_detector_angles", [0], (0, 90, 180, 270), kind=int, many=True),
    Option("face_detector_score", 0.5, span="0.0..1.0:0.05"),
    Option(f"face_{_MARKS}_model", "2dfan4", ("many", "2dfan4", "peppa_wutz")),
    Option(f"face_{_MARKS}_score", 0.5, span="0.0..1.0:0.05"),
    Option("face_selector_mode", "reference", ("many", "one", "reference")),
    Option("face_selector_order", "large-small", _ORDERS),
    Option("face_selector_age_start", span="0..100:1"),
    Option("face_selector_age_end", span="0..100:1"),
    Option("face_selector_gender", None, (*_AUTO, "female", "male")),
    Option("face_selector_race", None, (*_AUTO, *_RACES)),
    Option("reference_face_position", 0, kind=int),
    Option("reference_face_distance", 0.6 if _OLD else 0.3, span="0.0..1.5:0.05" if _OLD else "0.0..1.0:0.05"),
    Option("reference_frame_number", 0, kind=int),
    Option("face_tracker_score", 0.0, span="0.0..0.5:0.05", since=(3, 7)),
    Option("face_occluder_model", "xseg_1", ("many", "xseg_1", "xseg_2", "xseg_3"), since=(3, 1)),
    Option("face_parser_model", "bisenet_resnet_34", ("bisenet_resnet_18", "bisenet_resnet_34"), since=(3, 1)),
    Option("face_mask_types", ["box"], ("box", "occlusion", *(() if _OLD else ("area",)), "region"), many=True),
    Option("face_mask_areas", list(_AREAS), _AREAS, many=True, since=(3, 3)),
    Option("face_mask_regions", list(_REGIONS), _REGIONS, many=True),
    Option("face_mask_blur", 0.3, span="0.0..1.0:0.05"),
    Option("face_mask_padding", [0, 0, 0, 0], kind=int, many=True, free=True),
    Option("voice_extractor_model", "kim_vocal_2", ("kim_vocal_1", "kim_vocal_2", "uvr_mdxnet"), since=(3, 4)),
    Option("trim_frame_start", kind=int),
    Option("trim_frame_end", kind=int),
    Option("temp_frame_format", "png", ("bmp", "jpg", "png") if _OLD else ("bmp", "jpeg", "png", "tiff")),
    Option("temp_pixel_format", "bgr24", ("bgr24", "bgra"), since=(3, 8)),
    Option("keep_temp", default=False, flag=True, until=(3, 8)),
    Option("target_frame_amount", 2, span="0..10:1", since=(3, 7)),
    Option("output_image_quality", 80, span="0..100:1"),
    Option("output_image_resolution", until=(3, 4)),
    Option("output_image_scale", 1.0, span="0.25..8.0:0.25", listed=True, since=(3, 4)),
    Option("output_audio_encoder", "aac" if IS_FOUR else ENCODERS.audio[0], ENCODERS.audio),
    Option("output_audio_quality", 80, span="0..100:1", since=(3, 1)),
    Option("output_audio_volume", 100, span="0..100:1", since=(3, 1)),
    Option("output_video_encoder", ENCODERS.video[0], ENCODERS.video),
    Option("output_video_preset", "veryfast", _PRESETS),
    Option("output_video_quality", 80, span="0..100:1"),
    Option("output_video_resolution", until=(3, 4)),
    Option("output_video_scale", 1.0, span="0.25..8.0:0.25", listed=True, since=(3, 4)),
    Option("output_video_fps", kind=float),
    Option("skip_audio", default=False, flag=True, until=(3, 1)),
    Option("output_audio_fps", 25.0, kind=float, since=(4,)),
    Option("workflow_mode", "auto", (*_MODES, *(_MORE_MODES if IS_FOUR else ())), since=(3, 8)),
    Option("workflow_strategy", "memory", ("disk", "memory"), since=(3, 8)),
    *PROCESSOR_OPTIONS,
)  # fmt: skip

EXECUTION = (
    Option("execution_device_ids", [0], kind=int, many=True, free=True, metavar="EXECUTION_DEVICE_IDS", since=(3, 4)),
    Option("execution_device_id", "0", until=(3, 4)),
    Option("execution_providers", [WISHES.providers[0]], WISHES.providers, many=True,
           about=f"inference using different providers (choices: {', '.join(WISHES.providers)}, ...)"),
    Option("execution_thread_count", 8 if VERSION >= (3, 5) else 4, span="1..32:1"),
    Option("execution_queue_count", 1, span="1..4:1", until=(3, 4)),
)  # fmt: skip
DOWNLOAD = (
    Option("skip_download", default=False, flag=True, until=(3, 1)),
    Option("download_providers", ["github", "huggingface"], ("github", "huggingface"), many=True, since=(3, 1),
           about="download using different providers (choices: github, huggingface, ...)"),
)  # fmt: skip
MEMORY = (
    Option("video_memory_strategy", "strict", ("strict", "moderate", "tolerant")),
    Option("system_memory_limit", 0, span="0..128:4", until=(3, 7)),
)
LOG_LEVEL = Option("log_level", "info", ("error", "warn", "info", "debug"))
HALT = Option("halt_on_error", default=False, flag=True, since=(3, 2))
SCOPE = Option("download_scope", "lite", ("lite", "full"), since=(3, 1))

JOB = (*EXECUTION, *DOWNLOAD, *MEMORY, LOG_LEVEL)


def is_known(option: Option) -> bool:
    """Whether this version has an option."""
    return option.since <= VERSION < option.until


STEP_KEYS = ("processors", *(one.name for one in (SOURCE, TARGET, OUTPUT, *STEP) if is_known(one)))
JOB_KEYS = tuple(one.name for one in (CONFIG, TEMP, JOBS, *JOB, HALT) if is_known(one))
