"""What goes wrong with files, as refusals."""

import errno
from pathlib import Path

from faceswapd.children.serve import Refusal

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def unreadable(target: Path, why: object) -> Refusal:
    """The target cannot be decoded."""
    return Refusal("target_unreadable", f"The target ({target.suffix}) could not be decoded: {why}.")


def not_written(error: BaseException) -> Refusal:
    """The output could not be written."""
    number = getattr(error, "errno", None)
    if number in _FULL:
        return Refusal("disk_full", "The disk was full while the output was written.")
    if number in _FORBIDDEN:
        return Refusal("not_writable", "The output could not be written: the scratch folder does not allow it.")
    return Refusal("output_damaged", f"The output could not be written: {error}.")
