"""The stand-in keeps FaceFusion's measured contract: exit codes, words, files, versions."""

import json
import os
import re
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.fakes.conftest import FRAMES
from tests.fakes.facefusion_root import make_root, write_model, write_settings
from tests.fakes.place import CORE, FAILED, Place, frames_of, sounds_of
from tests.media.media_files import HEIGHT, WIDTH, picture, turn

BAR = re.compile(
    r"(analysing|processing|extracting|merging|downloading):\s+(\d+)%\|[ =]{10}\| \S+/\S+ \[[\d:]+<[\d:?]+,\s+\S+"
)


REFUSED: list[tuple[dict[str, str], str, tuple[str, str] | None]] = [
    ({"target": "image.png", "source": "plain.png"}, CORE + "no source face detected!", FAILED),
    ({"target": "image.png", "source": "broken.png"}, CORE + "no source face detected!", FAILED),
    ({"target": "image.png", "source": "none.png"}, CORE + "choose an image for the source!", FAILED),
    ({"target": "none.png"}, CORE + "choose an image or video for the target!", FAILED),
    ({"target": "image.png", "output": "a.jpg"}, CORE + "match the target and output extension!", FAILED),
    (
        {"target": "image.png", "output": "none/a.png"},
        CORE + "specify the output image or video within a directory!",
        FAILED,
    ),
    ({"target": "red.png"}, CORE + "processing step 1 of 1", FAILED),
    ({"target": "broken.png"}, "AttributeError: 'NoneType' object has no attribute 'shape'", ("queued", "started")),
    (
        {"target": "broken.mp4"},
        "TypeError: float() argument must be a string or a real number, not 'NoneType'",
        None,
    ),
    ({"target": "live.webm"}, "ValueError: could not convert string to float: 'N/A'", None),
]


def test_what_is_refused(place: Place) -> None:
    parts = [place.part(str(number)) for number in range(len(REFUSED))]
    jobs = [part.one_argv(**arguments) for part, (arguments, _, _) in zip(parts, REFUSED, strict=True)]
    for part, ended, (arguments, last, job) in zip(parts, place.warm((job, {}) for job in jobs), REFUSED, strict=True):
        assert (ended.code, ended.last) == (1, last), arguments
        assert part.jobs() == ([job] if job else []), arguments


def test_an_image_in_the_order_of_its_lines(place: Place) -> None:
    ended = place.one("image.png", "--log-level", "debug")
    assert ended.code == 0
    said = [re.sub(r" in [\d.]+ seconds", "", line.split("] ")[1]) for line in ended.lines if "valid" not in line]
    models = ["yoloface_8n", "fan_68_5", "2dfan4", "arcface_w600k_r50", "fairface", "nsfw_1", "nsfw_2", "nsfw_3"]
    assert said == [
        "processing step 1 of 1",
        *(f"loading model {name} succeeded" for name in models),
        "creating temporary resources",
        "copying image with a resolution of 160x120",
        "copying image succeeded",
        "loading model hyperswap_1a_256 succeeded",
        "finalizing image with a resolution of 160x120",
        "finalizing image succeeded",
        "processing to image succeeded",
        "clearing temporary resources",
    ]
    assert sum("validating source" in line for line in ended.lines) == 11
    swapped, plain = cv2.imread(str(place.output("image.png"))), picture(5)
    assert swapped is not None
    assert (swapped[40:80, 54:106] == 255 - plain[40:80, 54:106]).all()
    assert (swapped[:40] == plain[:40]).all()
    assert place.jobs() == [("completed", "completed")]


def test_a_plain_image_is_copied(place: Place) -> None:
    ended = place.one("plain.png", "--log-level", "debug")
    assert ended.code == 0
    assert "loading model hyperswap" not in ended.err
    copied = cv2.imread(str(place.output("plain.png")))
    assert copied is not None
    assert (copied == 90).all()


@pytest.mark.parametrize("strategy", ["memory", "disk"])
def test_a_video_with_its_bars(place: Place, strategy: str) -> None:
    ended = place.one("video.mp4", "--workflow-strategy", strategy)
    assert ended.code == 0
    bars = [match for line in ended.lines if (match := BAR.match(line))]
    phases = (
        ["analysing", "processing"] if strategy == "memory" else ["analysing", "extracting", "processing", "merging"]
    )
    assert list(dict.fromkeys(match[1] for match in bars)) == phases
    assert all([match[2] for match in bars if match[1] == phase][-1] == "100" for phase in phases)
    assert "execution_providers=['cpu']]" in ended.err
    assert len(frames_of(place.output("video.mp4"))) == FRAMES
    assert sounds_of(place.output("video.mp4")) == ["aac"]
    assert list(place.work.glob("temp/facefusion/*")) == []


def test_a_red_video_is_declined_without_a_word(place: Place) -> None:
    ended = place.one("red.mp4", "--log-level", "debug")
    assert ended.code == 1
    assert "rate=100]" in ended.last
    assert "processing:" not in ended.err
    assert place.jobs() == [FAILED]


def test_segments_are_exact(place: Place) -> None:
    options = ("--output-video-quality", 100, "--output-audio-volume", 0)
    ranges = {"a": (), "b": ("--trim-frame-end", 20), "c": ("--trim-frame-start", 20)}
    parts = {name: place.part(name) for name in ranges}
    ends = place.warm((parts[name].one_argv("video.mp4", *options, *more), {}) for name, more in ranges.items())
    assert [ended.code for ended in ends] == [0, 0, 0]
    whole, first, rest = (frames_of(part.output("video.mp4")) for part in parts.values())
    assert len(first) == 20
    assert all((one == other).all() for one, other in zip(whole, first + rest, strict=True))


def test_a_quarter_turn_makes_garbage(place: Place, tmp_path: Path) -> None:
    target = tmp_path / "turned.mp4"
    target.write_bytes((place.media / "silent.mp4").read_bytes())
    turn(target, 90)
    assert place.one(str(target), "--trim-frame-end", "5", output="a.mp4").code == 0
    upright, made = np.rot90(picture(2)), frames_of(place.output("a.mp4"))[2]
    assert made.shape == (HEIGHT, WIDTH, 3)
    sheared = np.ascontiguousarray(upright).reshape(HEIGHT, WIDTH, 3).astype(int)
    assert min(abs(np.rot90(sheared, half)[: HEIGHT // 3] - made[: HEIGHT // 3]).mean() for half in (0, 2)) < 40
    assert abs(picture(2)[: HEIGHT // 3].astype(int) - made[: HEIGHT // 3]).mean() > 40


def _prolong(path: Path, copy: Path) -> None:
    """Write a video anew, with sound that goes on for three seconds more."""
    with av.open(str(path)) as source, av.open(str(copy), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        sound = container.add_stream("aac", rate=48_000)
        assert isinstance(stream, av.VideoStream)
        assert isinstance(sound, av.AudioStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound.codec_context.layout = "mono"
        for frame in source.decode(video=0):
            frame.time_base, frame.pts = Fraction(1, 25), round((frame.time or 0) * 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for _ in range(4 * 48):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), format="fltp", layout="mono")
            silence.sample_rate = 48_000
            container.mux(sound.encode(silence))
        container.mux(sound.encode(None))


def test_sound_that_goes_on_makes_a_black_end(place: Place, tmp_path: Path) -> None:
    _prolong(place.media / "silent.mp4", tmp_path / "long.mp4")
    ended = place.one(str(tmp_path / "long.mp4"), output="a.mp4")
    assert ended.code == 0
    frames = frames_of(place.output("a.mp4"))
    assert len(frames) in {100, 101}
    assert frames[FRAMES - 1].mean() > 30
    assert max(frame.mean() for frame in frames[FRAMES + 1 :]) < 5


SOUND: list[tuple[tuple[str, ...], list[str]]] = [
    (("--output-audio-encoder", "flac"), []),
    (("--output-audio-volume", "0"), []),
    ((), ["aac"]),
]


def test_sound(place: Place) -> None:
    parts = [place.part(str(number)) for number in range(len(SOUND))]
    jobs = [part.one_argv("video.mp4", *more) for part, (more, _) in zip(parts, SOUND, strict=True)]
    for part, ended, (more, kept) in zip(parts, place.warm((job, {}) for job in jobs), SOUND, strict=True):
        assert ended.code == 0
        assert sounds_of(part.output("video.mp4")) == kept
        assert ("restoring audio skipped" in ended.err) == ("flac" in more)


WRONG = [
    (("--nope", "1"), "facefusion.py: error: unrecognized arguments: --nope 1"),
    (
        ("--face-mask-blur", "0.33"),
        "facefusion.py headless-run: error: argument --face-mask-blur: invalid choice: 0.33",
    ),
    (
        ("--face-swapper-model", "nope"),
        "facefusion.py: error: argument --face-swapper-model: invalid choice: 'nope'",
    ),
    (
        ("--execution-providers", "cuda"),
        "facefusion.py headless-run: error: argument --execution-providers: invalid choice: 'cuda'",
    ),
]


def test_wrong_options(place: Place) -> None:
    for ended, (more, last) in zip(
        place.warm((place.one_argv("image.png", *more), {}) for more, _ in WRONG), WRONG, strict=True
    ):
        assert ended.code == 2, more
        assert ended.last.startswith(last)
    assert place.jobs() == []


OPTIONS = {
    "3.0.0": {"--execution-device-id", "--skip-download", "--execution-queue-count", "--output-image-resolution"},
    "3.1.2": {"--execution-device-id", "--download-providers", "--temp-path"},
    "3.4.2": {"--execution-device-ids", "--keep-temp", "--system-memory-limit", "--output-image-scale"},
    "3.7.1": {"--keep-temp", "--face-tracker-score", "--target-frame-amount"},
    "3.8.1": {"--workflow-strategy", "--face-landmarker-model", "--temp-pixel-format"},
    "4.0.0": {"--face-aligner-model", "--output-audio-fps", "--workflow-mode"},
}
COMMANDS = {
    "3.0.0": {"headless-run", "job-run-all"},
    "3.8.1": {"run", "headless-run", "batch-run"},
    "4.0.0": {"run", "api"},
}
WORDS = {
    "3.0.0": (CORE + "Processing step 1 of 1", CORE + "Processing to image succeed in"),
    "3.1.2": (CORE + "Processing step 1 of 1", CORE + "Processing to image succeed in"),
    "3.4.2": (CORE + "Processing step 1 of 1", CORE + "Processing to image succeeded in"),
    "3.7.1": (CORE + "processing step 1 of 1", "[FACEFUSION.IMAGE_TO_IMAGE] processing to image succeeded in"),
    "3.8.1": (CORE + "processing step 1 of 1", "[FACEFUSION.TO_IMAGE] processing to image succeeded in"),
    "4.0.0": (CORE + "processing step 1 of 1", "[FACEFUSION.TO_IMAGE] processing to image succeeded in"),
}


@pytest.mark.parametrize("version", OPTIONS)
def test_versions(place: Place, version: str) -> None:
    write_settings(place.root, version=version, providers=["cuda", "cpu"])
    command = "run" if version == "4.0.0" else "headless-run"
    argv = [str(one) for one in place.one_argv("image.png", command=command)]
    if version == "3.0.0":
        del argv[argv.index("--temp-path") : argv.index("--temp-path") + 2]
    named, helped, told, done = place.warm((job, {}) for job in (["--version"], ["--help"], [command, "--help"], argv))
    assert named.out.strip() == ("FaceFusion v4" if version == "4.0.0" else f"FaceFusion {version}")
    words = set(re.split(r"[\s,{}\[\]]+", helped.out))
    assert COMMANDS.get(version, set()) | {command} <= words
    assert ("headless-run" in words, "batch-run" in words) == (version != "4.0.0", version != "3.0.0")
    known = set(re.split(r"[\s,{}\[\]]+", told.out))
    assert OPTIONS[version] <= known
    assert ("--temp-path" in known, "--workflow-strategy" in known) == (version != "3.0.0", version >= "3.8")
    assert "(choices: cuda, cpu, ...)" in " ".join(told.out.split())
    assert done.code == 0
    assert (done.lines[0], done.last[: len(WORDS[version][1])]) == WORDS[version]


def test_four_loses_the_sound_and_takes_other_extensions(place: Place) -> None:
    write_settings(place.root, version="4.0.0")
    ended = place.one("video.mp4", command="run")
    assert ended.code == 0
    assert "restoring audio skipped" in ended.err
    assert sounds_of(place.output("video.mp4")) == []
    place.fresh()
    assert place.one("image.png", command="run", output="a.jpg").code == 0


def test_the_template_of_a_step_has_all_keys(place: Place) -> None:
    path = place.drafted("image.png")
    args = json.loads(path.read_text())["steps"][0]["args"]
    assert len(args) == 85
    assert list(args)[:4] == ["source_paths", "target_path", "output_path", "face_detector_model"]
    assert args["face_mask_areas"] == ["upper-face", "lower-face", "mouth"]
    ended = place.call("job-run", "probe", *place.own)
    assert (ended.code, ended.last) == (0, CORE + "processing of job None succeeded")


MISSING = [
    ("face_detector_angles", 1, "TypeError: 'NoneType' object is not iterable"),
    ("face_landmarker_model", 1, "TypeError: sequence item 1: expected str instance, NoneType found"),
    ("processors", 1, "TypeError: 'NoneType' object is not iterable"),
    ("workflow_mode", 1, CORE + "processing of job None failed"),
    ("face_selector_mode", 0, CORE + "processing of job None succeeded"),
]


def test_missing_arguments(place: Place) -> None:
    for key, _, _ in MISSING:
        place.drafted("image.png", key.replace("_", "-"), **{key: "missing"})
    jobs = [("job-run", key.replace("_", "-"), *place.own) for key, _, _ in MISSING]
    for ended, (key, code, last) in zip(place.warm((job, {}) for job in jobs), MISSING, strict=True):
        assert (ended.code, ended.last) == (code, last), key
    made = cv2.imread(str(place.output("face-selector-mode.png")))
    assert made is not None
    assert (made == picture(5)).all()


def test_run_all_goes_on_after_a_failure_and_dies_of_a_crash(place: Place) -> None:
    for second, (target, name) in enumerate(
        [("red.png", "a"), ("image.png", "b"), ("broken.png", "c"), ("image.png", "d")]
    ):
        path = place.drafted(target, name)
        os.utime(path, (1_000_000 + second, 1_000_000 + second))
    ended = place.call("job-run-all", *place.own)
    assert ended.code == 1
    assert ended.lines[0] == CORE + "running all queued jobs"
    folders = {path.stem: path.parent.name for path in (place.work / "jobs").glob("*/?.json")}
    assert folders == {"a": "failed", "b": "completed", "c": "queued", "d": "queued"}
    assert not (place.work / "b-b-0.png").exists()
    assert place.call("job-list", "completed", "--jobs-path", place.work / "jobs").code == 1  # it has no dates


def test_batch_is_all_or_nothing(place: Place) -> None:
    pattern = place.media / "[ir][me]*.png"
    ended = place.call(
        *("batch-run", *place.own, "-s", place.media / "source.png", "-t", pattern),
        *("-o", place.work / "{target_name}{target_extension}"),
    )
    assert ended.code == 1
    assert list(place.work.glob("*.png")) == []


def test_elsewhere_there_are_no_processors(place: Place) -> None:
    ended = place.call(*place.one_argv("image.png"), cwd=place.work)
    assert (ended.code, ended.last) == (1, "AttributeError: 'NoneType' object has no attribute 'get'")
    assert place.jobs() == [("queued", "started")]


def test_models(media: Path, tmp_path: Path) -> None:
    place = Place(make_root(tmp_path / "root"), tmp_path / "work", media)
    place.work.mkdir()
    model = place.root / ".assets" / "models" / "hyperswap_1a_256.onnx"

    model.write_bytes(b"wrong")
    ended = place.one("image.png")
    assert ended.lines[1:] == [
        "[FACEFUSION.DOWNLOAD] validating source for hyperswap_1a_256 failed",
        "[FACEFUSION.DOWNLOAD] deleting corrupt source for hyperswap_1a_256",
    ]
    assert not model.exists()

    place.fresh()
    write_model(tmp_path / "mirror", "hyperswap_1a_256")
    write_settings(place.root, download_from=tmp_path / "mirror")
    ended = place.one("image.png")
    assert ended.code == 0
    assert "downloading: 100%|==========|" in ended.err

    place.fresh()
    write_model(model.parent, "hyperswap_1a_256", b"not a model, but what was promised")
    ended = place.one("image.png")
    assert (ended.code, ended.last) == (1, "[FACEFUSION.INFERENCE_MANAGER] loading model hyperswap_1a_256 failed")
    assert place.jobs() == [("queued", "started")]

    place.fresh()
    analyser = place.root / "facefusion" / "content_analyser.py"
    analyser.write_text(analyser.read_text() + "# altered\n")
    ended = place.one("image.png")
    assert (ended.code, ended.lines) == (1, [CORE + "processing step 1 of 1"])
