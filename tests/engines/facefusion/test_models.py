"""What a preset needs is asked from an installation; what lies on the disk is proved once."""

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from faceswapd.engines.facefusion import models
from faceswapd.engines.facefusion.models import Condition, ModelFile, ModelsUnknown, check, needs, unneeded
from tests.engines.facefusion.small_root import installed, small_root
from tests.engines.facefusion.weights_server import crc

GITHUB = "https://github.com/facefusion/facefusion-assets/releases/download/models-3.3.0"
HUGGINGFACE = "https://huggingface.co/facefusion/models-3.3.0/resolve/main"
MIRROR = "https://hf-mirror.com/facefusion/models-3.3.0/resolve/main"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_root(tmp_path / "facefusion")


async def test_a_version_tells_itself_which_files_it_would_check(root: Path, tmp_path: Path) -> None:
    files = await needs(installed(root), ("--processors", "face_swapper"), tmp_path / "cache")
    folder = root / ".assets" / "models"
    assert [(file.name, file.needed_by) for file in files] == [
        ("nsfw_1", "content_analyser"),
        ("swap.1", "face_swapper"),
    ]
    assert files[1] == ModelFile(
        name="swap.1",
        path=folder / "swap.1.onnx",
        hash_path=folder / "swap.1.hash",
        urls=(f"{GITHUB}/swap.1.onnx", f"{HUGGINGFACE}/swap.1.onnx", f"{MIRROR}/swap.1.onnx"),
        hash_urls=(f"{GITHUB}/swap.1.hash", f"{HUGGINGFACE}/swap.1.hash", f"{MIRROR}/swap.1.hash"),
        needed_by="face_swapper",
    )
    assert not folder.exists()  # nothing was fetched


async def test_other_arguments_need_other_files(root: Path, tmp_path: Path) -> None:
    words = ("--processors", "face_swapper", "face_enhancer", "--download-providers", "huggingface")
    files = await needs(installed(root), words, tmp_path / "cache")
    assert [file.name for file in files] == ["nsfw_1", "swap.1", "enhance"]
    assert files[2].urls == tuple(f"{place}/enhance.onnx" for place in (HUGGINGFACE, MIRROR, GITHUB))


async def test_version_4_is_asked_by_its_own_command(root: Path, tmp_path: Path) -> None:
    files = await needs(installed(root, (4, 0, 0)), ("--processors", "face_swapper"), tmp_path / "cache")
    assert len(files) == 2


async def test_an_answer_is_kept_until_the_installation_changes(root: Path, tmp_path: Path) -> None:
    installation, cache = installed(root), tmp_path / "cache"
    words = ("--processors", "face_swapper")
    first = await needs(installation, words, cache)
    count = root / "asked"
    assert await needs(installation, words, cache) == first
    assert count.read_text(encoding="utf-8") == "x"
    (root / "facefusion.ini").write_text("[processors]\n", encoding="utf-8")
    await needs(installation, words, cache)
    core = root / "facefusion" / "core.py"
    core.write_text(core.read_text(encoding="utf-8") + "\n# another version\n", encoding="utf-8")
    await needs(installation, words, cache)
    assert count.read_text(encoding="utf-8") == "xxx"
    for kept in cache.iterdir():
        kept.write_text("rubbish", encoding="utf-8")
    assert await needs(installation, words, cache) == first


async def test_arguments_that_are_refused_are_told(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelsUnknown, match="unrecognized arguments: --nonsense"):
        await needs(installed(root), ("--nonsense",), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("fault", "told"), [("raise SystemExit('broken')", "broken"), ("import no_such_thing", "named 'no_such_thing'")]
)
async def test_an_installation_that_is_broken_tells_nothing(root: Path, tmp_path: Path, fault: str, told: str) -> None:
    (root / "facefusion" / "core.py").write_text(fault, encoding="utf-8")
    with pytest.raises(ModelsUnknown, match=told):
        await needs(installed(root), (), tmp_path / "cache")


async def test_a_python_that_is_gone_is_told(root: Path, tmp_path: Path) -> None:
    gone = replace(installed(root), python=tmp_path / "no-python")
    with pytest.raises(ModelsUnknown) as caught:
        await needs(gone, (), tmp_path / "cache")
    assert caught.value.failure.category == "child_start"


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("core.py", "def route(", "def another_route("),
        ("core.py", "def common_pre_check(", "def checked_before("),
        ("download.py", "def conditional_download_sources(", "def fetched_when_needed("),
        ("core.py", "from facefusion import content_analyser", "from facefusion import content_checker"),
    ],
)
async def test_a_version_that_is_built_otherwise_counts_what_is_there(
    root: Path, tmp_path: Path, file: str, before: str, after: str
) -> None:
    changed = root / "facefusion" / file
    text = changed.read_text(encoding="utf-8")
    assert before in text
    changed.write_text(text.replace(before, after), encoding="utf-8")
    folder = root / ".assets" / "models"
    folder.mkdir(parents=True)
    (folder / "a.onnx").write_bytes(b"a")
    (folder / "a.hash").write_text(crc(b"a"), encoding="ascii")
    (folder / "b.hash").write_text(crc(b"b"), encoding="ascii")
    files = await needs(installed(root), (), tmp_path / "cache")
    assert [(one.name, one.urls) for one in files] == [("a", ())]
    assert not (tmp_path / "cache").exists()


def model(folder: Path, name: str, content: bytes | None, checksum: str | None) -> ModelFile:
    folder.mkdir(parents=True, exist_ok=True)
    file = ModelFile(name, folder / f"{name}.onnx", folder / f"{name}.hash", (), (), "")
    if content is not None:
        file.path.write_bytes(content)
    if checksum is not None:
        file.hash_path.write_bytes(checksum.encode())
    return file


async def test_how_files_stand(tmp_path: Path) -> None:
    big = bytes(range(256)) * 10_000
    files = (
        model(tmp_path, "good", big, crc(big)),
        model(tmp_path, "gfpgan_1.4", None, crc(b"x")),
        model(tmp_path, "cut", b"x", crc(b"xy")),
        model(tmp_path, "bare", b"x", None),
        model(tmp_path, "newline", b"x", crc(b"x") + "\n"),  # FaceFusion takes it for another checksum
        model(tmp_path, "capitals", b"x", crc(b"x").upper()),
        model(tmp_path, "mine", None, None),
    )
    states = await check(files, tmp_path / "memory.json")
    assert [str(state.condition) for state in states] == [
        "present",
        "missing",
        "corrupt",
        "hash_missing",
        "hash_missing",
        "hash_missing",
        "missing",
    ]
    assert (states[0].size, states[0].crc) == (len(big), crc(big))
    assert models.lacking(states) == files[1:]
    assert not models.whole(states)
    assert models.sentence_of(states) == (
        "2 of 7 models are missing: gfpgan_1.4 (340 MB), mine. 1 of 7 models is damaged: cut. "
        "3 of 7 models lack their checksums: bare, newline, capitals."
    )
    assert models.whole(states[:1])
    assert models.sentence_of(states[:1]) == "The model is there and right."
    assert models.sentence_of([]) == "It is not known which models are needed."


async def test_a_checksum_is_made_once_and_anew_when_the_file_has_changed(tmp_path: Path) -> None:
    memory = tmp_path / "state" / "memory.json"
    file = model(tmp_path, "a", b"right", crc(b"right"))
    await check([file], memory)
    kept = json.loads(memory.read_bytes())
    kept[str(file.path)]["crc"] = "00000000"
    memory.write_text(json.dumps(kept), encoding="utf-8")
    assert (await check([file], memory))[0].crc == "00000000"  # it was not read again
    status = file.path.stat()
    os.utime(file.path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert (await check([file], memory))[0].condition is Condition.PRESENT
    file.path.write_bytes(b"wrong")
    assert (await check([file], memory))[0].condition is Condition.CORRUPT
    models.forget(memory)
    models.forget(memory)
    file.path.unlink()
    assert (await check([file], memory))[0].condition is Condition.MISSING


@pytest.mark.parametrize("rubbish", ["", "[1]", '{"a": 1}', '{"a": {"size": 1}}', "\x00"])
async def test_a_memory_that_is_rubbish_is_made_anew(tmp_path: Path, rubbish: str) -> None:
    memory = tmp_path / "memory.json"
    memory.write_text(rubbish, encoding="utf-8")
    file = model(tmp_path, "a", b"right", crc(b"right"))
    assert models.whole(await check([file], memory))
    assert set(json.loads(memory.read_bytes())) == {str(file.path)}


async def test_a_file_that_cannot_be_read_is_damaged(tmp_path: Path) -> None:
    file = model(tmp_path, "a", None, crc(b""))
    file.path.mkdir()
    assert (await check([file], tmp_path / "memory"))[0].condition is Condition.CORRUPT


async def test_a_cancelled_check_stops_reading(tmp_path: Path) -> None:
    files = [model(tmp_path, f"{number}", None, "00000000") for number in range(3)]
    for file in files:
        with file.path.open("wb") as stream:
            stream.truncate(1 << 36)  # holes: 64 GB that take no room, and a minute each to sum up
    checking = asyncio.create_task(check(files, tmp_path / "memory"))
    await asyncio.wait([checking], timeout=0.1)
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    # asyncio.run waits for its threads: that this test ends is the proof.


def test_files_that_nothing_needs(tmp_path: Path) -> None:
    root = tmp_path / "facefusion"
    folder = root / ".assets" / "models"
    keep = model(folder, "keep", b"k", crc(b"k"))
    keep.part_path.write_bytes(b"half")
    old = model(folder, "old", b"o", crc(b"o"))
    old.part_path.write_bytes(b"half")
    below = model(folder / "iperov", "face", b"f", None)
    model(folder / "custom", "mine", b"m", None)
    outside = model(tmp_path / "elsewhere", "outside", b"x", None)
    (folder / "linked.onnx").symlink_to(outside.path)
    (folder / "linked").symlink_to(outside.path.parent, target_is_directory=True)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    (folder / models.LOCK).touch()
    found = unneeded(installed(root), [keep])
    assert found == (old.hash_path, old.path, old.part_path, below.path)


@pytest.mark.parametrize("shared", [".assets", ".assets/models"])
def test_a_models_folder_that_is_shared_by_a_link_is_left_alone(tmp_path: Path, shared: str) -> None:
    root, elsewhere = tmp_path / "facefusion", tmp_path / "elsewhere"
    model(elsewhere / "models", "old", b"o", None)
    link = root / shared
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere if shared == ".assets" else elsewhere / "models", target_is_directory=True)
    assert unneeded(installed(root), []) == ()
    assert unneeded(installed(tmp_path / "nothing"), []) == ()
