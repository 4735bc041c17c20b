"""A video made such that an engine cannot damage it; in the child.

The engine gets the main picture alone: at a constant rate, upright, starting at 0. Wherever the coding itself
is fine its packets are copied, and only their moments are new. What is changed here is put right again when
the output is put together (`finishing.py`): each picture gets its own moment back, and the sound its place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.stream import Disposition
from av.video.frame import VideoFrame

from faceswapd.children.serve import Refusal
from faceswapd.core.codings import Coding
from faceswapd.core.preflight import Weakness
from faceswapd.core.target import Facts, Kind, Prepared
from faceswapd.media.carrying import rate_filter
from faceswapd.media.mending import Report, Steps, not_written
from faceswapd.media.opened import NotOrdinaryError, Opened, unopened
from faceswapd.media.preparing_image import prepare_image
from faceswapd.media.recoding import Encoder, Painter, is_bright, turn_of
from faceswapd.media.timeline import Reel, Timeline, read_reel
from faceswapd.media.video import NotAVideoError, Track, every_picture, open_video, packets

QUALITY: Final = 12  # x264's crf of a picture that is coded once more only for the engine: no eye sees it
SLOWEST, FASTEST = Fraction(1), Fraction(60)  # FaceFusion writes no other rates
_IN_MP4: Final = frozenset({"h264", "hevc", "mpeg4", "vp9"})
_IN_MATROSKA: Final = frozenset({"mjpeg", "prores", "dnxhd", "ffv1"})
_PLAIN_SUFFIXES: Final = frozenset({".mp4", ".mkv", ".mov", ".m4v"})
_RECODED: Final = Coding("libx264")
_Need = tuple[Weakness, bool, str]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What has to be done to a video, as sentences for people; an empty one is done and not told."""

    recode: tuple[str, ...]  # reasons to code the pictures once more
    copy: tuple[str, ...]  # reasons to copy them into a new file
    turn: bool
    tone: bool


def prepare(target: Path, folder: Path, facts: Facts, weaknesses: frozenset[Weakness], report: Report) -> Prepared:
    """Write what the engine shall get into `folder`; the target itself where nothing has to be mended.

    Raises Refusal and MemoryError.
    """
    try:
        if facts.kind is Kind.IMAGE:
            return prepare_image(target, folder, weaknesses)
        return _prepare_video(target, folder, facts, weaknesses, report)
    except NotAVideoError as error:
        raise Refusal("target_unreadable", error.unreadable.sentence) from error
    except av.FFmpegError as error:
        raise not_written(error) from error
    except (OSError, NotOrdinaryError) as error:
        raise Refusal("target_missing", unopened(error).sentence) from error


def _prepare_video(
    target: Path, folder: Path, facts: Facts, weaknesses: frozenset[Weakness], report: Report
) -> Prepared:
    steps = Steps(report, 2 * facts.frames)
    with Opened(str(target)) as file:
        reel = read_reel(file, steps.step)
        if reel.first is None:
            raise Refusal("target_unreadable", "Not one of the video's first pictures can be decoded.")
        plan = _plan(reel, facts, target, weaknesses)
        if not plan.recode and not plan.copy:
            return Prepared(target)
        rate = engine_rate(reel, facts)
        if not plan.recode and reel.timeline is not None and _can_copy(reel):
            staged = folder / ("prepared.mp4" if reel.codec in _IN_MP4 else "prepared.mkv")
            if _copied(file, staged, reel, rate, steps) and _is_fine(staged, facts.frames):
                return Prepared(staged, tuple(filter(None, plan.copy)))
            staged.unlink(missing_ok=True)
        staged = folder / "prepared.mp4"
        _recode(file, staged, plan, rate, facts, steps)
    if not _is_fine(staged, facts.frames):
        raise Refusal("unsupported", "The video cannot be brought into a form that the engine reads in full.")
    reasons = plan.recode or ("Its pictures were coded once more.",)
    return Prepared(staged, tuple(filter(None, (*reasons, *plan.copy))))


def _plan(reel: Reel, facts: Facts, target: Path, weaknesses: frozenset[Weakness]) -> _Plan:
    assert reel.first is not None
    turned = turn_of(reel.first) != (1, 0, 0, 1)
    bright = is_bright(reel.first)
    readable = reel.timeline is not None and _can_copy(reel)
    plain = readable and target.suffix.lower() in _PLAIN_SUFFIXES
    uneven = reel.timeline is not None and not is_even(reel.timeline)
    rate = _own_rate(reel, facts)
    recode: tuple[_Need, ...] = (
        (Weakness.ROTATION, turned, _turn_sentence(facts)),
        (Weakness.HDR, bright, "Its brightness (HDR) was brought down to a standard screen's."),
        (Weakness.UNUSUAL, not readable, f"Its pictures ({reel.codec}) were coded once more, as H.264."),
    )
    copy: tuple[_Need, ...] = (
        (Weakness.VARIABLE_RATE, uneven, "Its pictures were given an even rate, which is undone at the end."),
        (
            Weakness.VARIABLE_RATE,
            not uneven and not SLOWEST <= rate <= FASTEST,
            "Its rate was brought to between 1 and 60 pictures a second, which is undone at the end.",
        ),
        (Weakness.NO_DURATION, reel.planned is None, "It was told how long it is, which it did not say."),
        # Nobody need be told of these: they change nothing that could be seen or heard.
        (Weakness.NO_DURATION, reel.planned not in (None, facts.frames), ""),
        (Weakness.SOUND, reel.streams > 1, ""),
        (Weakness.UNUSUAL, not plain, ""),
    )
    return _Plan(
        recode=_sentences(recode, weaknesses),
        copy=_sentences(copy, weaknesses),
        turn=turned and Weakness.ROTATION in weaknesses,
        tone=bright and Weakness.HDR in weaknesses,
    )


def _sentences(needs: tuple[_Need, ...], weaknesses: frozenset[Weakness]) -> tuple[str, ...]:
    return tuple(sentence for weakness, needed, sentence in needs if needed and weakness in weaknesses)


def _turn_sentence(facts: Facts) -> str:
    if facts.rotation:
        return f"Its rotation by {facts.rotation} degrees was baked in."
    return "Its mirroring was baked in."


def _can_copy(reel: Reel) -> bool:
    return reel.codec in _IN_MP4 | _IN_MATROSKA


def is_even(timeline: Timeline) -> bool:
    """Whether the pictures come at a constant rate from 0 on, as exactly as the video's clock can tell."""
    moments = timeline.moments
    if moments[0] != 0:
        return False
    if len(moments) < 2:
        return True
    step = Fraction(moments[-1], len(moments) - 1)
    return all(abs(moment - number * step) <= 1 for number, moment in enumerate(moments))


def engine_rate(reel: Reel, facts: Facts) -> Fraction:
    """The constant rate that the engine gets: the video's own where that is even, else near its average.

    Any rate would do, since each picture gets its own moment back; near the average FaceFusion's content
    check looks at as many pictures of a second as it would.
    """
    rate = _own_rate(reel, facts)
    if rate.denominator > 1001 or (reel.timeline is not None and rate != _stated(reel)):
        rate = Fraction(max(1, round(rate)))
    return min(max(rate, SLOWEST), FASTEST)


def _own_rate(reel: Reel, facts: Facts) -> Fraction:
    """The rate that the video states where its pictures keep to it; else their average."""
    stated = _stated(reel)
    if reel.timeline is not None:
        return stated if stated and _agrees(stated, reel.timeline) else reel.timeline.rate
    average = Fraction(facts.frames / facts.duration) if facts.duration else Fraction(25)
    return stated if stated and abs(stated / average - 1) < Fraction(1, 50) else average


def _stated(reel: Reel) -> Fraction | None:
    return reel.rate.limit_denominator(1001) if reel.rate else None


def _agrees(rate: Fraction, timeline: Timeline) -> bool:
    """Whether all pictures come at this rate, in its own ticks."""
    start = timeline.moments[0]
    slack = 1 + Fraction(len(timeline.moments), 100_000)  # clocks in milliseconds state rates that are rounded
    return all(
        abs((moment - start) - number / (rate * timeline.tick)) <= slack
        for number, moment in enumerate(timeline.moments)
    )


def _copied(file: Opened, staged: Path, reel: Reel, rate: Fraction, steps: Steps) -> bool:
    """Copy the pictures' packets, numbered in showing order. False where the container does not take them."""
    container, stream = open_video(file)
    try:
        with container, av.open(staged, "w") as output:
            copy = output.add_stream_from_template(stream, opaque=True)
            copy.time_base = 1 / rate
            copy.codec_context.framerate = rate
            copy.disposition = Disposition.default
            told = rate_filter(reel.codec, stream, copy, rate)
            place = 0
            for packet in packets(container, Track()):
                if packet.stream_index != stream.index or place >= len(reel.coded):
                    continue
                number = reel.number_of(reel.coded[place])
                for changed in (packet,) if told is None else told.filter(packet):
                    changed.time_base = 1 / rate
                    changed.pts, changed.dts, changed.duration = number, place - reel.delay, 1
                    changed.stream = copy
                    output.mux(changed)
                place += 1
                steps.step()
            return place == len(reel.coded)
    except av.FFmpegError as error:
        refusal = not_written(error)
        if refusal.failure.category != "output_damaged":  # not the container's doing
            raise refusal from error
        return False
    except ValueError:
        return False


def _recode(file: Opened, staged: Path, plan: _Plan, rate: Fraction, facts: Facts, steps: Steps) -> None:
    """Decode every picture and code it once more. Raises Refusal."""
    container, stream = open_video(file)
    pictures = 0
    with container, _written(lambda: av.open(staged, "w")) as output:
        encoder: Encoder | None = None
        painter: Painter | None = None

        def put(frame: VideoFrame | None) -> None:
            assert encoder is not None
            assert painter is not None
            try:
                for _, packet in encoder.encode(None if frame is None else painter.paint(frame)):
                    output.mux(packet)
            except av.FFmpegError as error:
                raise not_written(error) from error

        for frame in every_picture(container, stream):
            if painter is None or encoder is None:
                painter = Painter(frame, "yuv420p", staged.parent, turn=plan.turn, tone=plan.tone)
                encoder = Encoder(output, _RECODED, painter, rate, quality=QUALITY)
            put(frame)
            pictures += 1
            steps.step()
        if encoder is not None:
            put(None)
    if pictures != facts.frames:
        raise Refusal(
            "target_unreadable",
            f"Only {pictures} of the video's {facts.frames} pictures can be decoded.",
        )


def _written(opening: Callable[[], "av.container.OutputContainer"]) -> "av.container.OutputContainer":
    try:
        return opening()
    except (av.FFmpegError, OSError) as error:
        raise not_written(error) from error


def _is_fine(staged: Path, frames: int) -> bool:
    """Whether a reader sees exactly these pictures in the staged file."""
    try:
        with Opened(str(staged)) as file:
            reel = read_reel(file, lambda: None)
    except (NotAVideoError, OSError):
        return False
    timeline = reel.timeline
    return (
        timeline is not None
        and len(timeline.moments) == frames
        and is_even(timeline)
        and reel.planned == frames
        and reel.streams == 1
    )
