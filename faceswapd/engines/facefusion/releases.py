"""Whether there is a newer FaceFusion. Asked only when somebody wants to know, and without a network not known."""

import json
import re

from faceswapd.children import program

LATEST = "https://api.github.com/repos/facefusion/facefusion/releases/latest"
SECONDS = 5.0


async def latest_release(url: str = LATEST) -> str | None:
    """The newest release's version, like `3.8.1`; None where it cannot be learned within five seconds."""
    arguments = ("--silent", "--fail", "--location", "--proto", "=http,https", "--max-time", f"{SECONDS:g}", url)
    try:
        ended = await program.run(("curl", *arguments), seconds=SECONDS + 1)
        name = json.loads(ended.out)["tag_name"]
    except (program.ProgramError, ValueError, KeyError, TypeError):
        return None
    return name.removeprefix("v") if isinstance(name, str) and version_of(name) is not None else None


def version_of(text: str) -> tuple[int, int, int] | None:
    """`3.8.1`, `v3.8` or `3.8.1-beta` as numbers; None for what is no version."""
    found = re.match(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?![\d])", text)
    return None if found is None else (int(found[1]), int(found[2]), int(found[3] or 0))


def newer(latest: str | None, installed: tuple[int, int, int]) -> bool:
    """Whether the latest release is newer than the installed one; not, where it is not known."""
    version = None if latest is None else version_of(latest)
    return version is not None and version > installed
