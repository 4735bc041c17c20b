"""A folder that does not answer costs one thread and nobody's patience."""

import threading

import pytest

from faceswapd.runtime.lookout import Lookout


async def test_an_answer_that_comes_too_late_is_the_next_ones() -> None:
    goes_on, looks = threading.Event(), []

    def look() -> int:
        looks.append(threading.get_ident())
        goes_on.wait(20)
        return len(looks)

    lookout = Lookout(look)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await lookout.within(0.01)
    with pytest.raises(TimeoutError):
        lookout.wait(0.01)
    assert len(looks) == 1, "one thread for all of them"
    goes_on.set()
    assert await lookout.within(20) == 1
    assert await lookout.within(20) == 2
    assert lookout.wait(20) == 3


async def test_what_the_look_raises_is_raised_and_the_next_look_is_a_new_one() -> None:
    answers: list[OSError | int] = [OSError("gone"), 7]

    def look() -> int:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    lookout = Lookout(look)
    with pytest.raises(OSError, match="gone"):
        await lookout.within(20)
    assert lookout.wait(20) == 7
