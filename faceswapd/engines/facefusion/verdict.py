"""What an ended run was: done as FaceFusion says, or which failure.

An exit code alone tells little: 0 also comes after a SIGINT, 1 stands for nearly everything, and when its content check
declines a target, FaceFusion says no word at all. So the transcript is read first: signs in the order of their
exactness, then what the silence means, then the code.
"""

import re
import signal
from dataclasses import dataclass
from typing import Final

from faceswapd.core.failures import Failure, usual
from faceswapd.core.target import Kind
from faceswapd.engines.facefusion.signs import DOUBTS, EXACT, HINTS, IN_SPITE, LAST, VAGUE, Found, first, without
from faceswapd.engines.facefusion.transcript import Stage, Transcript

DECLINED: Final = 3  # what a step of FaceFusion returns when its content check declines
STOPPING: Final = 4  # ... and when it was asked to stop, or its encoder ended
_DECLINED_SHARE: Final = 10.0  # percent of a video's sampled pictures; more is declined


@dataclass(frozen=True, slots=True)
class Exit:
    """How a run ended."""

    code: int | None  # exit code, negative for a signal; None: it lives on and `inner` tells, or it is not known
    inner: int | None  # what FaceFusion's step returned; None: the driver does not hand it out
    asked: Kind  # what kind of target it was given
    debug: bool = True  # whether it ran at log level debug

    @property
    def signal(self) -> int | None:
        """The signal that ended it, also where a shell or Windows tells it as a large code."""
        if self.code is None or 0 <= self.code <= 128:
            return None
        if self.code < 0:
            return -self.code
        return self.code - 128 if self.code < 192 else int(signal.SIGSEGV)

    @property
    def good(self) -> bool:
        """Whether the codes alone would mean success."""
        return {self.code, self.inner} <= {0, None} and (self.code, self.inner) != (None, None)


def judge(transcript: Transcript, ended: Exit) -> Failure | None:
    """Why the run failed. None: FaceFusion says that it is done, and the output still has to be proved."""
    transcript.end()
    if ended.inner == DECLINED:
        return _declined(transcript, ended)
    if found := first(IN_SPITE, transcript.lines):
        return _failure(found)
    return _good_but(transcript) if ended.good else _bad(transcript, ended)


def notices(transcript: Transcript) -> tuple[Failure, ...]:
    """What a run that is done gives cause for all the same: the user is told, the output may be good.

    `audio_lost` is also found for a target that has no sound.
    """
    found = [_failure(one) for hint in (*HINTS, *DOUBTS) if (one := first((hint,), transcript.lines))]
    if transcript.audio_skipped:
        found.append(usual("audio_lost"))
    return tuple({failure.category: failure for failure in reversed(found)}.values())[::-1]


def _failure(found: Found) -> Failure:
    sentence = found.sentence
    return usual(found.sign.category) if sentence is None else Failure(found.sign.category, sentence)


def _bad(transcript: Transcript, ended: Exit) -> Failure:
    if found := first(EXACT, transcript.lines):
        return _exact(found, transcript)
    failure = _by_traceback(transcript) or _by_signal(transcript, ended) or _by_silence(transcript, ended)
    return failure or _by_vague_signs(transcript) or _by_rest(transcript, ended)


def _exact(found: Found, transcript: Transcript) -> Failure:
    category = found.sign.category
    if category == "gpu_oom" and transcript.providers == ("cpu",):  # ONNX Runtime's arena has one name on both
        return usual("out_of_memory")
    bar = transcript.bar("downloading")
    if category in {"model_corrupt", "model_missing"} and bar and bar.done < bar.total:
        return _about_download(transcript, "download_failed", "could not be downloaded to its end")
    return _failure(found)


def _good_but(transcript: Transcript) -> Failure | None:
    """FaceFusion ended with 0: after a SIGINT it does so, too."""
    if transcript.succeeded or transcript.job_done:
        return None
    if not transcript.steps and not transcript.lines and transcript.last is None:
        return None  # log level warn or error: it says nothing when all is well
    if transcript.last is not None or first(VAGUE, transcript.lines):
        return usual("stopped")
    return usual("nothing_made")


def _by_traceback(transcript: Transcript) -> Failure | None:
    text = transcript.traceback
    return next((failure for pattern, failure in _TRACEBACKS if text and pattern.search(text)), None)


def _by_signal(transcript: Transcript, ended: Exit) -> Failure | None:
    number = ended.signal
    if number is None:
        return usual("stopped") if (ended.code, ended.inner) == (0, STOPPING) else None
    bar = transcript.last
    if number in _KILLS and bar and bar.phase == "downloading" and bar.done < bar.total:
        return _about_download(transcript, "download_stalled", "stopped coming")
    if number == signal.SIGKILL:
        return usual("killed")
    return usual("stopped" if number in _KILLS else "crashed")


def _by_silence(transcript: Transcript, ended: Exit) -> Failure | None:
    """FaceFusion went out of a step without a word: that is how its content check declines, and how it refuses to work
    when the file of that check is not its own. The second comes before any model of the swapper is looked at."""
    if not transcript.steps or ended.code != 1 or ended.inner is not None:
        return None  # it died, or its step returned something else than a refusal
    share = transcript.declined_share
    if transcript.stage is Stage.ANALYSING and share is not None and share > _DECLINED_SHARE:
        return _declined(transcript, ended)
    if (
        transcript.stage > Stage.LOADING
        or transcript.traceback
        or first((*VAGUE, *LAST), without(HINTS, transcript.lines))
    ):
        return None
    # Up to version 3.6 the common models are checked before, so that only a swapper's tells.
    checked = transcript.loaded or any(_SWAPPERS.search(name) for name in transcript.checked)
    if ended.debug and not checked:
        return usual("engine_altered")
    return _declined(transcript, ended) if ended.asked is Kind.IMAGE else None


def _by_vague_signs(transcript: Transcript) -> Failure | None:
    lines = transcript.lines
    if found := first(VAGUE, lines):
        return _failure(found)
    found = first(LAST, without(HINTS, lines))
    return _failure(first(HINTS, lines) or found) if found else None


def _by_rest(transcript: Transcript, ended: Exit) -> Failure:
    category = "unknown" if transcript.lines else "job_file"  # refused before a word was said
    if transcript.traceback:
        category = "engine_fault"
    elif (ended.code, ended.inner) == (None, None):
        category = "child_died"
    elif ended.code == 2 and not transcript.lines:
        category = "bad_ini"
    elif transcript.succeeded:
        return Failure("output_place", "FaceFusion made its result, and then could not put it in its place.")
    elif transcript.steps:
        category = "nothing_made"
    elif transcript.job_done is False:
        return Failure("job_file", "FaceFusion did not find the job that it was given.")
    return usual(category)


def _declined(transcript: Transcript, ended: Exit) -> Failure:
    share = transcript.declined_share
    if ended.asked is Kind.IMAGE or share is None:
        return Failure("content_declined", f"FaceFusion's content check declined this {ended.asked}.")
    return Failure(
        "content_declined",
        f"FaceFusion's content check declined this video: it minds {share:.0f} % of the pictures that it looked at.",
    )


def _about_download(transcript: Transcript, category: str, how: str) -> Failure:
    name = transcript.downloading
    return usual(category) if name is None else Failure(category, f"The model file {name[:60]} {how}.")


_KILLS: Final = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL})
_SWAPPERS: Final = re.compile(r"swap|ghost_|hififace|uniface", re.IGNORECASE)
_OPTION_MISSING: Final = Failure("job_file", "FaceFusion found an option missing in the job that it was given.")
_TRACEBACKS: Final = tuple(
    (re.compile(pattern, re.DOTALL), failure)
    for pattern, failure in (
        (
            r"in (?:restore|replace)_audio\b.*(?:ffprobe|NoneType)",
            Failure(
                "encode_failed",
                "FaceFusion cannot read the video that it has just made: its encoder failed, or the disk is full.",
            ),
        ),
        (r"\nBrokenPipeError", Failure("encode_failed", "The video encoder ended while FaceFusion fed it.")),
        (r"ffprobe\.py.*\nTypeError: float\(\) argument must be", usual("target_unreadable")),
        (r"in analyse_(?:image|video)\b.*\nAttributeError: 'NoneType'", usual("target_unreadable")),
        (r"in detect_(?:image|video)_resolution\b.*'NoneType'", usual("target_unreadable")),
        # OpenCV 5 meets a photo without a face, in versions that do not ask first
        (r"in pre_process\b.*in (?:create_faces|get_many_faces)\b.*\ncv2\.error", usual("no_source_face")),
        (r"in pre_check\b.*\nAttributeError: 'NoneType' object has no attribute 'get'", _OPTION_MISSING),
    )
)
