"""A configuration is changed by single lines, and everything else stays as its owner wrote it."""

import stat
import tomllib
from pathlib import Path

import pytest

from faceswapd.cli.config_edit import EditRefused, back_up, edited, read, write
from faceswapd.cli.init import HEADER
from faceswapd.settings import example, load

VALUES = {
    "engine": {"name": "facefusion"},
    "engine.facefusion": {"root": "/opt/face fusion", "python": "/opt/face fusion/venv/bin/python"},
}


def changed_lines(before: str, after: str) -> set[str]:
    return set(after.splitlines()) - set(before.splitlines())


def test_the_example_gets_its_sections_by_taking_the_hashes_away(tmp_path: Path) -> None:
    text = example(HEADER)
    made = edited(text, VALUES)
    assert changed_lines(text, made.text) == {
        "[engine]",
        'name = "facefusion"',
        "[engine.facefusion]",
        'root = "/opt/face fusion"',
        'python = "/opt/face fusion/venv/bin/python"',
    }
    assert len(made.text.splitlines()) == len(text.splitlines())
    assert not made.replaced
    config = tmp_path / "config.toml"
    config.write_text(made.text, encoding="utf-8")
    settings = load(config)
    assert settings.engine.name == "facefusion"
    assert str(settings.engine.facefusion.root) == "/opt/face fusion"


def test_doing_it_twice_changes_nothing() -> None:
    once = edited(example(HEADER), VALUES).text
    assert edited(once, VALUES) == edited(once, VALUES)
    assert edited(once, VALUES).text == once


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [
        (
            "# [engine]\n[limits]\n# [engine]\ncpu_percent = 5\n",
            '[engine]\nname = "facefusion"\n[limits]\n# [engine]\ncpu_percent = 5\n',
            False,
        ),
        ("", '[engine]\nname = "facefusion"\n', False),
        ("grace = 5", 'grace = 5\n\n[engine]\nname = "facefusion"\n', False),
        ("[engine]\nslots = 2\n", '[engine]\nname = "facefusion"\nslots = 2\n', False),
        (
            '[engine] # mine\n  name = "preview" # a word, with # in it\nslots = 2\n',
            '[engine] # mine\nname = "facefusion" # a word, with # in it\nslots = 2\n',
            True,
        ),
        (
            '[engine]\r\n# name = "auto"\r\nslots = 2\r\n',
            '[engine]\r\nname = "facefusion"\r\nslots = 2\r\n',
            False,
        ),
        (
            "[engine.facefusion]\nlevel = 'cold'\n",
            "[engine.facefusion]\nlevel = 'cold'\n\n[engine]\nname = \"facefusion\"\n",
            False,
        ),
    ],
)
def test_lines_are_found_where_they_stand(before: str, after: str, replaced: object) -> None:
    made = edited(before, {"engine": {"name": "facefusion"}})
    assert (made.text, made.replaced) == (after, replaced)


@pytest.mark.parametrize(
    "text",
    [
        'engine.name = "preview"\n',
        'engine = {name = "preview"}\n',
        "engine = 3\n",
        'note = """\n[engine]\n# name = \'auto\'\n"""\n',
    ],
)
def test_what_cannot_be_changed_by_lines_is_refused(text: str) -> None:
    with pytest.raises(EditRefused, match=r'name = "facefusion"|Take it out'):
        edited(text, {"engine": {"name": "facefusion"}})


def test_odd_paths_survive() -> None:
    odd = 'a "quoted" \\ back\ttab\x7f é 視 \U0001f600'
    made = edited("", {"engine.facefusion": {"root": odd}})
    assert tomllib.loads(made.text)["engine"]["facefusion"]["root"] == odd


def test_writing_keeps_the_rights_and_the_link(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "real.toml"
    real.parent.mkdir()
    real.write_text("grace = 1\n", encoding="utf-8")
    real.chmod(0o640)
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    write(link, "grace = 2\n")
    assert link.is_symlink()
    assert read(real) == "grace = 2\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert list(real.parent.iterdir()) == [real]


def test_a_backup_never_replaces_another(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("grace = 1\n", encoding="utf-8")
    first, second = back_up(config), back_up(config)
    assert first != second
    assert read(first) == read(second) == "grace = 1\n"
