# ruff: noqa: TID252  a root stands alone: its package is not tests.fakes.facefusion.facefusion there
"""Runs queued jobs, one step after the other."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..ffmpeg import concat_video
from ..filesystem import is_image, is_video
from ..jobs import job_manager

ProcessStep = Callable[[str, int, dict[str, Any]], bool]


def run_job(job_id: str, process_step: ProcessStep) -> bool:
    """Run a queued job, to completed/ or failed/. What breaks out of a step leaves it in queued/."""
    if job_id not in job_manager.find_job_ids("queued"):
        return False
    if _run_steps(job_id, process_step) and _finalize_steps(job_id):
        _clean_steps(job_id)
        return job_manager.move_job_file(job_id, "completed")
    _clean_steps(job_id)
    job_manager.move_job_file(job_id, "failed")
    return False


def run_jobs(process_step: ProcessStep, *, halt_on_error: bool) -> bool:
    """Run those that are queued now. False if one failed, or none was there."""
    queued = job_manager.find_job_ids("queued")
    all_well = bool(queued)
    for job_id in queued:
        if not run_job(job_id, process_step):
            all_well = False
            if halt_on_error:
                break
    return all_well


def retry_job(job_id: str, process_step: ProcessStep) -> bool:
    """Run a failed job again."""
    if job_id not in job_manager.find_job_ids("failed"):
        return False
    for index in range(len(job_manager.get_steps(job_id))):
        job_manager.set_step_status(job_id, index, "queued")
    return job_manager.move_job_file(job_id, "queued") and run_job(job_id, process_step)


def _run_steps(job_id: str, process_step: ProcessStep) -> bool:
    steps = job_manager.get_steps(job_id)
    return bool(steps) and all(_run_step(job_id, index, step["args"], process_step) for index, step in enumerate(steps))


def _run_step(job_id: str, index: int, args: dict[str, Any], process_step: ProcessStep) -> bool:
    job_manager.set_step_status(job_id, index, "started")
    if process_step(job_id, index, args):
        output = Path(args["output_path"])
        if not output.is_file():
            return False
        shutil.move(output, _part(output, job_id, index))
        return job_manager.set_step_status(job_id, index, "completed")
    job_manager.set_step_status(job_id, index, "failed")
    return False


def _part(output: Path, job_id: str, index: int) -> Path:
    return output.with_name(f"{output.stem}-{job_id}-{index}{output.suffix.lower()}")


def _outputs(job_id: str) -> dict[str, list[str]]:
    """The outputs of the steps, and where each lies meanwhile."""
    found: dict[str, list[str]] = {}
    for index, step in enumerate(job_manager.get_steps(job_id)):
        output = step["args"].get("output_path")
        if output:
            found.setdefault(output, []).append(str(_part(Path(output), job_id, index)))
    return found


def _finalize_steps(job_id: str) -> bool:
    for output, parts in _outputs(job_id).items():
        if all(is_video(part) for part in parts):
            concat_video(output, parts)
        elif all(is_image(part) for part in parts):
            for part in parts:
                shutil.move(part, output)
    return True


def _clean_steps(job_id: str) -> None:
    for parts in _outputs(job_id).values():
        for part in parts:
            Path(part).unlink(missing_ok=True)
