"""The commands."""

import glob
import inspect
import itertools
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from . import content_analyser, faults, hash_helper, logger, models, options, program, state_manager, traits
from .exit_helper import hard_exit, signal_exit
from .ffprobe import extract_static_video_metadata
from .filesystem import is_video
from .jobs import job_manager, job_runner
from .processors.core import get_processors_modules
from .processors.processor import check
from .stand_in import COSTS, WISHES, note, pay
from .traits import say
from .workflows import image_to_image, image_to_video

CONTENT_ANALYSER = "1c47352b"  # the checksum that content_analyser.py was released with

if WISHES.fault == "dies_at_import" and faults.is_due_now():
    raise ImportError("libcudart.so.12: cannot open shared object file: No such file or directory")
pay(COSTS.start)


def cli() -> None:
    """Do what the command line says. Ends by SystemExit."""
    for dependency in ("curl", "ffmpeg", "ffprobe"):
        if dependency in WISHES.missing:
            logger.error(say(f"{dependency} is not installed"), __name__)
            hard_exit(2)
    signal.signal(signal.SIGINT, signal_exit)
    parser = program.create_program()
    args = vars(parser.parse_args())
    for key, value in _complete(args).items():
        state_manager.init_item(key, value)
    if not args["command"]:
        parser.print_help()
        return
    logger.init(args.get("log_level") or "info")
    route(args)


def route(args: dict[str, Any]) -> None:
    """Carry out the command, and end the process."""
    hard_exit(_route(args))


def _complete(args: dict[str, Any]) -> dict[str, Any]:
    """All state items: those that are not told are None. A video's frame rate is asked here, before anything else."""
    known = dict.fromkeys((*options.STEP_KEYS, *options.JOB_KEYS))
    all_args = {**known, **args}
    if is_video(all_args["target_path"]):
        all_args["output_video_fps"] = (
            all_args["output_video_fps"] or extract_static_video_metadata(all_args["target_path"]).fps
        )
    return all_args


def _route(args: dict[str, Any]) -> int:
    command = str(args["command"])
    if command == "force-download":
        return _force_download(args["download_scope"])
    if command in {"api", "benchmark"} or (command == "run" and not traits.IS_FOUR):
        faults.hang()  # a server: it never ends
    if not job_manager.init_jobs(args["jobs_path"]):
        return 1
    if command in {"headless-run", "run"}:
        return _process_headless(args)
    if command == "batch-run":
        return _process_batch(args)
    if command.startswith(("job-run", "job-retry")):
        return _run_jobs(command, args)
    return _manage_jobs(command, args)


def common_pre_check() -> bool:
    """Whether the content check is the one that this version was released with. Without a word if not."""
    unaltered = hash_helper.create_hash(inspect.getsource(content_analyser).encode()) == CONTENT_ANALYSER
    if traits.VERSION < (3, 7):
        common = [*models.COMMON, *(["voice_extractor"] if traits.CHECKS_VOICE else [])]
        if not all(check(models.common_names(module)) for module in common):
            return False
    return (unaltered or not traits.CHECKS_ITS_ANALYSER) and not faults.has("content_analyser_modified")


def processors_pre_check() -> bool:
    """Whether all models of the step are there and right."""
    return all(module.pre_check() for module in get_processors_modules(state_manager.get_item("processors")))


def _force_download(scope: str) -> int:
    names = [name for module in models.COMMON for name in models.common_names(module)]
    chosen = [str(one.default) for one in options.STEP if one.name.endswith("_model") and options.is_known(one)]
    wanted = chosen if scope == "lite" else [*chosen, *models.ALL]
    return 0 if check(tuple(dict.fromkeys([*names, *(models.file_name(name) for name in wanted)]))) else 1


def _manage_jobs(command: str, args: dict[str, Any]) -> int:
    job_id = args.get("job_id") or ""
    if command == "job-list":
        return _list_jobs(args["job_status"])
    if command.endswith("-all"):
        status = ["drafted"] if command.startswith("job-submit") else list(job_manager.STATUSES)
        act = job_manager.submit_job if command.startswith("job-submit") else job_manager.delete_job
        done = [act(one) for name in status for one in job_manager.find_job_ids(name)]
        well, what = (
            bool(done) and all(done),
            f"jobs {{}}{'submitted' if command.startswith('job-submit') else 'deleted'}",
        )
    else:
        well, what = {
            "job-create": lambda: (job_manager.create_job(job_id), f"job {job_id} {{}}created"),
            "job-submit": lambda: (job_manager.submit_job(job_id), f"job {job_id} {{}}submitted"),
            "job-delete": lambda: (job_manager.delete_job(job_id), f"job {job_id} {{}}deleted"),
            "job-add-step": lambda: (job_manager.add_step(job_id, _step_args(args)), f"step {{}}added to job {job_id}"),
            "job-remove-step": lambda: (
                job_manager.remove_step(job_id, args["step_index"]),
                f"step {args['step_index']} {{}}removed from job {job_id}",
            ),
        }[command]()
    tell = logger.info if well else logger.error
    tell(say(what.format("" if well else "not ")), __name__)
    return 0 if well else 1


def _list_jobs(status: str) -> int:
    rows = []
    for job_id in job_manager.find_job_ids(status):
        job = job_manager.read_job_file(job_id)
        if job and {"version", "date_created", "date_updated", "steps"} <= set(job):
            rows.append([job_id, str(len(job["steps"])), "just now", "just now", status])
    if not rows:
        return 1
    table = [["job id", "steps", "date created", "date updated", "job status"], *rows]
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    line = "+-" + "-+-".join("-" * width for width in widths) + "-+"
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in table
    ]
    for text in (line, texts[0], line, *texts[1:], line):
        logger.get_package_logger().critical(text)
    return 0


def _run_jobs(command: str, args: dict[str, Any]) -> int:
    if command.endswith("-all"):
        logger.info(
            say("running all queued jobs" if command == "job-run-all" else "retrying all failed jobs"), __name__
        )
        halt = bool(args.get("halt_on_error"))
        if command == "job-run-all":
            well = job_runner.run_jobs(process_step, halt_on_error=halt)
        else:
            retried = [job_runner.retry_job(one, process_step) for one in job_manager.find_job_ids("failed")]
            well = bool(retried) and all(retried)
        what = "of all jobs"
    else:
        kind, act = (
            ("running queued", job_runner.run_job)
            if command == "job-run"
            else ("retrying failed", job_runner.retry_job)
        )
        logger.info(say(f"{kind} job {args['job_id']}"), __name__)
        well = act(args["job_id"], process_step)
        what = f"of job {state_manager.get_item('job_id')}"  # a step that ran has taken the name away
    logger.info(say(f"processing {what} {'succeeded' if well else 'failed'}"), __name__)
    return 0 if well else 1


def _step_args(args: dict[str, Any]) -> dict[str, Any]:
    """What goes into a step. Version 4 puts in what the command line says beside."""
    dropped = {"command", "job_id", "step_index", "source_pattern", "target_pattern", "output_pattern"}
    if traits.STEP_WINS:
        return {key: value for key, value in args.items() if key not in dropped}
    return {key: value for key, value in args.items() if key in options.STEP_KEYS}


def _job_id(prefix: str) -> str:
    return prefix + "-" + datetime.now().astimezone().strftime("%Y-%m-%d-%H-%M-%S")


def _process_headless(args: dict[str, Any]) -> int:
    job_id = _job_id("headless")
    made = (
        job_manager.create_job(job_id)
        and job_manager.add_step(job_id, _step_args(args))
        and job_manager.submit_job(job_id)
    )
    return 0 if made and job_runner.run_job(job_id, process_step) else 1


def _process_batch(args: dict[str, Any]) -> int:
    job_id = _job_id("batch")
    sources = sorted(glob.glob(args["source_pattern"] or ""))  # noqa: PTH207
    targets = sorted(glob.glob(args["target_pattern"] or ""))  # noqa: PTH207
    if not job_manager.create_job(job_id) or not targets:
        return 1
    for index, (source, target) in enumerate(itertools.product(sources or [""], targets)):
        names = {"target_name": Path(target).stem, "target_extension": Path(target).suffix, "index": index}
        names |= {"source_name": Path(source).stem} if source else {}
        step = _step_args(args) | {"target_path": target, "output_path": args["output_pattern"].format(**names)}
        job_manager.add_step(job_id, step | ({"source_paths": [source]} if source else {}))
    return 0 if job_manager.submit_job(job_id) and job_runner.run_job(job_id, process_step) else 1


def process_step(job_id: str, step_index: int, step_args: dict[str, Any]) -> bool:
    """Run one step of a job."""
    if traits.STEP_WINS:
        args = {**state_manager.get_state(), **step_args}
    else:
        args = {**step_args, **{key: state_manager.get_item(key) for key in options.JOB_KEYS}}
        args |= {"command": None, "job_id": None}
    for key, value in _complete(args).items():
        state_manager.set_item(key, value)
    faults.begin_step()
    total = len(job_manager.get_steps(job_id))
    logger.info(say(f"processing step {step_index + 1} of {total}"), __name__)
    faults.at_start()
    return common_pre_check() and processors_pre_check() and conditional_process() == 0


def conditional_process() -> int:
    """The step itself. 0: done; 1: failed; 2: refused before it began; 3: the content check declined; 4: stopped."""
    start_time = time.monotonic()
    get = state_manager.get_item
    note(state_manager.get_state())
    detected = "image-to-video" if is_video(get("target_path")) else "image-to-image"
    mode = detected if traits.DISK_ONLY or get("workflow_mode") == "auto" else get("workflow_mode")
    if mode != detected:
        return 2
    if not all(module.pre_process("output") for module in get_processors_modules(get("processors"))):
        return 2
    return image_to_video.process(start_time) if mode == "image-to-video" else image_to_image.process(start_time)
