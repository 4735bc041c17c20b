import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswapd.engines.facefusion.transcript import KEPT_LINES, KEPT_WIDTH, TAIL_LINES, Bar, Stage, Transcript
from tests.engines.facefusion.recorded import RECORDED, Recorded

WHOLE = "processing:  28%|==        | 14/50 [00:01<00:02, 12.50frame/s, execution_providers=['cpu']]"


def fed(*texts: str) -> Transcript:
    transcript = Transcript()
    for text in texts:
        transcript.feed(text.encode())
    return transcript


def state(transcript: Transcript) -> tuple[object, ...]:
    """All that a transcript tells."""
    return (
        transcript.lines,
        transcript.last,
        transcript.traceback,
        transcript.stage,
        transcript.succeeded,
        transcript.steps,
        transcript.job_done,
        transcript.audio_skipped,
        transcript.declined_share,
        transcript.providers,
        transcript.downloading,
        transcript.loaded,
        transcript.checked,
        transcript.deleted,
        transcript.dropped,
    )


def test_each_line_that_is_kept_is_told_at_once_and_no_bar() -> None:
    heard: list[str] = []
    transcript = Transcript(heard.append)
    transcript.feed(b"[FACEFUSION.CORE] processing step 1 of 1\n" + WHOLE.encode() + b"\rhal")
    assert heard == ["[FACEFUSION.CORE] processing step 1 of 1"]
    transcript.feed(b"f a line\n\n")
    assert heard[1:] == ["half a line"]
    assert heard == list(transcript.lines)


@pytest.mark.parametrize(
    ("text", "bar"),
    [
        (WHOLE, Bar("processing", 14, 50, "frame", 12.5)),
        ("\rAnalysing:   0%|          | 0/90 [00:00<?, ?frame/s]", Bar("analysing", 0, 90, "frame", None)),
        ("extracting: 100%|==========| 7/7 [1:02:03<00:00,  4.00s/frame]", Bar("extracting", 7, 7, "frame", 0.25)),
        (
            "downloading:  37%|===       | 1.50M/384M [00:12<00:21, 2.00kB/s, file_name=xseg_1.onnx]",
            Bar("downloading", 3 << 19, 384 << 20, "B", 2048.0),
        ),
        ("merging:  50%|=====     | 1.5k/3k [00:01<00:01, 1.2kframe/s]", Bar("merging", 1500, 3000, "frame", 1200.0)),
    ],
)
def test_a_bar_is_read(text: str, bar: Bar) -> None:
    assert Transcript().feed(text.encode()) == [bar]


@pytest.mark.parametrize(
    "text",
    [
        "processing:  28%|==        | 14/5",
        "processing:  28%|==        | 14/50 [00:01<00:02, 12.50fr",
        "processing: 0frame [00:00, ?frame/s]",
        "melting:  28%|==        | 14/50 [00:01<00:02, 12.50frame/s]",
        "processing:  28%|==        | 1" + "0" * 5000 + "/50 [00:01<00:02, 12.50frame/s]",
        "[FACEFUSION.CORE] processing step 1 of 1",
    ],
)
def test_what_is_no_whole_bar_is_none(text: str) -> None:
    assert Transcript().feed(text.encode()) == []


def test_only_bars_that_moved_are_told() -> None:
    transcript = Transcript()
    assert len(transcript.feed(f"\r{WHOLE}\r{WHOLE}".encode())) == 1
    assert transcript.feed(b"\r") == []
    assert transcript.feed(WHOLE.replace(" 14/", " 15/").encode()) == [Bar("processing", 15, 50, "frame", 12.5)]


def test_a_log_line_may_follow_a_bar_without_a_line_end() -> None:
    transcript = fed(f"\r{WHOLE}[FACEFUSION.TO_VIDEO] merging video with a resolution of 8x8 and 5 frames per second\n")
    assert transcript.last == Bar("processing", 14, 50, "frame", 12.5)
    assert transcript.lines == ("[FACEFUSION.TO_VIDEO] merging video with a resolution of 8x8 and 5 frames per second",)
    assert transcript.stage is Stage.MERGING


def test_what_stands_beside_a_bar_is_kept() -> None:
    transcript = fed(f"\r{WHOLE.replace('cpu', 'cuda')}")
    assert transcript.providers == ("cuda",)
    transcript.feed(b"\ranalysing:  50%|=====     | 1/2 [00:00<00:00, 9.1frame/s, rate=12.5]")
    assert transcript.declined_share == 12.5
    transcript.feed(b"\rdownloading:   0%|          | 0.00/8.0M [00:00<?, ?B/s, file_name=xseg_1.onnx]")
    assert transcript.downloading == "xseg_1.onnx"


def test_the_stages_of_an_image() -> None:
    transcript = Transcript()
    seen = [transcript.stage]
    for message in (
        "processing step 1 of 1",
        "validating source for yoloface_8n succeeded",
        "loading model yoloface_8n succeeded in 0.2 seconds",
        "copying image with a resolution of 64x64",
        "copying image succeeded",
        "loading model hyperswap_1a_256 succeeded in 1.2 seconds",
        "finalizing image with a resolution of 64x64",
        "processing to image succeeded in 2.0 seconds",
    ):
        transcript.feed(f"[FACEFUSION.ANY] {message}\n".encode())
        seen.append(transcript.stage)
    assert seen == [
        Stage.WAITING,
        Stage.STARTED,
        Stage.CHECKING,
        Stage.LOADING,
        Stage.COPYING,
        Stage.PROCESSING,
        Stage.PROCESSING,
        Stage.FINALIZING,
        Stage.DONE,
    ]


def test_a_step_begins_anew() -> None:
    step = "[FACEFUSION.CORE] Processing step 1 of 1\n"
    transcript = fed(step, "[FACEFUSION.CORE] Processing to image succeed in 0.9 seconds\n")
    assert transcript.succeeded
    transcript.feed(step.encode())
    assert (transcript.succeeded, transcript.stage, transcript.steps, transcript.last) == (
        False,
        Stage.STARTED,
        2,
        None,
    )


def test_models_and_job_results_are_remembered_in_both_wordings() -> None:
    transcript = fed(
        "[FACEFUSION.DOWNLOAD] Validating source for xseg_1 succeed\n",
        "[FACEFUSION.INFERENCE_MANAGER] loading model xseg_1 succeeded in 0.1 seconds\n",
        "[FACEFUSION.DOWNLOAD] deleting corrupt source for gfpgan_1.4\n",
        "[FACEFUSION.TO_VIDEO] restoring audio skipped\n",
        "[FACEFUSION.CORE] Processing of all job succeed\n",
    )
    assert (transcript.checked, transcript.loaded, transcript.deleted) == (("xseg_1",), ("xseg_1",), ("gfpgan_1.4",))
    assert transcript.audio_skipped
    assert transcript.job_done is True


def test_the_last_traceback_is_kept_whole() -> None:
    transcript = fed(
        "Traceback (most recent call last):\n  File a\nOSError: first\n",
        "During handling of the above exception, another exception occurred:\n",
        "Traceback (most recent call last):\n  File b\nOSError: second\nafterwards\n",
    )
    assert transcript.traceback == "Traceback (most recent call last):\n  File b\nOSError: second"


def test_the_tail_holds_no_bars_and_no_more_than_its_lines() -> None:
    transcript = fed(*(f"line {number}\n\r{WHOLE}\r" for number in range(1000)))
    assert transcript.tail == tuple(f"line {number}" for number in range(1000 - TAIL_LINES, 1000))
    assert len(transcript.lines) == KEPT_LINES


def test_a_line_without_its_end_is_a_line_at_the_end() -> None:
    transcript = fed("half a l")
    assert not transcript.lines
    transcript.end()
    assert transcript.lines == ("half a l",)


def test_ffmpeg_repeating_itself_pushes_nothing_out() -> None:
    transcript = fed("[FACEFUSION.FFMPEG] av_interleaved_write_frame(): No space left on device\n")
    for number in range(5000):
        transcript.feed(f"[FACEFUSION.FFMPEG] [h264 @ 0x{number:x}] error while decoding MB {number}\n".encode())
    assert len(transcript.lines) == 2


def test_the_memory_is_bounded() -> None:
    transcript = Transcript()
    data = b"x" * (1 << 20)
    tracemalloc.start()
    try:
        for _ in range(16):
            transcript.feed(data)
        transcript.feed(b"\n")
        for number in range(4000):
            transcript.feed(f"[FACEFUSION.DOWNLOAD] deleting corrupt source for m{number}\n".encode())
            transcript.feed(f"[FACEFUSION.FFMPEG] {'abcdefghij'[number % 10] * (number % 50)}\n".encode())
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2 << 20
    assert all(len(line) <= KEPT_WIDTH for line in transcript.lines)
    assert transcript.dropped > 15 << 20


PIECES = [
    WHOLE.encode(),
    b"\ranalysing:   2%|          | 1/50 [00:00<00:00, 90.1frame/s, rate=40]",
    b"[FACEFUSION.CORE] processing step 1 of 1\n",
    b"[FACEFUSION.",
    b"Traceback (most recent call last):\n  File x\nOSError: y\n",
    "ü".encode(),
    b"\r",
    b"\n",
    b"\0",
    b"z" * 9000,
]


@settings(deadline=None, max_examples=150)
@given(
    data=st.sampled_from(RECORDED).map(lambda one: one.data)
    | st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=20).map(b"".join),
    cuts=st.lists(st.integers(0, 20_000), max_size=40),
)
def test_it_does_not_matter_where_the_bytes_are_cut(data: bytes, cuts: list[int]) -> None:
    whole, pieces = Transcript(), Transcript()
    bars = whole.feed(data)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    moved = [bar for a, b in pairwise(places) for bar in pieces.feed(data[a:b])]
    assert moved == bars
    whole.end()
    pieces.end()
    assert state(pieces) == state(whole)


@pytest.mark.parametrize("recorded", [one for one in RECORDED if len(one.data) < 4000], ids=lambda one: one.name)
def test_bytes_may_come_one_by_one(recorded: Recorded) -> None:
    single = Transcript()
    for byte in recorded.data:
        single.feed(bytes([byte]))
    assert state(single) == state(recorded.read())
