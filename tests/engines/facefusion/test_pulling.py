"""Models are fetched by a real curl from a real server that behaves badly in every way."""

import asyncio
import os
import random
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from watchfiles import awatch

from faceswapd.children import kin
from faceswapd.engines.facefusion import models, pulling
from faceswapd.engines.facefusion.models import LOCK, ModelFile
from faceswapd.engines.facefusion.pulling import Patience, PullFailure, Pulling, offline_sentence, pull
from tests.engines.facefusion.weights_server import Weights, crc, serving

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl, which FaceFusion itself demands")

CONTENT = random.Random(7).randbytes(300_000)
OTHER = random.Random(8).randbytes(50_000)
HASTE = Patience(connect=5, still=1, least=100, tries=2, pause=0.01)
SECONDS = 30.0


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def weights() -> Iterator[Weights]:
    with serving() as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "root" / ".assets" / "models"  # not there yet


def made(folder: Path) -> None:
    folder.mkdir(parents=True)


async def fetch(*files: ModelFile, patience: Patience = HASTE, **given: Any) -> bool:
    """Whether all is well afterwards."""
    place = files[0].path.parent
    async with asyncio.timeout(SECONDS):
        states = await pull(files, place, place.parent / "memory", patience=patience, **given)
    assert not list(place.glob("*.part"))
    return models.whole(states)


async def refused(*files: ModelFile, **given: Any) -> PullFailure:
    with pytest.raises(PullFailure) as caught:
        await fetch(*files, **given)
    return caught.value


async def test_what_lacks_is_fetched_proved_and_put_into_place(weights: Weights, folder: Path) -> None:
    first, second = weights.model(folder, "first_1.4", CONTENT), weights.model(folder, "second", OTHER)
    told: list[Pulling] = []
    assert await fetch(first, second, report=told.append)
    assert (first.path.read_bytes(), first.hash_path.read_bytes()) == (CONTENT, crc(CONTENT).encode())
    assert second.path.read_bytes() == OTHER
    assert (told[-1].done, told[-1].total) == (350_000, 350_000)
    assert [one.name for one in told] == sorted(one.name for one in told)
    assert [one.done for one in told] == sorted(one.done for one in told)


async def test_what_is_there_is_not_fetched_again(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    assert await fetch(file)
    asked = len(weights.asked)
    assert await fetch(file)
    assert len(weights.asked) == asked
    second = weights.model(folder, "second", OTHER)
    assert await fetch(file, second)
    assert weights.fetched("/first.onnx") == [0]


async def test_a_checksum_alone_is_fetched_alone(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    made(folder)
    file.path.write_bytes(CONTENT)
    assert await fetch(file)
    assert weights.fetched("/first.onnx") == []


async def test_a_damaged_one_is_replaced(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    made(folder)
    file.path.write_bytes(CONTENT[:-1])
    file.hash_path.write_text(crc(CONTENT), encoding="ascii")
    assert await fetch(file)
    assert file.path.read_bytes() == CONTENT


async def test_a_connection_that_is_cut_goes_on_where_it_was(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    weights.ways["/first.onnx"] = ["cut:100000", "cut:50000", "cut:1", "cut:1", "cut:1", "503"]
    assert await fetch(file)
    assert weights.fetched("/first.onnx") == [0, 100_000, 150_000, 150_001, 150_002, 150_003, 150_003]


async def test_a_server_that_knows_no_ranges_starts_anew(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    weights.ranges = False
    weights.ways["/first.onnx"] = ["cut:100000"]
    assert await fetch(file)


@pytest.mark.parametrize("left", [b"x" * 300_000, b"x" * 400_000, CONTENT[:299_999], CONTENT])
async def test_what_an_earlier_try_left_is_used_or_thrown_away(weights: Weights, folder: Path, left: bytes) -> None:
    file = weights.model(folder, "first", CONTENT)
    made(folder)
    file.part_path.write_bytes(left)
    assert await fetch(file)
    assert file.path.read_bytes() == CONTENT
    assert len(weights.fetched("/first.onnx")) <= 2


async def test_a_download_that_stands_still_ends_with_a_sentence_and_is_gone_on_with(
    weights: Weights, folder: Path
) -> None:
    file = weights.model(folder, "first", CONTENT)
    weights.ways["/first.onnx"] = ["still:1000", "still:0"]
    with pytest.raises(PullFailure) as caught:
        await fetch(file, patience=replace(HASTE, tries=1))
    assert caught.value.failure.category == "download_stalled"
    assert "first could not be fetched" in caught.value.failure.sentence
    assert file.part_path.stat().st_size == 1000
    assert not file.path.exists()
    assert await fetch(file)
    assert weights.fetched("/first.onnx")[-1] == 1000


async def test_the_next_address_is_tried(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT, "/github", "/mirror")
    del weights.files["/github/first.hash"]
    weights.ways["/github/first.onnx"] = ["cut:1000", "404"]
    assert await fetch(file)
    assert weights.fetched("/mirror/first.onnx") == [1000]


async def test_wrong_bytes_are_thrown_away_and_fetched_anew_once(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    weights.ways["/first.onnx"] = ["wrong"]
    assert await fetch(file)
    assert weights.fetched("/first.onnx") == [0, 0]


async def test_bytes_that_stay_wrong_are_a_corrupt_model(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT, "/github", "/mirror", "/third")
    for host in ("github", "mirror", "third"):
        weights.ways[f"/{host}/first.onnx"] = ["wrong"]
    failure = (await refused(file)).failure
    assert failure.category == "model_corrupt"
    assert weights.fetched("/mirror/first.onnx") == [0]
    assert weights.fetched("/third/first.onnx") == []
    assert not file.path.exists()


@pytest.mark.parametrize("checksum", [b"", b"<html>please log in</html>", b"0123abcd\n"])
async def test_what_is_no_checksum_is_refused(weights: Weights, folder: Path, checksum: bytes) -> None:
    file = weights.model(folder, "first", CONTENT)
    weights.files["/first.hash"] = checksum
    failure = (await refused(file)).failure
    assert failure.category == "download_failed"
    assert not file.path.exists()
    assert not file.hash_path.exists()


async def test_a_missing_file_is_told_with_what_to_place_where(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "hyperswap_1a_256", CONTENT)
    weights.ways["/hyperswap_1a_256.onnx"] = ["404"]
    failure = (await refused(file)).failure
    assert failure.category == "download_failed"
    assert "answers 404" in failure.sentence
    assert (
        f"Place hyperswap_1a_256.onnx (403 MB) and hyperswap_1a_256.hash from {weights.address}/ into {folder}."
        in failure.sentence
    )


async def test_offline_nothing_is_asked(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    failure = (await refused(file, offline=True)).failure
    assert failure.category == "download_failed"
    assert failure.sentence == offline_sentence([file])
    assert weights.asked == []


async def test_without_a_server_it_ends_soon(folder: Path) -> None:
    with serving() as gone:
        file = gone.model(folder, "first", CONTENT)
    assert (await refused(file)).failure.category == "download_failed"


async def test_a_file_without_an_address_cannot_be_fetched(folder: Path) -> None:
    file = ModelFile("own", folder / "own.onnx", folder / "own.hash", (), (), "deep_swapper")
    failure = (await refused(file)).failure
    assert (failure.category, "own.onnx has no known address." in failure.sentence) == ("download_failed", True)


async def test_a_disk_without_room_is_seen_before(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    weights.ways["/first.onnx"] = ["huge"]
    failure = (await refused(file)).failure
    assert failure.category == "disk_full"
    assert str(folder) in failure.sentence
    assert weights.fetched("/first.onnx") == []


async def test_a_folder_that_cannot_be_made(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    folder.parent.parent.mkdir()
    folder.parent.write_text("a file", encoding="utf-8")
    with pytest.raises(PullFailure) as caught:
        await pull([file], folder, folder.parent.parent / "memory", patience=HASTE)
    assert caught.value.failure.category == "not_writable"


async def test_a_place_that_is_taken_by_a_folder(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    file.part_path.mkdir(parents=True)
    with pytest.raises(PullFailure) as caught:
        await pull([file], folder, folder.parent / "memory", patience=HASTE)
    assert caught.value.failure.category == "not_writable"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
async def test_a_disk_that_fills_up_meanwhile(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    made(folder)
    file.part_path.symlink_to("/dev/full")
    with pytest.raises(PullFailure) as caught:
        await pull([file], folder, folder.parent / "memory", patience=HASTE)
    assert caught.value.failure.category == "disk_full"


def _curls(url: str) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if url in (one.info["cmdline"] or [])]


async def _stands_still(weights: Weights) -> None:
    assert await asyncio.to_thread(weights.reached.wait, SECONDS)


async def test_a_cancelled_download_leaves_no_curl_and_keeps_what_came(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    weights.ways["/first.onnx"] = ["still:70000"]
    loading = asyncio.create_task(pull([file], folder, folder.parent / "memory", patience=Patience()))
    await _stands_still(weights)
    async with asyncio.timeout(SECONDS):  # curl gives way, and may not have heard yet what the server has sent
        async for _ in awatch(folder, rust_timeout=50, yield_on_timeout=True):
            if file.part_path.exists():
                break
    assert len(_curls(file.urls[0])) == 1
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert _curls(file.urls[0]) == []
    assert file.part_path.exists()
    assert await fetch(file)


async def test_never_two_downloads_at_a_time(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    weights.ways["/first.onnx"] = ["still:1000"]
    first = asyncio.create_task(pull([file], folder, folder.parent / "memory", patience=Patience()))
    await _stands_still(weights)
    with pytest.raises(BlockingIOError):
        async with pulling.locked(folder, wait=False):
            pass
    second = asyncio.create_task(pull([file], folder, folder.parent / "memory", patience=Patience()))
    done, _ = await asyncio.wait([first, second], timeout=0.7)
    assert not done
    assert len(_curls(file.urls[0])) == 1
    weights.go_on.set()  # the server closes, and the first goes on
    async with asyncio.timeout(SECONDS):
        assert models.whole(await first)
        assert models.whole(await second)
    assert len(weights.fetched("/first.onnx")) == 2


DAEMON = """
import asyncio, sys
from pathlib import Path
from faceswapd.engines.facefusion.models import ModelFile
from faceswapd.engines.facefusion.pulling import pull
folder, url = Path(sys.argv[1]), sys.argv[2]
file = ModelFile("first", folder / "first.onnx", folder / "first.hash", (url + ".onnx",), (url + ".hash",), "")
asyncio.run(pull([file], folder, folder.parent / "memory"))
"""


async def test_a_curl_that_outlived_its_daemon_is_ended_before_the_next(weights: Weights, folder: Path) -> None:
    file = weights.model(folder, "first", CONTENT)
    weights.ways["/first.onnx"] = ["still:1000"]
    daemon = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DAEMON, str(folder), file.urls[0].removesuffix(".onnx"), start_new_session=True
    )
    await _stands_still(weights)
    os.kill(daemon.pid, signal.SIGKILL)
    await daemon.wait()
    assert len(_curls(file.urls[0])) == 1
    assert await fetch(file)
    assert _curls(file.urls[0]) == []
    assert (folder / LOCK).exists()


@pytest.mark.parametrize("text", ["", "[1, 2.0]", "/", "\xff", "/0123", "x" * 20_000])
async def test_a_lock_file_with_anything_in_it_ends_nobody(weights: Weights, folder: Path, text: str) -> None:
    """Not even those whose mark begins with what is there."""
    file = weights.model(folder, "first", CONTENT)
    async with pulling.locked(folder):
        pass  # makes it
    (folder / LOCK).write_text(text, encoding="latin-1")
    environment = {**os.environ, kin.VARIABLE: text[:20] + "/a-child"}
    stranger = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(600)", env=environment
    )
    try:
        assert await fetch(file)
        assert psutil.Process(stranger.pid).status() != psutil.STATUS_ZOMBIE
    finally:
        stranger.kill()
        await stranger.wait()
