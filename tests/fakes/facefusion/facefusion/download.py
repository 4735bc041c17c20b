"""Whether models are right. Missing ones come from the folder that `download_from` names; else we are offline."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from . import faults, logger, state_manager
from .bars import Bar
from .hash_helper import validate_hash
from .models import File
from .stand_in import WISHES
from .traits import say

_PIECE = 64 << 10


def conditional_download_hashes(hash_set: Mapping[str, File]) -> bool:
    """Whether the checksums of some models are there, after a try to fetch those that are not."""
    paths = [Path(file["path"]) for file in hash_set.values()]
    _fetch([path for path in paths if not path.is_file()])
    missing = [path for path in paths if not path.is_file()]
    for path in paths:
        if path not in missing:
            logger.debug(say(f"validating hash for {path.stem} succeeded"), __name__)
    for path in missing:
        logger.error(say(f"validating hash for {path.stem} failed"), __name__)
    return not missing


def conditional_download_sources(source_set: Mapping[str, File]) -> bool:
    """Whether some models are right, after a try to fetch those that are not. Each is read twice. Wrong ones are
    deleted.
    """
    paths = [Path(file["path"]) for file in source_set.values()]
    if faults.has("stalled_download"):
        _stall(paths[0])
    _fetch([path for path in paths if not validate_hash(str(path))])
    wrong = [path for path in paths if not validate_hash(str(path))]
    for path in paths:
        if path not in wrong:
            logger.debug(say(f"validating source for {path.stem} succeeded"), __name__)
    for path in wrong:
        logger.error(say(f"validating source for {path.stem} failed"), __name__)
        if path.is_file():
            path.unlink()
            logger.error(say(f"deleting corrupt source for {path.stem}"), __name__)
    return not wrong


def _fetch(paths: list[Path]) -> None:
    if not WISHES.download_from or state_manager.get_item("skip_download"):
        return
    for path in paths:
        origin = Path(WISHES.download_from) / path.name
        size = origin.stat().st_size if origin.is_file() else 0
        if (path.stat().st_size if path.is_file() else 0) >= size:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with Bar("downloading", size, "B") as bar, origin.open("rb") as source, path.open("wb") as copy:
            bar.note(download_providers=state_manager.get_item("download_providers"), file_name=path.name)
            while piece := source.read(_PIECE):
                copy.write(piece)
                bar.move(copy.tell())
        shutil.copystat(origin, path)


def _stall(path: Path) -> None:
    with Bar("downloading", 402_653_184, "B") as bar:
        bar.note(download_providers=state_manager.get_item("download_providers"), file_name=path.name)
        faults.hang()
