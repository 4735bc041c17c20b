"""What was sent to the API goes when its job has ended long ago, and at once where no job came of it."""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

from faceswapd.core.upload_name import SENT
from faceswapd.ledger import files
from faceswapd.ledger.connection import Ledger
from faceswapd.settings import Settings

UNKNOWN_SECONDS: Final = 24 * 3600.0  # after which what belongs to no job has been forgotten by whoever sent it
RECENT_SECONDS: Final = 3600.0  # in which a folder was touched that somebody is about to use
GOING: Final = ".going-"


async def clear(settings: Settings, ledger: Ledger, now: float, *, starting: bool = False) -> int:
    """Remove what nobody needs any more; how many folders went. `starting`: nothing can be on its way."""
    root, gone = settings.uploads_folder, 0
    kept = settings.uploads.kept
    for folder, touched in await asyncio.to_thread(_folders, root):
        use = await files.use_of(ledger, str(folder), now - kept)
        if use.known:
            over = bool(kept) and not use.needed and touched < now - RECENT_SECONDS
        else:
            over = (starting and not folder.name.startswith(SENT)) or touched < now - UNKNOWN_SECONDS
        if over or folder.name.startswith(GOING):
            gone += await asyncio.to_thread(_removed, folder, touched)
    return gone


def _folders(root: Path) -> list[tuple[Path, float]]:
    """Each with the time at which it was touched last."""
    found = []
    with contextlib.suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    found.append((Path(entry.path), entry.stat(follow_symlinks=False).st_mtime))
    return found


def _removed(folder: Path, touched: float) -> int:
    """Take it out of everybody's way, then remove it."""
    away = folder.with_name(f"{GOING}{folder.name}")
    try:
        if folder.name.startswith(GOING):
            away = folder
        elif folder.stat().st_mtime != touched:  # somebody has begun to use it
            return 0
        else:
            folder.rename(away)
    except OSError:
        return 0
    shutil.rmtree(away, ignore_errors=True)
    return 1
