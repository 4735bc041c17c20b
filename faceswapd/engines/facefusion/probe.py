"""Asks an installation once what it is and can; the answer is kept until its files change.

Everything is asked from FaceFusion's own command line and Python. Nothing in its folder is changed, and nothing is
downloaded.
"""

import asyncio
import json
import os
import platform
import re
import shutil
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from faceswapd.children import program
from faceswapd.core.failures import Failure, usual
from faceswapd.core.target import Kind
from faceswapd.engines.facefusion import help_text
from faceswapd.engines.facefusion.find import conda_prefix, problem_of
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.keeping import keep, looks, recall, signature_of
from faceswapd.engines.facefusion.transcript import Transcript
from faceswapd.engines.facefusion.verdict import Exit, judge

First = TypeVar("First")
Second = TypeVar("Second")

QUESTION_SECONDS: Final = 120.0  # a cold disk takes its time over FaceFusion's libraries
TRIAL_SECONDS: Final = 20.0  # a hardware encoder that takes longer for five pictures is no help
OLDEST: Final = (3, 1, 0)
_SHAPE: Final = 1  # of what is kept; grows when Installation changes
_PROGRAMS: Final = ("curl", "ffmpeg", "ffprobe")
_MORE_PLACES: Final = ("/opt/homebrew/bin", "/usr/local/bin")  # that a service's PATH often lacks
_ENCODERS: Final = "--output-video-encoder"
_VAGUE: Final = frozenset(
    {"unknown", "engine_fault", "nothing_made", "stopped"}
)  # said of jobs, of which there is none
_HARDWARE: Final = re.compile(r"_(?:nvenc|videotoolbox|qsv|amf|vaapi)$")
_VERSION: Final = re.compile(r"FaceFusion\s+v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", re.IGNORECASE)

# Compares as FaceFusion itself does before each step, without the checks of models around it, which would download.
# Prints null for a version that does not compare.
_UNALTERED: Final = r"""
import inspect, json, re
from facefusion import content_analyser, core, hash_helper
check = getattr(core, "common_pre_check", None)
code = getattr(check, "__code__", None)
known = [] if code is None else [*code.co_consts, *(getattr(core, name, None) for name in code.co_names)]
known = [one for one in known if isinstance(one, str) and re.fullmatch("[0-9a-f]{8}", one)]
found = hash_helper.create_hash(inspect.getsource(content_analyser).encode())
print(json.dumps({"unaltered": found in known if known else None}))
"""


class ProbeError(Exception):
    """The installation cannot be used; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


async def probe(root: Path, python: Path, cache: Path) -> Installation:
    """What an installation is and can. The answer is kept in the file `cache` until something has changed.

    Raises ProbeError: `engine_missing` for what is no FaceFusion or too old, `engine_python` and `numpy_abi` where
    its Python cannot run it, `dependency_missing`, `bad_ini`, and what else FaceFusion says.
    """
    signature = await asyncio.to_thread(signature_of_installation, root, python)
    kept = await asyncio.to_thread(recall, cache, signature)
    if kept is not None:
        try:
            return _from_json(kept, root, python)
        except (KeyError, TypeError, ValueError):
            pass  # written by another version of ours
    _look(root, python)
    found = await _ask(root, python, environment(python))
    await asyncio.to_thread(keep, cache, signature, _to_json(found))
    return found


def signature_of_installation(root: Path, python: Path) -> str:
    """Changes when the answers of this installation could be other ones."""
    env = environment(python)
    path = env.get("PATH", os.environ.get("PATH", ""))
    programs = (shutil.which(name, path=path) for name in _PROGRAMS)
    files = [
        root / "facefusion.py",
        root / "facefusion.ini",
        python,
        Path("/proc/driver/nvidia/version"),
        *(Path(one) for one in programs if one),
        *python.parent.parent.glob("lib/python3*/site-packages"),  # a package was installed or removed
        *sorted((root / "facefusion").glob("*.py")),
    ]
    return signature_of(_SHAPE, root, python, sorted(env.items()), looks(files))


def environment(python: Path) -> dict[str, str]:
    """What FaceFusion's children need on top of our environment: what an activated conda environment would give, and
    the CUDA libraries that pip has put into the environment, which ONNX Runtime does not find by itself."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    more = [one for one in _MORE_PLACES if one not in path and Path(one).is_dir()]
    env = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}  # cards are counted as nvidia-smi counts them
    prefix = conda_prefix(python)
    if prefix is not None:
        env["CONDA_PREFIX"] = str(prefix)
        path = [str(prefix / "bin"), *(one for one in path if one != str(prefix / "bin"))]
    libraries = [] if prefix is None else [prefix / "lib"]
    packages = (python.parent.parent / "lib").glob("python3*/site-packages")
    for folder in packages:
        libraries += [*folder.glob("tensorrt_libs"), *sorted(folder.glob("nvidia/*/lib"))]
    if libraries and platform.system() == "Linux":
        theirs = os.environ.get("LD_LIBRARY_PATH")
        env["LD_LIBRARY_PATH"] = os.pathsep.join([*map(str, libraries), *([theirs] if theirs else [])])
    if prefix is not None or more:
        env["PATH"] = os.pathsep.join([*path, *more])
    return env


def _look(root: Path, python: Path) -> None:
    problem = problem_of(root)
    if problem is not None:
        raise ProbeError(Failure("engine_missing", problem))
    if not python.is_file() or not os.access(python, os.X_OK):
        what = "is not there" if not python.exists() else "is no program that can be started"
        raise ProbeError(Failure("engine_python", f"FaceFusion's Python {what}: {python}."))


@dataclass(frozen=True, slots=True)
class _Questioner:
    """Asks FaceFusion's Python in FaceFusion's folder."""

    root: Path
    python: Path
    env: Mapping[str, str]

    async def facefusion(self, *arguments: str) -> str:
        """What `facefusion.py` prints."""
        return await self.ask("facefusion.py", *arguments)

    async def ask(self, *arguments: str) -> str:
        """What the Python prints. Raises ProbeError."""
        # so wide that no help is wrapped, and never in colours
        env = {**self.env, "COLUMNS": "100000", "NO_COLOR": "1"}
        try:
            ended = await program.run((str(self.python), *arguments), cwd=self.root, env=env, seconds=QUESTION_SECONDS)
        except program.ProgramError as error:
            category = "engine_python" if error.failure.category == "child_start" else error.failure.category
            raise ProbeError(Failure(category, error.failure.sentence)) from error
        if ended.code != 0 or not ended.out.strip():
            raise ProbeError(failure_of(ended))
        return ended.out


def failure_of(ended: program.Ended) -> Failure:
    """Why a question to FaceFusion was not answered."""
    transcript = Transcript()
    transcript.feed(ended.err.encode())
    transcript.end()
    if not transcript.lines and ended.code in (0, 1, 2):
        return usual("bad_ini")
    unread = next((line for line in transcript.lines if line.startswith("configparser.")), None)
    if unread is not None:
        why = unread.partition(": ")[2][:200].rstrip(".")
        return Failure("bad_ini", f"FaceFusion cannot read its facefusion.ini: {why}.")
    if any(line.startswith("SyntaxError") for line in transcript.lines):
        return Failure("engine_python", "FaceFusion's Python is too old for it, or its program files are damaged.")
    failure = judge(transcript, Exit(ended.code, None, Kind.IMAGE))
    if failure is not None and failure.category not in _VAGUE:
        return failure
    last = transcript.lines[-1][:200] if transcript.lines else "it printed nothing"
    return Failure("child_start", f"FaceFusion does not start: {last}")


async def _ask(root: Path, python: Path, env: Mapping[str, str]) -> Installation:
    asker = _Questioner(root, python, env)
    told, help_ = await _both(asker.facefusion("--version"), asker.facefusion("--help"))
    label = told.strip().splitlines()[-1].strip()
    version = _version(label)
    commands = help_text.commands(help_)
    one_shot = "headless-run" if "headless-run" in commands else "run"
    if one_shot not in commands or (one_shot == "run" and version < (4, 0, 0)):
        raise ProbeError(Failure("engine_missing", f"{label} in {root} has no command that swaps one target and ends."))
    options, unaltered = await _both(_options(asker, one_shot), _unaltered(asker, version))
    encoders = await _working_encoders(options.get(_ENCODERS, ()), env)
    if _ENCODERS in options:
        options[_ENCODERS] = encoders
    providers = options.get("--execution-providers", ())
    return Installation(
        root=root,
        python=python,
        version=version,
        label=label.split(maxsplit=1)[-1],
        commands=commands,
        choices=options,
        providers=providers or ("cpu",),
        encoders=encoders,
        unaltered=unaltered,
        env=tuple(sorted(env.items())),
        warnings=tuple(_warnings(version)),
    )


async def _both(one: Awaitable[First], other: Awaitable[Second]) -> tuple[First, Second]:
    """Both at the same time; when one fails, the other has ended, too, before it is raised."""
    first, second = await asyncio.gather(one, other, return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    if isinstance(second, BaseException):
        raise second
    return first, second


def _version(label: str) -> tuple[int, int, int]:
    found = _VERSION.search(label)
    if found is None:
        raise ProbeError(
            Failure("engine_missing", f"FaceFusion does not tell a version that is known: {label[:60]!r}.")
        )
    version = (int(found[1]), int(found[2] or 0), int(found[3] or 0))
    if version < OLDEST:
        raise ProbeError(
            Failure("engine_missing", f"{found[0]} is too old: faceswapd works with FaceFusion 3.1 and newer.")
        )
    return version


async def _options(asker: _Questioner, one_shot: str) -> dict[str, tuple[str, ...]]:
    options = help_text.options(await asker.facefusion(one_shot, "--help"))
    needed = {"--processors", "--output-path", "--face-swapper-model", "--execution-providers"}
    if missing := needed - options.keys():
        told = ", ".join(sorted(missing))
        raise ProbeError(Failure("engine_missing", f"This FaceFusion's help does not tell the options {told}."))
    return options


async def _unaltered(asker: _Questioner, version: tuple[int, int, int]) -> bool:
    """Whether the content check is the one that this version was released with. 3.3.1 and later know it themselves;
    before that there is nothing to compare with."""
    try:
        told = json.loads((await asker.ask("-c", _UNALTERED)).strip().splitlines()[-1])["unaltered"]
    except (ValueError, KeyError, TypeError):
        return False
    return version < (3, 3, 1) if told is None else told is True


async def _working_encoders(offered: tuple[str, ...], env: Mapping[str, str]) -> tuple[str, ...]:
    """Those of ffmpeg's encoders that work: it offers those of graphics cards also where there is no card."""
    tried = [name for name in offered if _HARDWARE.search(name)]
    works = dict(zip(tried, await asyncio.gather(*(_encodes(name, env) for name in tried)), strict=True))
    return tuple(name for name in offered if works.get(name, True))


async def _encodes(encoder: str, env: Mapping[str, str]) -> bool:
    pictures = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "640x360", "-r", "25", "-i", "/dev/zero")
    ffmpeg = shutil.which("ffmpeg", path=env.get("PATH")) or "ffmpeg"
    try:
        ended = await program.run(
            (ffmpeg, "-v", "error", "-nostdin", *pictures, "-frames:v", "5", "-c:v", encoder, "-f", "null", "-"),
            env=env,
            seconds=TRIAL_SECONDS,
        )
    except program.ProgramError:
        return False
    return ended.code == 0


def _warnings(version: tuple[int, int, int]) -> Iterator[str]:
    if version == (3, 8, 0):
        yield (
            "FaceFusion 3.8.0 keeps every frame of a video in memory, so frames go through the disk and its process is "
            "ended after each video. 3.8.1 mends this."
        )
    if (3, 8, 0) <= version <= (3, 8, 1):
        yield (
            f"FaceFusion {'.'.join(map(str, version))} damages videos with `frame_enhancer` when frames stay in "
            "memory, so they go through the disk."
        )
    if version >= (4, 0, 0):
        yield (
            "FaceFusion 4 is in development and loses the sound when frames stay in memory, so they go through the "
            "disk, and the sound comes from the target."
        )


def _to_json(found: Installation) -> dict[str, Any]:
    return {
        "version": found.version,
        "label": found.label,
        "commands": sorted(found.commands),
        "choices": dict(found.choices),
        "providers": found.providers,
        "encoders": found.encoders,
        "unaltered": found.unaltered,
        "env": found.env,
        "warnings": found.warnings,
    }


def _from_json(kept: Mapping[str, Any], root: Path, python: Path) -> Installation:
    """Raises KeyError, TypeError or ValueError for what was not kept by this version."""
    first, second, third = kept["version"]
    return Installation(
        root=root,
        python=python,
        version=(first, second, third),
        label=kept["label"],
        commands=frozenset(kept["commands"]),
        choices={option: tuple(choices) for option, choices in kept["choices"].items()},
        providers=tuple(kept["providers"]),
        encoders=tuple(kept["encoders"]),
        unaltered=kept["unaltered"],
        env=tuple((name, value) for name, value in kept["env"]),
        warnings=tuple(kept["warnings"]),
    )
