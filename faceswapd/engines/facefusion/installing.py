"""Installs FaceFusion for somebody who has none: its source by git, an environment of its own, its requirements.

Nothing of it is changed: it is a released version as its makers published it. Only the build of ONNX Runtime that fits
the machine is installed in place of the plain one, as its own installer does.
"""

import asyncio
import contextlib
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faceswapd.children import program
from faceswapd.engines.facefusion.releases import version_of

RELEASE: Final = "3.8.1"
SOURCE: Final = "https://github.com/facefusion/facefusion"
UNFINISHED: Final = ".unfinished"  # behind the name of a folder that git still fills
REQUIREMENTS: Final = (
    "requirements-for-this-machine.txt"  # in the environment's own folder, so FaceFusion's stays clean
)
OLDEST: Final = (3, 10)
OLDEST_FOR_38: Final = (3, 12)  # what version 3.8 requires has no packages for an older one
PYTHONS: Final = ("python3.12", "python3.13", "python3.11", "python3.10", "python3")  # the best first
LOOK_SECONDS: Final = 20.0  # for a program that only says its version
COLD_SECONDS: Final = 120.0  # to load large libraries from a cold disk
COMMAND_SECONDS: Final = 3 * 3600.0  # a download of 3 GB over a slow line; git and pip end by themselves when it dies
SHOWN: Final = 8  # last lines of a command that failed

# What the installer of RELEASE installs, for a version whose own installer cannot be read.
RUNTIMES: Final[Mapping[str, tuple[str, str]]] = {
    "default": ("onnxruntime", "1.28.0"),
    "cuda@12": ("onnxruntime-gpu", "1.24.4"),
    "cuda@13": ("onnxruntime-gpu", "1.28.0"),
    "coreml": ("onnxruntime", "1.28.0"),  # the plain build for macOS has it
    "openvino": ("onnxruntime-openvino", "1.24.1"),
    "rocm": ("onnxruntime-rocm", "1.22.2.post3"),
    "migraphx": ("onnxruntime-migraphx", "1.27.1"),
    "directml": ("onnxruntime-directml", "1.24.4"),
}


class InstallFailure(Exception):
    """It could not be installed; the text says why, `tail` what the command said last."""

    def __init__(self, sentence: str, tail: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.tail = tuple(tail)


@dataclass(frozen=True, slots=True)
class Base:
    """A Python that can make FaceFusion's own."""

    path: str
    version: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is installed where."""

    folder: Path
    release: str  # a tag: 3.8.1
    base: str  # the Python that the environment is made with
    runtime: str  # one of RUNTIMES

    @property
    def python(self) -> Path:
        """FaceFusion's own Python, once it is made."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def unfinished(self) -> Path:
        """Where git works, so that a folder with the right name is a whole one."""
        return self.folder.with_name(self.folder.name + UNFINISHED)

    @property
    def clone(self) -> tuple[str, ...]:
        """Fetches the source."""
        return ("git", "clone", "--depth", "1", "--branch", self.release, SOURCE, str(self.unfinished))

    @property
    def environment(self) -> tuple[str, ...]:
        """Makes FaceFusion's own Python."""
        return (self.base, "-m", "venv", str(self.folder / "venv"))

    @property
    def packages(self) -> tuple[str, ...]:
        """Installs what FaceFusion requires."""
        requirements = self.folder / "venv" / REQUIREMENTS
        pip = (str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input")
        return (*pip, "install", "--progress-bar", "off", "--requirement", str(requirements))


def oldest_for(release: str) -> tuple[int, int]:
    """The oldest Python that a release can be installed with, as far as it is known."""
    version = version_of(release)
    return OLDEST_FOR_38 if version is not None and version >= (3, 8, 0) else OLDEST


async def bases(oldest: tuple[int, int] = OLDEST) -> tuple[Base, ...]:
    """The Pythons of this machine that are no older and can make an environment, the best first."""
    return tuple([base for name in PYTHONS if (base := await base_of(name, oldest)) is not None])


async def base_of(path: str, oldest: tuple[int, int] = OLDEST) -> Base | None:
    """A Python that can make FaceFusion's own; None where it cannot, or is too old."""
    asked = "import ensurepip, sys, venv; print(sys.version_info[0], sys.version_info[1])"
    try:
        ended = await program.run((path, "-c", asked), seconds=LOOK_SECONDS)
        major, minor = map(int, ended.out.split())
    except (program.ProgramError, ValueError):
        return None
    return Base(path, (major, minor)) if ended.code == 0 and (major, minor) >= oldest else None


async def fitting_runtime() -> tuple[str, str]:
    """Which build of ONNX Runtime fits this machine, and the reason in one sentence."""
    if sys.platform == "darwin":
        return "default", "On a Mac the plain build has CoreML."
    try:
        ended = await program.run(("nvidia-smi",), seconds=LOOK_SECONDS)
    except program.ProgramError:
        return "default", "There is no NVIDIA driver here, so FaceFusion will use the processor."
    found = re.search(r"CUDA Version:\s*(\d+)\.(\d+)", ended.out)
    if ended.code != 0 or found is None:
        return "default", "The NVIDIA driver does not answer (`nvidia-smi`), so FaceFusion will use the processor."
    cuda = int(found[1])
    if cuda < 12:
        return "default", f"The NVIDIA driver knows CUDA {cuda} only; a newer driver would let FaceFusion use the GPU."
    runtime = "cuda@13" if cuda >= 13 else "cuda@12"
    return runtime, f"The NVIDIA driver knows CUDA {found[1]}.{found[2]}."


def pinned(installer: str, runtime: str) -> tuple[str, str]:
    """Package and version of a build, as this FaceFusion's own installer (its text) pins it; else as RELEASE does."""
    rows = re.findall(r"""["']([\w@]+)["']\s*\]?\s*[:=]\s*\(\s*["']([\w-]+)["']\s*,\s*["']([\w.]+)["']""", installer)
    table = {name: (package, version) for name, package, version in rows}
    own = "default" if runtime == "coreml" else runtime
    return table.get(own) or table.get(own.partition("@")[0]) or RUNTIMES[runtime]


def requirements_of(text: str, installer: str, runtime: str) -> str:
    """FaceFusion's own requirements with the build of ONNX Runtime that is wanted."""
    package, version = pinned(installer, runtime)
    # The libraries of CUDA and cuDNN that this build was made for come along, for the driver alone brings neither.
    extras = "[cuda,cudnn]" if runtime.startswith("cuda@") else ""
    lines = [line for line in text.splitlines() if not line.strip().startswith("onnxruntime")]
    return "\n".join([*lines, f"{package}{extras}=={version}"]) + "\n"


def is_source(folder: Path) -> bool:
    """Whether FaceFusion's source lies there."""
    return (folder / "facefusion.py").is_file() and (folder / "facefusion").is_dir()


def taken(folder: Path) -> bool:
    """Whether something else than FaceFusion lies there."""
    if is_source(folder):
        return False
    try:
        return any(True for _ in folder.iterdir())
    except FileNotFoundError:
        return False
    except OSError:
        return True


def by_hand(plan: Plan) -> str:
    """What somebody without a network has to do, in sentences."""
    package, version = RUNTIMES[plan.runtime]
    return (
        f"On a machine with a network fetch {SOURCE}/archive/refs/tags/{plan.release}.tar.gz and, with its "
        f"requirements.txt, `pip download --requirement requirements.txt {package}=={version}`. Unpack the first as "
        f"{plan.folder}, make {plan.folder / 'venv'} with `python3 -m venv`, and install the packages into it with "
        f"`pip install --no-index --find-links FOLDER`."
    )


async def fetch_source(plan: Plan, log: Path) -> None:
    """Fetch the source. Nothing is left of a try that failed. Raises InstallFailure."""
    if shutil.which("git") is None:
        raise InstallFailure("git is missing, with which FaceFusion is fetched. Install it, e.g. apt install git.")
    try:
        plan.folder.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(_removed, plan.unfinished)
        await _run(plan.clone, log, "git could not fetch FaceFusion")
        with contextlib.suppress(FileNotFoundError):
            plan.folder.rmdir()  # it is empty, as `taken` has told
        plan.unfinished.rename(plan.folder)
    except OSError as error:
        raise InstallFailure(f"{plan.folder} cannot be made: {error.strerror}. Choose another folder.") from error
    finally:
        await asyncio.to_thread(_removed, plan.unfinished)


async def make_environment(plan: Plan, log: Path) -> None:
    """Make FaceFusion's own Python, if there is none. Raises InstallFailure."""
    if not plan.python.exists():
        await _run(plan.environment, log, "FaceFusion's own Python could not be made")


async def install_packages(plan: Plan, log: Path) -> None:
    """Install what FaceFusion requires; what is there already is not fetched again. Raises InstallFailure."""
    try:
        text = (plan.folder / "requirements.txt").read_text(encoding="utf-8")
        installer = plan.folder / "facefusion" / "installer.py"
        pins = installer.read_text(encoding="utf-8") if installer.exists() else ""
        wanted = requirements_of(text, pins, plan.runtime)
        (plan.folder / "venv" / REQUIREMENTS).write_text(wanted, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InstallFailure(f"The requirements of FaceFusion in {plan.folder} cannot be read: {error}.") from error
    await _run(plan.packages, log, "pip could not install what FaceFusion requires")


async def _run(argv: Sequence[str], log: Path, failed: str) -> None:
    """Run a command; all that it says goes to the log."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with log.open("ab") as stream:

            def keep(data: bytes) -> None:
                stream.write(data)
                stream.flush()

            keep(f"\n$ {' '.join(argv)}\n".encode(errors="replace"))
            ended = await program.run(argv, env=QUIET, seconds=COMMAND_SECONDS, on_error_output=keep)
            keep(ended.out.encode())
    except OSError as error:
        raise InstallFailure(f"The log {log} cannot be written: {error.strerror}. Mend its rights.") from error
    except program.ProgramError as error:
        raise InstallFailure(f"{failed}: {error.failure.sentence}") from error
    if ended.code != 0:
        lines = [line for line in f"{ended.out}\n{ended.err}".splitlines() if line.strip()]
        raise InstallFailure(f"{failed} (exit code {ended.code}). All it said: {log}", lines[-SHOWN:])


# git must not wait for a name and a password that nobody types, and pip not write for a terminal.
QUIET: Final = {"GIT_TERMINAL_PROMPT": "0", "PIP_NO_INPUT": "1", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}


def _removed(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


async def has_packages(python: Path) -> bool:
    """Whether this Python has what FaceFusion cannot do without, so that nothing must be installed into it."""
    try:
        ended = await program.run((str(python), "-c", "import numpy, onnx, onnxruntime, cv2"), seconds=COLD_SECONDS)
    except program.ProgramError:
        return False
    return ended.code == 0
