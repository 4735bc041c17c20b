"""The preview engine's child: all decoding and swapping happens here, under limits."""

import time
from pathlib import Path

import av.logging
import cv2

from faceswapd.children.limits import Limits, apply
from faceswapd.children.serve import Args, Say, serve
from faceswapd.core.presets import preset_of
from faceswapd.core.target import Kind
from faceswapd.engines.preview.image import swap_image
from faceswapd.engines.preview.person import Meant
from faceswapd.engines.preview.source import Sources
from faceswapd.engines.preview.video import swap_video

MEMORY = 6 << 30  # bytes of address space: 4K video takes about 2 GB of it, an image of 200 megapixels less than 6
REPORT_SECONDS = 0.2  # from one word of progress to the next
THREADS = 2  # of OpenCV, beside those of the decoder and the encoder


class Swapper:
    """Answers the verb `swap`. It keeps the last source face for the next job."""

    def __init__(self) -> None:
        self._sources = Sources()

    def swap(self, args: Args, say: Say) -> Args:
        """Swap one target. Raises Refusal and MemoryError."""
        try:
            return self._swap(args, say)
        except cv2.error as error:
            if error.code == cv2.Error.StsNoMem:
                raise MemoryError from error
            raise

    def _swap(self, args: Args, say: Say) -> Args:
        source = self._sources.face([Path(photo) for photo in args["sources"]])
        target, output, preset = Path(args["target"]), Path(args["output"]), preset_of(args["preset"])
        meant = None
        if args["person"] is not None:
            meant = Meant(**{**args["person"], "shown": Path(args["person"]["shown"])})
        start = time.monotonic()
        if args["kind"] == Kind.IMAGE:
            say({"phase": "swap", "done": 0, "total": 1})
            pixels = args["width"] * args["height"]
            frames, faces = 1, swap_image(target, output, source, preset, pixels, meant)
        else:
            progress = _Progress(say, args["frames"])
            swapped = swap_video(target, output, source, preset, progress, meant)
            frames, faces = swapped.frames, swapped.faces
        say({"phase": "swap", "done": frames, "total": frames})
        return {"frames": frames, "faces": faces, "seconds": time.monotonic() - start}


class _Progress:
    """Hands on how far the video is, a few times a second."""

    def __init__(self, say: Say, total: int) -> None:
        self._say, self._total, self._next = say, total, 0.0

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + REPORT_SECONDS
            self._say({"phase": "swap", "done": done, "total": max(done, self._total)})


def main() -> None:
    """Serve until the daemon ends."""
    apply(Limits(memory=MEMORY))
    cv2.setNumThreads(THREADS)
    av.logging.set_level(None)  # a damaged file is told once, in a sentence
    serve({"swap": Swapper().swap})


if __name__ == "__main__":
    main()
