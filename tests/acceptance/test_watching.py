"""How the real daemon notices new files where events do not tell of them, and what it says of that."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faceswapd.control.wire import messages
from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm
from tests.acceptance.namespace import Namespace, namespace

QUICK = "poll = 0.5\nrescan = 60\n"


@pytest.fixture
def aside() -> Iterator[Namespace]:
    with namespace() as made:
        yield made


def inbox_of(farm: Farm) -> messages.Inbox:
    (inbox,) = farm.status().inboxes
    return inbox


def test_a_folder_that_is_to_be_polled_is_and_says_so(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm(QUICK)
    text = farm.config.read_text(encoding="utf-8")
    farm.config.write_text(text.replace('watch = "auto"', 'watch = "polling"'), encoding="utf-8")
    farm.start()
    farm.until(lambda _: (farm.inbox / "alice").is_dir(), "the first look")
    assert farm.ended(farm.drop(media / "photo.jpg")).state == "succeeded"
    inbox = inbox_of(farm)
    assert (inbox.watching, inbox.watching_why) == ("polling", "The configuration says so.")
    assert inbox.file_system
    assert "inbox inbox is listed every few seconds. The configuration says so." in farm.ctl("status")


def test_events_are_what_is_usual_and_status_is_silent_about_them(farm: Farm) -> None:
    assert inbox_of(farm).watching == "events"
    assert inbox_of(farm).file_system
    assert "every few seconds" not in farm.ctl("status")


@pytest.mark.parametrize(
    ("limit", "number", "setting"),
    [
        ("max_inotify_watches", 3, "max_user_watches"),
        pytest.param("max_inotify_instances", 0, "max_user_instances", marks=pytest.mark.deep),
    ],
)
def test_where_the_system_lets_no_more_be_watched_the_folder_is_polled_and_a_notice_says_what_to_do(
    new_farm: NewFarm, aside: Namespace, media: Path, limit: str, number: int, setting: str
) -> None:
    farm = new_farm(QUICK)
    farm.through = aside.prefix
    for name in ("one", "two", "three", "four"):
        (farm.inbox / name).mkdir(parents=True)
    aside.limit(limit, number)
    farm.start()
    farm.until(lambda status: bool(status.remarks), "a notice")
    assert farm.ended(farm.drop(media / "photo.jpg")).state == "succeeded"
    inbox = inbox_of(farm)
    assert (inbox.watching, setting in inbox.watching_why) == ("polling", True)
    assert any(f"sudo sysctl fs.inotify.{setting}=" in remark for remark in farm.status().remarks)
    assert "sudo sysctl fs.inotify." in " ".join(farm.ctl("status").split())
