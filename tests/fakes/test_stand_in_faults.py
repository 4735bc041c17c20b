"""What goes wrong in the stand-in when a test asks for it; what work costs; how it does in a warm process."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.fakes.facefusion_root import MEASURED, write_settings
from tests.fakes.place import Place

SOFT = [
    ("exit0_nothing", 0, "processing step"),
    ("truncated_output", 0, "processing to image succeeded"),
    ("disk_full_output", 0, "No space left on device"),
    ("disk_full_temp", 1, "copying image failed"),
    ("disk_full", 1, r"OSError: \[Errno 28\] No space left on device"),
    ("oom_cuda", 1, "Failed to allocate memory for requested buffer"),
    ("oom_python", 1, "MemoryError: Unable to allocate"),
    ("traceback", 1, "RuntimeError: the stand-in"),
    ("nsfw", 1, "nsfw_3 succeeded"),
    ("no_face", 1, "no source face detected!"),
    ("nothing_swapped", 0, "processing to image succeeded"),
    ("content_analyser_modified", 1, "processing step 1 of 1"),
    ("provider_fallback", 0, r"Falling back to \['CPUExecutionProvider'\]"),
    ("memory_growth", 0, "processing to image succeeded"),
]


def test_faults_that_a_process_outlives(place: Place) -> None:
    parts = [place.part(fault) for fault, _, _ in SOFT]
    for part in parts:  # verdicts are kept by path
        (part.work / "target.png").write_bytes((place.media / "image.png").read_bytes())
    jobs = [part.one_argv(str(part.work / "target.png"), "--log-level", "debug", output="a.png") for part in parts]
    asked = [(job, {"fault": fault, "growth_mb": 8}) for job, (fault, _, _) in zip(jobs, SOFT, strict=True)]
    for ended, (fault, code, pattern) in zip(place.warm(asked), SOFT, strict=True):
        assert ended.code == code, fault
        assert re.search(pattern, ended.err), fault
    sizes = {
        fault: part.output("a.png").stat().st_size
        for part, (fault, code, _) in zip(parts, SOFT, strict=True)
        if part.output("a.png").exists()
    }
    assert sizes["truncated_output"] == sizes["disk_full_output"] == sizes["memory_growth"] // 2


@pytest.mark.parametrize(
    ("fault", "code", "pattern"),
    [
        ("model_load", 1, "loading model hyperswap_1a_256 failed"),
        ("killed", -9, "copying image"),
        ("segfault", -11, "copying image"),
        ("dies_at_import", 1, "ImportError"),
        ("rubbish", 0, "\ufffd"),
        ("rubbish_on_stdout", 0, "processing to image succeeded"),
    ],
)
def test_faults_that_a_process_does_not_outlive(place: Place, fault: str, code: int, pattern: str) -> None:
    write_settings(place.root, fault=fault)
    ended = place.one("image.png", "--log-level", "debug")
    assert ended.code == code
    assert re.search(pattern, ended.err)
    assert bool(ended.out) == fault.startswith("rubbish")


@pytest.mark.parametrize("fault", ["hang", "hang_pipe", "stalled_download", "ignore_term"])
def test_faults_that_never_end(place: Place, fault: str) -> None:
    write_settings(place.root, fault=fault)
    mark = {"stalled_download": b"downloading:   0%", "ignore_term": b"ignoring the wish"}.get(
        fault, b"copying image succeeded"
    )
    argv = place.argv(*place.one_argv("image.png", "--log-level", "debug"))
    with subprocess.Popen(argv, cwd=place.root, stderr=subprocess.PIPE, bufsize=0, start_new_session=True) as child:
        assert child.stderr is not None
        heard = b""
        while mark not in heard:
            piece = child.stderr.read(4096)
            assert piece, heard
            heard += piece
        os.killpg(child.pid, signal.SIGTERM)
        if fault == "ignore_term":
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(0.2)
            os.killpg(child.pid, signal.SIGKILL)
        assert child.wait(10) in {-signal.SIGTERM, -signal.SIGKILL}
    assert place.jobs() == [("queued", "started")]


def test_an_interrupt_ends_with_zero(place: Place) -> None:
    write_settings(place.root, fault="hang")
    argv = place.argv(*place.one_argv("image.png", "--log-level", "debug"))
    with subprocess.Popen(argv, cwd=place.root, stderr=subprocess.PIPE, bufsize=0) as child:
        assert child.stderr is not None
        heard = b""
        while b"copying image succeeded" not in heard:
            heard += child.stderr.read(4096)
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 0
    assert list(place.work.glob("temp/facefusion/*")) == []
    assert place.jobs() == [("queued", "started")]


def test_a_fault_happens_once_or_on_one_step(place: Place, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    marker.touch()
    write_settings(place.root, fault="traceback", fault_file=marker)
    assert place.one("image.png").code == 1
    place.fresh()
    assert place.one("image.png").code == 0
    write_settings(place.root, fault="no_face", fault_on=2)
    for name in "abc":
        place.drafted("image.png", name)
    assert place.call("job-run-all", *place.own).code == 1
    assert sorted(path.parent.name for path in (place.work / "jobs").glob("*/?.json")) == [
        "completed",
        "completed",
        "failed",
    ]


REMEDIES = {
    "strict": ("--video-memory-strategy", "strict"),
    "one_thread": ("--execution-thread-count", "1"),
    "disk": ("--workflow-strategy", "disk"),
    "segment": ("--trim-frame-end", "10"),
}


def test_out_of_memory_unless(place: Place) -> None:
    asked = []
    for remedy, more in REMEDIES.items():
        for part, options in ((place.part(remedy + "-without"), ()), (place.part(remedy), more)):
            argv = part.one_argv("image.png", "--video-memory-strategy", "tolerant", *options)
            asked.append((argv, {"oom_unless": remedy}))
    ends = place.warm(asked)
    assert [ended.code for ended in ends] == [1, 0] * len(REMEDIES)
    assert all("Failed to allocate memory" in ended.last for ended in ends[::2])


def test_a_warm_process_tells_the_inner_code(place: Place) -> None:
    place.drafted("image.png", "a")
    place.drafted("red.png", "b")
    place.drafted("image.png", "c", source_paths=[str(place.media / "plain.png")])
    ends = place.warm((("job-run", name, *place.own), {}) for name in "abc")
    assert [(ended.code, ended.inner) for ended in ends] == [(0, 0), (1, 3), (1, 2)]


def test_costs_are_those_that_were_measured(place: Place) -> None:
    """At a tenth: a loop takes 6.4 to 7 s for an image; a warm process that remembers, 0.22 s from the second on."""
    scale = 0.1
    write_settings(place.root, costs=MEASURED, scale=scale)
    start = time.monotonic()
    assert place.one("image.png").code == 0
    cold = time.monotonic() - start
    assert cold > 6.4 * scale
    for name in "abc":
        place.drafted("image.png", name)
    tolerant = ("--video-memory-strategy", "tolerant")
    ends = place.warm(((("job-run", name, *place.own, *tolerant), {}) for name in "abc"), remember=True)
    assert [ended.code for ended in ends] == [0, 0, 0]
    assert ends[0].seconds > 4.0 * scale
    assert ends[2].seconds < ends[0].seconds / 2


def test_a_verdict_is_kept_by_path(place: Place) -> None:
    """A file that was replaced by another one under its name gets the old verdict, and so is not even looked at."""
    ends = place.warm(
        [(place.part(name).one_argv("image.png"), {"fault": fault}) for name, fault in (("a", ""), ("b", "nsfw"))]
    )
    assert [ended.inner for ended in ends] == [0, 0]
