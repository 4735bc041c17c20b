import argparse
import os
import sys
from pathlib import Path

import pytest

from faceswapd.engines.facefusion import help_text
from faceswapd.engines.facefusion import probe as probing
from faceswapd.engines.facefusion.probe import ProbeError, environment, probe
from tests.engines.facefusion.installations import noting_python, program_in, starts
from tests.fakes.facefusion_root import make_root, write_settings

PYTHON = Path(sys.executable)


async def failure(root: Path, python: Path = PYTHON) -> tuple[str, str]:
    with pytest.raises(ProbeError) as raised:
        await probe(root, python, root.parent / "cache.json")
    return raised.value.failure.category, raised.value.failure.sentence


def make_small(folder: Path, script: str) -> Path:
    """A root whose facefusion.py does this."""
    (folder / "facefusion").mkdir(parents=True)
    for name in ("core.py", "content_analyser.py"):
        (folder / "facefusion" / name).touch()
    (folder / "facefusion.py").write_text(script)
    return folder


@pytest.mark.parametrize(
    ("version", "number", "one_shot", "knows", "lacks"),
    [
        ("3.1.2", (3, 1, 2), "headless-run", "--execution-device-id", "--workflow-strategy"),
        ("3.4.2", (3, 4, 2), "headless-run", "--execution-device-ids", "--workflow-strategy"),
        ("3.8.1", (3, 8, 1), "headless-run", "--workflow-strategy", "--face-aligner-model"),
        ("4.0.0", (4, 0, 0), "run", "--face-aligner-model", "--face-landmarker-model"),
    ],
)
async def test_an_installation_tells_what_it_is(
    tmp_path: Path, version: str, number: tuple[int, int, int], one_shot: str, knows: str, lacks: str
) -> None:
    found = await probe(make_root(tmp_path / "root", version=version), PYTHON, tmp_path / "cache.json")
    assert (found.version, found.one_shot) == (number, one_shot)
    assert found.knows(knows)
    assert not found.knows(lacks)
    assert found.providers == ("cpu",)
    assert "libx264" in found.encoders
    assert found.unaltered
    assert "face_enhancer" in found.choices["--processors"]
    assert found.choices["--execution-thread-count"] == ("[1..32:1]",)


@pytest.mark.parametrize(
    ("version", "words"),
    [("3.7.1", []), ("3.8.0", ["in memory", "frame_enhancer"]), ("3.8.1", ["frame_enhancer"]), ("4.0.0", ["sound"])],
)
async def test_known_faults_of_a_version_are_told(tmp_path: Path, version: str, words: list[str]) -> None:
    found = await probe(make_root(tmp_path / "root", version=version), PYTHON, tmp_path / "cache.json")
    assert len(found.warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, found.warnings, strict=True))


async def test_an_answer_is_kept_until_something_changes(tmp_path: Path) -> None:
    root, python, cache = make_root(tmp_path / "root"), noting_python(tmp_path / "env"), tmp_path / "x" / "cache.json"
    first = await probe(root, python, cache)
    asked = starts(tmp_path / "env")
    assert await probe(root, python, cache) == first
    assert starts(tmp_path / "env") == asked
    write_settings(root, version="4.0.0")
    (root / "facefusion" / "core.py").touch()
    assert (await probe(root, python, cache)).version == (4, 0, 0)
    assert starts(tmp_path / "env") == 2 * asked


@pytest.mark.parametrize("rubbish", ["", "null", "[]", '{"signature": 1}', "\0"])
async def test_a_kept_answer_that_cannot_be_read_is_asked_anew(tmp_path: Path, rubbish: str) -> None:
    root, cache = make_root(tmp_path / "root"), tmp_path / "cache.json"
    cache.write_text(rubbish)
    assert (await probe(root, PYTHON, cache)).version == (3, 8, 1)


async def test_a_kept_answer_of_another_shape_is_asked_anew(tmp_path: Path) -> None:
    root, cache = make_root(tmp_path / "root"), tmp_path / "cache.json"
    first = await probe(root, PYTHON, cache)
    cache.write_text(cache.read_text().replace('"encoders"', '"enc"'))
    assert await probe(root, PYTHON, cache) == first


async def test_a_changed_content_check_is_noticed(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root")
    with (root / "facefusion" / "content_analyser.py").open("a") as file:
        file.write("\n\ndef analyse_image(image_path):\n    return False\n")
    assert not (await probe(root, PYTHON, tmp_path / "cache.json")).unaltered


async def test_an_installation_that_compares_no_more_counts_as_changed(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root")
    core = root / "facefusion" / "core.py"
    core.write_text(core.read_text() + "\n\ndef common_pre_check() -> bool:\n    return True\n")
    assert not (await probe(root, PYTHON, tmp_path / "cache.json")).unaltered


async def test_what_is_no_facefusion_is_told(tmp_path: Path) -> None:
    assert await failure(tmp_path / "x") == ("engine_missing", f"{tmp_path}/x does not exist.")
    category, sentence = await failure(make_root(tmp_path / "old", version="3.0.0"))
    assert category == "engine_missing"
    assert "3.0.0 is too old" in sentence


async def test_a_python_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root")
    category, sentence = await failure(root, tmp_path / "python")
    assert category == "engine_python"
    assert "is not there" in sentence
    (tmp_path / "python").touch(mode=0o644)
    assert "is no program" in (await failure(root, tmp_path / "python"))[1]
    (tmp_path / "python").chmod(0o755)
    (tmp_path / "python").write_text("#!/nowhere/at/all\n")
    assert (await failure(root, tmp_path / "python"))[0] == "engine_python"


@pytest.mark.parametrize(
    ("script", "category", "words"),
    [
        ("import cv3", "engine_python", "lacks the module cv3"),
        ("raise ImportError('numpy.core.multiarray failed to import')", "numpy_abi", ""),
        ("import sys; sys.exit(2)", "bad_ini", ""),
        ("import configparser; configparser.ConfigParser().read_string('x')", "bad_ini", "facefusion.ini"),
        ("match 1:\n  case", "engine_python", "too old"),
        ("print('FaceFusion of tomorrow')", "engine_missing", "of tomorrow"),
        ("print('FaceFusion 3.9.0 {run,batch-run}')", "engine_missing", "no command that swaps one target"),
        ("print('FaceFusion 3.9.0 {run,headless-run}')", "engine_missing", "--face-swapper-model"),
        ("import os; os.abort()", "crashed", ""),
        ("raise ValueError('of a new kind')", "child_start", "ValueError: of a new kind"),
        ("print(' ')", "bad_ini", ""),
    ],
)
async def test_a_broken_installation_says_what_is_broken(
    tmp_path: Path, script: str, category: str, words: str
) -> None:
    told = await failure(make_small(tmp_path / "root", script))
    assert told[0] == category
    assert words in told[1]


@pytest.mark.parametrize("name", ["curl", "ffmpeg", "ffprobe"])
async def test_a_missing_program_is_named(tmp_path: Path, name: str) -> None:
    told = await failure(make_root(tmp_path / "root", missing=(name,)))
    assert told == ("dependency_missing", f"FaceFusion needs {name}, and it is not installed.")


async def test_one_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "QUESTION_SECONDS", 0.5)
    told = await failure(make_small(tmp_path / "root", "import signal\nwhile True: signal.pause()"))
    assert told[0] == "stalled"


async def test_encoders_of_hardware_count_only_where_they_encode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program_in(tmp_path / "bin", "ffmpeg", 'case "$*" in *hevc_nvenc*) exit 0 ;; *) exit 1 ;; esac')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    root = make_root(tmp_path / "root", encoders=("libx264", "h264_nvenc", "hevc_nvenc"))
    found = await probe(root, PYTHON, tmp_path / "cache.json")
    assert found.encoders == found.choices["--output-video-encoder"] == ("libx264", "hevc_nvenc")


def test_a_conda_environment_is_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"/usr/bin:{tmp_path}/bin")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/mine")
    assert "CONDA_PREFIX" not in environment(tmp_path / "bin" / "python")
    (tmp_path / "conda-meta").mkdir()
    entered = environment(tmp_path / "bin" / "python")
    assert entered["CONDA_PREFIX"] == str(tmp_path)
    assert entered["PATH"].split(":")[:2] == [f"{tmp_path}/bin", "/usr/bin"]
    if sys.platform == "linux":
        assert entered["LD_LIBRARY_PATH"] == f"{tmp_path}/lib:/mine"


@pytest.mark.parametrize("columns", [40, 80, 200, 100_000])
def test_help_is_understood_at_any_width(columns: int) -> None:
    parser = argparse.ArgumentParser(
        "facefusion.py", formatter_class=lambda prog: argparse.HelpFormatter(prog, 4, columns // 2, columns)
    )
    group = parser.add_argument_group("face swapper")
    group.add_argument("-s", "--source-paths", nargs="+", help="choose the image or audio paths")
    group.add_argument("--face-swapper-model", choices=["ghost_1_256", "hyperswap_1a_256", "inswapper_128"], help="a-b")
    group.add_argument("--face-mask-blur", metavar="[0.0..1.0:0.05]", help="the blur of the box mask")
    group.add_argument("--age-direction", metavar="[-100..100:1]", help="older")
    group.add_argument("--face-mask-regions", nargs="+", help="the parts (choices: skin, left-eyebrow, upper-lip, ...)")
    group.add_argument("--items", nargs="+", choices=["face-landmark-5/68", "face-mask"], help="the items")
    group.add_argument("--keep-temp", action="store_true", help="keep what is used by --source-paths")
    assert help_text.options(parser.format_help()) == {
        "--help": (),
        "--source-paths": (),
        "--face-swapper-model": ("ghost_1_256", "hyperswap_1a_256", "inswapper_128"),
        "--face-mask-blur": ("[0.0..1.0:0.05]",),
        "--age-direction": ("[-100..100:1]",),
        "--face-mask-regions": ("skin", "left-eyebrow", "upper-lip"),
        "--items": ("face-landmark-5/68", "face-mask"),
        "--keep-temp": (),
    }


def test_no_help_at_all_is_no_error() -> None:
    assert help_text.options("") == {}
    assert help_text.commands("usage: x [-h]") == frozenset()
