"""The folder of a step in progress: named after the target's file, from version 4 on the output's."""

import shutil
import tempfile
from pathlib import Path

from . import state_manager, traits


def get_temp_directory_path() -> Path:
    """The running step's folder."""
    named = state_manager.get_item("output_path" if traits.TEMP_NAMED_BY_OUTPUT else "target_path")
    return Path(state_manager.get_item("temp_path") or tempfile.gettempdir()) / "facefusion" / Path(named).stem


def get_temp_file_path() -> Path:
    """The picture or video in it."""
    named = state_manager.get_item("output_path" if traits.TEMP_NAMED_BY_OUTPUT else "target_path")
    return get_temp_directory_path() / ("temp" + Path(named).suffix.lower())


def create_temp_directory() -> bool:
    """Make the folder."""
    get_temp_directory_path().mkdir(parents=True, exist_ok=True)
    return True


def clear_temp_directory() -> bool:
    """Remove the folder. Whether there was one."""
    path = get_temp_directory_path()
    if not path.is_dir():
        return False
    shutil.rmtree(path)
    return True
