import errno
import os
from pathlib import Path

import av.error
import pytest

from faceswapd.engines.preview.refusals import not_written, unreadable

TARGET = Path("clip.mp4")


def raised(number: int) -> BaseException:
    """What PyAV raises for an error of the system."""
    with pytest.raises(av.error.FFmpegError) as caught:
        av.error.err_check(-number, "clip.mp4")
    return caught.value


@pytest.mark.parametrize(
    ("number", "category"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EACCES, "not_writable"),
        (errno.EROFS, "not_writable"),
        (errno.EIO, "output_damaged"),
        (errno.EPERM, "output_damaged"),  # -1, which FFmpeg's coders say of anything: no reason to hold the queue
    ],
)
def test_an_output_that_cannot_be_written(number: int, category: str) -> None:
    assert not_written(raised(number)).failure.category == category


def test_a_right_that_the_system_refuses_is_believed() -> None:
    assert not_written(PermissionError(errno.EPERM, "No.")).failure.category == "not_writable"


def test_a_sentence_names_no_place_in_scratch() -> None:
    sentence = not_written(raised(errno.EINVAL)).failure.sentence
    assert sentence == f"The output could not be written: {os.strerror(errno.EINVAL)}."


def test_a_target_that_cannot_be_read() -> None:
    failure = unreadable(TARGET, raised(errno.EIO)).failure
    assert failure.category == "target_unreadable"
    assert failure.sentence == f"The target (.mp4) could not be decoded: {os.strerror(errno.EIO)}."


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.EAGAIN])
def test_what_the_machine_lacked_is_no_fault_of_the_file(number: int) -> None:
    with pytest.raises(MemoryError):
        unreadable(TARGET, raised(number))
    with pytest.raises(MemoryError):
        not_written(raised(number))
