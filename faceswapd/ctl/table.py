"""Rows with columns, as wide as what stands in them."""

from collections.abc import Sequence

from faceswapd.ctl.plain import clean, columns, cut, pad
from faceswapd.ctl.terminal import Line, Look, Terminal

Row = Sequence[str]


def table(
    head: Row, rows: Sequence[tuple[Row, Look]], terminal: Terminal, numbers: frozenset[int] = frozenset()
) -> list[Line]:
    """A header and one line for each row. The columns in `numbers` stand at the right of their column. For a program
    nothing is cut."""
    cells = [[clean(cell) for cell in row] for row in (head, *(row for row, _ in rows))]
    widths = [max(columns(row[place]) for row in cells) for place in range(len(head))]
    looks = (Look.TITLE, *(look for _, look in rows))
    lines = []
    for row, look in zip(cells, looks, strict=True):
        padded = [_padded(cell, widths[place], right=place in numbers) for place, cell in enumerate(row)]
        text = "  ".join(padded).rstrip()
        lines.append(Line(text if terminal.piped else cut(text, terminal.width), look))
    return lines


def _padded(cell: str, width: int, *, right: bool) -> str:
    return " " * (width - columns(cell)) + cell if right else pad(cell, width)
