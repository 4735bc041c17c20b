"""What is heard of a run while it runs: its transcript, told on as progress."""

import time

from faceswapd.core.target import Kind
from faceswapd.engines.engine import WAITING, Progress, Report, Say, unheard
from faceswapd.engines.facefusion.transcript import Bar, Stage, Transcript

_NAMES = {
    Stage.WAITING: "starting",
    Stage.STARTED: "starting",
    Stage.CHECKING: "checking models",
    Stage.DOWNLOADING: "downloading",
    Stage.LOADING: "loading models",
    Stage.ANALYSING: "checking content",
    Stage.COPYING: "reading",
    Stage.EXTRACTING: "reading",
    Stage.PROCESSING: "swapping",
    Stage.MERGING: "writing",
    Stage.FINALIZING: "writing",
    Stage.DONE: "writing",
}


class Hearing:
    """Feed it FaceFusion's stderr; it reports. `before` and `total` are frames: those of the parts that are done
    already, and of the whole target."""

    def __init__(self, kind: Kind, report: Report, before: int, total: int, say: Say = unheard) -> None:
        self.transcript = Transcript(say)
        self._say = say
        self._kind = kind
        self._report = report
        self._before = before
        self._total = total
        self._done = 0
        self._life = 0
        self._swapping_since: float | None = None

    def __call__(self, data: bytes) -> None:
        """Take the next bytes."""
        bars = self.transcript.feed(data)
        if not bars and b"\n" not in data:
            return
        self._life += 1  # a line, a bar that moved: whatever it says, it lives
        for bar in bars:
            self._take(bar)
        if self.transcript.stage >= Stage.PROCESSING and self._swapping_since is None:
            self._swapping_since = time.monotonic()
        phase = _NAMES[self.transcript.stage]
        self._report(Progress(phase, min(self._total, self._before + self._done), self._total, self._life))

    @property
    def swapping_seconds(self) -> float:
        """Since the first picture was begun: without the start, the models' loading and the content check."""
        return 0.0 if self._swapping_since is None else time.monotonic() - self._swapping_since

    def waits(self) -> None:
        """It is not its turn yet, and others go on."""
        self._life += 1
        self._report(Progress(WAITING, self._before, self._total, self._life))

    def anew(self) -> "Hearing":
        """For the same run, begun again."""
        return Hearing(self._kind, self._report, self._before, self._total, self._say)

    def _take(self, bar: Bar) -> None:
        if bar.phase == "processing" and self._kind is Kind.VIDEO:
            self._done = max(self._done, bar.done)
