from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.media.media_files import RECIPES, make_video


class Videos(Mapping[str, Path]):
    """Every recipe's video, made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Path:
        path = self._folder / name
        if not path.exists():
            make_video(path, RECIPES[name])
        return path

    def __iter__(self) -> Iterator[str]:
        return iter(RECIPES)

    def __len__(self) -> int:
        return len(RECIPES)


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Videos:
    return Videos(tmp_path_factory.mktemp("videos"))
