"""Every point at which a test can let the daemon die, read out of the daemon's own source: none can be forgotten."""

import ast
from collections.abc import Iterator
from pathlib import Path

import faceswapd

PACKAGE = Path(faceswapd.__file__).parent


def all_points() -> list[str]:
    """Names as FACESWAPD_TEST_FAULT takes them."""
    writes = [f"{when} {name}" for name in _writes() for when in ("before", "after")]
    named = [name for path in sorted(PACKAGE.rglob("*.py")) for name in _named(path)]
    points = writes + named
    assert len(points) == len(set(points)), "two points have one name"
    return points


def _writes() -> Iterator[str]:
    """The functions that write into the ledger."""
    for path in sorted((PACKAGE / "ledger").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef) and any(_is_write(one) for one in ast.walk(node)):
                yield node.name


def _is_write(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "write"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "ledger"
    )


def _named(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "faults.reached":
            argument = node.args[0]
            assert isinstance(argument, ast.Constant), f"{path}: a point is named where it stands"
            yield str(argument.value)
