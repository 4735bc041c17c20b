import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceswapd.core.failures import CATALOGUE, Failure, FailureClass
from faceswapd.core.target import Kind
from faceswapd.engines.facefusion.signs import DOUBTS, EXACT, HINTS, IN_SPITE, LAST, VAGUE
from faceswapd.engines.facefusion.transcript import Transcript
from faceswapd.engines.facefusion.verdict import Exit, judge, notices
from tests.engines.facefusion.recorded import FOLDER, RECORDED, Recorded

STEP = b"[FACEFUSION.CORE] processing step 1 of 1\n"
FAILED = [one for one in RECORDED if one.expect != "done"]


def verdict(recorded: Recorded) -> Failure | None:
    return judge(recorded.read(), recorded.ended)


def told(data: bytes, ended: Exit) -> str:
    transcript = Transcript()
    transcript.feed(data)
    failure = judge(transcript, ended)
    return failure.category if failure else "done"


def by_name(name: str) -> Recorded:
    return next(one for one in RECORDED if one.name == name)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one.name)
def test_each_transcript_is_read_rightly(recorded: Recorded) -> None:
    failure = verdict(recorded)
    assert (failure.category if failure else "done") == recorded.expect


def test_there_are_enough_transcripts_and_each_has_its_row() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {one.name for one in RECORDED}
    assert len(RECORDED) >= 60


def test_nearly_all_are_read_rightly() -> None:
    right = sum((failure.category if (failure := verdict(one)) else "done") == one.expect for one in RECORDED)
    assert right / len(RECORDED) >= 0.95


def test_every_category_that_has_a_sign_has_a_transcript() -> None:
    signs = {sign.category for sign in (*IN_SPITE, *EXACT, *VAGUE, *HINTS, *LAST)}
    assert signs <= {one.expect for one in RECORDED}
    assert signs | {sign.category for sign in DOUBTS} <= set(CATALOGUE)


@pytest.mark.parametrize(
    "recorded",
    [one for one in FAILED if CATALOGUE[one.expect].failure_class is FailureClass.PERMANENT],
    ids=lambda one: one.name,
)
def test_what_is_permanent_is_never_tried_again(recorded: Recorded) -> None:
    failure = verdict(recorded)
    assert failure is not None
    assert failure.failure_class is FailureClass.PERMANENT


@pytest.mark.parametrize("recorded", FAILED, ids=lambda one: one.name)
def test_a_sentence_is_one_that_people_can_read(recorded: Recorded) -> None:
    failure = verdict(recorded)
    assert failure is not None
    assert re.fullmatch(r"[A-Z][^\n]{10,150}\.", failure.sentence)
    assert not re.search(r"errno|traceback|None|\{|\}|0x|\\", failure.sentence, re.IGNORECASE)
    assert not re.search(r"/\w+/", failure.sentence), "no paths of the scratch"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "models_missing_30",
            "FaceFusion's model files are missing: open_nsfw, dfl_xseg, arcface_w600k_r50 and 2 more.",
        ),
        ("provider_not_offered", "The installed FaceFusion does not offer the execution provider tensorrt."),
        ("option_not_known", "The installed FaceFusion does not know the option --workflow-strategy."),
        ("download_cut", "The model file hyperswap_1a_256.onnx could not be downloaded to its end."),
        ("encoder_unknown", "FaceFusion's ffmpeg does not have the encoder libx265."),
        (
            "declined_video",
            "FaceFusion's content check declined this video: it minds 35 % of the pictures that it looked at.",
        ),
    ],
)
def test_the_sentence_names_what_matters(name: str, sentence: str) -> None:
    failure = verdict(by_name(name))
    assert failure is not None
    assert failure.sentence == sentence


@pytest.mark.parametrize(
    ("code", "inner", "expected"),
    [
        (None, 3, "content_declined"),
        (1, 3, "content_declined"),
        (0, 3, "content_declined"),
        (0, 4, "stopped"),
        (0, None, "nothing_made"),
        (None, 0, "nothing_made"),
        (-9, None, "killed"),
        (137, None, "killed"),
        (-15, None, "stopped"),
        (143, None, "stopped"),
        (-2, None, "stopped"),
        (-11, None, "crashed"),
        (134, None, "crashed"),
        (0xC0000005, None, "crashed"),
        (1, None, "engine_altered"),
        (1, 2, "nothing_made"),
        (None, None, "child_died"),
    ],
)
def test_a_step_that_says_nothing_is_told_by_its_codes(code: int | None, inner: int | None, expected: str) -> None:
    assert told(STEP, Exit(code, inner, Kind.IMAGE)) == expected


def test_a_video_that_ended_in_silence_without_its_analysis_was_not_declined() -> None:
    """A refusal is final, so that it is never guessed where the analysis would have told."""
    checked = b"[FACEFUSION.DOWNLOAD] validating source for inswapper_128 succeeded\n"
    assert told(STEP + checked, Exit(1, None, Kind.VIDEO)) == "nothing_made"
    assert told(STEP + checked, Exit(1, None, Kind.IMAGE)) == "content_declined"


@pytest.mark.parametrize(("code", "inner"), [(None, None), (None, 1), (1, 1), (-9, None), (-11, None)])
def test_what_died_while_the_content_was_checked_was_not_declined(code: int | None, inner: int | None) -> None:
    """The transcript of a refusal is that of a sudden death: only the codes tell them apart."""
    assert told(by_name("declined_image").data, Exit(code, inner, Kind.IMAGE)) not in {"content_declined", "done"}


def test_ten_percent_are_not_declined() -> None:
    bar = b"\ranalysing: 100%%|==========| 50/50 [00:01<00:00, 42.1frame/s, rate=%b]\n"
    assert told(STEP + bar % b"10", Exit(1, None, Kind.VIDEO)) == "nothing_made"
    assert told(STEP + bar % b"10.1", Exit(1, None, Kind.VIDEO)) == "content_declined"


@pytest.mark.parametrize(
    ("name", "categories"),
    [
        ("done_image", []),
        ("done_video_audio_skipped", ["audio_lost"]),
        ("done_cuda_fell_back", ["gpu_runtime_missing"]),
        ("done_half_precision", ["fp16_unsupported"]),
    ],
)
def test_what_a_good_run_gives_cause_for_is_noticed(name: str, categories: list[str]) -> None:
    assert [failure.category for failure in notices(by_name(name).read())] == categories


@given(
    data=st.lists(st.binary(max_size=300) | st.sampled_from([one.data[:2000] for one in RECORDED]), max_size=6),
    code=st.none() | st.integers(-64, 256) | st.integers(0, 2**32),
    inner=st.none() | st.integers(0, 5),
    kind=st.sampled_from(Kind),
    debug=st.booleans(),
)
def test_rubbish_never_raises(data: list[bytes], code: int | None, inner: int | None, kind: Kind, debug: bool) -> None:  # noqa: FBT001
    transcript = Transcript()
    for piece in data:
        transcript.feed(piece)
    failure = judge(transcript, Exit(code, inner, kind, debug=debug))
    assert failure is None or failure.category in CATALOGUE
    assert all(notice.category in CATALOGUE for notice in notices(transcript))
