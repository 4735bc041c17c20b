"""Where an installation of FaceFusion could be, and which Python belongs to it. It only looks at the disk."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PARTS: Final = ("facefusion.py", "facefusion/core.py", "facefusion/content_analyser.py")
_ENVIRONMENTS: Final = ("venv", ".venv", "env", ".env")  # inside the root, in the order of their likelihood
_CONDAS: Final = (
    "miniconda3",
    "anaconda3",
    "mambaforge",
    "miniforge3",
    "micromamba",
    "miniconda",
    "anaconda",
    ".conda",
)  # below the home folder
_CONDAS_OF_ALL: Final = ("/opt/conda", "/opt/miniconda3", "/opt/homebrew/Caskroom/miniconda/base")
_NAME: Final = "facefusion"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that could hold FaceFusion."""

    root: Path
    python: Path | None  # the interpreter that belongs to it; None: none was found
    problem: str | None = None  # one sentence; None: it looks like FaceFusion, and its Python was found


def candidates(near: Path, home: Path, environ: Mapping[str, str]) -> list[Place]:
    """The usual places that are there, the likeliest first; those that cannot be used say why.

    `near` is the folder of the configuration, `home` the user's; `environ` tells of a conda that lies elsewhere.
    """
    places: dict[Path, Place] = {}
    for root in _usual(near, home):
        if (root / "facefusion.py").is_file():  # an empty folder of that name is not worth a word
            places.setdefault(root.resolve(), place(root, home, environ))
    return list(places.values())


def find(near: Path, home: Path, environ: Mapping[str, str]) -> Place | None:
    """The likeliest place without a problem; None where there is none."""
    return next((one for one in candidates(near, home, environ) if one.problem is None), None)


def place(root: Path, home: Path, environ: Mapping[str, str]) -> Place:
    """What can be said of a folder without running anything."""
    problem = problem_of(root)
    python = python_of(root, home, environ) if problem is None else None
    if problem is None and python is None:
        problem = (
            f"{root} holds FaceFusion, but no Python that belongs to it was found. "
            "Set `engine.facefusion.python` to the one that it was installed with."
        )
    return Place(root, python, problem)


def problem_of(root: Path) -> str | None:
    """Why a folder is not FaceFusion's; None where it looks like it."""
    try:
        if not root.exists():
            return f"{root} does not exist."
        if not root.is_dir():
            return f"{root} is not a folder."
        missing = [part for part in _PARTS if not (root / part).is_file()]
    except OSError as error:
        return f"{root} cannot be looked at: {error.strerror}."
    if not missing:
        return None
    if len(missing) < len(_PARTS):
        return f"{root} is not a whole FaceFusion: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."
    inside = next((one for one in (root / _NAME, root.parent) if (one / "facefusion.py").is_file()), None)
    hint = "" if inside is None else f" Perhaps {inside} is meant."
    return f"{root} is not FaceFusion's folder: there is no facefusion.py in it.{hint}"


def python_of(root: Path, home: Path, environ: Mapping[str, str]) -> Path | None:
    """The Python that a root was installed with: of an environment in it or beside it, or of conda's environment
    `facefusion`. None where there is none of these."""
    folders = [root / name for name in _ENVIRONMENTS]
    if _NAME in root.parent.name.lower():  # Pinokio, and our own setup, keep the environment beside the root
        folders += [root.parent / name for name in (".env", "env", "venv", ".venv")]
    folders += [conda / "envs" / _NAME for conda in _condas(home, environ)]
    return next((python for folder in folders if (python := _python_in(folder)) is not None), None)


def conda_prefix(python: Path) -> Path | None:
    """The conda environment that a Python belongs to; None: it is of no conda."""
    prefix = python.parent.parent
    return prefix if (prefix / "conda-meta").is_dir() else None


def _usual(near: Path, home: Path) -> Iterator[Path]:
    yield near / _NAME
    yield near / _NAME / _NAME
    yield home / _NAME
    yield home / "FaceFusion"
    for pinokio in (home / "pinokio", home / ".pinokio"):
        yield pinokio / "api" / "facefusion-pinokio.git" / _NAME
        yield pinokio / "api" / "facefusion-pinokio" / _NAME
        yield pinokio / "api" / "facefusion.git" / _NAME
        yield pinokio / "api" / "facefusion.git"
    yield home / "facefusion-pinokio" / _NAME
    yield Path("/opt") / _NAME


def _condas(home: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    program = environ.get("CONDA_EXE") or environ.get("MAMBA_EXE")
    if program:
        yield Path(program).parent.parent
    root = environ.get("MAMBA_ROOT_PREFIX")
    if root:
        yield Path(root)
    active = environ.get("CONDA_PREFIX")
    if active:  # the base, or an environment of it
        yield Path(active)
        yield Path(active).parent.parent
    yield from (home / name for name in _CONDAS)
    yield from map(Path, _CONDAS_OF_ALL)


def _python_in(folder: Path) -> Path | None:
    for name in ("python", "python3"):
        python = folder / "bin" / name
        if python.is_file() and os.access(python, os.X_OK):
            return python
    return None
