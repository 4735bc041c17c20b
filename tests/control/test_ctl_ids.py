"""How several jobs are named, and what is said of each."""

from pathlib import Path

import pytest

from faceswapd.control.wire.messages import Done, Error
from faceswapd.ctl import main
from faceswapd.ctl.parser import parser
from tests.control import samples
from tests.control.answering_daemon import Answers
from tests.control.test_ctl_commands import _own_home, asked, path  # noqa: F401 - fixtures

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["7"], [7]),
        (["#7", "8"], [7, 8]),
        (["7", "9-12", "3,4"], [7, 9, 10, 11, 12, 3, 4]),
        (["5-5", "4-6", "5"], [5, 4, 6]),
        (["1,3-#4,2"], [1, 3, 4, 2]),
    ],
)
def test_jobs_are_named_one_by_one_and_from_to(words: list[str], ids: list[int]) -> None:
    assert parser().parse_args(["cancel", *words]).ids == ids
    assert parser().parse_args(["priority", "-5", *words]).ids == ids
    assert parser().parse_args(["priority", "--", "-5", *words]).priority == -5


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("9-7", "'9-7' ends before it begins"),
        ("1-10001", "'1-10001' names more than 10,000 jobs"),
        ("1-999999999999999999", "names more than 10,000 jobs"),
        ("1,,2", "'' is no job's ID"),
        ("1-", "'' is no job's ID"),
        ("##1", "'##1' is no job's ID"),
        ("a-b", "'a' is no job's ID"),
        ("1-6000,7000-11000", "more than 10,000 jobs are named"),
    ],
)
def test_what_names_no_jobs_is_wrong_usage(word: str, said: str, capsys: Capture) -> None:
    assert main(["cancel", word]) == 2
    assert said in capsys.readouterr().err


def test_each_job_has_its_line_and_an_unknown_one_keeps_nobody_from_it(
    path: Path,  # noqa: F811
    capsys: Capture,
) -> None:
    answers: Answers = {f"POST /api/jobs/{n}/priority": Done(f"Job {n} has the priority -5.") for n in (3, 4, 6)}
    answers["POST /api/jobs/5/priority"] = (404, Error("There is no job 5.", "The nearest is 4."))
    code, questions = asked(path, answers, "priority", "-5", "3-6")
    told = capsys.readouterr()
    assert code == 1
    assert questions == [(f"POST /api/jobs/{n}/priority", {"priority": -5}) for n in (3, 4, 5, 6)]
    assert told.out.splitlines() == [f"Job {n} has the priority -5." for n in (3, 4, 6)]
    assert told.err == "faceswapctl: There is no job 5. The nearest is 4.\n"


def test_several_jobs_are_shown_one_after_the_other(path: Path, capsys: Capture) -> None:  # noqa: F811
    answers: Answers = {f"GET /api/jobs/{n}": samples.detail(samples.job(n)) for n in (1, 3)}
    assert asked(path, answers, "show", "1-3")[0] == 1
    told = capsys.readouterr()
    assert told.out.startswith("Job 1 is queued\n")
    assert "\n\nJob 3 is queued\n" in told.out
    assert told.err == "faceswapctl: No such thing: GET /api/jobs/2.\n"
    assert asked(path, answers, "show", "1", "3", "--json")[0] == 0
    assert capsys.readouterr().out.count("\n") == 2
