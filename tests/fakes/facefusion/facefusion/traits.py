"""How the versions differ, as far as a caller can see."""

from .stand_in import WISHES

VERSION = WISHES.number

IS_FOUR = VERSION >= (4,)
CAPITALS = VERSION < (3, 5)  # "Processing step", later "processing step"
SUCCEED = "succeed" if VERSION < (3, 4) else "succeeded"
DISK_ONLY = VERSION < (3, 8)  # no --workflow-strategy: frames always went over the disk
COUNTS_FRAMES = VERSION < (3, 8)  # frames were read with OpenCV and seen as they are shown
SANITIZES_JOB_IDS = VERSION >= (3, 7)
STRICT_EXTENSION = not IS_FOUR
TEMP_NAMED_BY_OUTPUT = IS_FOUR
STEP_WINS = IS_FOUR  # a step's arguments over those of the process
LOSES_AUDIO_IN_MEMORY = IS_FOUR
TEARS_ENLARGED_FRAMES = (3, 8) <= VERSION < (3, 8, 2)  # frame_enhancer with the strategy memory
CHECKS_ITS_ANALYSER = VERSION >= (3, 3)
CHECKS_VOICE = (3, 1) <= VERSION < (3, 7)
NAME = "FaceFusion v4" if IS_FOUR else f"FaceFusion {WISHES.version}"


def say(text: str) -> str:
    """A sentence in this version's spelling."""
    if text.endswith(" succeeded"):
        text = text.removesuffix("succeeded") + SUCCEED
    text = text.replace(" succeeded in ", f" {SUCCEED} in ")
    return text[:1].upper() + text[1:] if CAPITALS else text


def workflow_module(kind: str) -> str:
    """Which module the lines of a workflow name; `kind` is image or video."""
    if VERSION < (3, 5):
        return "core"
    if VERSION < (3, 8):
        return f"image_to_{kind}"
    return f"to_{kind}"
