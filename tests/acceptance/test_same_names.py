"""Many targets whose outputs would have the same name: each gets its own, and no file is ever replaced."""

import shutil
from pathlib import Path

import pytest

from tests.acceptance.conftest import NewFarm

COUNT = 20


@pytest.fixture(scope="module")
def pictures(media: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Small images, no two alike."""
    folder = tmp_path_factory.mktemp("same")
    whole = (media / "photo.jpg").read_bytes()
    made = [folder / f"{number}.jpg" for number in range(COUNT)]
    for number, path in enumerate(made):
        comment = f"number {number}".encode()
        path.write_bytes(whole[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + whole[2:])
    return made


def test_twenty_targets_of_one_name_in_four_slots_and_a_file_of_a_stranger(
    new_farm: NewFarm, pictures: list[Path]
) -> None:
    """The template names no file; all outputs would be `alice/result.jpg`, which somebody else has already."""
    farm = new_farm("\n[engine]\nslots = 4\n")
    farm.start(FACESWAPD_OUTPUT="{face}/result{suffix}")
    for name in ("result.jpg", "result (3).jpg"):
        (farm.outbox / "alice").mkdir(exist_ok=True)
        (farm.outbox / "alice" / name).write_text("a stranger's", encoding="utf-8")
    targets = [farm.drop(picture, "alice", f"folder-{number}", "a.jpg") for number, picture in enumerate(pictures)]
    jobs = [farm.ended(target) for target in targets]
    assert [job.state for job in jobs] == ["succeeded"] * COUNT
    assert len({job.output for job in jobs}) == COUNT
    wanted = {"result.jpg", *(f"result ({number}).jpg" for number in range(2, COUNT + 3))}
    assert {path.name for path in (farm.outbox / "alice").iterdir()} == wanted
    for name in ("result.jpg", "result (3).jpg"):
        assert (farm.outbox / "alice" / name).read_text(encoding="utf-8") == "a stranger's"


def test_the_same_name_in_two_inboxes(new_farm: NewFarm, pictures: list[Path]) -> None:
    farm = new_farm('\n[[inbox]]\npath = "second"\nname = "second"\n')
    farm.start()
    first = farm.drop(pictures[0], "alice", "a.jpg")
    second = farm.folder / "second" / "alice" / "a.jpg"
    second.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(pictures[1], second)
    outputs = {Path(farm.ended(target).output or "").name for target in (first, second)}
    assert outputs == {"a.jpg", "a (2).jpg"}
    assert outputs == {path.name for path in (farm.outbox / "alice").iterdir()}
