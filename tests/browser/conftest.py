"""One browser and one daemon for all tests; each test comes in anew, with cookies of its own."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import pytest_asyncio

from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_image, write_scene_video
from tests.acceptance.farm import Farm, free_port
from tests.browser.visiting import ARGUMENTS, LIVE, SECONDS, Visit, browser_path

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They share one event loop, as they share the browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files to drop and to upload."""
    folder = tmp_path_factory.mktemp("browser-media")
    write_portrait(folder / "portrait.png", 4, 256)
    write_portrait(folder / "other.png", 9, 256)
    write_scene_video(folder / "clip.mp4", [11], 240, 180, 1.0, 25)
    write_scene_video(folder / "long.mp4", [7], 400, 300, 20.0, 25)
    write_scene_image(folder / "photo.png", [5], 160, 120)
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "nobody.png"), noise)
    return folder


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Iterator[tuple[Farm, str]]:
    """A running daemon with two faces and the TCP port, and where its page is."""
    port = free_port()
    folder = tmp_path_factory.mktemp("browser") / "farm"
    farm = Farm.made(folder, media / "portrait.png", f"\n[http]\nenabled = true\nport = {port}\n")
    (farm.folder / "faces" / "bob").mkdir()
    shutil.copy(media / "other.png", farm.folder / "faces" / "bob" / "one.png")
    farm.start()
    farm.until(lambda _: (farm.inbox / "bob").is_dir(), "the folders of the faces")
    yield farm, f"http://127.0.0.1:{port}"
    farm.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    """The machine's own browser, driven by Playwright."""
    driver = pytest.importorskip(
        "playwright.async_api", reason="Playwright is not installed: `make test-browser` does it"
    )
    path = browser_path()
    if path is None:
        pytest.skip("there is no browser on this machine: `make test-browser` installs one where it may")
    async with driver.async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield made
        await made.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cookies(browser: Any, shared: tuple[Farm, str]) -> Any:
    """What a browser keeps that has come in."""
    context = await browser.new_context()
    made = Visit(await context.new_page(), *shared)
    await made.page.goto(made.link())
    await made.page.wait_for_url(made.url + "/**")
    kept = await context.storage_state()
    await context.close()
    return kept


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Any, shared: tuple[Farm, str], cookies: Any) -> AsyncIterator[Visit]:
    """The dashboard, logged in. At the end the page must have kept all its rules."""
    farm, url = shared
    context = await browser.new_context(
        viewport={"width": 1200, "height": 900}, accept_downloads=True, storage_state=cookies
    )
    context.set_default_timeout(SECONDS * 1000)
    made = Visit(await context.new_page(), farm, url)
    made.watch()
    await made.page.goto(url + "/")
    await made.page.locator(LIVE).wait_for()
    yield made
    await context.close()
    assert made.wrong == []
