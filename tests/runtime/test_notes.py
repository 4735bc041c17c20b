import os
from pathlib import Path

import pytest

from faceswapd.core.failures import Failure
from faceswapd.runtime import notes


def test_a_fresh_inbox_gets_its_readme_and_keeps_what_people_made_of_it(tmp_path: Path) -> None:
    notes.write_readme(tmp_path)
    readme = tmp_path / "README.txt"
    assert readme.read_text(encoding="utf-8") == notes.README
    readme.write_text("mine", encoding="utf-8")
    notes.write_readme(tmp_path)
    assert readme.read_text(encoding="utf-8") == "mine"
    readme.rename(tmp_path / "clip.mp4")
    notes.write_readme(tmp_path)
    assert not readme.exists()


@pytest.mark.parametrize("name", [b"clip.mp4", b"new\nline.mp4", b"bytes-\xff.mp4", b"it's.mp4"])
def test_a_target_without_a_face_has_a_note_beside_it(tmp_path: Path, name: bytes) -> None:
    target = str(tmp_path / os.fsdecode(name))
    notes.write_face_note(target, "It is not said which of the 2 faces it gets.")
    note = notes.face_note(target)
    assert os.fsencode(note.name) == name + b".needs-face.txt"
    text = note.read_text(encoding="utf-8")
    assert text.startswith("It is not said which of the 2 faces it gets.\n")
    assert "faceswapctl assign" in text
    notes.remove(note)
    notes.remove(note)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_has_a_note_in_the_failed_folder(tmp_path: Path) -> None:
    failure = Failure("no_target_face", "There is no face in film \udcff.")  # an engine may say such a name
    notes.write_error_note(tmp_path, "alice/film.mp4", failure, 12)
    text = (tmp_path / "alice" / "film.mp4.error.txt").read_text(encoding="utf-8")
    assert text == f"There is no face in film \\udcff.\n{failure.advice}\nTry again: faceswapctl retry 12\n"


def test_a_note_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "failed").touch()
    notes.write_error_note(tmp_path / "failed", "a/b.mp4", Failure("unknown", "Something."), 1)
    notes.write_face_note(str(tmp_path / "none" / "clip.mp4"), "Something.")
    notes.write_face_note(str(tmp_path / ("x" * 251 + ".mp4")), "Something.")
    notes.write_readme(tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["failed"]
