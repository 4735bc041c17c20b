"""The mender's child: untrusted files are opened here, under limits, and what is made of them is written."""

import os
from typing import Final

from faceswapd.children.limits import NICER, Limits, apply
from faceswapd.children.serve import Args, Say, serve

MEMORY: Final = 6 << 30  # bytes of address space: an 8K film is decoded and coded at once


def main() -> None:
    """Limit this process, then answer `trim`, `prepare` and `finish` until stdin closes."""
    apply(Limits(memory=MEMORY, nice=NICER))  # how large a file may grow is limited for each question
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    # Imported under the limits, and only in this process: they are large and they open hostile files.
    import av.logging
    import cv2

    from faceswapd.core.preflight import Weakness
    from faceswapd.core.target import Facts, Marks
    from faceswapd.core.wish import Trim
    from faceswapd.media.answers import from_wire, to_wire
    from faceswapd.media.finishing import finish
    from faceswapd.media.mending import Report, asks, limit_files
    from faceswapd.media.preparing import prepare
    from faceswapd.media.trimming import trim

    cv2.setNumThreads(1)
    av.logging.set_level(None)  # a damaged file is told once, in a sentence

    def facts_of(args: Args) -> Facts:
        facts = from_wire({"facts": args["facts"]})
        assert isinstance(facts, Facts)
        return facts

    def telling(say: Say) -> Report:
        return lambda done, total: say({"done": done, "total": total})

    def answer_trim(args: Args, say: Say) -> Args:
        target, folder = asks(args, "target"), asks(args, "folder")
        limit_files(target)
        return to_wire(trim(target, folder, facts_of(args), Trim(**args["trim"]), telling(say)))

    def answer_prepare(args: Args, say: Say) -> Args:
        weaknesses = frozenset(Weakness(name) for name in args["weaknesses"])
        target, folder = asks(args, "target"), asks(args, "folder")
        limit_files(target)
        return to_wire(prepare(target, folder, facts_of(args), weaknesses, telling(say)))

    def answer_finish(args: Args, say: Say) -> Args:
        parts = [asks({"part": part}, "part") for part in args["parts"]]
        marks = None if args["marks"] is None else Marks(**args["marks"])
        target, prepared, output = asks(args, "target"), asks(args, "prepared"), asks(args, "output")
        limit_files(target, prepared, *parts)
        return to_wire(finish(target, prepared, parts, output, facts_of(args), marks, telling(say)))

    serve({"trim": answer_trim, "prepare": answer_prepare, "finish": answer_finish})


if __name__ == "__main__":
    main()
