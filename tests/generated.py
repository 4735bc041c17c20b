"""What is made from the parsers and kept beside the code: `python -m tests.generated` writes it anew."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

import shtab

from faceswapd.ctl.parser import parser
from tests.man_pages import PAGES

ROOT: Final = Path(__file__).parents[1]
COMPLETIONS: Final = ROOT / "faceswapd" / "ctl" / "completions"
MANUAL: Final = ROOT / "docs" / "man"
SHELLS: Final = ("bash", "zsh", "fish")

# What is completed where: by command and argument; an argument alone means it in every command.
_NAMES: Final = {
    "cancel ids": "open",
    "priority ids": "open",
    "retry ids": "ended",
    "ids": "ids",
    "id": "ids",
    "before": "ids",
    "face": "faces",
    "inbox": "inboxes",
    "preset": "presets",
}
_FILES: Final = ("socket", "path", "file", "submit targets")

_BASH: Final = """
# $1: the sort of names, $2: the beginning of the word
_faceswapctl_names() {
  local name
  while IFS= read -r name; do
    [[ "$name" == "$2"* ]] && printf '%s\\n' "$name"
  done < <(command faceswapctl __complete "$1" 2>/dev/null)
}
_faceswapctl_targets() {  # a path or a parked job, and at the end a face
  compgen -f -- "$1"
  _faceswapctl_names parked "$1"
  _faceswapctl_names faces "$1"
}
"""
_ZSH: Final = """
_faceswapctl_names() {
  local -a names
  names=(${(f)"$(command faceswapctl __complete "$1" 2>/dev/null)"})
  compadd -a names
}
_faceswapctl_targets() {  # a path or a parked job, and at the end a face
  _faceswapctl_names parked
  _faceswapctl_names faces
  _files
}
"""
_FISH: Final = """
function _faceswapctl_names
  command faceswapctl __complete $argv[1] 2>/dev/null
end
function _faceswapctl_targets  # a path or a parked job, and at the end a face
  _faceswapctl_names parked
  _faceswapctl_names faces
  __fish_complete_path (commandline -ct)
end
"""
_SORTS: Final = ("ids", "open", "ended", "faces", "inboxes", "presets")
_PREAMBLES: Final = {
    "bash": _BASH + "".join(f'_faceswapctl_{sort}() {{ _faceswapctl_names {sort} "$1"; }}\n' for sort in _SORTS),
    "zsh": _ZSH + "".join(f"_faceswapctl_{sort}() {{ _faceswapctl_names {sort}; }}\n" for sort in _SORTS),
    "fish": _FISH,
}


def completion(shell: str) -> str:
    """The completion of faceswapctl for a shell."""
    grammar = parser()
    for command, action in _actions(grammar):
        _mark(command, action)
    text: str = shtab.complete(grammar, shell=shell, preamble=_PREAMBLES[shell])
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _actions(grammar: argparse.ArgumentParser) -> list[tuple[str, argparse.Action]]:
    """Every argument, with its command."""
    found: list[tuple[str, argparse.Action]] = []
    for action in grammar._actions:
        found.append(("", action))
        if isinstance(action, argparse._SubParsersAction):
            found += [(name, one) for name, command in action.choices.items() for one in command._actions]
    return found


def _mark(command: str, action: argparse.Action) -> None:
    """Tell shtab how an argument is completed."""
    keys = (f"{command} {action.dest}", action.dest)
    if command == "assign" and action.dest == "targets":
        _set(action, "_faceswapctl_targets", "_faceswapctl_targets")
    elif any(key in _FILES for key in keys):
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    elif sort := next((_NAMES[key] for key in keys if key in _NAMES), None):
        _set(action, f"_faceswapctl_{sort}", f"_faceswapctl_names {sort}")


def _set(action: argparse.Action, function: str, call: str) -> None:
    complete = {"bash": function, "zsh": function, "fish": f"({call})"}
    action.complete = complete  # type: ignore[attr-defined]


def _files() -> dict[Path, Callable[[], str]]:
    manual = {MANUAL / name: made for name, made in PAGES.items()}
    return manual | {COMPLETIONS / f"faceswapctl.{shell}": lambda shell=shell: completion(shell) for shell in SHELLS}


FILES: Final = _files()  # each with what makes it


if __name__ == "__main__":
    for path, made in FILES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made(), encoding="utf-8")
