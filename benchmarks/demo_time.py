"""`faceswapd demo`, from the command to the proved results."""

import signal
import subprocess
import time

from benchmarks.figure import Figure
from benchmarks.real_daemon import command, environment, own_folder

LIMIT = 60.0
PATIENCE_SECONDS = 150.0
STOP_SECONDS = 40.0  # the demo ends its daemon before itself


def measure() -> list[Figure]:
    """Once, in a fresh folder. Raises RuntimeError when it fails."""
    with own_folder() as folder:
        log = folder / "demo.log"
        started = time.monotonic()
        with log.open("wb") as said:
            demo = subprocess.Popen(
                [command("faceswapd"), "demo", str(folder / "demo")],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=environment(folder),
            )
        try:
            code = demo.wait(PATIENCE_SECONDS)
            spent = time.monotonic() - started
        finally:
            _end(demo)
        if code != 0:
            raise RuntimeError(log.read_text(errors="replace").strip().splitlines()[-1])
    return [Figure("faceswapd demo, all of it", f"{spent:.0f} s", "< 60 s", spent < LIMIT)]


def _end(demo: subprocess.Popen[bytes]) -> None:
    """Asked by Ctrl-C it takes its daemon along; a kill would leave it."""
    if demo.poll() is not None:
        return
    demo.send_signal(signal.SIGINT)
    try:
        demo.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        demo.kill()
        demo.wait()
