"""The words of the orders about faces; light, since every command reads the whole grammar."""

from argparse import ArgumentParser
from typing import Final

FACE_ACTIONS: Final = ("list", "add", "remove")


def add_words(faces: ArgumentParser) -> None:
    """What stands after `faceswapctl faces`."""
    faces.add_argument(
        "action",
        nargs="?",
        choices=FACE_ACTIONS,
        default="list",
        metavar="ACTION",
        help="list (the default); add NAME PHOTO...; remove NAME",
    )
    faces.add_argument("name", nargs="?", metavar="NAME", help="the face's name")
    faces.add_argument("photos", nargs="*", metavar="PHOTO", help="add: photos of this person, which are copied")
