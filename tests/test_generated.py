"""What is made from the parsers is what they make now."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from faceswapd.ctl.parser import parser
from tests.generated import FILES, MANUAL
from tests.man_pages import PAGES


@pytest.mark.parametrize(("path", "made"), FILES.items(), ids=[path.name for path in FILES])
def test_the_file_is_as_it_would_be_made(path: Path, made: Callable[[], str]) -> None:
    assert path.read_text(encoding="utf-8") == made(), "make it anew: python -m tests.generated"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
@pytest.mark.parametrize("name", PAGES)
def test_a_manual_page_is_good_roff(name: str) -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-P-cbou", MANUAL / name], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    for title in ("NAME", "SYNOPSIS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"):
        assert f"\n{title}\n" in done.stdout, title


def test_a_manual_page_tells_every_command_and_option() -> None:
    page = PAGES["faceswapctl.1"]()
    (commands,) = [action.choices for action in parser()._actions if isinstance(action.choices, dict)]
    for name, command in commands.items():
        section = page.partition(f'.SS "{name}')[2].partition("\n.SS ")[0]
        assert section, name
        for action in command._actions:
            if action.dest not in ("help", "socket", "json"):
                for word in action.option_strings:
                    assert f"\\fB{word.replace('-', chr(92) + '-')}\\fR" in section, (name, word)
