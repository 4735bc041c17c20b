"""docs/reliability.md names tests that are there, and what `make test-deep` holds."""

import ast
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "reliability.md"


def commands() -> list[list[str]]:
    """Each command of the table, in words."""
    rows = [row for row in DOCUMENT.read_text(encoding="utf-8").splitlines() if row.startswith("| ")][1:]
    found = [re.findall(r"`([^`]+)`", row.split("|")[3]) for row in rows]
    assert all(found), "every row has its command"
    return [shlex.split(command) for row in found for command in row]


def functions(path: Path) -> set[str]:
    """The tests of a file or of all files of a folder."""
    files = [path] if path.is_file() else list(path.rglob("test_*.py"))
    assert files, path
    return {
        node.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_command_of_the_document_finds_what_it_names() -> None:
    made = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = commands()
    for words in told:
        match words:
            case ["make", target, *_]:
                assert target in made, words
            case ["python", "-m", module, *_]:
                place = ROOT / module.replace(".", "/")
                assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), words
            case ["pytest", *options]:
                paths = [ROOT / word for word in options if word.startswith("tests/")]
                assert paths, words
                names = set().union(*map(functions, paths))
                if "-k" in options:
                    wanted = options[options.index("-k") + 1]
                    assert any(wanted in name for name in names), words
            case _:
                raise AssertionError(words)
    assert len(told) > 10
