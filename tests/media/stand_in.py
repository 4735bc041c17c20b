"""A child that speaks as the examiner's does, and misbehaves as the asked file's name says."""

import os
import signal
from pathlib import Path

from faceswapd.children.serve import Args, Say, serve


def probe(args: Args, say: Say) -> Args:
    path = Path(args["path"])
    match path.stem:
        case "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "dies-once":
            if not path.exists():
                path.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        case "hangs":
            signal.pause()
        case "long":
            say({"pictures": 1000})
            path.read_bytes()  # a FIFO: until the test writes to it
        case "fat":
            raise MemoryError
        case "raises":
            raise RuntimeError("a defect")
        case "rubbish":
            return {"facts": {"kind": "cheese"}}
        case "progress":
            say({"what": 1})
    return {"unreadable": {"sentence": f"{os.getpid()}", "incomplete": False}}


def verify(args: Args, say: Say) -> Args:
    probe({"path": args["output"]}, say)
    return {"failure": {"category": "audio_lost", "sentence": "Gone."}}


if __name__ == "__main__":
    serve({"probe": probe, "verify": verify})
