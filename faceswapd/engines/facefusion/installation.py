"""An installation of FaceFusion, as its probe found it: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Installation:
    """What is known of one installation. It is asked once, and again when the files have changed."""

    root: Path  # the folder with facefusion.py; the child's working directory
    python: Path  # FaceFusion's own interpreter
    version: tuple[int, int, int]  # 3.8.1 -> (3, 8, 1); a development branch "v4" -> (4, 0, 0)
    label: str  # the version as it says it itself
    commands: frozenset[str]  # headless-run, run, batch-run, job-run, ...
    choices: Mapping[str, tuple[str, ...]]  # by option ("--face-swapper-model") of the one-shot command; () = free
    providers: tuple[str, ...]  # execution providers that it offers, in its own order: cuda, coreml, cpu ...
    encoders: tuple[str, ...]  # video encoders that its ffmpeg offers it
    unaltered: bool  # the content check's file is the one that this version was released with
    env: tuple[tuple[str, str], ...] = ()  # what its children need on top of ours, e.g. CONDA_PREFIX
    warnings: tuple[str, ...] = field(default=())  # sentences: known faults of this version and what is done about them

    @property
    def one_shot(self) -> str:
        """The command that swaps one target and ends: in version 4 `run`, which in 3 starts the web page."""
        return "headless-run" if "headless-run" in self.commands else "run"

    @property
    def named_by_output(self) -> bool:
        """Whether its temporary folder bears the output's name instead of the target's."""
        return self.version >= (4, 0, 0)

    def knows(self, option: str) -> bool:
        """Whether this version has an option, e.g. "--workflow-strategy"."""
        return option in self.choices

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """Its command line; to be started with `cwd=root` and `env`."""
        return (str(self.python), "facefusion.py", *arguments)
