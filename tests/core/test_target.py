import pytest

from faceswapd.core.target import IMAGE_SUFFIXES, VIDEO_SUFFIXES, Kind, kind_of


@pytest.mark.parametrize("suffix", ["avi", "m4v", "mkv", "mp4", "mpeg", "mov", "mxf", "webm", "wmv"])
def test_videos(suffix: str) -> None:
    assert kind_of(f".{suffix}") is Kind.VIDEO
    assert kind_of(f".{suffix.upper()}") is Kind.VIDEO


@pytest.mark.parametrize("suffix", ["bmp", "jpeg", "jpg", "png", "tiff", "webp"])
def test_images(suffix: str) -> None:
    assert kind_of(f".{suffix}") is Kind.IMAGE
    assert kind_of(f".{suffix.title()}") is Kind.IMAGE


@pytest.mark.parametrize("suffix", ["", ".", "mp4", ".gif", ".mp3", ".m3u8", ".mp4 ", ".mp4.part", ".txt"])
def test_what_is_no_target(suffix: str) -> None:
    assert kind_of(suffix) is None


def test_nothing_is_both() -> None:
    assert not IMAGE_SUFFIXES & VIDEO_SUFFIXES
