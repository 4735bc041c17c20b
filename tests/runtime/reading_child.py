"""A media examiner's child that reads text: what a file says is what it is."""

import base64
import hashlib
import os
import signal
from pathlib import Path

from faceswapd.children.serve import Args, Say, serve


def probe(args: Args, say: Say) -> Args:
    content = Path(args["path"]).read_bytes()
    if content.startswith(b"unreadable"):
        return {"unreadable": {"sentence": "It is no video.", "incomplete": False}}
    if content.startswith(b"wait for "):  # whoever opens the pipe that it names
        Path(content.removeprefix(b"wait for ").decode()).read_bytes()
    if content.startswith(b"kills its reader"):
        os.kill(os.getpid(), signal.SIGKILL)
    if content.startswith(b"cut"):
        return {"unreadable": {"sentence": "It ends too early.", "incomplete": True}}
    if content.startswith(b"image"):
        facts = {"kind": "image", "width": 64, "height": 48, "frames": 1, "duration": None, "rotation": 0, "audio": 0}
        return {"facts": {**facts, "content": _hash(content), "size": len(content)}}
    facts = {"kind": "video", "width": 64, "height": 48, "frames": 10, "duration": 1.0, "rotation": 0, "audio": 0}
    return {"facts": {**facts, "content": _hash(content), "size": len(content)}}


def verify(args: Args, say: Say) -> Args:
    content = Path(args["output"]).read_bytes()
    if content.startswith(b"damaged"):
        return {"failure": {"category": "output_damaged", "sentence": "The output is damaged."}}
    return {"proof": {"content": _hash(content), "size": len(content), "frames": 10, "duration": 1.0}}


def thumbnail(args: Args, say: Say) -> Args:
    path = Path(args["path"])
    if path.read_bytes().startswith(b"unreadable"):
        return {"unreadable": {"sentence": "It is no video.", "incomplete": False}}
    assert path.stat().st_ino == args["inode"]
    return {"thumbnail": {"jpeg": base64.b64encode(b"picture of " + path.read_bytes()[:20]).decode()}}


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=32).hexdigest()


if __name__ == "__main__":
    serve({"probe": probe, "verify": verify, "thumbnail": thumbnail})
