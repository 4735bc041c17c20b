r"""What FaceFusion wrote to stderr, as lines and bars.

Everything comes on one stream: log lines (`[FACEFUSION.MODULE] message`), progress bars that overwrite themselves with
`\r`, tracebacks, and what ffmpeg and ONNX Runtime say. A log line may follow a bar without a line's end. Versions 3.0
to 3.4 begin their messages with a capital, and up to 3.3 they say "succeed" where later ones say "succeeded".
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

KEPT_LINES = 400  # lines that are kept, the last ones
KEPT_WIDTH = 1000  # characters of each of them
TAIL_LINES = 40  # lines for the log of a failed execution
_LONGEST = 8192  # bytes of a line that are looked at; the rest, up to the line's end, is dropped
_NAMES = 200  # model names that are kept


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar as it stood."""

    phase: str  # analysing, extracting, processing, merging, downloading; in small letters in every version
    done: int  # frames; bytes while downloading
    total: int
    unit: str  # "frame" or "B"
    rate: float | None  # units a second; None: not known yet


class Stage(IntEnum):
    """How far a job is, coarsely. Images have no bars, so that this is their progress."""

    WAITING = 0
    STARTED = 1
    CHECKING = 2  # the models' files
    DOWNLOADING = 3
    LOADING = 4  # models
    ANALYSING = 5  # the content
    COPYING = 6
    EXTRACTING = 7
    PROCESSING = 8
    MERGING = 9
    FINALIZING = 10
    DONE = 11


class Transcript:
    """The stderr of one job, fed as it comes. One Transcript a job; it takes bounded memory, whatever is fed."""

    def __init__(self, say: Callable[[str], None] = lambda _: None) -> None:
        """`say` hears each line that is kept."""
        self._say = say
        self._rest = bytearray()  # of a line without its end
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._shapes: dict[str, None] = {}  # ffmpeg's complaints, without their numbers: each is kept once
        self._traceback: list[str] = []
        self._in_traceback = False
        self._deleted: dict[str, None] = {}
        self._forget_step()
        self.steps = 0  # how many steps have begun
        self.job_done: bool | None = None  # FaceFusion's own word on the job; None: it said none
        self.dropped = 0  # bytes of overlong lines that were not looked at

    def _forget_step(self) -> None:
        self._last: Bar | None = None
        self._bars: dict[str, Bar] = {}
        self.stage = Stage.WAITING  # of the last step
        self.succeeded = False  # FaceFusion said that the last step's output is there
        self.audio_skipped = False  # it said that the sound was left out, which is normal for a target without sound
        self.declined_share: float | None = None  # percent of a video's sampled pictures that its content check minds
        self.providers: tuple[str, ...] = ()  # execution providers, as the processing bar names them
        self.downloading: str | None = None  # the file that is, or was last, fetched
        self._loaded: dict[str, None] = {}
        self._checked: dict[str, None] = {}

    def feed(self, data: bytes) -> list[Bar]:
        """Take the next bytes, cut anywhere; return the bars that have moved."""
        moved: list[Bar] = []
        for piece in _ENDS.split(data.replace(b"\0", b"")):
            if piece in {b"\r", b"\n"}:
                self._line(moved)
                continue
            room = _LONGEST - len(self._rest)
            self._rest += piece[:room]
            self.dropped += max(0, len(piece) - room)
        self._bar(self._rest.decode(errors="replace"), moved)  # a bar's end comes with the next bar only
        return moved

    def end(self) -> None:
        """Nothing more comes: what is left without a line's end is a line."""
        self._line([])

    @property
    def lines(self) -> tuple[str, ...]:
        """The last lines, without bars and empty lines."""
        return tuple(self._lines)

    @property
    def tail(self) -> tuple[str, ...]:
        """The very last lines, for the log."""
        return tuple(self._lines)[-TAIL_LINES:]

    @property
    def last(self) -> Bar | None:
        """The bar that moved last in the last step."""
        return self._last

    def bar(self, phase: str) -> Bar | None:
        """A phase's bar as it stands; None: it has not been seen."""
        return self._bars.get(phase)

    @property
    def traceback(self) -> str:
        """The last traceback, from its head to the exception; empty where there was none."""
        return "\n".join(self._traceback)

    @property
    def loaded(self) -> tuple[str, ...]:
        """Models that were loaded in the last step; told at log level debug only."""
        return tuple(self._loaded)

    @property
    def checked(self) -> tuple[str, ...]:
        """Models whose files were found good in the last step; told at log level debug only."""
        return tuple(self._checked)

    @property
    def deleted(self) -> tuple[str, ...]:
        """Models that FaceFusion has deleted because their hash was wrong."""
        return tuple(self._deleted)

    def _line(self, moved: list[Bar]) -> None:
        text = self._rest.decode(errors="replace")
        self._rest.clear()
        for part in _HEADS.split(text):
            if not self._bar(part, moved) and part.strip():
                self._said(part.rstrip()[:KEPT_WIDTH])

    def _bar(self, text: str, moved: list[Bar]) -> bool:
        """Whether the text begins with a bar; it is taken in."""
        match = _BAR.match(text)
        if match is None:
            return False
        bar = _read(match)
        if bar != self._last:
            self._last = self._bars[bar.phase] = bar
            self._reach(_BY_PHASE[bar.phase])
            moved.append(bar)
        if share := _SHARE.search(text):
            self.declined_share = float(share[1])
        if providers := _PROVIDERS.search(text):
            self.providers = tuple(re.findall(r"\w+", providers[1]))
        if file := _FILE.search(text):
            self.downloading = file[1]
        return True

    def _said(self, line: str) -> None:
        self._collect_traceback(line)
        if line.startswith("[FACEFUSION.FFMPEG]"):
            shape = _NUMBERS.sub("0", line)
            if shape in self._shapes:
                return
            if len(self._shapes) < KEPT_LINES:
                self._shapes[shape] = None
        self._lines.append(line)
        self._say(line)
        if match := _MESSAGE.match(line):
            self._understand(match[1])

    def _understand(self, message: str) -> None:
        if _STEP.match(message):
            self._forget_step()
            self.steps += 1
        for pattern, stage in _STAGES:
            if pattern.match(message):
                self._reach(stage)
        if _SUCCESS.match(message):
            self.succeeded = True
        elif match := _JOB.match(message):
            self.job_done = match[1].lower() != "failed"
        elif match := _LOADED.match(message):
            _remember(self._loaded, match[1])
        elif match := _CHECKED.match(message):
            _remember(self._checked, match[1])
        elif match := _DELETED.match(message):
            _remember(self._deleted, match[1])
        elif _AUDIO_SKIPPED.match(message):
            self.audio_skipped = True

    def _collect_traceback(self, line: str) -> None:
        if line.startswith("Traceback (most recent call last)"):
            self._traceback = [line]
            self._in_traceback = True
        elif self._in_traceback:
            if len(self._traceback) < KEPT_LINES:
                self._traceback.append(line)
            self._in_traceback = line.startswith(" ")  # the exception stands at the line's beginning

    def _reach(self, stage: Stage) -> None:
        self.stage = max(self.stage, stage)


def _read(match: re.Match[str]) -> Bar:
    unit = "B" if "B" in match["unit"] else "frame"
    base = 1024 if unit == "B" else 1000
    rate = None
    if match["rate"] != "?":
        rate = _amount(match["rate"] + match["scale"], base)
        if match["unit"].startswith("s/"):
            rate = 1 / rate if rate else None
    return Bar(
        phase=match["phase"].lower(),
        done=round(_amount(match["done"], base)),
        total=round(_amount(match["total"], base)),
        unit=unit,
        rate=rate,
    )


def _amount(text: str, base: int) -> float:
    """A number with tqdm's ending: 1.5k -> 1500."""
    power = "kMGT".find(text[-1]) + 1
    return float(text[:-1] if power else text) * float(base**power)


def _remember(names: dict[str, None], name: str) -> None:
    if len(names) < _NAMES:
        names[name] = None


_ENDS: Final = re.compile(rb"([\r\n])")
_HEADS: Final = re.compile(r"(?=\[FACEFUSION\.)")
_NUMBERS: Final = re.compile(r"0x[0-9a-f]+|\d+")
_NUMBER: Final = r"\d{1,15}(?:\.\d{1,6})?"
_BAR: Final = re.compile(
    rf"\s*(?P<phase>analysing|extracting|processing|merging|downloading):\s+\d{{1,5}}%\|[^|]*\|\s*"
    rf"(?P<done>{_NUMBER}[kMGT]?)/(?P<total>{_NUMBER}[kMGT]?) \[[\d:]+<[\d:?]+,\s*"
    rf"(?P<rate>{_NUMBER}|\?)(?P<scale>[kMGT]?)(?P<unit>frame/s|B/s|s/frame|s/B)(?=[,\]])",
    re.IGNORECASE | re.ASCII,
)
_SHARE: Final = re.compile(rf"\brate=({_NUMBER})(?:e-\d{{1,3}})?[,\]]", re.ASCII)
_PROVIDERS: Final = re.compile(r"execution_providers=\[([^\]]*)\]")
_FILE: Final = re.compile(r"file_name=([^,\]]+)[,\]]")
_MESSAGE: Final = re.compile(r"\[FACEFUSION\.[A-Z0-9_.]+\] (.*)")
_BY_PHASE: Final = {
    "analysing": Stage.ANALYSING,
    "extracting": Stage.EXTRACTING,
    "processing": Stage.PROCESSING,
    "merging": Stage.MERGING,
    "downloading": Stage.DOWNLOADING,
}


def _message(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_STEP: Final = _message(r"processing step \d+ of \d+")
_SUCCESS: Final = _message(r"processing to (?:image|video|frames) succeed")
_JOB: Final = _message(r"processing of (?:all jobs?|job .*) (succeed|succeeded|failed)$")
_LOADED: Final = _message(r"loading model (\S+) succeed")
_CHECKED: Final = _message(r"validating source for (\S+) succeed")
_DELETED: Final = _message(r"deleting corrupt source for (\S+)")
_AUDIO_SKIPPED: Final = _message(r"(?:restoring|replacing) audio skipped")
_STAGES: Final = (
    (_STEP, Stage.STARTED),
    (_message("validating "), Stage.CHECKING),
    (_message("loading model "), Stage.LOADING),
    (_message("copying image with"), Stage.COPYING),
    (_message("copying image succeed"), Stage.PROCESSING),
    (_message("extracting frames with"), Stage.EXTRACTING),
    (_message("extracting frames succeed"), Stage.PROCESSING),
    (_message("merging video with"), Stage.MERGING),
    (_message("finalizing image with|(?:restoring|replacing|skipping) audio"), Stage.FINALIZING),
    (_SUCCESS, Stage.DONE),
)
