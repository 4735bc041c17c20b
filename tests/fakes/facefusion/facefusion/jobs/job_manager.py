# ruff: noqa: TID252  a root stands alone: its package is not tests.fakes.facefusion.facefusion there
"""Job files: `<jobs>/<status>/<id>.json`."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import traits

STATUSES = ("drafted", "queued", "failed", "completed")
Step = dict[str, Any]


class _Folder:
    path = Path()


def init_jobs(jobs_path: str) -> bool:
    """Make the folders."""
    _Folder.path = Path(jobs_path)
    for status in STATUSES:
        (_Folder.path / status).mkdir(parents=True, exist_ok=True)
    return True


def create_job(job_id: str) -> bool:
    """Draft a job. False where one of that name is known."""
    if find_job_path(job_id):
        return False
    _write(
        _Folder.path / "drafted" / _file_name(job_id),
        {"version": "1", "date_created": _now(), "date_updated": None, "steps": []},
    )
    return True


def submit_job(job_id: str) -> bool:
    """Queue a drafted job that has steps."""
    if job_id not in find_job_ids("drafted") or not get_steps(job_id):
        return False
    return all(set_step_status(job_id, index, "queued") for index in range(len(get_steps(job_id)))) and move_job_file(
        job_id, "queued"
    )


def delete_job(job_id: str) -> bool:
    """Remove a job's file."""
    path = find_job_path(job_id)
    if path:
        path.unlink()
    return bool(path)


def add_step(job_id: str, args: dict[str, Any]) -> bool:
    """Append a step."""
    job = read_job_file(job_id)
    if not job:
        return False
    job["steps"].append({"args": dict(args), "status": "drafted"})
    return _update(job_id, job)


def remove_step(job_id: str, index: int) -> bool:
    """Take a step away."""
    job = read_job_file(job_id)
    if not job or index >= len(job["steps"]):
        return False
    job["steps"].pop(index)
    return _update(job_id, job)


def find_job_ids(status: str) -> list[str]:
    """The jobs of a status, the oldest file first."""
    paths = sorted((_Folder.path / status).glob("*.json"), key=lambda path: path.stat().st_mtime)
    return [path.stem for path in paths]


def get_steps(job_id: str) -> list[Step]:
    """A job's steps."""
    job = read_job_file(job_id)
    return job["steps"] if job else []


def set_step_status(job_id: str, index: int, status: str) -> bool:
    """Note how far a step is. The file is written anew in place."""
    job = read_job_file(job_id)
    if not job:
        return False
    job["steps"][index]["status"] = status
    return _update(job_id, job)


def read_job_file(job_id: str) -> dict[str, Any] | None:
    """A job; None where there is none, or no JSON."""
    path = find_job_path(job_id)
    if not path:
        return None
    try:
        job: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError:
        return None
    return job


def move_job_file(job_id: str, status: str) -> bool:
    """Give a job's file another status."""
    path = find_job_path(job_id)
    if path:
        path.rename(_Folder.path / status / path.name)
    return bool(path)


def find_job_path(job_id: str) -> Path | None:
    """A job's file, whatever its status."""
    paths = (_Folder.path / status / _file_name(job_id) for status in STATUSES)
    return next((path for path in paths if path.is_file()), None)


def sanitize_job_id(job_id: str) -> str:
    """A name as it is if it has letters, digits and dashes only; else, from 3.7 on, its SHA-1."""
    if job_id.replace("-", "").isalnum() or not traits.SANITIZES_JOB_IDS:
        return job_id
    return hashlib.sha1(job_id.encode()).hexdigest()


def _file_name(job_id: str) -> str:
    return sanitize_job_id(job_id) + ".json"


def _update(job_id: str, job: dict[str, Any]) -> bool:
    path = find_job_path(job_id)
    if not path:
        return False
    job["date_updated"] = _now()
    _write(path, job)
    return True


def _write(path: Path, job: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(job, file, indent=4)


def _now() -> str:
    return datetime.now().astimezone().isoformat()
