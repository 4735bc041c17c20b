"""The name of a face as somebody from elsewhere may give it: it becomes a folder's name, here and in each inbox."""

import unicodedata
from typing import Final

from faceswapd.core.intake import IGNORED_ENDINGS, IGNORED_FOLDERS, IGNORED_NAMES

LONGEST: Final = 100  # bytes
_STRANGE: Final = '/\\:*?"<>|+'  # what some file system, or a list of faces, takes for something else
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_DEVICES: Final = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{number}" for number in range(10)), *(f"lpt{number}" for number in range(10))]
)


def problem_of(name: str) -> str | None:
    """What is wrong with a name, without its subject and full stop; None where it can be used."""
    folded = name.lower()
    strange = next((letter for letter in name if letter in _STRANGE), "")
    rules = (
        (not name.strip(), "is empty"),
        (name != name.strip(), "begins or ends with a blank"),
        (len(name.encode("utf-8", "replace")) > LONGEST, f"is longer than {LONGEST} bytes"),
        (any(unicodedata.category(letter) in _UNSEEN for letter in name), "holds a letter that cannot be seen"),
        (bool(strange), f"holds a {strange}"),
        (name.startswith((".", "~")) or name.endswith("."), "begins or ends with a dot, or begins with a ~"),
        ("__" in name, "holds two underscores, which end a face's name in the name of a file"),
        (
            folded.partition(".")[0] in _DEVICES or folded in IGNORED_NAMES | IGNORED_FOLDERS,
            "means something else on some systems",
        ),
        (folded.endswith(IGNORED_ENDINGS), "ends like a file that is on its way"),
    )
    return next((problem for wrong, problem in rules if wrong), None)
