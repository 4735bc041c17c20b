"""Runs inside FaceFusion's own Python, in FaceFusion's folder, and hands it one job after the other.

Standard library only, and Python 3.10: nothing of faceswapd is installed there. FaceFusion stays unaltered on the disk;
its public entry `facefusion.core.cli()` is called once for each job, as the command line would do. Two answers are
remembered in this process, where their names exist: that a model file has the right hash (by path, size, time and
inode), and which encoders ffmpeg has. They cost FaceFusion some seconds for each job. The content check is called
as ever.

    to the driver      {"id": 1, "verb": "run", "args": {"argv": ["headless-run", ...], "mark": "...", "proved": [...]}}
    from the driver    {"ready": {"remembers": [...]}}
                       {"id": 1, "result": {"code": 0, "inner": 0, "seconds": 1.5, "error": null}}

`inner` is what FaceFusion's own step returned (3: the content check declined, 4: stopped); null where it cannot be
seen. Everything that FaceFusion writes goes to stderr, and after each job a line with `mark`, so that the
reader of stderr knows that he has read it all. `proved` are the model and hash files that the daemon has compared
already, each as [path, size, nanoseconds, inode]: they are not summed up again as long as they look the same.
"""

import contextlib
import ctypes
import functools
import gc
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

NICE = 15  # children give way to the desktop and to the daemon
OOM_SCORE = "500"  # a machine out of memory ends a child first
PARENT_DEATH_SIGNAL = 1  # of Linux's prctl
GOODBYE_SECONDS = 10.0  # in which a driver whose daemon is gone ends all that it started
KIN = "FACESWAPD_KIN"  # what all that descends from this process has in its environment, with our value


def main() -> None:
    """Serve until stdin closes. Never returns."""
    os.environ["OMP_NUM_THREADS"] = "1"  # as FaceFusion's own entry does
    sys.path.insert(0, str(Path.cwd()))
    _give_way()
    with contextlib.suppress(ImportError, AttributeError):
        importlib.import_module("facefusion.conda").setup()  # may start this script anew, with conda's libraries
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    proved: dict[str, list[int]] = {}
    remembers = _remember_answers(proved)
    core: Any = importlib.import_module("facefusion.core")
    verdict = _Verdict(core)
    questions: queue.SimpleQueue[str] = queue.SimpleQueue()
    listening = threading.Thread(target=_listen, args=(questions,), daemon=True, name="stdin")
    listening.start()
    try:
        _send(out, {"ready": {"remembers": remembers}})
        _answer(core, questions, out, verdict, proved)
    except BrokenPipeError:  # the daemon is gone: this end must not come before that of all that we started
        listening.join(GOODBYE_SECONDS)
        raise


def _answer(
    core: Any, questions: "queue.SimpleQueue[str]", out: TextIO, verdict: "_Verdict", proved: dict[str, list[int]]
) -> None:
    first = True
    while True:
        gc.collect()
        if first:
            gc.freeze()  # what was imported stays anyway: looking through it would cost each job 30 ms
        question = json.loads(questions.get())
        proved.update({path: stamp for path, *stamp in question["args"].get("proved", ())})
        _send(out, {"id": question["id"], "result": _run(core, verdict, question["args"])})
        first = False


def _run(core: Any, verdict: "_Verdict", args: Mapping[str, Any]) -> dict[str, Any]:
    """One job. Whatever it raises ends here: the daemon decides what becomes of this process."""
    verdict.inner = None
    start = time.monotonic()
    code, error = 0, None
    sys.argv = ["facefusion.py", *args["argv"]]
    try:
        core.cli()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException as raised:  # noqa: BLE001  told to the daemon, which ends this process
        code, error = 1, repr(raised)[:500]
        traceback.print_exc()
    seconds = time.monotonic() - start
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.write(2, ("\n" + args["mark"] + "\n").encode())
    return {"code": code, "inner": verdict.inner, "seconds": seconds, "error": error}


class _Verdict:
    """Notes what FaceFusion's step returned, which its exit code does not tell."""

    def __init__(self, core: Any) -> None:
        self.inner: int | None = None
        step = getattr(core, "conditional_process", None)
        if callable(step):

            @functools.wraps(step)
            def noted(*args: Any, **kwargs: Any) -> Any:
                result = step(*args, **kwargs)
                self.inner = result if isinstance(result, int) else None
                return result

            core.conditional_process = noted


def _remember_answers(proved: Mapping[str, list[int]]) -> list[str]:
    """Let two questions be asked once in this process. Returns the names of those that are remembered."""
    done = []
    with contextlib.suppress(ImportError):
        download: Any = importlib.import_module("facefusion.download")
        check = getattr(download, "validate_hash", None)
        if callable(check):
            download.validate_hash = _once_for_each_file(check, proved)
            done.append("hashes")
    with contextlib.suppress(ImportError):
        program: Any = importlib.import_module("facefusion.program")
        encoders = getattr(program, "get_available_encoder_set", None)
        if callable(encoders):
            program.get_available_encoder_set = functools.lru_cache(encoders)
            done.append("encoders")
    return done


def _once_for_each_file(check: Callable[[str], bool], proved: Mapping[str, list[int]]) -> Callable[[str], bool]:
    """A file that was found right is asked again only when its size, time or inode has changed, or its hash file's."""
    right: set[tuple[object, ...]] = set()

    @functools.wraps(check)
    def remembered(path: str) -> bool:
        try:
            told = str(Path(path).with_suffix(".hash"))
            key = (path, *_stamp(path), *_stamp(told))
        except (OSError, TypeError, ValueError):
            return check(path)
        known = key in right or [*proved.get(path, ()), *proved.get(told, ())] == list(key[1:])
        if not known:
            if not check(path):
                return False
            right.add(key)
        return True

    return remembered


def _stamp(path: str) -> tuple[int, int, int]:
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def _give_way() -> None:
    """As faceswapd.children.limits does it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGCONT)
    with contextlib.suppress(OSError):
        os.nice(max(0, NICE - os.nice(0)))
        if os.getsid(0) == os.getpid():
            nice = str(os.nice(0))
            threading.Thread(target=_let_session_give_way, args=(nice,), daemon=True, name="autogroup").start()
    with contextlib.suppress(OSError):  # no such file on macOS
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")


def _let_session_give_way(nice: str) -> None:
    """The same for all that this process starts (sched(7), autogroup). The kernel takes one such word in 0.1 s, of the
    whole machine."""
    for _ in range(100):
        try:
            Path("/proc/self/autogroup").write_text(nice, encoding="ascii")
        except BlockingIOError:
            time.sleep(0.11)
        except OSError:  # no such file: niceness is enough
            return
        else:
            return


def _end_kin() -> None:
    """End those that have left our process group, as faceswapd.children.kin does it. Where there is no /proc, the
    daemon does it at its next start."""
    mine = f"{KIN}={os.environ.get(KIN, '')}".encode()
    found = bool(mine.partition(b"=")[2])
    while found:
        found = False
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(folder.name) != os.getpid() and mine in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)
                    found = True


def _send(out: TextIO, message: Mapping[str, Any]) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


def _listen(questions: "queue.SimpleQueue[str]") -> None:
    """Hand on each line of stdin; at its end the daemon is gone, and so are we, with all that we started."""
    for line in sys.stdin:
        questions.put(line)
    _end_kin()
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()
