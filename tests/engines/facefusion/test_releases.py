import shutil
import time

import pytest

from faceswapd.engines.facefusion.releases import latest_release, newer, version_of
from tests.engines.facefusion.weights_server import serving

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl, which FaceFusion itself demands")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@needs_curl
@pytest.mark.parametrize(
    ("answer", "latest"),
    [
        (b'{"tag_name": "3.9.0", "draft": false}', "3.9.0"),
        (b'{"tag_name": "v4.0.1"}', "4.0.1"),
        (b'{"tag_name": "nightly"}', None),
        (b'{"tag_name": 4}', None),
        (b'{"message": "rate limit"}', None),
        (b"[1]", None),
        (b"<html>please log in</html>", None),
        (b"", None),
    ],
)
async def test_the_latest_release_is_asked(answer: bytes, latest: str | None) -> None:
    with serving() as weights:
        weights.files["/latest"] = answer
        assert await latest_release(f"{weights.address}/latest") == latest


@needs_curl
async def test_without_a_network_it_is_not_known_and_takes_no_time() -> None:
    with serving() as gone:
        address = gone.address
    started = time.monotonic()
    assert await latest_release(f"{address}/latest") is None
    assert time.monotonic() - started < 5


async def test_without_curl_it_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert await latest_release() is None


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.8.1", (3, 8, 1)),
        ("v3.8", (3, 8, 0)),
        ("3.8.2-rc1", (3, 8, 2)),
        ("4", None),
        ("next", None),
        ("", None),
    ],
)
def test_a_version_as_numbers(text: str, version: tuple[int, int, int] | None) -> None:
    assert version_of(text) == version


@pytest.mark.parametrize(
    ("latest", "is_newer"), [("3.8.2", True), ("3.10.0", True), ("3.8.1", False), ("3.7.1", False), (None, False)]
)
def test_what_is_newer(latest: str | None, *, is_newer: bool) -> None:
    assert newer(latest, (3, 8, 1)) is is_newer
