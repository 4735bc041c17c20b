"""The template of a job's step, asked from the installation itself.

A key that lacks in a job file is no default but nothing at all, and breaks the job; keys differ between versions. So
none is written by hand: FaceFusion makes one step of the chosen options, and only what differs from job to job is
replaced in it.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from faceswapd.children import program
from faceswapd.core.failures import Failure
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.keeping import keep, recall, signature_of
from faceswapd.engines.facefusion.options import Chosen
from faceswapd.engines.facefusion.probe import QUESTION_SECONDS, ProbeError, failure_of, signature_of_installation

_JOB: Final = "template"  # letters, digits and "-" only
_NOWHERE: Final = Path("/nonexistent")  # nothing is read of the files that are replaced
# Version 4 writes them into the step, where they would win over the command line of the process that runs it.
_OF_THE_PROCESS: Final = frozenset({"command", "config_path", "temp_path", "jobs_path", "log_level"})


@dataclass(frozen=True, slots=True)
class StepTemplate:
    """A step's arguments for one set of options."""

    text: str  # JSON: every argument by its name

    def job(self, sources: Sequence[Path], target: Path, output: Path, own: Sequence[str] = ()) -> str:
        """The text of a job file with one step. `own` are this job's own command line arguments, such as
        `--trim-frame-start 100`."""
        args: dict[str, Any] = json.loads(self.text)
        args["source_paths"] = [str(source) for source in sources]
        args["target_path"] = str(target)
        args["output_path"] = str(output)
        for option, value in zip(own[::2], own[1::2], strict=True):
            args[option.removeprefix("--").replace("-", "_")] = int(value) if value.isdigit() else value
        return json.dumps({"version": "1", "steps": [{"status": "queued", "args": args}]}, indent=4)


async def template(installation: Installation, chosen: Chosen, folder: Path) -> StepTemplate:
    """Ask the installation for the step of these options. The answer is kept in `folder` for as long as the
    installation stays the same. Raises ProbeError."""
    looks = await asyncio.to_thread(signature_of_installation, installation.root, installation.python)
    signature = signature_of(looks, installation.label, chosen.step)
    cache = folder / f"step-{signature}.json"
    kept = await asyncio.to_thread(recall, cache, signature)
    if isinstance(kept, str):
        return StepTemplate(kept)
    made = StepTemplate(json.dumps(await _ask(installation, chosen)))
    await asyncio.to_thread(keep, cache, signature, made.text)
    return made


async def _ask(installation: Installation, chosen: Chosen) -> Mapping[str, Any]:
    scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="faceswapd-step-"))
    try:
        jobs = ("--jobs-path", str(scratch))
        files = ("-s", f"{_NOWHERE}/source.png", "-t", f"{_NOWHERE}/target.mp4", "-o", f"{_NOWHERE}/output.mp4")
        await _run(installation, "job-create", _JOB, *jobs)
        await _run(installation, "job-add-step", _JOB, *jobs, *files, *chosen.step)
        return await asyncio.to_thread(_read, scratch / "drafted" / f"{_JOB}.json")
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, True)


async def _run(installation: Installation, *arguments: str) -> None:
    try:
        ended = await program.run(
            installation.argv(*arguments),
            cwd=installation.root,
            env=dict(installation.env),
            seconds=QUESTION_SECONDS,
        )
    except program.ProgramError as error:
        raise ProbeError(error.failure) from error
    if ended.code != 0:
        raise ProbeError(failure_of(ended))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        args = dict(json.loads(path.read_bytes())["steps"][-1]["args"])
        if not {"source_paths", "target_path", "output_path", "processors"} <= args.keys():
            raise KeyError("target_path")
    except (OSError, ValueError, LookupError, TypeError) as error:
        sentence = "FaceFusion took a job, and did not write it down as it is known to do."
        raise ProbeError(Failure("job_file", sentence)) from error
    return {name: value for name, value in args.items() if name not in _OF_THE_PROCESS}
