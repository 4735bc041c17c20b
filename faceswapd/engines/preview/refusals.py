"""What goes wrong with files, as refusals."""

import errno
from pathlib import Path

import av.error

from faceswapd.children.serve import Refusal

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SCARCE = frozenset({errno.ENOMEM, errno.EAGAIN})  # EAGAIN: no further thread could be started
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def unreadable(target: Path, why: str | BaseException) -> Refusal:
    """The target cannot be decoded, for a reason in words or by an error of the system or of FFmpeg.

    Raises MemoryError where it was the machine that had too little, and the target may be whole.
    """
    if isinstance(why, BaseException):
        _not_scarce(why)
        why = getattr(why, "strerror", None) or str(why)
    return Refusal("target_unreadable", f"The target ({target.suffix}) could not be decoded: {why}.")


def not_written(error: BaseException) -> Refusal:
    """The output could not be written. Raises MemoryError where the machine had too little for it."""
    _not_scarce(error)
    number = getattr(error, "errno", None)
    if number in _FULL:
        return Refusal("disk_full", "The disk was full while the output was written.")
    if number in _FORBIDDEN and not _is_vague(error):
        return Refusal("not_writable", "The output could not be written: the scratch folder does not allow it.")
    return Refusal("output_damaged", f"The output could not be written: {getattr(error, 'strerror', None) or error}.")


def _is_vague(error: BaseException) -> bool:
    """Whether an error that looks like a right that lacks is FFmpeg's -1, which its coders say of anything."""
    return isinstance(error, av.error.FFmpegError) and error.errno == errno.EPERM


def _not_scarce(error: BaseException) -> None:
    if getattr(error, "errno", None) in _SCARCE:
        raise MemoryError from error
