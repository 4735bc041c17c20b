"""What the documents say is so."""

import re
from pathlib import Path

import pytest

from faceswapd.core.job import TRANSITIONS, Event, State
from faceswapd.core.target import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from faceswapd.ctl.parser import parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def commands() -> set[str]:
    """The commands of faceswapctl."""
    actions = [action.choices for action in parser()._actions if isinstance(action.choices, dict)]
    return {name for choices in actions for name in choices}


def test_the_readme_tells_every_command_of_faceswapctl_and_no_other() -> None:
    told = {
        match
        for row in README.splitlines()
        if row.startswith("| `")
        for match in re.findall(r"`faceswapctl (\w+)", row)
    }
    assert told == commands()


def test_the_readme_tells_every_kind_of_target() -> None:
    told = README.split("Targets are ")[1].split(".")[0]
    for suffix in VIDEO_SUFFIXES | IMAGE_SUFFIXES:
        assert suffix.removeprefix(".") in re.findall(r"\w+", told)


@pytest.mark.parametrize(
    "document", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")), ids=lambda path: path.name
)
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / link).exists(), link


def test_the_table_of_moves_is_the_table_of_the_core() -> None:
    lines = ARCHITECTURE.split("holds every state and every move:")[1].splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.count("|") == 10]
    header, moves = [Event(name) for name in rows[0][1:]], rows[2:]
    told = {
        (State(row[0]), event, State(cell))
        for row in moves
        for event, cell in zip(header, row[1:], strict=True)
        if cell
    }
    known = {(source, event, move.destination) for event, move in TRANSITIONS.items() for source in move.sources}
    assert told == known


def test_every_room_stands_in_the_picture_and_every_one_in_the_picture_stands() -> None:
    told = set(re.findall(r"^\| \d \| `(faceswapd/[\w./]+)`", ARCHITECTURE, flags=re.MULTILINE))
    rooms = {f"faceswapd/{path.name}/" for path in (ROOT / "faceswapd").iterdir() if (path / "__init__.py").exists()}
    assert told == rooms | {"faceswapd/daemon.py"}


def test_the_floors_are_those_of_the_import_contract() -> None:
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("layers = [")[1].split("]")[0]
    floors = [set(re.findall(r"faceswapd\.(\w+)", line)) for line in contract.splitlines() if "faceswapd" in line]
    told: dict[int, set[str]] = {}
    for floor, room in re.findall(r"^\| (\d) \| `faceswapd/(\w+)", ARCHITECTURE, flags=re.MULTILINE):
        told.setdefault(int(floor), set()).add(room)
    assert [told[floor] for floor in sorted(told, reverse=True)] == floors


def test_every_file_that_the_data_passes_is_there() -> None:
    way = ARCHITECTURE.split("## The data's way")[1].split("```")[1]
    files = re.findall(r"(?:runtime|media|ledger|core)/[\w/]+", way)
    assert len(files) >= 9
    for file in files:
        assert (ROOT / "faceswapd" / f"{file}.py").exists(), file


def test_every_folder_of_tests_is_told() -> None:
    told = set(re.findall(r"^\| `(tests/\w+/)`", ARCHITECTURE, flags=re.MULTILINE))
    there = {
        f"tests/{path.name}/" for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.glob("test_*.py"))
    }
    assert told == there
