"""The examiner's child: untrusted files are opened here, under limits, and nowhere else."""

import os
from typing import Final

from faceswapd.children.limits import NICER, Limits, apply
from faceswapd.children.serve import Args, Say, serve

MEMORY: Final = 4 << 30  # bytes of address space; a 192-megapixel JPEG takes 1.9 GiB, an 8K film 1.1


def main() -> None:
    """Limit this process, then answer `probe`, `verify` and `thumbnail` until stdin closes."""
    apply(Limits(memory=MEMORY, file=0, nice=NICER))
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    # Imported under the limits, and only in this process: they are large and they open hostile files.
    import cv2

    from faceswapd.core.target import Facts
    from faceswapd.media.answers import from_wire, to_wire
    from faceswapd.media.probe import probe
    from faceswapd.media.thumbnail import thumbnail
    from faceswapd.media.verify import verify

    cv2.setNumThreads(1)

    def answer_probe(args: Args, say: Say) -> Args:
        return to_wire(probe(args["path"], lambda pictures: say({"pictures": pictures})))

    def answer_verify(args: Args, say: Say) -> Args:  # noqa: ARG001  it knows its length from the facts
        facts = from_wire({"facts": args["facts"]})
        assert isinstance(facts, Facts)
        return to_wire(verify(args["target"], args["output"], facts))

    def answer_thumbnail(args: Args, say: Say) -> Args:  # noqa: ARG001  it decodes a few pictures at most
        return to_wire(thumbnail(args["path"], args["device"], args["inode"]))

    serve({"probe": answer_probe, "verify": answer_verify, "thumbnail": answer_thumbnail})


if __name__ == "__main__":
    main()
