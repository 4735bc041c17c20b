"""What is made from the parsers is what they make now."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.generated import FILES


@pytest.mark.parametrize(("path", "made"), FILES.items(), ids=[path.name for path in FILES])
def test_the_file_is_as_it_would_be_made(path: Path, made: Callable[[], str]) -> None:
    assert path.read_text(encoding="utf-8") == made(), "make it anew: python -m tests.generated"
