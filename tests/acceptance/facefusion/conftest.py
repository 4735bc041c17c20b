"""Farms that name FaceFusion's stand-in."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from faceswapd.media.drawn_scene import write_scene_image
from tests.acceptance.facefusion.asking import NewFarm
from tests.acceptance.farm import Farm
from tests.fakes.facefusion_root import make_root, write_settings

QUICK = "\n[retry]\nfirst = 0.2\nfactor = 1.5\nlongest = 1.0\n"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one whole installation for all tests that leave its files alone, and what is remembered of it."""
    folder = tmp_path_factory.mktemp("installed")
    make_root(folder / "ff")
    return folder


@pytest.fixture
def root(installed: Path) -> Path:
    """The installation, behaving well."""
    write_settings(installed / "ff")
    return installed / "ff"


@pytest.fixture
def own_root(tmp_path: Path) -> Path:
    """An installation for one test alone, which may break it."""
    return make_root(tmp_path / "ff")


@pytest.fixture
def new_farm(tmp_path: Path, media: Path, installed: Path, root: Path) -> Iterator[NewFarm]:
    """A farm that names the stand-in; `more` is laid over [engine.facefusion], `settings` stand behind it. What one
    daemon has found out of the shared installation spares the next one the questions."""
    farms: list[Farm] = []

    def make(settings: str = "", **more: Any) -> Farm:
        own = {"root": str(root), "python": sys.executable, **more}
        lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in own.items())
        engine = f'\n[engine]\nname = "facefusion"\n[engine.facefusion]\n{lines}\n{QUICK}{settings}'
        farms.append(Farm.made(tmp_path / f"farm-{len(farms)}", media / "portrait.png", engine))
        if (installed / "facefusion").exists():
            shutil.copytree(installed / "facefusion", farms[-1].folder / "state" / "facefusion")
        return farms[-1]

    yield make
    for farm in farms:
        farm.close()
        known = farm.folder / "state" / "facefusion"
        if (known / "providers.json").exists() and not (installed / "facefusion").exists():
            shutil.copytree(known, installed / "facefusion")


@pytest.fixture
def farm(new_farm: NewFarm, root: Path) -> Farm:
    made = new_farm()
    made.start()
    return made


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_scene_image(tmp_path / "scene.png", [11], 160, 120)
    return tmp_path / "scene.png"


@pytest.fixture
def declined(tmp_path: Path) -> Path:
    """A picture that the content check minds."""
    red = np.zeros((120, 160, 3), np.uint8)
    red[..., 2] = np.random.default_rng(3).integers(150, 255, (120, 160))
    cv2.imwrite(str(tmp_path / "red.png"), red)
    return tmp_path / "red.png"
