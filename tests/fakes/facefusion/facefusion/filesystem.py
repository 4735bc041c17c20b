"""Names of files."""

from pathlib import Path

_IMAGES = {".bmp", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}
_VIDEOS = {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".mpeg", ".mxf", ".webm", ".wmv"}


def is_image(path: str | None) -> bool:
    """Whether there is a file that is named like a picture."""
    return bool(path) and Path(str(path)).is_file() and Path(str(path)).suffix.lower() in _IMAGES


def is_video(path: str | None) -> bool:
    """Whether there is a file that is named like a video."""
    return bool(path) and Path(str(path)).is_file() and Path(str(path)).suffix.lower() in _VIDEOS


def in_directory(path: str | None) -> bool:
    """Whether a path names a directory that is there, and is none itself."""
    if not path or "/" not in path:
        return False
    return not Path(path).is_dir() and Path(path).parent.is_dir()


def same_file_extension(first: str, second: str) -> bool:
    """Whether two names end alike."""
    return Path(first).suffix.lower() == Path(second).suffix.lower() != ""
