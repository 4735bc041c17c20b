"""The models of all presets: listed, fetched in the background, proved anew, and cleared away."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.model_store import ModelStore, StoreRefused
from faceswapd.engines.facefusion.models import LOCK, Condition
from faceswapd.engines.facefusion.pulling import Patience
from tests.engines.facefusion.small_root import installed, small_root
from tests.engines.facefusion.weights_server import Weights, crc, serving

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl, which FaceFusion itself demands")
PRESETS: Mapping[str, tuple[str, ...]] = {
    "fast": ("--processors", "face_swapper"),
    "best": ("--processors", "face_swapper", "face_enhancer"),
}
CONTENT = {name: name.encode() * 1000 for name in ("nsfw_1", "swap.1", "enhance")}
SECONDS = 30.0


class Place:
    """A store over a small root whose models lie on a server of ours."""

    def __init__(self, folder: Path, weights: Weights, *, offline: bool = False) -> None:
        self.weights = weights
        self.installation: Installation | None = installed(small_root(folder / "ff", [weights.address]))
        self.models = folder / "ff" / ".assets" / "models"
        self.changed = asyncio.Event()
        for name, content in CONTENT.items():
            weights.files[f"/models-3.3.0/{name}.onnx"] = content
            weights.files[f"/models-3.3.0/{name}.hash"] = crc(content).encode()
        self.store = ModelStore(
            lambda: self.installation,
            lambda _: PRESETS,
            folder / "store",
            offline=offline,
            changed=self.changed.set,
            patience=Patience(connect=5, still=1, least=100, tries=1, pause=0.01),
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loop = asyncio.create_task(self.store.run())
        yield
        loop.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loop

    async def fetched(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self.store.pull()
            await self.changed.wait()
        self.changed.clear()


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serving() as weights:
        yield Place(tmp_path, weights)


async def test_each_model_is_told_once_with_the_presets_that_need_it(place: Place) -> None:
    inventory = await place.store.list()
    assert [(line.state.file.name, line.presets) for line in inventory.lines] == [
        ("nsfw_1", ("fast", "best")),
        ("swap.1", ("fast", "best")),
        ("enhance", ("best",)),
    ]
    assert not inventory.whole
    assert inventory.missing == 80_000_000
    assert inventory.sentence == "3 of 3 models are missing: nsfw_1 (80 MB), swap.1, enhance."
    assert inventory.notices == ("The licence is not known of: swap.1, enhance.",)
    assert (inventory.pulling, inventory.failure, inventory.folder) == (None, None, place.models)


@needs_curl
async def test_what_lacks_is_fetched_in_the_background(place: Place) -> None:
    failure = await place.store.lack_for(PRESETS["fast"])
    assert failure is not None
    assert failure.category == "model_missing"
    async with place.running():
        assert (await place.store.pull()).endswith("What lacks is being fetched.")
        assert place.store.pulling is not None
        async with asyncio.timeout(SECONDS):
            await place.changed.wait()
        inventory = await place.store.list()
        assert (inventory.whole, inventory.pulling, inventory.failure, inventory.missing) == (True, None, None, 0)
        assert await place.store.pull() == "All 3 models are there and right."
        assert await place.store.lack_for(PRESETS["best"]) is None


@needs_curl
async def test_a_second_order_changes_nothing(place: Place) -> None:
    place.weights.ways["/models-3.3.0/nsfw_1.onnx"] = ["still:10"]
    async with place.running():
        await place.store.pull()
        assert await asyncio.to_thread(place.weights.reached.wait, SECONDS)
        assert await place.store.pull() == "The models are being fetched already."
        with pytest.raises(StoreRefused, match="being fetched right now"):
            await place.store.prune(remove=True)


@needs_curl
async def test_a_download_that_failed_is_told_and_can_be_asked_for_again(place: Place) -> None:
    content = place.weights.files.pop("/models-3.3.0/enhance.onnx")
    async with place.running():
        await place.fetched()
        inventory = await place.store.list()
        assert inventory.failure is not None
        assert inventory.failure.category == "download_failed"
        assert [line.state.condition for line in inventory.lines][:2] == [Condition.PRESENT] * 2
        place.weights.files["/models-3.3.0/enhance.onnx"] = content
        await place.fetched()
        inventory = await place.store.list()
        assert (inventory.whole, inventory.failure) == (True, None)


async def test_offline_it_says_what_to_place_where(tmp_path: Path) -> None:
    with serving() as weights:
        place = Place(tmp_path, weights, offline=True)
        with pytest.raises(StoreRefused) as caught:
            await place.store.pull()
        assert caught.value.advice is not None
        assert f"Place swap.1.onnx and swap.1.hash from {weights.address}/models-3.3.0/ into" in caught.value.advice
        assert weights.asked == []


async def test_without_facefusion_everything_is_refused(place: Place) -> None:
    place.installation = None
    for asked in (
        place.store.list(),
        place.store.pull(),
        place.store.verify(),
        place.store.prune(remove=True),
        place.store.lack_for(()),
    ):
        with pytest.raises(StoreRefused, match="No FaceFusion is set up") as caught:
            await asked
        assert caught.value.advice == "Run `faceswapd setup`."


async def test_an_installation_that_went_away_before_the_download_is_told(place: Place) -> None:
    place.installation = None
    async with place.running():
        place.store.want()
        async with asyncio.timeout(SECONDS):
            await place.changed.wait()
    assert place.store.failure is not None
    assert place.store.failure.sentence.startswith("No FaceFusion is set up")


async def test_an_installation_that_cannot_be_asked_is_told(place: Place) -> None:
    assert place.installation is not None
    place.installation = replace(place.installation, python=Path("/nowhere/python"))
    with pytest.raises(StoreRefused, match="could not be started"):
        await place.store.list()


async def test_verify_reads_everything_anew(place: Place) -> None:
    put(place.models, {f"{name}.onnx": content for name, content in CONTENT.items()})
    for name, content in CONTENT.items():
        (place.models / f"{name}.hash").write_text(crc(content), encoding="ascii")
    assert (await place.store.list()).whole
    memory = place.models.parents[2] / "store" / "checksums.json"
    memory.write_text(memory.read_text(encoding="utf-8").replace(crc(CONTENT["enhance"]), "00000000"), encoding="utf-8")
    assert not (await place.store.list()).whole
    assert (await place.store.verify()).whole


async def test_prune_shows_first_and_removes_when_told(place: Place) -> None:
    put(place.models, dict.fromkeys(("swap.1.onnx", "old.onnx", "old.hash"), b"12345"))
    shown = await place.store.prune(remove=False)
    assert [(file.path.name, file.size) for file in shown.files] == [("old.hash", 5), ("old.onnx", 5)]
    assert not shown.removed
    assert (place.models / "old.onnx").exists()
    removed = await place.store.prune(remove=True)
    assert (removed.files, removed.removed) == (shown.files, True)
    assert names_in(place.models) == {"swap.1.onnx", LOCK}
    assert (await place.store.prune(remove=True)).files == ()


async def test_a_shared_folder_is_not_pruned(place: Place, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    put(shared, {"old.onnx": b"somebody's"})
    put(place.models.parent, {})
    place.models.symlink_to(shared, target_is_directory=True)
    pruned = await place.store.prune(remove=True)
    assert (pruned.files, pruned.removed, pruned.kept_apart) == ((), False, True)
    assert (shared / "old.onnx").exists()
