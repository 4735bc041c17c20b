from dataclasses import replace

import pytest

from faceswapd.core.ladder import RUNGS, rung
from faceswapd.engines.facefusion.options import Chosen, Device, OptionRefused, always_on_disk, options_for
from tests.engines.facefusion.installations import told

GB = 1_000_000_000
CPU = Device("cpu", ("cpu",), None, 32 * GB, "CPU", 8)
CUDA = Device("cuda", ("cuda", "cpu"), 1, 24 * GB, "NVIDIA GeForce RTX 4090", 8)
APPLE = Device("coreml", ("coreml", "cpu"), None, 16 * GB, "Apple M1 Pro", 8)
ALL = ("libx264", "h264_nvenc", "h264_videotoolbox", "libvpx-vp9")


def value(chosen: Chosen, option: str) -> str | None:
    """What stands behind an option, up to the next one; None: it is not there."""
    words = (*chosen.step, *chosen.process)
    if option not in words:
        return None
    assert words.count(option) == 1
    rest = words[words.index(option) + 1 :]
    return " ".join(rest[: next((place for place, word in enumerate(rest) if word.startswith("--")), len(rest))])


@pytest.mark.parametrize(
    ("preset", "device", "processors", "boost", "blend", "masks", "encoder", "speed", "quality"),
    [
        ("fast", CUDA, "face_swapper", "256x256", None, "box", "h264_nvenc", "ultrafast", "75"),
        ("fast", CPU, "face_swapper", "256x256", None, "box", "libx264", "ultrafast", "75"),
        ("fast", APPLE, "face_swapper", "256x256", None, "box", "h264_videotoolbox", "ultrafast", "75"),
        ("balanced", CUDA, "face_swapper face_enhancer", "512x512", "60", "box occlusion", "h264_nvenc", "veryfast",
         "80"),
        ("balanced", CPU, "face_swapper face_enhancer", "256x256", "60", "box occlusion", "libx264", "veryfast", "80"),
        ("best", CUDA, "face_swapper face_enhancer", "1024x1024", "50", "box occlusion region", "libx264", "slow",
         "92"),
        ("best", CPU, "face_swapper face_enhancer", "512x512", "50", "box occlusion region", "libx264", "slow", "92"),
    ],
)  # fmt: skip
def test_a_preset_fits_its_device(
    preset: str,
    device: Device,
    processors: str,
    boost: str,
    blend: str | None,
    masks: str,
    encoder: str,
    speed: str,
    quality: str,
) -> None:
    chosen = options_for(preset, told(encoders=ALL), device)
    assert value(chosen, "--processors") == processors
    assert value(chosen, "--face-swapper-model") == "hyperswap_1a_256"
    assert value(chosen, "--face-swapper-pixel-boost") == boost
    assert value(chosen, "--face-enhancer-blend") == blend
    assert value(chosen, "--face-enhancer-model") == (blend and "gfpgan_1.4")
    assert value(chosen, "--face-mask-types") == masks
    assert value(chosen, "--output-video-encoder") == encoder
    assert value(chosen, "--output-video-preset") == speed
    assert value(chosen, "--output-video-quality") == quality
    assert value(chosen, "--face-selector-mode") == "one"
    assert value(chosen, "--face-selector-order") == "large-small"
    assert value(chosen, "--output-audio-encoder") == "aac"
    assert value(chosen, "--workflow-strategy") == "memory"


@pytest.mark.parametrize("preset", ["fast", "balanced", "best"])
@pytest.mark.parametrize("version", [(3, 1, 2), (3, 3, 0), (3, 4, 2), (3, 5, 0), (3, 8, 1), (4, 0, 0)])
@pytest.mark.parametrize("device", [CPU, CUDA, APPLE])
def test_only_what_the_version_has_is_said(preset: str, version: tuple[int, int, int], device: Device) -> None:
    installation = told(version)
    chosen = options_for(preset, installation, device)
    said = {word for word in (*chosen.step, *chosen.process) if word.startswith("--")}
    assert said <= installation.choices.keys()
    assert value(chosen, "--face-swapper-model") in installation.choices["--face-swapper-model"]
    assert value(chosen, "--log-level") == "debug"


@pytest.mark.parametrize(
    ("version", "device", "model", "boost"),
    [
        ((3, 4, 2), CPU, "inswapper_128_fp16", "128x128"),
        ((3, 4, 2), CUDA, "hyperswap_1a_256", "256x256"),
        ((3, 1, 2), CUDA, "inswapper_128_fp16", "256x256"),
        ((3, 1, 2), replace(CUDA, name="NVIDIA GeForce GTX 1660 Ti"), "inswapper_128", "256x256"),
        ((3, 8, 1), replace(CPU, memory_bytes=5 * GB), "inswapper_128_fp16", "128x128"),
        ((3, 8, 1), replace(CPU, memory_bytes=None), "hyperswap_1a_256", "256x256"),
    ],
)
def test_old_versions_and_small_machines_get_the_small_swapper(
    version: tuple[int, int, int], device: Device, model: str, boost: str
) -> None:
    chosen = options_for("fast", told(version), device)
    assert value(chosen, "--face-swapper-model") == model
    assert value(chosen, "--face-swapper-pixel-boost") == boost


@pytest.mark.parametrize(
    ("device", "gigabytes", "threads"),
    [
        (CUDA, 4.0, "2 1 1"),
        (CUDA, 8.5, "4 3 2"),
        (CUDA, 12.9, "6 4 4"),
        (CUDA, 17.1, "6 4 4"),
        (CUDA, 25.7, "8 8 6"),
        (CUDA, None, "4 3 2"),
        (APPLE, 64.0, "2 2 2"),
        (replace(CUDA, kind="tensorrt"), 24.0, "2 2 2"),
        (CPU, 64.0, "4 4 4"),
        (replace(CPU, cores=1), 64.0, "1 1 1"),
        (replace(CPU, cores=None), 64.0, "2 2 2"),
    ],
)
def test_threads_follow_the_device_and_its_memory(device: Device, gigabytes: float | None, threads: str) -> None:
    memory = None if gigabytes is None else int(gigabytes * GB)
    chosen = [
        options_for(preset, told(), replace(device, memory_bytes=memory)) for preset in ("fast", "balanced", "best")
    ]
    assert " ".join(str(value(one, "--execution-thread-count")) for one in chosen) == threads


@pytest.mark.parametrize(
    ("gigabytes", "strategy"), [(6.0, "strict"), (8.5, "moderate"), (16.8, "tolerant"), (None, "moderate")]
)
def test_models_stay_loaded_where_there_is_room(gigabytes: float | None, strategy: str) -> None:
    memory = None if gigabytes is None else int(gigabytes * GB)
    chosen = options_for("fast", told(), replace(CUDA, memory_bytes=memory))
    assert value(chosen, "--video-memory-strategy") == strategy


def test_the_configuration_goes_before_the_device() -> None:
    chosen = options_for("fast", told(), CPU, threads=7, memory="moderate")
    assert value(chosen, "--execution-thread-count") == "7"
    assert value(chosen, "--video-memory-strategy") == "moderate"


def test_each_rung_asks_for_less() -> None:
    said = [
        [
            value(options_for("best", told(), CUDA, one), option)
            for option in (
                "--video-memory-strategy",
                "--execution-thread-count",
                "--face-swapper-pixel-boost",
                "--workflow-strategy",
            )
        ]
        for one in RUNGS
    ]
    assert said == [
        ["tolerant", "6", "1024x1024", "memory"],
        ["strict", "3", "1024x1024", "memory"],
        ["strict", "1", "768x768", "memory"],
        ["strict", "1", "768x768", "disk"],
        ["strict", "1", "768x768", "disk"],
    ]


def test_a_rung_goes_before_the_configuration_and_ends_at_the_smallest_boost() -> None:
    chosen = options_for("fast", told(), CPU, rung(2), threads=8, memory="tolerant")
    assert value(chosen, "--face-swapper-pixel-boost") == "256x256"
    assert value(chosen, "--execution-thread-count") == "1"
    assert value(chosen, "--video-memory-strategy") == "strict"


@pytest.mark.parametrize(
    ("version", "processors", "strategy"),
    [
        ((3, 7, 1), "face_swapper frame_enhancer", None),
        ((3, 8, 0), "face_swapper", "disk"),
        ((3, 8, 1), "face_swapper", "memory"),
        ((3, 8, 1), "face_swapper frame_enhancer", "disk"),
        ((3, 8, 2), "face_swapper frame_enhancer", "memory"),
        ((4, 0, 0), "face_swapper", "disk"),
    ],
)
def test_frames_go_through_the_disk_where_memory_damages_them(
    version: tuple[int, int, int], processors: str, strategy: str | None
) -> None:
    extra = (("processors", processors),)
    assert value(options_for("fast", told(version), CPU, extra=extra), "--workflow-strategy") == strategy


@pytest.mark.parametrize(
    ("version", "device", "expected"),
    [
        ((3, 8, 1), CUDA, ("--execution-providers", "cuda", "cpu", "--execution-device-ids", "1")),
        ((3, 1, 2), CUDA, ("--execution-providers", "cuda", "cpu", "--execution-device-id", "1")),
        ((3, 8, 1), APPLE, ("--execution-providers", "coreml", "cpu", "--execution-thread-count", "2")),
    ],
)
def test_a_device_is_named_in_the_versions_words(
    version: tuple[int, int, int], device: Device, expected: tuple[str, ...]
) -> None:
    assert options_for("fast", told(version), device).process[: len(expected)] == expected


def test_webm_takes_codings_of_its_own() -> None:
    chosen = options_for("fast", told(encoders=ALL), CUDA, suffix=".WebM")
    assert value(chosen, "--output-video-encoder") == "libvpx-vp9"
    assert value(chosen, "--output-audio-encoder") == "libopus"


def test_without_libx264_another_encoder_is_taken_and_without_any_none_is_named() -> None:
    assert (
        value(options_for("best", told(encoders=("h264_qsv", "rawvideo")), CPU), "--output-video-encoder") == "h264_qsv"
    )
    assert value(options_for("best", told(encoders=("rawvideo",)), CPU), "--output-video-encoder") is None


def test_single_options_lie_over_the_preset() -> None:
    extra = (("face_enhancer_blend", "30"), ("face_swapper_pixel_boost", "768x768"), ("face_swapper_weight", "1"))
    chosen = options_for("best", told(), CPU, extra=extra)
    assert value(chosen, "--face-enhancer-blend") == "30"
    assert value(chosen, "--face-swapper-pixel-boost") == "768x768"
    assert value(chosen, "--face-swapper-weight") == "1"
    assert value(chosen, "--face-mask-types") == "box occlusion region"


def test_a_swapper_of_the_user_gets_a_boost_that_it_takes() -> None:
    chosen = options_for("fast", told(), CPU, extra=(("face_swapper_model", "simswap_unofficial_512"),))
    assert value(chosen, "--face-swapper-pixel-boost") == "512x512"


def test_an_option_that_version_4_renamed_is_said_in_its_words() -> None:
    extra = (("face_landmarker_score", "0.7"),)
    assert value(options_for("fast", told(), CPU, extra=extra), "--face-landmarker-score") == "0.7"
    renamed = options_for("fast", told((4, 0, 0)), CPU, extra=extra)
    assert value(renamed, "--face-aligner-score") == "0.7"
    assert value(renamed, "--face-landmarker-score") is None


@pytest.mark.parametrize(
    ("version", "name", "wrong", "said"),
    [
        ((3, 1, 2), "face_swapper_weight", "1.0", "FaceFusion 3.1.2 cannot do what is asked: face_swapper_weight"),
        ((3, 1, 2), "face_swapper_weight", "1.0", "the installed FaceFusion does not have this option."),
        ((3, 8, 1), "face_swapper_pixel_boost", "128x128", "Allowed: 256x256, 512x512, 768x768, 1024x1024."),
        ((3, 8, 1), "face_swapper_model", "ghost_1", "Did you mean ghost_1_256?"),
        ((3, 8, 1), "output_video_encoder", "h264_nvenc", "Allowed: libx264."),
        ((3, 8, 1), "temp_path", "/etc", "no option that a preset or a job can set"),
        ((3, 8, 1), "content_analyser_model", "none", "no option that a preset or a job can set"),
    ],
)  # fmt: skip
def test_what_the_user_asks_for_and_is_not_there_is_refused(
    version: tuple[int, int, int], name: str, wrong: str, said: str
) -> None:
    with pytest.raises(OptionRefused) as raised:
        options_for("fast", told(version), CPU, extra=((name, wrong),))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("version", "always"), [((3, 7, 1), True), ((3, 8, 0), True), ((3, 8, 1), False), ((4, 0, 0), True)]
)
def test_which_versions_always_take_frames_through_the_disk(version: tuple[int, int, int], always: bool) -> None:  # noqa: FBT001
    assert always_on_disk(told(version)) is always
