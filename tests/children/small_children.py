"""Real children, each a few lines of Python."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence

import psutil

from faceswapd.children import kin
from faceswapd.children.child import Child

NAME = "small child"
READY = "print('{\"ready\": {}}', flush=True)"
# A grandchild that ignores TERM and says who it is on stderr, in the child's own process group.
GRANDCHILD = (
    "import subprocess, sys\n"
    "code = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True);'\n"
    "code += 'time.sleep(600)'\n"
    "one = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)\n"
    "one.stdout.readline()\n"
)

# One that ignores TERM, in a session of its own, whose parents have ended: nothing but its mark tells whose it is.
ESCAPED = (
    "import os, signal, sys, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "    if os.fork(): os._exit(0)\n"
    "    os.write(int(sys.argv[1]), b'%d\\n' % os.getpid())\n"
    "    os.close(0); os.close(1); os.close(2)\n"
    "    time.sleep(600)\n"
)


def argv(code: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code)]


async def started(code: str) -> Child:
    """A child that is ready at once and then does as it is told here."""
    return await Child.start(argv(f"import json, sys\n{READY}\n{textwrap.dedent(code)}"), name=NAME)


def gone(pids: Sequence[int], seconds: float) -> bool:
    """Whether processes end in time. One that its parent has not waited for yet has ended."""
    ends = time.monotonic() + seconds
    for pid in pids:
        while psutil.pid_exists(pid) and not _ended(pid, ends - time.monotonic()):
            if time.monotonic() > ends:
                return False
    return True


def _ended(pid: int, seconds: float) -> bool:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        process.wait(max(0.0, min(seconds, 0.1)))
    except psutil.TimeoutExpired:
        return False
    except psutil.NoSuchProcess:
        pass
    return True


def escaped(mark: str) -> int:
    """The pid of one that has left everybody, and bears a mark."""
    command = [*argv(ESCAPED), "1"]
    environment = {**os.environ, kin.VARIABLE: mark}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return int(done.stdout)
