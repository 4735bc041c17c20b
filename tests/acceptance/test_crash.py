"""The daemon dies at every point where it writes something down or moves a file, and at random: nothing lost, nothing
twice, nothing half."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faceswapd.control.wire import submit_messages
from faceswapd.ctl.client import Problem
from tests.acceptance.conftest import NewFarm
from tests.acceptance.crash import REQUEUED_SECONDS, Crash, elsewhere
from tests.acceptance.fault_points import all_points
from tests.acceptance.rounds import SETTINGS, new_rounds

TELLING = ("after link", "after succeed")
KILLS = 500


@pytest.fixture
def crash(new_farm: NewFarm, media: Path) -> Iterator[Crash]:
    """A farm whose scratch is on another file system than its outbox."""
    with elsewhere() as folder:
        scratch = folder / "scratch"
        rounds = new_rounds(new_farm(SETTINGS), media)
        yield Crash(rounds, {"FACESWAPD_SCRATCH": str(scratch)})
        if rounds.farm.processes[-1].poll() is None:
            assert rounds.farm.stop() == 0
            assert not list(scratch.iterdir())


def test_it_dies_at_the_most_telling_points(crash: Crash) -> None:
    """All points have their turn in the deep tests."""
    for point in TELLING:
        crash.at(point, video=False)
        crash.rounds.farm.stop()


def dies_in_recovery(crash: Crash, point: str) -> None:
    """Killed with work in flight, it dies once more while it puts that in order."""
    wants = crash.rounds.drop()
    crash.start()
    crash.rounds.farm.until(lambda status: bool(status.running), "it runs")
    crash.rounds.farm.kill()
    crash.start(point)
    crash.recovers(point, wants)


def dies_at_its_end(crash: Crash, point: str) -> None:
    wants = crash.rounds.drop(video=False)
    crash.start(point)
    assert crash.rounds.drive(wants)
    crash.rounds.farm.processes[-1].send_signal(signal.SIGTERM)
    crash.recovers(point, wants)


def dies_at_the_gate(crash: Crash, point: str) -> None:
    wants = crash.rounds.drop(video=False)
    crash.start(point, FACESWAPD_LIMITS__MEMORY_FREE="100 TB")
    crash.recovers(point, wants)


def dies_at_the_breaker(crash: Crash, point: str) -> None:
    """Something else has the name of a folder in the outbox."""
    folder = crash.rounds.farm.outbox / "alice"
    folder.touch()
    crash.start(point)
    wants = crash.rounds.drop(video=False)
    crash.recovers(point, wants, folder.unlink)


def dies_while_it_swaps(crash: Crash, point: str) -> None:
    """Progress is written once a second: of a video that nobody cancels before."""
    wants = [*crash.rounds.drop(video=False), crash.rounds.drop_one_that_lasts()]
    crash.start(point)
    crash.recovers(point, wants)


def dies_at_a_pause(crash: Crash, point: str) -> None:
    wants = crash.rounds.drop(video=False)
    crash.start(point)
    for order in ("pause", "resume"):
        crash.rounds.order(order)
    crash.died(point)
    crash.start()
    crash.rounds.order("resume")
    assert crash.rounds.drive(wants)
    crash.rounds.settled()


def dies_at_a_late_word(crash: Crash, point: str) -> None:
    """The defaults of a folder come when its targets have ended already: of them nothing new is asked."""
    wants = crash.rounds.drop(video=False)
    crash.start(point)
    assert crash.rounds.drive(wants)
    (wants[0].target.parent / ".faceswapd.toml").write_text("priority = 5\n", encoding="utf-8")
    crash.recovers(point, wants)


def dies_at_a_retry_of_all(crash: Crash, point: str) -> None:
    """All that failed is asked for again by one order."""
    wants = crash.rounds.drop(video=False)
    crash.start(point)
    assert crash.rounds.drive(wants)
    crash.rounds.order("retry")
    crash.recovers(point, wants)


def dies_at_a_submission(crash: Crash, point: str) -> None:
    """A file that lies in an inbox is handed over, too, as soon as the face is known."""
    wants = crash.rounds.drop(video=False)
    crash.start(point)
    farm, asked = crash.rounds.farm, {"targets": [str(wants[0].target)], "faces": ["alice"]}
    while isinstance(farm.client.post(submit_messages.Submitted, "/api/submit", asked), Problem):
        if farm.processes[-1].poll() is not None:
            break
    crash.recovers(point, wants)


WAYS: dict[str, Callable[[Crash, str], None]] = {
    "before released": dies_in_recovery,
    "after released": dies_in_recovery,
    "orphans ended": dies_in_recovery,
    "claims released": dies_in_recovery,
    "before end": dies_at_its_end,
    "after end": dies_at_its_end,
    "before gate": dies_at_the_gate,
    "after gate": dies_at_the_gate,
    "before breaker": dies_at_the_breaker,
    "after breaker": dies_at_the_breaker,
    "before progress": dies_while_it_swaps,
    "after progress": dies_while_it_swaps,
    "before pause": dies_at_a_pause,
    "after pause": dies_at_a_pause,
    "before resume": dies_at_a_pause,
    "after resume": dies_at_a_pause,
    "before hear": dies_at_a_late_word,
    "after hear": dies_at_a_late_word,
    "before requeue_failed": dies_at_a_retry_of_all,
    "after requeue_failed": dies_at_a_retry_of_all,
    "before submit": dies_at_a_submission,
    "after submit": dies_at_a_submission,
}
TIMES = ("before", "after")  # of a write
BESIDE = {  # not by this farm
    "name reserved": "tests/runtime/test_outbox.py: only a file system without hard links and exclusive renames has it",
    "before keep": "tests/acceptance/facefusion/test_crash.py: only FaceFusion has a resource ladder",
    "after keep": "likewise",
    "before touched": "tests/runtime/test_whereabouts.py: only a target that changes between a look and a start has it",
    "after touched": "likewise",
    "before go_over": "likewise",
    "after go_over": "likewise",
    "pass done": "tests/acceptance/test_sidecars.py: only a sidecar asks for several persons",
    **dict.fromkeys(
        (f"{when} {name}" for name in ("know", "fill", "delivered", "not_taken", "give_up", "prune") for when in TIMES),
        "tests/acceptance/test_webhooks.py: only a webhook has it",
    ),
    **dict.fromkeys((f"{when} remember" for when in TIMES), "tests/control/test_idempotency.py: only a key has it"),
    **dict.fromkeys((f"{when} forget_face" for when in TIMES), "tests/control/test_faces.py: only an order has it"),
    **dict.fromkeys((f"{when} prioritise" for when in TIMES), "tests/control/test_orders.py: only an order has it"),
    "before remark": "tests/acceptance/facefusion/test_crash.py: only FaceFusion's targets are mended",
    "after remark": "likewise",
}


def ordinary(crash: Crash, point: str) -> None:
    crash.at(point)


def test_every_point_that_is_named_here_is_there() -> None:
    assert not {*WAYS, *BESIDE, *TELLING} - set(all_points())


@pytest.mark.deep
@pytest.mark.parametrize("point", [point for point in all_points() if point not in BESIDE])
def test_it_dies_at_every_point(crash: Crash, point: str) -> None:
    WAYS.get(point, ordinary)(crash, point)
    assert max(crash.starts, default=0) < REQUEUED_SECONDS


@pytest.mark.deep
def test_it_is_killed_at_random(crash: Crash, capsys: pytest.CaptureFixture[str]) -> None:
    figures = crash.killed_at_random(KILLS)
    with capsys.disabled():
        print(f"\n{figures}")  # noqa: T201  the figures of a long test
