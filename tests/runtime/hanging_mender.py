"""A mender's child that begins to trim, says so, and never ends."""

import signal
from pathlib import Path

from faceswapd.children.serve import Args, Say, serve


def trim(args: Args, say: Say) -> Args:
    Path(args["folder"], "trimmed.mov").write_bytes(b"half of it")
    say({"done": 1, "total": 2})
    signal.pause()
    return {}


if __name__ == "__main__":
    serve({"trim": trim})
