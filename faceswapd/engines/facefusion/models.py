"""The model files that a preset needs: asked from the installation, and proved whole once.

FaceFusion reads and sums up every model for every job, deletes one whose checksum is wrong, and waits for ever when a
download dies. So the files are known to be complete before it gets its first job.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from faceswapd.children import program
from faceswapd.core.failures import Failure
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.licences import licence_of

MODELS = Path(".assets", "models")  # below the root
LOCK = ".faceswapd.lock"  # in the models' folder: held while they are fetched or removed
PART = ".part"  # behind the name of a file that is being fetched
NEEDS_SECONDS = 120.0  # the question loads FaceFusion, which takes 2 s on a quick machine
MEGABYTE = 1_000_000
_BLOCK = 1 << 20  # bytes read at once
_CHECKSUM = re.compile(r"[0-9a-f]{8}")
_SCRIPT = Path(__file__).with_name("model_needs.py")


class ModelsUnknown(Exception):
    """The installation could not be asked; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model that FaceFusion checks before it runs."""

    name: str  # the file's, without its suffix
    path: Path
    hash_path: Path  # holds the model's CRC32 in eight hexadecimal digits
    urls: tuple[str, ...]  # the same file at several places, in the order in which they are tried
    hash_urls: tuple[str, ...]
    needed_by: str  # the part of FaceFusion that checks it, e.g. face_swapper; empty: not known

    @property
    def part_path(self) -> Path:
        """Where it grows while it is fetched."""
        return self.path.with_name(self.path.name + PART)

    @property
    def expected(self) -> int | None:
        """Its size in bytes, about; None where nobody knows."""
        megabytes = licence_of(self.name).megabytes
        return None if megabytes is None else megabytes * MEGABYTE


class Condition(StrEnum):
    """What is found of a model."""

    PRESENT = "present"  # complete and right
    MISSING = "missing"
    CORRUPT = "corrupt"  # its checksum is another one
    HASH_MISSING = "hash_missing"  # it is there, and the file with its checksum is not


@dataclass(frozen=True, slots=True)
class ModelState:
    """One model as it lies on the disk."""

    file: ModelFile
    condition: Condition
    size: int = 0  # bytes on the disk
    crc: str | None = None  # eight hexadecimal digits


@dataclass(frozen=True, slots=True)
class _Seen:
    """A checksum, and how the file looked when it was made."""

    size: int
    modified: int  # nanoseconds
    inode: int
    crc: str


def folder_of(installation: Installation) -> Path:
    """Where the models lie."""
    return installation.root / MODELS


async def needs(installation: Installation, arguments: Sequence[str], cache: Path) -> tuple[ModelFile, ...]:
    """Which files this version would check for the arguments of its one-shot command (those behind the command).

    The answer is kept in the folder `cache` until the installation's program or configuration changes. An
    installation that is built in another way is not asked: then all models count that have a checksum there.
    Raises ModelsUnknown.
    """
    words = (installation.one_shot, *arguments)
    signature = await asyncio.to_thread(_signature, installation, words)
    kept = cache / f"needs-{signature}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return _files_of(json.loads(kept.read_bytes()))
    try:
        ended = await program.run(
            (str(installation.python), str(_SCRIPT), *words),
            cwd=installation.root,
            env=dict(installation.env),
            seconds=NEEDS_SECONDS,
        )
    except program.ProgramError as error:
        raise ModelsUnknown(error.failure) from error
    if ended.code == 3:
        return await asyncio.to_thread(_all_present, folder_of(installation))
    try:
        answer = json.loads(ended.out)
        files = _files_of(answer)
    except (ValueError, KeyError, TypeError):
        sentence = f"FaceFusion does not tell which models it needs: {_last_words(ended)[:300]}"
        raise ModelsUnknown(Failure("child_start", sentence)) from None
    _write(kept, answer)
    return files


def _last_words(ended: program.Ended) -> str:
    """The last line that tells of an error, else the last line: what a library prints may come after it."""
    said = [line.strip() for line in ended.err.splitlines() if line.strip()]
    errors = [line for line in said if "error" in line.lower()]
    return next(iter(reversed(errors or said)), f"exit code {ended.code}")


async def check(files: Iterable[ModelFile], memory: Path) -> tuple[ModelState, ...]:
    """How each file stands. A checksum is made once, in a thread at about 1 GB a second, and kept in the JSON file
    `memory` for as long as the file's size, time and inode stay the same."""
    over = threading.Event()
    try:
        return await asyncio.to_thread(_check, tuple(files), memory, over)
    finally:
        over.set()  # the thread of a cancelled check stops at its next block


def whole(states: Iterable[ModelState]) -> bool:
    """Whether nothing lacks."""
    return all(state.condition is Condition.PRESENT for state in states)


def lacking(states: Sequence[ModelState]) -> tuple[ModelFile, ...]:
    """The files that must be fetched."""
    return tuple(state.file for state in states if state.condition is not Condition.PRESENT)


def sentence_of(states: Sequence[ModelState]) -> str:
    """What lacks, as in `2 of 11 models are missing: hyperswap_1a_256 (403 MB), nsfw_1 (80 MB).`, or that all is well.
    Sizes are told where somebody knows them."""
    if not states:
        return "It is not known which models are needed."
    said = []
    for condition, one, several in (
        (Condition.MISSING, "is missing", "are missing"),
        (Condition.CORRUPT, "is damaged", "are damaged"),
        (Condition.HASH_MISSING, "lacks its checksum", "lack their checksums"),
    ):
        found = [with_size(state.file) for state in states if state.condition is condition]
        if found:
            verb = one if len(found) == 1 else several
            said.append(f"{len(found)} of {len(states)} models {verb}: {', '.join(found)}.")
    return " ".join(said) or (
        "The model is there and right." if len(states) == 1 else f"All {len(states)} models are there and right."
    )


def with_size(file: ModelFile) -> str:
    """`hyperswap_1a_256 (403 MB)`; without the size where nobody knows it."""
    expected = file.expected
    return file.name if expected is None else f"{file.name} ({expected // MEGABYTE} MB)"


def is_shared(folder: Path) -> bool:
    """Whether the models' folder lies elsewhere by a link, so that others may need what is in it."""
    return folder.is_symlink() or folder.parent.is_symlink()


def unneeded(installation: Installation, keep: Iterable[ModelFile]) -> tuple[Path, ...]:
    """Files of the models' folder that nothing in `keep` needs, in order.

    Only models and checksums count, and what was left of a download. Links are neither followed nor listed, and a
    models' folder that is itself a link, shared with somebody, is left alone, as is `custom`, the user's own.
    """
    root = folder_of(installation)
    if is_shared(root):
        return ()
    needed = {path for file in keep for path in (file.path, file.hash_path, file.part_path)}
    return tuple(path for path in _model_files(root) if path not in needed)


def crc_of(path: Path, over: threading.Event | None = None) -> str:
    """The CRC32 as eight hexadecimal digits, as FaceFusion writes it. Raises OSError, also when `over` is set."""
    crc = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            if over is not None and over.is_set():
                raise InterruptedError("the check is not wanted any more")
            crc = zlib.crc32(block, crc)
    return format(crc, "08x")


def checksum_in(hash_path: Path) -> str | None:
    """The checksum that a .hash file holds; None where there is none. FaceFusion compares it as it stands, so one
    with a line break behind it is none."""
    try:
        text = hash_path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    return text if _CHECKSUM.fullmatch(text) else None


def forget(memory: Path) -> None:
    """Have all checksums made anew at the next check."""
    with contextlib.suppress(OSError):
        memory.unlink()


def _check(files: tuple[ModelFile, ...], memory: Path, over: threading.Event) -> tuple[ModelState, ...]:
    seen = _recalled(memory)
    known = dict(seen)
    states = tuple(_state(file, seen, over) for file in files)
    if seen != known:
        there = {path: one for path, one in seen.items() if os.path.exists(path)}  # noqa: PTH110  texts, not paths
        _write(memory, {path: asdict(one) for path, one in there.items()})
    return states


def _state(file: ModelFile, seen: dict[str, _Seen], over: threading.Event) -> ModelState:
    try:
        crc, size = _crc_once(file.path, seen, over)
    except (FileNotFoundError, NotADirectoryError):
        return ModelState(file, Condition.MISSING)
    except InterruptedError:
        raise
    except OSError:  # it cannot be read to its end, by us as little as by FaceFusion
        return ModelState(file, Condition.CORRUPT)
    wanted = checksum_in(file.hash_path)
    if wanted is None:
        return ModelState(file, Condition.HASH_MISSING, size, crc)
    return ModelState(file, Condition.PRESENT if crc == wanted else Condition.CORRUPT, size, crc)


def _crc_once(path: Path, seen: dict[str, _Seen], over: threading.Event) -> tuple[str, int]:
    status = path.stat()
    known = seen.get(str(path))
    looks = (status.st_size, status.st_mtime_ns, status.st_ino)
    if known is not None and (known.size, known.modified, known.inode) == looks:
        return known.crc, status.st_size
    crc = crc_of(path, over)
    after = path.stat()
    if (after.st_size, after.st_mtime_ns, after.st_ino) == looks:  # nobody has written meanwhile
        seen[str(path)] = _Seen(*looks, crc)
    return crc, after.st_size


def _recalled(memory: Path) -> dict[str, _Seen]:
    try:
        return {path: _Seen(**one) for path, one in json.loads(memory.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(path: Path, value: object) -> None:
    """Whole or not at all. What cannot be kept is asked or made anew."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(value), encoding="utf-8")
        fresh.replace(path)


def _files_of(answer: Any) -> tuple[ModelFile, ...]:
    """Raises ValueError, KeyError or TypeError for what is no answer."""
    return tuple(
        ModelFile(
            name=Path(one["path"]).stem,
            path=Path(one["path"]),
            hash_path=Path(one["hash_path"]),
            urls=tuple(map(str, one["urls"])),
            hash_urls=tuple(map(str, one["hash_urls"])),
            needed_by=str(one["part"]),
        )
        for one in answer["files"]
    )


def _signature(installation: Installation, words: Sequence[str]) -> str:
    """What the answer depends on: which program, how it looks, how it is configured, and what is asked."""
    looks = [(str(installation.root), str(installation.python), installation.label)]
    for path in (*sorted((installation.root / "facefusion").rglob("*.py")), installation.root / "facefusion.ini"):
        with contextlib.suppress(OSError):
            status = path.stat()
            looks.append((str(path), str(status.st_size), str(status.st_mtime_ns)))
    text = json.dumps([looks, list(words), _SCRIPT.read_text(encoding="utf-8")])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _all_present(folder: Path) -> tuple[ModelFile, ...]:
    """Every model that has a checksum."""
    return tuple(
        ModelFile(path.stem, model, path, (), (), "")
        for path in sorted(folder.glob("*.hash"))
        if (model := path.with_suffix(".onnx")).exists()
    )


def _model_files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if (folder, name) != (str(root), "custom"))
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix in (".onnx", ".hash", ".dfm", PART) and not path.is_symlink():
                yield path
