"""What goes wrong on purpose. The first lines of a step ask `begin_step`; the work then asks for one fault by name."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import logger, state_manager
from .stand_in import WISHES

_GPU_FULL = (
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Conv node."
    " Name:'/conv1/Conv' Status Message: Failed to allocate memory for requested buffer of size 134217728"
)
_FALL_BACK = (
    "*************** EP Error ***************\n"
    "EP Error cuda_call.cc:129 CUDA failure 100: no CUDA-capable device"
    " is detected\nwhen using ['CUDAExecutionProvider']\n"
    "Falling back to ['CPUExecutionProvider'] and retrying.\n"
)
_HOLD = "import time\ntime.sleep(3600)"
_HOLD_AND_IGNORE = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\n{_HOLD}"


class _Steps:
    """How many steps this process has begun, and what goes wrong in the running one."""

    begun = 0
    fault = ""
    grown: list[bytes] = []  # noqa: RUF012  what the fault "memory_growth" keeps


def begin_step() -> None:
    """Decide what goes wrong in the step that begins."""
    _Steps.begun += 1
    _Steps.fault = WISHES.fault if _is_due(_Steps.begun) else ""
    if _Steps.fault == "memory_growth":
        _Steps.grown.append(os.urandom(1) * (WISHES.growth_mb << 20))


def is_due_now() -> bool:
    """Whether the fault happens before any step: for "dies_at_import"."""
    return _is_due(0)


def _is_due(step: int) -> bool:
    if not WISHES.fault or (step and WISHES.fault_on not in {0, step}):
        return False
    if WISHES.fault_file:
        try:
            Path(WISHES.fault_file).unlink()
        except FileNotFoundError:
            return False
    return True


def has(name: str) -> bool:
    """Whether the running step suffers from a fault."""
    return _Steps.fault == name


def at_start() -> None:
    """Faults of a step that has not looked at anything yet."""
    if has("exit0_nothing"):
        sys.exit(0)
    if has("rubbish"):
        dice = random.Random(7)
        for stream in (sys.stderr, sys.stdout):
            stream.flush()
            os.write(stream.fileno(), dice.randbytes(4096) + b"\r\x1b[2K\xff\xfe\n")
    if has("rubbish_on_stdout"):
        sys.stdout.write('{"id": 1, "result": {"code": 0}}\nhello\n{broken\n' * 3)
        sys.stdout.flush()
    if has("provider_fallback"):
        sys.stderr.write(
            "2026-01-01 00:00:00.000000000 [E:onnxruntime:Default, provider_bridge_ort.cc:2195 Try]\n" + _FALL_BACK
        )
        sys.stderr.flush()


def in_work() -> None:
    """Faults in the middle of a step: called once, when the first frame is to be swapped."""
    errors: dict[str, Exception] = {
        "oom_cuda": RuntimeError(_GPU_FULL),
        "oom_python": MemoryError("Unable to allocate 4.69 MiB for an array with shape (1, 3, 640, 640)"),
        "traceback": RuntimeError("the stand-in was asked to break"),
        "disk_full": OSError(28, "No space left on device"),
    }
    if _runs_out_of_memory():
        raise errors["oom_cuda"]
    if _Steps.fault in errors:
        raise errors[_Steps.fault]
    if has("model_load"):
        fail_to_load(str(state_manager.get_item("face_swapper_model")))
    if has("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if has("segfault"):
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
    _hang()


def _hang() -> None:
    if has("hang"):
        hang()
    if has("hang_pipe"):
        subprocess.Popen([sys.executable, "-c", _HOLD], stdin=subprocess.DEVNULL).wait()
    if has("ignore_term"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with subprocess.Popen([sys.executable, "-c", _HOLD_AND_IGNORE], stdout=subprocess.PIPE) as grandchild:
            assert grandchild.stdout is not None
            grandchild.stdout.readline()
            logger.info("ignoring the wish to end", __name__)
            hang()


def _runs_out_of_memory() -> bool:
    get = state_manager.get_item
    remedies = {
        "strict": get("video_memory_strategy") == "strict",
        "one_thread": get("execution_thread_count") == 1,
        "disk": get("workflow_strategy") == "disk",
        "segment": get("trim_frame_start") is not None or get("trim_frame_end") is not None,
    }
    return bool(WISHES.oom_unless) and not remedies[WISHES.oom_unless]


def fail_to_load(model: str) -> None:
    """Say that a model cannot be loaded, and end the process at once."""
    logger.error(f"loading model {model} failed", "facefusion.inference_manager")
    sys.stderr.flush()
    os._exit(1)


def hang() -> None:
    """Do nothing for ever."""
    while True:
        time.sleep(3600)
