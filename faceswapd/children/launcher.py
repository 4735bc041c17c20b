"""A child that starts programs which do not speak our lines, in its own process group, so that they end with it.

It answers the verb `run`: {"argv", "cwd", "env", "mark"} -> {"code", "seconds"}. The program's two streams go to this
child's stderr, and after them a line with `mark`, so that the reader knows that he has read it all. When the daemon
ends, however it ends, the whole group ends.
"""

import os
import subprocess
import time

from faceswapd.children.limits import give_way
from faceswapd.children.serve import Args, Refusal, Say, serve


def _run(args: Args, say: Say) -> Args:
    del say
    start = time.monotonic()
    try:
        done = subprocess.run(
            args["argv"],
            cwd=args["cwd"],
            env={**os.environ, **args["env"]},
            stdin=subprocess.DEVNULL,
            stdout=2,
            stderr=2,
            check=False,
        )
    except OSError as error:
        raise Refusal("child_start", f"{args['argv'][0]} could not be started: {error.strerror or error}.") from error
    os.write(2, f"\n{args['mark']}\n".encode())
    return {"code": done.returncode, "seconds": time.monotonic() - start}


def main() -> None:
    """Serve until the daemon ends."""
    give_way()
    serve({"run": _run})


if __name__ == "__main__":
    main()
