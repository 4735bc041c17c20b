import pytest

from faceswapd.core.running_log import RunningLog


def test_a_reader_goes_on_where_he_was() -> None:
    log = RunningLog()
    assert (log.start, log.end, log.after(0)) == (0, 0, "")
    log.say("one")
    log.say("zwö\udcff")
    assert log.after(0) == "one\nzwö?\n"
    assert log.after(4) == "zwö?\n"
    assert log.after(7) == "?\n", "half a letter is none"
    assert log.after(log.end) == ""
    assert log.after(1000) == ""
    assert log.end == len("one\nzwö?\n".encode())


def test_only_the_last_of_it_is_kept() -> None:
    log = RunningLog(most=10)
    for number in range(1000):
        log.say(f"{number:03}")
    assert log.after(0) == "998\n999\n"
    assert (log.start, log.end) == (3992, 4000)
    assert log.after(3996) == "999\n"


@pytest.mark.parametrize("line", ["x" * 100, "ä" * 100, "\0" * 100])
def test_a_line_that_does_not_fit_loses_its_end(line: str) -> None:
    log = RunningLog(most=10)
    log.say(line)
    assert 8 <= len(log.after(0).encode()) <= 10
    assert line.startswith(log.after(0).removesuffix("\n"))
