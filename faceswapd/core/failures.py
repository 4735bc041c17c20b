"""The catalogue of failures: what went wrong, whether trying again can help, and what the user can do.

An engine, the media examiner or an execution names a category and says in one sentence what happened
this time; class and advice come from this table, so that each category is treated and explained the
same way everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FailureClass(StrEnum):
    """What a failure means for the job and for the queue."""

    TRANSIENT = "transient"  # trying again can help
    PERMANENT = "permanent"  # trying again gives the same result
    RESOURCE = "resource"  # the machine was too small for it
    ENVIRONMENT = "environment"  # the surroundings are broken; it costs the job no attempt


@dataclass(frozen=True, slots=True)
class Category:
    """One row of the catalogue."""

    failure_class: FailureClass
    advice: str


_T, _P, _R, _E = FailureClass.TRANSIENT, FailureClass.PERMANENT, FailureClass.RESOURCE, FailureClass.ENVIRONMENT

CATALOGUE: Mapping[str, Category] = {
    # what the user dropped
    "no_source_face": Category(
        _P,
        "Add a photo that shows the whole face from the front, with some space around it, then retry the job.",
    ),
    "no_target_face": Category(_P, "Use a target in which a face is seen from the front and is not too small."),
    "target_missing": Category(_P, "Drop the file into the inbox again."),
    "target_changed": Category(_P, "Nothing to do: the new content is a job of its own."),
    "target_unreadable": Category(_P, "Play the file to see whether it is whole, then drop a good copy of it."),
    "target_too_large": Category(_P, "Make the picture smaller and drop it again."),
    "unsupported": Category(_P, "Convert the target to mp4, mkv, webm, jpg or png and drop it again."),
    # what the child did
    "child_died": Category(_T, "It is tried again by itself. If it keeps failing, see the log of the job."),
    "child_rubbish": Category(_T, "It is tried again by itself. If it keeps failing, see the log of the job."),
    "child_start": Category(_E, "Run `faceswapd check`: the engine's program could not be started."),
    "stalled": Category(_T, "It is tried again by itself. If the machine was busy, raise `timeouts.no_progress`."),
    "overtime": Category(_P, "Raise `timeouts.wall` in the configuration, or cut the video, then retry the job."),
    "interrupted": Category(_P, "The daemon went down three times in this job: try a smaller target, then retry."),
    "out_of_memory": Category(_R, "Close other programs or lower `slots` in the configuration, then retry."),
    # what came out
    "output_damaged": Category(_T, "It is tried again by itself. If it keeps failing, see the log of the job."),
    "audio_lost": Category(_P, "Convert the target to mp4 or mkv, which hold every kind of sound, and drop it again."),
    # the surroundings
    "disk_full": Category(_E, "Make space on the disk. The queue goes on by itself."),
    "not_writable": Category(_E, "Give the daemon's user the right to write there. The queue goes on by itself."),
    "unknown": Category(_T, "It is tried again by itself. If it keeps failing, see the log of the job."),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an execution failed: a category of the catalogue and one plain sentence about this case."""

    category: str
    sentence: str

    @property
    def failure_class(self) -> FailureClass:
        """Whether trying again can help."""
        return CATALOGUE.get(self.category, CATALOGUE["unknown"]).failure_class

    @property
    def advice(self) -> str:
        """What the user can do, in one or two sentences."""
        return CATALOGUE.get(self.category, CATALOGUE["unknown"]).advice
