"""The small texts that tell a user, beside the files, what happened."""

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from faceswapd import faults
from faceswapd.core.failures import Failure
from faceswapd.core.intake import MENDING_NOTE

_LONGEST: Final = 10_000  # bytes of a note of ours, at most

README = """\
Drop videos and images here. The results appear in the outbox.

  - Put a file into the folder with the person's name: the daemon makes one for every face.
  - Put the photos of a person into the folder faces/NAME/ (or one photo as faces/NAME.jpg).
  - A file that lies here, outside of those folders, gets the only face there is. If there are several,
    it waits, and a text beside it says so.
  - alice__clip.mp4 gets the face alice wherever it lies. clip@best.mp4 is made with the preset best.
  - The file stays where it is, unless the configuration says otherwise.

`faceswapctl status` says what is going on.
"""


def write_readme(inbox: Path) -> None:
    """Leave the README in a fresh inbox, and never put it back into one that has files."""
    with contextlib.suppress(OSError):
        if not any(inbox.iterdir()):
            (inbox / "README.txt").write_text(README, encoding="utf-8")


def face_note(target: str) -> Path:
    """Where it is said that a target needs a face."""
    return Path(f"{target}.needs-face.txt")


def write_face_note(target: str, reason: str) -> None:
    """Say beside a parked target what it waits for. A read-only inbox goes without."""
    name = Path(target).name.encode(errors="surrogateescape").decode(errors="replace")
    _write_new(
        face_note(target),
        f"{reason}\nMove {name} into the folder with the person's name, or run: faceswapctl assign {name!r} NAME\n",
    )


MENDING: Final = MENDING_NOTE
_OURS: Final = "\nfaceswapd wrote this text, and takes it away when the mistake is mended.\n"


def write_mending_note(note: Path, file: str, sentence: str) -> None:
    """Say beside a file what is wrong in it. A text of that name which is not ours stays as it is."""
    words = f"{sentence}\nMend {file}, and its targets are taken by themselves.{_OURS}"
    before = _read(note)
    if before == words.encode(errors="backslashreplace"):
        return
    if before is not None:
        remove_mending_note(note)
    _write_new(note, words)


def remove_mending_note(note: Path) -> None:
    """Take such a text away, and no other file of its name."""
    if (_read(note) or b"").endswith(_OURS.encode()):
        remove(note)


def _read(note: Path) -> bytes | None:
    """A note, as far as one of ours could be long; None where there is none. A link or a pipe in its place is not
    opened."""
    try:
        handle = os.open(note, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read(_LONGEST) if stat.S_ISREG(os.fstat(handle).st_mode) else b""


def _write_new(note: Path, words: str) -> None:
    """Write a text where there is nothing: whoever may drop files here could have put a link in its place."""
    with contextlib.suppress(OSError):
        handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(words)


def remove(note: Path) -> None:
    """Take a note away. Harmless when there is none."""
    with contextlib.suppress(OSError):
        note.unlink()


def error_note(failed: Path, relative: str) -> Path:
    """Where it is said why a target failed."""
    return failed / f"{relative}.error.txt"


def remove_error_note(failed: Path, relative: str, job: int) -> None:
    """Take the note of a job away that is asked for again or has succeeded. Another job's, of a target with the same
    name in another inbox, stays."""
    note = error_note(failed, relative)
    with contextlib.suppress(OSError, ValueError):
        if not note.is_file() or note.read_text(encoding="utf-8").endswith(_last_line(job)):
            note.unlink()


def _last_line(job: int) -> str:
    return f"\nTry again: faceswapctl retry {job}\n"


def write_error_note(failed: Path, relative: str, failure: Failure, job: int) -> None:
    """Say in the failed folder what happened and what to do. Nothing is lost if it cannot be written: the ledger
    has it too."""
    note = error_note(failed, relative)
    faults.reached("before error note")
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(
            f"{failure.sentence}\n{failure.advice}{_last_line(job)}",
            encoding="utf-8",
            errors="backslashreplace",  # an engine may speak of a file name that is not UTF-8
        )
    faults.reached("after error note")
