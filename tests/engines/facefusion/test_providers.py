import base64
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from faceswapd.children import program
from faceswapd.engines.facefusion import provider_probe, providers
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.options import Device
from faceswapd.engines.facefusion.provider_words import Answer, complaint, needs, pair, read
from faceswapd.engines.facefusion.providers import (
    Card,
    ProviderReport,
    cards_in,
    choose,
    devices_of,
    nvidia_cards,
    really_runs,
    report_of,
)
from tests.engines.facefusion.installations import program_in, starts, told

CARDS = """\
0, GPU-aaaa1111, 24564, NVIDIA GeForce RTX 4090
1, GPU-bbbb2222, 8192, NVIDIA GeForce RTX 3070, Laptop
"""
MISSING = (
    "[1;31m2026-01-01 00:00:00.1 [E:onnxruntime:Default, provider_bridge_ort.cc:2359 TryGetProviderInfo_CUDA] "
    "/a/provider_bridge_ort.cc:1952 onnxruntime::Provider& [ONNXRuntimeError] : 1 : FAIL : Failed to load library "
    "/x/libonnxruntime_providers_cuda.so with error: libcudnn.so.9: cannot open shared object file: No such file"
)


def telling(folder: Path, script: str) -> Installation:
    """An installation with a Python that does this; `$2` is the provider that it is asked to try."""
    python = program_in(folder / "bin", "python", f'printf x >> "{folder}/starts"\n{script}')
    return replace(told(), root=folder, python=python, providers=("cuda", "cpu"))


def answer(really: str, milliseconds: float) -> str:
    return (
        f'echo \'{{"package": "onnxruntime-gpu", "version": "1.24.4", "cuda": "12.8", "really": "{really}", '
        f'"milliseconds": {milliseconds}, "error": null}}\''
    )


ON_CARD = (
    f'case "$2" in CUDA*) {answer("CUDAExecutionProvider", 2.0)};; *) {answer("CPUExecutionProvider", 50.0)};; esac'
)


async def test_the_processor_truly_runs_here(tmp_path: Path) -> None:
    installation = replace(told(), root=tmp_path, python=Path(sys.executable))
    (report,) = await really_runs(installation, tmp_path / "cache.json")
    assert report.runs
    assert (report.name, report.really, report.problem, report.speedup) == ("cpu", "cpu", None, 1.0)
    assert report.milliseconds is not None
    assert 0 < report.milliseconds < 60_000


async def test_one_that_onnx_runtime_lacks_is_told(tmp_path: Path) -> None:
    installation = replace(told(), root=tmp_path, python=Path(sys.executable), providers=("rocm", "cpu"))
    rocm, cpu = await really_runs(installation, tmp_path / "cache.json")
    assert (rocm.runs, rocm.really, cpu.runs) == (False, "cpu", True)
    assert rocm.problem == (
        "The execution provider rocm does not run: ONNX Runtime was installed without it. "
        "FaceFusion would run on the processor without a word."
    )


async def test_a_card_is_measured_against_the_processor(tmp_path: Path) -> None:
    cuda, cpu = await really_runs(telling(tmp_path, ON_CARD), tmp_path / "cache.json")
    assert (cuda.runs, cuda.speedup, cuda.milliseconds, cuda.problem) == (True, 25.0, 2.0, None)
    assert (cpu.runs, cpu.speedup) == (True, 1.0)


async def test_a_card_that_is_replaced_without_a_word_is_noticed(tmp_path: Path) -> None:
    script = f"echo '{MISSING}' >&2; {answer('CPUExecutionProvider', 50.0)}"
    cuda, cpu = await really_runs(telling(tmp_path, script), tmp_path / "cache.json")
    assert cpu.runs
    assert (cuda.runs, cuda.really) == (False, "cpu")
    assert cuda.problem == (
        "The execution provider cuda does not run: the library libcudnn.so.9 is missing or does not fit. "
        "onnxruntime-gpu 1.24.4 needs CUDA 12 and cuDNN 9. FaceFusion would run on the processor without a word."
    )
    assert cuda.advice


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("kill -ABRT $$", "its process was ended by SIGABRT"),
        ("echo 'Illegal instruction' >&2; exit 1", "Illegal instruction"),
        ("exit 1", "it says nothing of the reason"),
        ("echo '[]'", "it says nothing of the reason"),
        ('echo \'{"error": "RuntimeError: CUDA failure 100: no CUDA-capable device is detected"}\'',
         "no graphics card is seen"),
        ("exec sleep 600", "it did not answer within 0 seconds"),
    ],
)  # fmt: skip
async def test_a_trial_may_end_in_any_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    if "sleep" in script:
        monkeypatch.setattr(providers, "TRIAL_SECONDS", 0.3)
    (cpu,) = await really_runs(replace(telling(tmp_path, script), providers=("cpu",)), tmp_path / "cache.json")
    assert not cpu.runs
    assert words in str(cpu.problem)


async def test_an_answer_is_kept_where_all_run(tmp_path: Path) -> None:
    installation = telling(tmp_path, ON_CARD)
    first = await really_runs(installation, tmp_path / "cache.json")
    assert await really_runs(installation, tmp_path / "cache.json") == first
    assert starts(tmp_path) == 2


async def test_what_does_not_run_is_tried_again_the_next_time(tmp_path: Path) -> None:
    installation = telling(tmp_path, answer("CPUExecutionProvider", 50.0))
    await really_runs(installation, tmp_path / "cache.json")
    await really_runs(installation, tmp_path / "cache.json")
    assert starts(tmp_path) == 4


@pytest.mark.parametrize(
    ("speeds", "wanted", "expected"),
    [
        ({"cuda": 20.0}, None, ("cuda", "cpu")),
        ({"cuda": 20.0, "openvino": 3.0}, None, ("cuda", "cpu")),
        ({"coreml": 0.7}, None, ("cpu",)),
        ({"coreml": 1.1}, None, ("cpu",)),
        ({"coreml": 3.0}, None, ("coreml", "cpu")),
        ({"tensorrt": 40.0, "cuda": 20.0}, None, ("cuda", "cpu")),
        ({"cuda": None}, None, ("cpu",)),
        ({}, None, ("cpu",)),
        ({"cuda": 20.0}, ("tensorrt", "cuda", "cuda"), ("tensorrt", "cuda")),
        ({"cuda": 20.0}, ("cpu",), ("cpu",)),
    ],
)
def test_the_quickest_that_runs_is_taken_with_the_processor_behind_it(
    speeds: dict[str, float | None], wanted: tuple[str, ...] | None, expected: tuple[str, ...]
) -> None:
    reports = [
        ProviderReport(name, offered=True, runs=speed is not None, speedup=speed) for name, speed in speeds.items()
    ]
    assert choose([*reports, ProviderReport("cpu", offered=True, runs=True, speedup=1.0)], wanted) == expected


def test_what_was_not_tried_is_not_offered() -> None:
    cpu = ProviderReport("cpu", offered=True, runs=True)
    assert report_of([cpu], "cpu") == cpu
    assert (report_of([cpu], "qnn").offered, report_of([cpu], "qnn").runs) == (False, False)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, ["0 RTX 4090", "1 RTX 3070, Laptop"]),
        ("1", ["0 RTX 3070, Laptop"]),
        ("1,0", ["0 RTX 3070, Laptop", "1 RTX 4090"]),
        ("GPU-bbbb", ["0 RTX 3070, Laptop"]),
        ("0,7,1", ["0 RTX 4090"]),
        ("", []),
        ("-1", []),
    ],
)
def test_cards_are_numbered_as_cuda_sees_them(visible: str | None, expected: list[str]) -> None:
    cards = cards_in(CARDS, visible)
    assert [f"{card.index} {card.name.removeprefix('NVIDIA GeForce ')}" for card in cards] == expected


def test_what_nvidia_smi_says_besides_is_no_card() -> None:
    assert cards_in("No devices were found\n", None) == ()
    assert cards_in("0, GPU-1, [N/A], NVIDIA GB10\n", None) == (Card(0, "NVIDIA GB10", 0),)


async def test_each_card_is_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program_in(tmp_path, "nvidia-smi", f"cat <<'END'\n{CARDS}END")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    reports = (ProviderReport("cuda", offered=True, runs=True, speedup=9.0),)
    found = await devices_of(told(), reports)
    assert [(one.kind, one.providers, one.index, one.name, one.memory_bytes) for one in found] == [
        ("cuda", ("cuda", "cpu"), 0, "NVIDIA GeForce RTX 4090 0", 24564 << 20),
        ("cuda", ("cuda", "cpu"), 1, "NVIDIA GeForce RTX 3070, Laptop 1", 8192 << 20),
    ]
    (second,) = await devices_of(told(), reports, device_ids=(1, 1))
    assert (second.index, second.name) == (1, "NVIDIA GeForce RTX 3070, Laptop")
    (unknown,) = await devices_of(told(), reports, device_ids=(5,))
    assert (unknown.index, unknown.memory_bytes, unknown.name) == (5, None, "GPU 5")
    (cpu,) = await devices_of(told(), reports, providers=("cpu",))
    assert (cpu.kind, cpu.index, cpu.name) == ("cpu", None, "CPU")


async def test_without_nvidia_smi_there_is_one_card_and_otherwise_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await nvidia_cards() == ()
    (card,) = await devices_of(told(), (), providers=("cuda", "cpu"))
    assert (card.kind, card.index, card.memory_bytes) == ("cuda", 0, None)
    (apple,) = await devices_of(told(), (ProviderReport("coreml", offered=True, runs=True, speedup=4.0),))
    assert (apple.kind, apple.providers, apple.index) == ("coreml", ("coreml", "cpu"), None)
    (machine,) = await devices_of(told(), ())
    assert isinstance(machine, Device)
    assert machine.memory_bytes is not None
    assert machine.cores is not None


async def test_a_driver_that_answers_no_more_shows_no_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program_in(tmp_path, "nvidia-smi", "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert await nvidia_cards() == ()


@pytest.mark.parametrize(
    ("version", "cuda", "expected"),
    [
        ("1.16.3", None, ("11.8", "8")),
        ("1.18.0", None, ("12", "8")),
        ("1.18.1", None, ("12", "9")),
        ("1.22.0", None, ("12", "9")),
        ("1.24.4", "12.8", ("12", "9")),
        ("1.28.0", "13.0", ("13", "9")),
        ("1.28.0", None, ("13", "9")),
        ("1.17.1", "12.2", ("12", "8")),
        ("1.20.0", "11.8", ("11", "9")),
        ("", None, ("12", "9")),
    ],
)
def test_the_cuda_and_cudnn_follow_the_installed_onnx_runtime(
    version: str, cuda: str | None, expected: tuple[str, str]
) -> None:
    told_by = Answer("onnxruntime-gpu", version, cuda)
    assert pair(told_by) == expected
    assert f"CUDA {expected[0]} and cuDNN {expected[1]}" in needs(told_by)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (MISSING, "the library libcudnn.so.9 is missing or does not fit"),
        ("OSError: libcublasLt.so.12: cannot open shared object file", "the library libcublasLt.so.12 is missing"),
        ("libcuda.so.1: cannot open shared object file", "the graphics driver is not installed"),
        ("CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version", "driver is too old"),
        ("cudaErrorNoKernelImageForDevice: no kernel image is available", "no code for this graphics card"),
        ("EP Error Please install TensorRT libraries as mentioned", "the TensorRT libraries are missing"),
        ("EP Error something new\n when using", "something new"),
    ],
)
def test_what_onnx_runtime_complains_of_becomes_a_reason(said: str, reason: str) -> None:
    assert reason in complaint(said, 0, Answer())


def test_rubbish_is_no_answer() -> None:
    assert read("") == read("null") == read('{"milliseconds": "x"}') == Answer()


async def test_the_script_needs_nothing_of_ours() -> None:
    path = Path(provider_probe.__file__)
    assert 500 < len(base64.b64decode(provider_probe.MODEL)) < 1000
    ended = await program.run((sys.executable, "-I", str(path)), seconds=120)
    assert read(ended.out).version
    assert read(ended.out).really is None
