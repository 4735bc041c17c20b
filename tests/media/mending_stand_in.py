"""A child that speaks as the mender's does, and misbehaves as the asked file's name says."""

import os
import signal
from pathlib import Path

from faceswapd.children.serve import Args, Refusal, Say, serve


def prepare(args: Args, say: Say) -> Args:  # noqa: C901  one case for each misbehaviour
    path = Path(args["target"])
    match path.stem:
        case "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "dies-once":
            if not path.exists():
                path.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        case "hangs":
            signal.pause()
        case "slow":
            for done in range(4):
                say({"done": done, "total": 4})
                path.read_bytes()  # a FIFO: until the test writes to it
        case "fat":
            raise MemoryError
        case "refuses":
            raise Refusal("disk_full", "The disk was full.")
        case "rubbish":
            return {"prepared": {"cheese": 1}}
        case "progress":
            say({"what": 1})
    return {"prepared": {"path": args["target"], "mended": [str(os.getpid())]}}


if __name__ == "__main__":
    serve({"prepare": prepare})
